// Package weights reads network weights (PyTorch .pth, safetensors, seeded random) into named float32 tensors
// and keeps checked copies of them in a folder.
package weights

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// Formats of weight files, as Info.Format names them.
const (
	FormatZip         = "pth (zip, torch 1.6 and later)"
	FormatLegacy      = "pth (legacy, before torch 1.6)"
	FormatSafetensors = "safetensors"
	FormatRandom      = "random"
)

// Limits on what a file may ask for: a DenseNet has under 30 million values and its pickle under 300 kB, and
// all limits together keep a hostile file below 1 GB of memory.
const (
	maxFile     = 1 << 30 // bytes of a weight file
	maxElements = 1 << 26 // values in all tensors of a file: 256 MB as float32
	maxStorage  = 1 << 28 // bytes of one storage as it stands in a .pth file
	maxHeader   = 1 << 22 // bytes of a pickle or of a safetensors header
	maxDims     = 8
)

// Info describes what Load found in a file beside the tensors that it returned.
type Info struct {
	Format   string            `json:"format"`
	DTypes   map[string]int    `json:"dtypes"`             // number of kept tensors by the file's number type
	Renamed  int               `json:"renamed"`            // tensors that had torchvision's old key names
	Ignored  []string          `json:"ignored,omitempty"`  // tensors left out: counters and other integers
	Metadata map[string]string `json:"metadata,omitempty"` // safetensors' __metadata__
}

// Load reads a PyTorch state dictionary (.pth, either serialisation) or a safetensors file.
//
// Names are torchvision's present ones: the old "denselayer1.norm.1.weight" becomes "denselayer1.norm1.weight",
// a leading "module." (DataParallel) is dropped, and num_batches_tracked is left out. Values of 16, 32 and 64
// bits become float32. Nothing in the file is executed; a file that is damaged or that asks for too much gives
// an error that names it.
func Load(path string) (nn.Tensors, Info, error) {
	t, info, err := load(path)
	if err == nil && len(t) == 0 {
		err = &problem.Error{What: "the file holds no weights", Expected: "named tensors of floating-point numbers"}
	}
	if err != nil {
		return nil, Info{}, named(path, err)
	}
	return t, info, nil
}

func load(path string) (nn.Tensors, Info, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, Info{}, err
	}
	defer f.Close()
	return decode(f, size)
}

// openFile opens a regular file within the size limit.
func openFile(path string) (*os.File, int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !st.Mode().IsRegular() {
		return nil, 0, &problem.Error{What: "cannot read the weights", Expected: "a file", Found: st.Mode().Type().String()}
	}
	if st.Size() > maxFile {
		return nil, 0, tooLarge("file", st.Size(), maxFile, "bytes")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	return f, st.Size(), nil
}

// decode recognises the format by the first bytes of the file, never by its name.
func decode(f io.ReaderAt, size int64) (nn.Tensors, Info, error) {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, Info{}, err
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return decodeZip(f, size)
	case len(head) > 8 && head[8] == '{':
		return decodeSafetensors(f, size)
	case len(head) > 1 && head[0] == opProto:
		return decodeLegacy(f, size)
	}
	return nil, Info{}, &problem.Error{
		What:     "this is not a weight file that can be read",
		Expected: "a PyTorch .pth (zip or legacy) or a .safetensors file",
		Found:    describeHead(head),
		Try:      "save it with torch.save(model.state_dict(), FILE) or safetensors.torch.save_file",
	}
}

// describeHead names the usual wrong files.
func describeHead(head []byte) string {
	switch trimmed := bytes.TrimSpace(head); {
	case len(head) == 0:
		return "an empty file"
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return "a tar archive (PyTorch before 0.1.10)"
	case len(trimmed) > 0 && trimmed[0] == '<':
		return "a web page (the download may have been refused)"
	case bytes.HasPrefix(head, []byte("version https://git-lfs")):
		return "a Git LFS pointer, not the file itself"
	}
	return fmt.Sprintf("a file that starts with %x", head[:min(len(head), 8)])
}

// named puts the file's name into an error, whatever layer it comes from.
func named(path string, err error) error {
	if p, ok := problem.As(err); ok {
		if p.File != "" {
			return err
		}
		q := *p
		q.File = path
		return &q
	}
	return &problem.Error{What: "cannot read the weights", File: path, Err: err}
}

func tooLarge(what string, found, limit int64, unit string) error {
	return &problem.Error{
		What:     "the " + what + " is larger than any network here needs",
		Expected: fmt.Sprintf("at most %d %s", limit, unit),
		Found:    fmt.Sprintf("%d %s", found, unit),
	}
}
