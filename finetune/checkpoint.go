package finetune

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"

	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/nn"
	"sonotype/weights"
)

// A checkpoint is a safetensors file: the trainer's state and the kept epoch's tensors under the prefixes below, and in
// its metadata a checkpoint as JSON with the SHA-256 of both.
const (
	nowPrefix  = "now."  // parameters and running statistics after the last epoch
	mPrefix    = "m."    // the optimiser's moments; those of frozen parameters are 0 and left out
	vPrefix    = "v."    //
	keptPrefix = "kept." // of the kept epoch, where that is not the last

	metaKey = "sonotype_checkpoint"
	hashKey = "sonotype_hash"
)

// checkpoint is where a training stands after an epoch.
type checkpoint struct {
	Key     string         `json:"key"` // of everything that decides how the training goes
	Steps   int            `json:"steps"`
	History []Epoch        `json:"history"`
	AUCs    []evaluate.AUC `json:"aucs"` // of validation, by epoch

	state nn.State
	kept  nn.Tensors
}

// fullKey names the training: the caller's key with all that the job itself holds, but for what changes no result.
func (r *run) fullKey(start nn.Tensors) (string, error) {
	type example struct {
		Label int
		Unit  string
	}
	list := func(set []Example) (out []example) {
		for _, e := range set {
			out = append(out, example{e.Label, e.Unit})
		}
		return out
	}
	return artifact.HashJSON([]any{1, r.Key, r.Variant, r.Graph, r.Input, weights.Hash(start), list(r.Train), list(r.Valid),
		r.Config, r.Seed, r.Name, r.ISA.String()})
}

// writeCheckpoint replaces the checkpoint, atomically.
func (r *run) writeCheckpoint(state nn.State) error {
	t := nn.Tensors{}
	add := func(prefix string, from nn.Tensors) {
		for name, x := range from {
			t[prefix+name] = x
		}
	}
	add(nowPrefix, state.Tensors)
	for prefix, moments := range map[string]nn.Tensors{mPrefix: state.M, vPrefix: state.V} {
		moments = maps.Clone(moments)
		maps.DeleteFunc(moments, func(name string, _ nn.Tensor) bool { return r.factors[name] == 0 })
		add(prefix, moments)
	}
	if r.Config.kept(r.history) != len(r.history) {
		add(keptPrefix, r.kept)
	}
	text, err := json.Marshal(checkpoint{Key: r.key, Steps: state.Steps, History: r.history, AUCs: r.aucs})
	if err != nil {
		return err
	}
	return weights.SaveSafetensors(r.Checkpoint, t, map[string]string{metaKey: string(text), hashKey: checkpointHash(string(text), t)})
}

func checkpointHash(text string, t nn.Tensors) string {
	h, err := artifact.HashJSON([]string{text, weights.Hash(t)})
	if err != nil {
		return ""
	}
	return h
}

// readCheckpoint returns nil where there is no checkpoint, or one of another training. A damaged one is an error.
func readCheckpoint(path, key string, specs []nn.ParamSpec) (*checkpoint, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	damaged := func(found string, err error) error {
		return &problem.Error{What: "the checkpoint of the training is damaged", File: path, Found: found, Err: err,
			Try: "delete the file; the training then starts anew"}
	}
	t, info, err := weights.Load(path)
	if err != nil {
		return nil, damaged("", err)
	}
	text, hash := info.Metadata[metaKey], info.Metadata[hashKey]
	if text == "" || checkpointHash(text, t) != hash {
		return nil, damaged("contents that do not agree with their hash", nil)
	}
	var c checkpoint
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, damaged("", err)
	}
	if c.Key != key {
		return nil, nil
	}
	c.state = nn.State{Tensors: nn.Tensors{}, M: nn.Tensors{}, V: nn.Tensors{}, Steps: c.Steps}
	c.kept = nn.Tensors{}
	for name, x := range t {
		for prefix, to := range map[string]nn.Tensors{nowPrefix: c.state.Tensors, mPrefix: c.state.M, vPrefix: c.state.V, keptPrefix: c.kept} {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				to[rest] = x
			}
		}
	}
	if len(c.kept) == 0 {
		c.kept = c.state.Tensors
	}
	if len(c.History) == 0 || len(c.AUCs) != len(c.History) {
		return nil, damaged(fmt.Sprintf("%d epochs, %d AUCs", len(c.History), len(c.AUCs)), nil)
	}
	return &c, cmp.Or(weights.Check(specs, c.state.Tensors), weights.Check(specs, c.kept))
}
