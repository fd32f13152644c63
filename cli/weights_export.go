package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sonotype/densenet"
	"sonotype/internal/problem"
	"sonotype/nn"
	"sonotype/weights"
)

// Formats of `weights export`, which are also the endings of their files.
const (
	exportSafetensors = "safetensors"
	exportONNX        = "onnx"
)

type exportFlags struct {
	format, out, backbone string
	input                 int
}

func (a *app) weightsExport(store openStore) *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export NAME|FILE",
		Short: "Write weights as .safetensors, or the whole network as .onnx",
		Long: "Write weights from the store or a file, or a network that a run trained, as .safetensors with torchvision's\n" +
			"names, or as an ONNX network with the outputs features, avgpool and, where there is a classifier, logits.\n" + exitHelp,
		Example: "  sonotype weights export densenet169 --out densenet169.safetensors\n" +
			"  sonotype weights export run/03-finetune/ta.safetensors --format onnx --out ta.onnx",
		Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.exportWeights(store(), args[0], f) },
	}
	cmd.Flags().StringVar(&f.format, "format", "", "safetensors or onnx; default: what the ending of --out says, else safetensors")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "file to write; default: NAME with the format's ending, in this folder")
	cmd.Flags().StringVar(&f.backbone, "backbone", "", "densenet169 or densenet121; default: what the card or the tensors say (onnx only)")
	cmd.Flags().IntVar(&f.input, "input", 0, "side of the input in pixels; default: what the card says (onnx only)")
	return cmd
}

func (a *app) exportWeights(store weights.Store, what string, f exportFlags) error {
	if err := f.complete(what); err != nil {
		return err
	}
	if what == weights.RandomName {
		return &problem.Error{What: "random weights cannot be exported", Found: "they are made anew in every study, from its seed",
			Try: "give a name of `sonotype weights list`, or a .pth or .safetensors file"}
	}
	tensors, card, err := store.Open(what, nil, 0)
	if err != nil {
		return err
	}
	if f.format == exportSafetensors {
		err = weights.ExportSafetensors(f.out, tensors, card)
	} else {
		err = writeONNX(f, tensors, card)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.writeJSON(map[string]string{"file": f.out, "format": f.format, "tensors_hash": card.TensorsHash})
	}
	a.say("wrote %s\nlicence: %s", f.out, card.Licence)
	return nil
}

// complete fills in the format and the file to write for the weights called what.
func (f *exportFlags) complete(what string) error {
	ending := strings.TrimPrefix(strings.ToLower(filepath.Ext(f.out)), ".")
	if f.format == "" {
		f.format = exportSafetensors
		if ending == exportONNX {
			f.format = exportONNX
		}
	}
	if f.format != exportSafetensors && f.format != exportONNX {
		return errUsage{fmt.Errorf("--format: %q is neither %s nor %s", f.format, exportSafetensors, exportONNX)}
	}
	if f.input < 0 {
		return errUsage{fmt.Errorf("--input: %d is not a number of pixels", f.input)}
	}
	from, err := os.Stat(what)
	if err != nil { // a name of the store
		f.out = cmp.Or(f.out, what+"."+f.format)
		return nil
	}
	base := filepath.Base(what)
	f.out = cmp.Or(f.out, strings.TrimSuffix(base, filepath.Ext(base))+"."+f.format)
	if to, err := os.Stat(f.out); err == nil && os.SameFile(from, to) {
		return errUsage{fmt.Errorf("%s would be written over itself\n  Try: --out with another name", what)}
	}
	return nil
}

// writeONNX writes the network that t belongs to.
func writeONNX(f exportFlags, t nn.Tensors, card weights.Card) error {
	variant := densenet.Variant(cmp.Or(f.backbone, card.Backbone, backboneOf(t)))
	config, err := variant.Config()
	if err != nil {
		return err
	}
	outputs := []string{"features", "avgpool"}
	if head, ok := t["classifier.weight"]; ok && len(head.Shape) == 2 {
		config.Classes = head.Shape[0]
		outputs = append(outputs, "logits")
	}
	card.Backbone = string(variant)
	card.Preprocessing.Size = cmp.Or(f.input, card.Preprocessing.Size)
	return weights.ExportONNX(f.out, densenet.Build(config, card.Preprocessing.Size), t, card, outputs...)
}

// backboneOf is the network whose parameters t has; when it has those of none, the first, whose check will say what
// is missing.
func backboneOf(t nn.Tensors) string {
	for _, v := range densenet.Variants() {
		if weights.Check(densenet.Params(v), t) == nil {
			return string(v)
		}
	}
	return string(densenet.Variants()[0])
}
