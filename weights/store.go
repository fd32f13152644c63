package weights

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/nn"
)

// RandomName opens untrained weights made from a seed instead of a file.
const RandomName = "random"

// Store is a folder of weights: NAME.safetensors with its card NAME.json beside it.
type Store struct {
	Dir string
}

func (s Store) file(name string) string { return filepath.Join(s.Dir, name+".safetensors") }
func (s Store) card(name string) string { return filepath.Join(s.Dir, name+".json") }

// Import reads a weight file of any supported format and keeps it under name, replacing what was there. Where the
// file has a card beside it (trained here, or of another store), what the card says of its origin is kept.
func (s Store) Import(path, name string) (Card, error) {
	if err := checkName(name); err != nil {
		return Card{}, err
	}
	if c, ok, err := cardBeside(path); ok || err != nil {
		t, c, err := Store{Dir: filepath.Dir(path)}.checked(c, err)
		if err != nil {
			return Card{}, err
		}
		c.Name, c.SourceSHA256 = name, cmp.Or(c.SourceSHA256, c.FileSHA256)
		return s.save(t, c)
	}
	return s.importFrom(path, name, filepath.Base(path), LicenceUnknown)
}

func (s Store) importFrom(path, name, source, licence string) (Card, error) {
	t, info, err := Load(path)
	if err != nil {
		return Card{}, err
	}
	c := newCard(name, t)
	c.Source, c.Format, c.Licence = source, info.Format, licence
	if c.SourceSHA256, err = artifact.HashFile(path); err != nil {
		return Card{}, named(path, err)
	}
	return s.save(t, c)
}

// save writes t and its card c under c.Name.
func (s Store) save(t nn.Tensors, c Card) (Card, error) {
	file, card := s.file(c.Name), s.card(c.Name)
	if err := SaveSafetensors(file, t, map[string]string{"format": "pt"}); err != nil {
		return Card{}, err
	}
	var err error
	if c.FileSHA256, err = artifact.HashFile(file); err != nil {
		return Card{}, named(file, err)
	}
	if err := artifact.WriteJSON(card, c); err != nil {
		return Card{}, &problem.Error{What: "cannot write the card of the weights", File: card, Err: err}
	}
	return c, nil
}

// List gives the cards of the store by name; a store that does not exist yet is empty.
func (s Store) List() ([]Card, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, named(s.Dir, err)
	}
	names := map[string]bool{} // a file without a card counts, and a card without a file
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext)
		if checkName(name) == nil && (ext == ".safetensors" || ext == ".json" && s.hasCard(name)) {
			names[name] = true
		}
	}
	var out []Card
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c, err := s.readCard(name)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// hasCard tells a card from the other JSON files of a folder.
func (s Store) hasCard(name string) bool {
	var c Card
	return artifact.ReadJSON(s.card(name), &c) == nil && c.TensorsHash != ""
}

func (s Store) readCard(name string) (Card, error) {
	var c Card
	if err := artifact.ReadJSON(s.card(name), &c); err != nil {
		return Card{}, &problem.Error{What: "the card of stored weights cannot be read", File: s.card(name), Err: err, Try: "train or import the weights again"}
	}
	if c.Name != name {
		return Card{}, &problem.Error{What: "the card belongs to other weights", File: s.card(name), Expected: name, Found: c.Name, Try: "train or import the weights again"}
	}
	return c, nil
}

// Verify reads every file of the store again and compares it with its card; the errors of all files are joined.
func (s Store) Verify() error {
	cards, err := s.List()
	if err != nil {
		return err
	}
	var faults []error
	for _, c := range cards {
		_, err := s.verified(c)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// verified loads c's file and compares its values with the card.
func (s Store) verified(c Card) (nn.Tensors, error) {
	path := s.file(c.Name)
	t, _, err := Load(path)
	if err != nil {
		return nil, err
	}
	fault := &problem.Error{What: "stored weights have changed since they were written", File: path, Try: "import, fetch or train them again"}
	if changed := changedTensors(c, t); len(changed) > 0 {
		fault.Found = fmt.Sprintf("%d changed tensors, first %s", len(changed), strings.Join(changed[:min(3, len(changed))], ", "))
		return nil, fault
	}
	if h := Hash(t); h != c.TensorsHash {
		fault.Expected, fault.Found = "tensors hash "+c.TensorsHash, h
		return nil, fault
	}
	sum, err := artifact.HashFile(path)
	if err != nil {
		return nil, named(path, err)
	}
	if sum != c.FileSHA256 {
		fault.Expected, fault.Found = "SHA-256 "+c.FileSHA256, sum+" (the values are the same, the header is not)"
		return nil, fault
	}
	return t, nil
}

// changedTensors names the tensors that differ from the card, that it lacks, or that it has alone.
func changedTensors(c Card, t nn.Tensors) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if c.Tensors[name] != hashOne(t[name]) {
			out = append(out, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tensors)) {
		if _, ok := t[name]; !ok {
			out = append(out, name+" (missing)")
		}
	}
	return out
}

// Open gives the weights called what: "random" (made from seed for specs), a path to a weight file, or a name in
// the store. Where a card lies beside the file the values are compared with it; another file gets a card of its own,
// without a name. The tensors are checked against specs.
func (s Store) Open(what string, specs []nn.ParamSpec, seed uint64) (nn.Tensors, Card, error) {
	t, c, err := s.open(what, specs, seed)
	if err != nil {
		return nil, Card{}, err
	}
	if err := Check(specs, t); err != nil {
		return nil, Card{}, named(cmp.Or(c.Source, what), err)
	}
	return t, c, nil
}

func (s Store) open(what string, specs []nn.ParamSpec, seed uint64) (nn.Tensors, Card, error) {
	switch {
	case what == RandomName:
		t := Random(specs, seed)
		c := newCard(RandomName, t)
		c.Source, c.Format, c.Licence = fmt.Sprintf("He normal, seed %d", seed), FormatRandom, "none needed"
		return t, c, nil
	case isPath(what):
		if c, ok, err := cardBeside(what); ok || err != nil {
			return Store{Dir: filepath.Dir(what)}.checked(c, err)
		}
		t, info, err := Load(what)
		if err != nil {
			return nil, Card{}, err
		}
		c := newCard("", t)
		c.Source, c.Format = filepath.Base(what), info.Format
		c.SourceSHA256, err = artifact.HashFile(what)
		return t, c, err
	}
	if err := s.exists(what); err != nil {
		return nil, Card{}, err
	}
	return s.checked(s.readCard(what))
}

// checked is the tensors of c, which a call has just read, and c.
func (s Store) checked(c Card, err error) (nn.Tensors, Card, error) {
	if err != nil {
		return nil, Card{}, err
	}
	t, err := s.verified(c)
	return t, c, err
}

// isPath tells a path from a name: it has a separator or a weight file's ending.
func isPath(what string) bool {
	switch strings.ToLower(filepath.Ext(what)) {
	case ".pth", ".pt", ".bin", ".safetensors":
		return true
	}
	return strings.ContainsAny(what, `/\`)
}

func (s Store) exists(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := os.Stat(s.file(name)); err == nil {
		return nil
	}
	cards, err := s.List()
	if err != nil {
		return err
	}
	have := []string{RandomName}
	for _, c := range cards {
		have = append(have, c.Name)
	}
	try := "sonotype weights import FILE --name " + name
	if _, ok := official[name]; ok {
		try = "sonotype weights fetch " + name
	}
	return &problem.Error{What: fmt.Sprintf("the store has no weights called %q", name), File: s.Dir, Found: strings.Join(have, ", "), Try: try + ", or give a path to a .pth or .safetensors file"}
}
