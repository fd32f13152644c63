package weights

import (
	"cmp"
	"path/filepath"
	"strings"

	"sonotype/nn"
)

// FormatTrained is Card.Format of weights that this program trained.
const FormatTrained = "trained here"

// Training says how a network was trained, for whoever judges or continues it.
type Training struct {
	Start     string `json:"start"`             // the weights that it began with: name and tensors hash
	Recipe    string `json:"recipe"`            // in words: loss, learning rate, augmentation, ...
	Optimizer string `json:"optimizer"`         // adam, adamw or sgd
	Epochs    int    `json:"epochs"`            // run, also where early stopping ended them
	Kept      int    `json:"kept_epoch"`        // the epoch whose weights these are, from 1
	Seed      uint64 `json:"seed"`              // of the study
	Stopped   bool   `json:"stopped,omitempty"` // early stopping ended the training
}

// SaveTrained writes dir/name.safetensors with its card dir/name.json, both atomically, and returns the card with
// what it filled in: name, format, hashes and number of values, and, where c leaves them empty, the source, ImageNet's
// preprocessing and an unknown licence. dir is then a store: Store{dir}.Open(name, ...), and Open of the file's path in
// any store, compare the values with the card.
func SaveTrained(dir, name string, t nn.Tensors, c Card) (Card, error) {
	if err := checkName(name); err != nil {
		return Card{}, err
	}
	made := newCard(name, t)
	c.Name, c.Format = name, FormatTrained
	c.Tensors, c.Values, c.TensorsHash = made.Tensors, made.Values, made.TensorsHash
	c.Licence = cmp.Or(c.Licence, LicenceUnknown)
	if c.Training != nil {
		c.Source = cmp.Or(c.Source, "trained from "+c.Training.Start)
	}
	if c.Preprocessing == (Preprocessing{}) {
		c.Preprocessing = ImageNet
	}
	return Store{Dir: dir}.save(t, c)
}

// cardBeside reads the card that lies beside a weight file: FILE.json of FILE.safetensors. There is none where the
// file lies outside every folder of weights, or where what lies beside it is another kind of JSON.
func cardBeside(path string) (c Card, ok bool, err error) {
	name, isSafetensors := strings.CutSuffix(filepath.Base(path), ".safetensors")
	s := Store{Dir: filepath.Dir(path)}
	if !isSafetensors || !s.hasCard(name) {
		return Card{}, false, nil
	}
	c, err = s.readCard(name)
	return c, err == nil, err
}
