package weights

import (
	"fmt"
	"io"
	"slices"

	"sonotype/internal/problem"
)

// job is the reading of one tensor: from where in a storage, and to where.
type job struct {
	name string
	ref  *tensorRef
	dst  []float32
}

// plan goes through the state dictionary that a pickle made, reserves its tensors in c, and gives the jobs by the
// storage that they read. A checkpoint that holds the dictionary under "state_dict" or "model" is understood.
func plan(c *collector, root any) (map[*rootStorage][]job, error) {
	dict, err := stateDict(root)
	if err != nil {
		return nil, err
	}
	jobs := map[*rootStorage][]job{}
	for _, kv := range dict.pairs {
		name, ok := kv.key.(string)
		ref, ok2 := kv.value.(*tensorRef)
		if !ok || !ok2 {
			return nil, &problem.Error{
				What:     "the file's dictionary holds something beside named tensors",
				Expected: "a state dictionary: name -> tensor",
				Found:    fmt.Sprintf("%s -> %T", describeKey(kv.key), kv.value),
				Try:      "save the plain parameters: torch.save(model.state_dict(), FILE)",
			}
		}
		dst, keep, err := c.reserve(name, ref.storage.dtype, toInts(ref.shape), ref.count)
		if err != nil {
			return nil, err
		}
		if keep {
			jobs[ref.storage] = append(jobs[ref.storage], job{name, ref, dst})
		}
	}
	slices.Sort(c.info.Ignored)
	return jobs, nil
}

// describeKey shows text as it is and of other values only the type, since a pickle can hold endless nests.
func describeKey(key any) string {
	if s, ok := key.(string); ok {
		return fmt.Sprintf("%.100q", s)
	}
	return fmt.Sprintf("%T", key)
}

func stateDict(root any) (*pyDict, error) {
	dict, ok := root.(*pyDict)
	if !ok {
		return nil, &problem.Error{What: "the file is no state dictionary", Expected: "a dictionary of named tensors", Found: fmt.Sprintf("%T", root), Try: "save the plain parameters: torch.save(model.state_dict(), FILE)"}
	}
	for _, kv := range dict.pairs {
		if kv.key == "state_dict" || kv.key == "model" {
			if inner, ok := kv.value.(*pyDict); ok {
				return inner, nil
			}
		}
	}
	return dict, nil
}

// storageReader reads storages one after another into the same memory.
type storageReader struct{ buf []byte }

// read takes the storage s from r and fills the tensors that lie in it.
func (b *storageReader) read(r io.Reader, s *rootStorage, jobs []job) error {
	if len(jobs) == 1 && jobs[0].ref.whole() {
		return readValues(jobs[0].dst, r, s.dtype)
	}
	n := int(s.count * s.dtype.size)
	if n > cap(b.buf) {
		b.buf = make([]byte, n)
	}
	all := b.buf[:n]
	if _, err := io.ReadFull(r, all); err != nil {
		return err
	}
	for _, j := range jobs {
		j.ref.gather(j.dst, all)
	}
	return nil
}

// contiguous reports whether the values lie in row-major order without gaps.
func (t *tensorRef) contiguous() bool {
	want := int64(1)
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.stride[i] != want {
			return false
		}
		want *= t.shape[i]
	}
	return true
}

// whole reports whether the tensor is its storage, value by value.
func (t *tensorRef) whole() bool {
	return t.contiguous() && t.offset == 0 && t.count == t.storage.count
}

// gather copies the tensor's values from the bytes of its storage, in row-major order.
func (t *tensorRef) gather(dst []float32, storage []byte) {
	d := t.storage.dtype
	if t.contiguous() {
		d.convert(dst, storage[t.offset*d.size:])
		return
	}
	index := make([]int64, len(t.shape))
	at := t.offset
	for i := range dst {
		d.convert(dst[i:i+1], storage[at*d.size:])
		for k := len(index) - 1; k >= 0; k-- {
			if index[k]++; index[k] < t.shape[k] {
				at += t.stride[k]
				break
			}
			at -= (t.shape[k] - 1) * t.stride[k]
			index[k] = 0
		}
	}
}
