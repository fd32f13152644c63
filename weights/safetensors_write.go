package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/nn"
)

// SaveSafetensors writes t as float32 in the order of the names, atomically. meta goes into __metadata__.
// The same tensors and meta give the same bytes, which are those of the safetensors library.
func SaveSafetensors(path string, t nn.Tensors, meta map[string]string) error {
	if _, err := encodeHeader(slices.Sorted(maps.Keys(t)), t, meta, Single); err != nil {
		return named(path, err)
	}
	err := artifact.Write(path, func(w io.Writer) error { return EncodeSafetensors(w, t, meta, Single) })
	if err != nil {
		return &problem.Error{What: "cannot write the weights", File: path, Err: err}
	}
	return nil
}

// Precision is how the numbers of a file are written.
type Precision int

// Single writes every tensor as float32. Half writes tensors of two or more dimensions as binary16, see Halved.
const (
	Single Precision = iota
	Half
)

func (p Precision) dtype(x nn.Tensor) (name string, size int) {
	if p == Half && len(x.Shape) >= 2 {
		return "F16", 2
	}
	return "F32", 4
}

// EncodeSafetensors writes t in the order of the names; see SaveSafetensors.
func EncodeSafetensors(w io.Writer, t nn.Tensors, meta map[string]string, p Precision) error {
	names := slices.Sorted(maps.Keys(t))
	head, err := encodeHeader(names, t, meta, p)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, name := range names {
		write := writeFloats
		if kind, _ := p.dtype(t[name]); kind == "F16" {
			write = writeHalves
		}
		if err := write(w, t[name].Data); err != nil {
			return err
		}
	}
	return nil
}

// encodeHeader is the length and the JSON, padded with spaces so that the data start at a multiple of 8.
func encodeHeader(names []string, t nn.Tensors, meta map[string]string, p Precision) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	b.WriteByte('{')
	if len(meta) > 0 {
		fmt.Fprintf(&b, "%s:%s", jsonText(metadataKey), jsonText(meta))
	}
	begin := 0
	for i, name := range names {
		x := t[name]
		if len(x.Data) != x.Len() || name == metadataKey {
			return nil, &problem.Error{What: fmt.Sprintf("the tensor %q cannot be written", name), Expected: fmt.Sprintf("%d values for shape %v", x.Len(), x.Shape), Found: fmt.Sprintf("%d values", len(x.Data))}
		}
		if i > 0 || len(meta) > 0 {
			b.WriteByte(',')
		}
		kind, size := p.dtype(x)
		end := begin + size*len(x.Data)
		shape := x.Shape
		if shape == nil {
			shape = []int{}
		}
		fmt.Fprintf(&b, `%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, jsonText(name), kind, jsonText(shape), begin, end)
		begin = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	out := b.Bytes()
	binary.LittleEndian.PutUint64(out, uint64(len(out)-8))
	return out, nil
}

// ExportSafetensors writes t with the fields of its card c in __metadata__, beside the "format": "pt" by which other
// programs know torchvision's names.
func ExportSafetensors(path string, t nn.Tensors, c Card) error {
	meta, err := c.properties()
	if err != nil {
		return named(path, err)
	}
	meta["format"] = "pt"
	return SaveSafetensors(path, t, meta)
}

// jsonText is v as JSON without the escapes for HTML; it is used only for what came out of JSON, strings, integers and
// maps of strings, which always can be encoded.
func jsonText(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
