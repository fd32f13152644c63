package weights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/nn"
)

// Preprocessing is what the network's input must look like: pixels scaled to 0..1, then (x - mean)/std for each
// channel, Size x Size.
type Preprocessing struct {
	Size int        `json:"size"`
	Mean [3]float64 `json:"mean"`
	Std  [3]float64 `json:"std"`
}

// ImageNet is the preprocessing of torchvision's classification weights.
var ImageNet = Preprocessing{
	Size: 224,
	Mean: [3]float64{0.485, 0.456, 0.406},
	Std:  [3]float64{0.229, 0.224, 0.225},
}

// Card describes a stored file: where its values came from and what they must hash to. What only a network trained
// here has stands last, and is missing from the cards of imported files.
type Card struct {
	Name          string            `json:"name"`
	Source        string            `json:"source"`        // file name or address of the original
	SourceSHA256  string            `json:"source_sha256"` // of the original file
	Format        string            `json:"format"`        // of the original file
	FileSHA256    string            `json:"file_sha256"`   // of NAME.safetensors
	TensorsHash   string            `json:"tensors_hash"`  // Hash of the tensors
	Values        int               `json:"values"`        // number of values in all tensors
	Preprocessing Preprocessing     `json:"preprocessing"`
	Licence       string            `json:"licence"` // terms of the original, as far as they are known
	Tensors       map[string]string `json:"tensors"` // name -> SHA-256 of shape and values

	Backbone     string               `json:"backbone,omitempty"` // densenet169 or densenet121
	Classes      []string             `json:"classes,omitempty"`  // names, class 0 first; one logit is for the last of two
	Training     *Training            `json:"training,omitempty"`
	DataHash     string               `json:"data_hash,omitempty"`     // of the images, outlines and labels trained on
	PatientsHash string               `json:"patients_hash,omitempty"` // of the identifiers of the patients trained on
	Metrics      map[string]num.Float `json:"metrics,omitempty"`       // heldout_auc, ...
}

// LicenceUnknown stands in the card of a file that came without terms.
const LicenceUnknown = "not stated by the file; ask its source"

func newCard(name string, t nn.Tensors) Card {
	c := Card{Name: name, Preprocessing: ImageNet, Licence: LicenceUnknown, Tensors: make(map[string]string, len(t))}
	for k, x := range t {
		c.Tensors[k] = hashOne(x)
		c.Values += len(x.Data)
	}
	c.TensorsHash = Hash(t)
	return c
}

// properties are the card as text by text, for the metadata of other formats: strings as they are, the rest as JSON.
// What describes NAME.safetensors itself, and what is empty, is left out.
func (c Card) properties() (map[string]string, error) {
	c.FileSHA256, c.Tensors = "", nil
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for k, v := range fields {
		switch v := v.(type) {
		case nil:
		case string:
			if v != "" {
				out[k] = v
			}
		default:
			out[k] = string(jsonText(v))
		}
	}
	return out, nil
}

var storeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func checkName(name string) error {
	if storeName.MatchString(name) && name != RandomName {
		return nil
	}
	return &problem.Error{
		What:     "weights cannot be kept under this name",
		Expected: "letters, digits, '.', '_' and '-', at most 100, and not \"" + RandomName + "\"",
		Found:    fmt.Sprintf("%q", name),
	}
}
