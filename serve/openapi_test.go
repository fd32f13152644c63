package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"

	"sonotype/serve/store"
)

func description(t testing.TB) *openapi3.T {
	t.Helper()
	b, err := openAPI()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDescriptionIsValidOpenAPI(t *testing.T) {
	if err := description(t).Validate(context.Background()); err != nil {
		t.Error(err)
	}
}

// Every route is described, and every description has a route.
func TestDescriptionNamesEveryRoute(t *testing.T) {
	s := newSite(t, false, oracle{})
	server, err := New(Config{Addr: "127.0.0.1:0"}, s.service, nil)
	if err != nil {
		t.Fatal(err)
	}
	var routes, described []string
	err = chi.Walk(server.Handler().(chi.Router), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !slices.Contains([]string{"/login", "/logout"}, route) { // the pages' own
			routes = append(routes, method+" "+strings.TrimSuffix(route, "/"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range description(t).Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(routes)
	slices.Sort(described)
	if !slices.Equal(routes, described) {
		t.Errorf("routes\n%s\ndescribed\n%s", strings.Join(routes, "\n"), strings.Join(described, "\n"))
	}
}

// conforms reports how an answer differs from what the operation describes.
func conforms(op *openapi3.Operation, w *http.Response, body []byte) error {
	r := op.Responses.Value(fmt.Sprint(w.StatusCode))
	if r == nil {
		if r = op.Responses.Default(); r == nil || w.StatusCode < 400 {
			return fmt.Errorf("status %d is not described", w.StatusCode)
		}
	}
	kind, _, _ := strings.Cut(w.Header.Get("Content-Type"), ";")
	if len(r.Value.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("status %d with a body", w.StatusCode)
		}
		return nil
	}
	media := r.Value.Content[kind]
	if media == nil {
		return fmt.Errorf("status %d as %q is not described", w.StatusCode, kind)
	}
	if !strings.HasSuffix(kind, "json") {
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	return media.Schema.Value.VisitJSON(v)
}

// caller makes requests from the description: sound ones, and ones with parts left out or spoilt.
type caller struct {
	*rand.Rand
	ids []string // of cases and outlines that exist, and some that do not
}

func (c caller) text(bytes int) string {
	b := make([]byte, c.IntN(bytes+1))
	for i := range b {
		b[i] = byte(32 + c.IntN(95))
	}
	return string(b)
}

func (c caller) path(path string) string {
	for strings.Contains(path, "{") {
		i, j := strings.Index(path, "{"), strings.Index(path, "}")
		path = path[:i] + c.ids[c.IntN(len(c.ids))] + path[j+1:]
	}
	return path
}

func (c caller) query(op *openapi3.Operation, item *openapi3.PathItem) string {
	var parts []string
	for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
		if p.Value.In != "query" || c.IntN(4) == 0 {
			continue
		}
		values := []string{"0", "1", "-1", "99999999999999999999", "ta", "pta", "%00", c.ids[c.IntN(len(c.ids))]}
		parts = append(parts, p.Value.Name+"="+values[c.IntN(len(values))])
	}
	return strings.Join(parts, "&")
}

func (c caller) body(op *openapi3.Operation) (kind string, body []byte) {
	if op.RequestBody == nil {
		return "", nil
	}
	for kind := range op.RequestBody.Value.Content {
		switch {
		case c.IntN(5) == 0:
			return kind, []byte(c.text(60))
		case kind == "application/json":
			texts := []string{`{}`, `null`, `[]`, `{"value":1e400}`, `{"value":3}`, `{"outline":"` + c.ids[c.IntN(len(c.ids))] + `"}`, `{"outline":7}`,
				`{"name":"a","password":"b"}`, `{"name":"","role":"reader","password":"long enough it is"}`, `{"name":"ann","role":"reader","password":"long enough it is"}`}
			return kind, []byte(texts[c.IntN(len(texts))])
		case kind == "multipart/form-data":
			fields := map[string][]byte{}
			for name, choices := range map[string][][]byte{"image": {testImage, testMask, testImage[:40], nil}, "mask": {testMask, testImage, nil},
				"device": {[]byte("A")}, "pixel_mm": {[]byte("0.1"), []byte("NaN"), []byte("x")}, "patient": {[]byte(c.text(30))}} {
				if c.IntN(4) > 0 {
					fields[name] = choices[c.IntN(len(choices))]
				}
			}
			return form(fields)
		}
		return kind, [][]byte{testMask, testImage, testMask[:50], nil}[c.IntN(4)]
	}
	return "", nil
}

// FuzzAPI calls every operation of the description with sound and spoilt requests: no answer is a server error, and every
// one is as described.
func FuzzAPI(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed)
	}
	doc := description(f)
	paths := doc.Paths.InMatchingOrder()
	f.Fuzz(func(t *testing.T, seed uint64) {
		s := newSite(t, false, oracle{})
		a, _ := s.addCase(map[string][]byte{"image": testImage}, "")
		var o store.Outline
		s.send("POST", "/api/cases/"+a.ID+"/outlines", "", testMask, nil, &o)
		c := caller{rand.New(rand.NewPCG(seed, 0)), []string{a.ID, a.ID, o.ID, o.ID, "x", "..%2f..%2fetc", "%00", "'%3B--"}}
		for _, path := range paths {
			item := doc.Paths.Value(path)
			for method, op := range item.Operations() {
				kind, body := c.body(op)
				w := s.send(method, c.path(path)+"?"+c.query(op, item), kind, body, nil, nil)
				var b bytes.Buffer
				if _, err := io.Copy(&b, w.Body); err != nil {
					t.Fatal(err)
				}
				if w.StatusCode == 500 {
					t.Errorf("%s %s with %q: %s", method, path, body, b.String())
				}
				if err := conforms(op, w, b.Bytes()); err != nil && !undescribed(w.StatusCode) {
					t.Errorf("%s %s: %v\n%s", method, path, err, b.String())
				}
			}
		}
	})
}

// undescribed are statuses of requests that reach no operation.
func undescribed(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusNotFound || status == http.StatusMovedPermanently || status == http.StatusMethodNotAllowed
}
