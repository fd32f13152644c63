package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// A safetensors file is: 8 bytes, the little-endian length of the header; the header, a JSON object of
// name -> {dtype, shape, data_offsets: [begin, end]} and "__metadata__" -> {text: text}; the data, without gaps.
// (https://github.com/huggingface/safetensors, README, "Format")

const metadataKey = "__metadata__"

// stEntry is one tensor of the header.
type stEntry struct {
	name    string
	DType   string  `json:"dtype"`
	Shape   []int64 `json:"shape"`
	Offsets []int64 `json:"data_offsets"` // [begin, end) within the data
}

func decodeSafetensors(f io.ReaderAt, size int64) (nn.Tensors, Info, error) {
	head, err := readHeader(f, size)
	if err != nil {
		return nil, Info{}, err
	}
	entries, meta, err := parseHeader(head)
	if err != nil {
		return nil, Info{}, err
	}
	base := 8 + int64(len(head))
	if err := checkLayout(entries, size-base); err != nil {
		return nil, Info{}, err
	}
	c := newCollector(FormatSafetensors)
	c.info.Metadata = meta
	for _, e := range entries {
		if err := readEntry(c, f, base, e); err != nil {
			return nil, Info{}, err
		}
	}
	slices.Sort(c.info.Ignored)
	return c.tensors, c.info, nil
}

func readHeader(f io.ReaderAt, size int64) ([]byte, error) {
	var b [8]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(b[:])
	if n > maxHeader {
		return nil, &problem.Error{What: "the safetensors header is too long", Expected: fmt.Sprintf("at most %d bytes", maxHeader), Found: fmt.Sprintf("%d bytes", n)}
	}
	if int64(n) > size-8 {
		return nil, &problem.Error{What: "the safetensors file is cut short in its header", Expected: fmt.Sprintf("%d bytes", 8+n), Found: fmt.Sprintf("%d bytes", size)}
	}
	head := make([]byte, n)
	_, err := f.ReadAt(head, 8)
	return head, err
}

// parseHeader reads the JSON by hand at its top level, since encoding/json would accept a name twice.
func parseHeader(head []byte) ([]stEntry, map[string]string, error) {
	dec := json.NewDecoder(bytes.NewReader(head))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fmt.Errorf("the safetensors header is not a JSON object: %w", cmp.Or(err, io.ErrUnexpectedEOF))
	}
	var entries []stEntry
	var meta map[string]string
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("safetensors header: %w", err)
		}
		name, _ := t.(string)
		if seen[name] {
			return nil, nil, &problem.Error{What: fmt.Sprintf("the safetensors header names %q twice", name)}
		}
		seen[name] = true
		if name == metadataKey {
			err = dec.Decode(&meta)
		} else {
			e := stEntry{name: name}
			err = dec.Decode(&e)
			entries = append(entries, e)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("safetensors header, entry %q: %w", name, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, fmt.Errorf("safetensors header: %w", err)
	}
	if rest := bytes.TrimRight(head[dec.InputOffset():], " "); len(rest) > 0 {
		return nil, nil, &problem.Error{What: "the safetensors header goes on after its JSON object"}
	}
	return entries, meta, nil
}

// checkLayout sorts entries by their place and demands that they fill the data exactly: no overlap, no gap,
// nothing outside, and each as long as its shape and type say.
func checkLayout(entries []stEntry, data int64) error {
	slices.SortFunc(entries, func(a, b stEntry) int {
		return cmp.Or(slices.Compare(a.Offsets, b.Offsets), cmp.Compare(a.name, b.name))
	})
	end := int64(0)
	for _, e := range entries {
		d, ok := dtypeByName(e.DType)
		if !ok {
			return entryFault(e, "has a number type that is not read", "F16, BF16, F32 or F64", fmt.Sprintf("%q", e.DType))
		}
		n, err := elements(e.Shape)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.name, err)
		}
		if len(e.Offsets) != 2 || e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > data {
			return entryFault(e, "lies outside the file", fmt.Sprintf("[begin, end] within %d bytes of data", data), fmt.Sprint(e.Offsets))
		}
		if e.Offsets[1]-e.Offsets[0] != n*d.size {
			return entryFault(e, "has a length that does not fit its shape", fmt.Sprintf("%d bytes for %s %v", n*d.size, e.DType, e.Shape), fmt.Sprintf("%d bytes", e.Offsets[1]-e.Offsets[0]))
		}
		if e.Offsets[0] != end {
			return entryFault(e, "overlaps another tensor or leaves a gap", fmt.Sprintf("begin at byte %d", end), fmt.Sprint(e.Offsets))
		}
		end = e.Offsets[1]
	}
	if end != data {
		return &problem.Error{What: "the safetensors file has data that no tensor names", Expected: fmt.Sprintf("%d bytes", end), Found: fmt.Sprintf("%d bytes", data)}
	}
	return nil
}

func entryFault(e stEntry, what, expected, found string) error {
	return &problem.Error{What: fmt.Sprintf("the tensor %q %s", e.name, what), Expected: expected, Found: found}
}

// elements is the product of a shape's dimensions, within the limits of this package.
func elements(shape []int64) (int64, error) {
	if len(shape) > maxDims {
		return 0, tooLarge("number of dimensions", int64(len(shape)), maxDims, "dimensions")
	}
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > maxElements {
			return 0, &problem.Error{What: "a tensor's shape cannot be", Expected: fmt.Sprintf("dimensions from 0 to %d", maxElements), Found: fmt.Sprint(shape)}
		}
		if n *= d; n > maxElements {
			return 0, tooLarge("tensor", n, maxElements, "values")
		}
	}
	return n, nil
}

func readEntry(c *collector, f io.ReaderAt, base int64, e stEntry) error {
	d, _ := dtypeByName(e.DType)
	n, err := elements(e.Shape)
	if err != nil {
		return err
	}
	dst, keep, err := c.reserve(e.name, d, toInts(e.Shape), n)
	if err != nil || !keep {
		return err
	}
	r := io.NewSectionReader(f, base+e.Offsets[0], n*d.size)
	if err := readValues(dst, r, d); err != nil {
		return fmt.Errorf("tensor %q: %w", e.name, err)
	}
	return nil
}

// readValues fills dst from r by pieces, so that the file's form is never whole in memory.
func readValues(dst []float32, r io.Reader, d dtype) error {
	buf := make([]byte, int64(min(len(dst), 1<<14))*d.size)
	for chunk := range slices.Chunk(dst, 1<<14) {
		raw := buf[:int64(len(chunk))*d.size]
		if _, err := io.ReadFull(r, raw); err != nil {
			return err
		}
		d.convert(chunk, raw)
	}
	return nil
}

func toInts(shape []int64) []int {
	out := make([]int, len(shape))
	for i, d := range shape {
		out[i] = int(d)
	}
	return out
}
