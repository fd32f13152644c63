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
	names := slices.Sorted(maps.Keys(t))
	head, err := encodeHeader(names, t, meta)
	if err != nil {
		return named(path, err)
	}
	err = artifact.Write(path, func(w io.Writer) error {
		if _, err := w.Write(head); err != nil {
			return err
		}
		for _, name := range names {
			if err := writeFloats(w, t[name].Data); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return &problem.Error{What: "cannot write the weights", File: path, Err: err}
	}
	return nil
}

// encodeHeader is the length and the JSON, padded with spaces so that the data start at a multiple of 8.
func encodeHeader(names []string, t nn.Tensors, meta map[string]string) ([]byte, error) {
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
		end := begin + 4*len(x.Data)
		shape := x.Shape
		if shape == nil {
			shape = []int{}
		}
		fmt.Fprintf(&b, `%s:{"dtype":"F32","shape":%s,"data_offsets":[%d,%d]}`, jsonText(name), jsonText(shape), begin, end)
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
