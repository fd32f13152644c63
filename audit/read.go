package audit

import (
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"sonotype/internal/problem"
	"sonotype/internal/suggest"
)

// largestFile bounds what an audit file may hold; the figures of a paper take a few kilobytes.
const largestFile = 4 << 20

// Read reads and checks an audit file.
func Read(path string) (*Paper, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, &problem.Error{What: "cannot read the audit file", File: path, Err: err, Try: "give the path of a PAPER.yaml; docs/audit.md describes it"}
	}
	return Parse(b, path)
}

// Parse reads and checks an audit file's text; file names it in errors. Unknown keys are errors that show the line.
func Parse(b []byte, file string) (*Paper, error) {
	if len(b) > largestFile {
		return nil, &problem.Error{What: "the audit file is too large", File: file, Expected: "at most 4 MB", Found: strconv.Itoa(len(b)) + " bytes"}
	}
	var p Paper
	if err := yaml.UnmarshalWithOptions(b, &p, yaml.Strict()); err != nil {
		return nil, yamlProblem(file, err)
	}
	if err := p.check(); err != nil {
		if e, ok := problem.As(err); ok {
			e.File = file
		}
		return nil, err
	}
	if p.Seed == 0 {
		p.Seed = 1
	}
	return &p, nil
}

var unknownKey = regexp.MustCompile(`unknown field "([^"]+)"`)

// yamlProblem keeps goccy's message, which shows the line, and adds the nearest valid key to an unknown one.
func yamlProblem(file string, err error) error {
	if e, ok := problem.As(err); ok {
		e.File = file
		return e
	}
	e := &problem.Error{What: "the audit file is not valid", File: file, Found: strings.TrimSpace(yaml.FormatError(err, false, true)), Try: "compare with docs/audit.md"}
	if m := unknownKey.FindStringSubmatch(err.Error()); m != nil {
		if near := suggest.Close(m[1], Keys()); near != "" {
			e.Try = "did you mean " + strconv.Quote(near) + "? docs/audit.md lists all keys"
		}
	}
	return e
}

// Keys lists every key that an audit file may hold.
func Keys() []string {
	var keys []string
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("yaml"); key != "" {
				keys = append(keys, key)
			}
			walk(t.Field(i).Type)
		}
	}
	walk(reflect.TypeFor[Paper]())
	return keys
}
