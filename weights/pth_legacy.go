package weights

import (
	"bufio"
	"fmt"
	"io"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// legacyMagic is the first pickled value, 0x1950a86a20f9469cfc6c, as little-endian bytes; legacyVersion the second.
const (
	legacyMagic   = pyLong("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")
	legacyVersion = int64(1001)
)

// decodeLegacy reads the serialisation before torch 1.6: pickles of a magic number, a version, the machine's
// properties, the state dictionary and the list of storage keys; then, for each key, the number of values as 8
// bytes and the values.
func decodeLegacy(f io.ReaderAt, size int64) (nn.Tensors, Info, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 1<<16)
	storages := storageTable{}
	u := newUnpickler(r, storages.persistent)
	if err := legacyPreamble(u); err != nil {
		return nil, Info{}, err
	}
	value, err := u.load()
	if err != nil {
		return nil, Info{}, err
	}
	keys, err := legacyKeys(u, storages)
	if err != nil {
		return nil, Info{}, err
	}
	c := newCollector(FormatLegacy)
	jobs, err := plan(c, value)
	if err != nil {
		return nil, Info{}, err
	}
	if err := legacySize(keys, maxHeader-u.left, size); err != nil {
		return nil, Info{}, err
	}
	var reader storageReader
	for _, s := range keys {
		if err := readLegacyStorage(r, &reader, s, jobs[s]); err != nil {
			return nil, Info{}, err
		}
	}
	return c.tensors, c.info, nil
}

// legacyPreamble checks the magic number, the version and the byte order.
func legacyPreamble(u *unpickler) error {
	magic, err := u.load()
	if err != nil {
		return err
	}
	if magic != legacyMagic {
		return &problem.Error{What: "the file is a pickle, but not one of PyTorch", Found: fmt.Sprintf("%T", magic), Try: "save it with torch.save(model.state_dict(), FILE)"}
	}
	version, err := u.load()
	if err != nil {
		return err
	}
	if version != legacyVersion {
		return &problem.Error{What: "the file has an unknown version of PyTorch's legacy format", Expected: fmt.Sprint(legacyVersion), Found: fmt.Sprintf("%T", version)}
	}
	sys, err := u.load()
	if err != nil {
		return err
	}
	dict, ok := sys.(*pyDict)
	if !ok {
		return fmt.Errorf("the machine's properties are a %T, not a dictionary", sys)
	}
	for _, kv := range dict.pairs {
		if kv.key == "little_endian" && kv.value != true {
			return &problem.Error{What: "the file was saved on a big-endian machine"}
		}
	}
	return nil
}

// legacyKeys gives the storages in the order in which their values stand in the file.
func legacyKeys(u *unpickler, storages storageTable) ([]*rootStorage, error) {
	value, err := u.load()
	if err != nil {
		return nil, err
	}
	list, ok := value.(*pyList)
	if !ok {
		return nil, fmt.Errorf("the keys of the storages are a %T, not a list", value)
	}
	seen := map[string]bool{}
	var out []*rootStorage
	for _, item := range list.items {
		key, ok := item.(string)
		if s := storages[key]; ok && s != nil && !seen[key] {
			seen[key] = true
			out = append(out, s)
			continue
		}
		return nil, fmt.Errorf("the list of storages names one that no tensor has, or one twice")
	}
	if len(out) != len(storages) {
		return nil, fmt.Errorf("the file lists %d of its %d storages", len(out), len(storages))
	}
	return out, nil
}

// legacySize compares the length of the file with what its storages need, before any memory is taken for them.
func legacySize(keys []*rootStorage, need, size int64) error {
	for _, s := range keys {
		if need += 8 + s.count*s.dtype.size; need > size {
			break
		}
	}
	if need > size {
		return &problem.Error{What: "the file is shorter than its tensors", Expected: fmt.Sprintf("at least %d bytes", need), Found: fmt.Sprintf("%d bytes", size), Try: "copy or download the file again: it may be cut short"}
	}
	return nil
}

func readLegacyStorage(r *bufio.Reader, b *storageReader, s *rootStorage, jobs []job) error {
	count, err := (&unpickler{r: r, left: 8}).uint(8)
	if err != nil {
		return err
	}
	if count != uint64(s.count) {
		return fmt.Errorf("the storage %.50q has %d values where the pickle says %d", s.key, count, s.count)
	}
	if len(jobs) == 0 {
		_, err := io.CopyN(io.Discard, r, s.count*s.dtype.size)
		return noEOF(err)
	}
	return noEOF(b.read(r, s, jobs))
}
