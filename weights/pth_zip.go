package weights

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// maxDirectory limits what the zip directory may take while it is read; an entry takes a few times its bytes.
const maxDirectory = 1 << 24

// meteredReaderAt fails once more than left bytes were read.
type meteredReaderAt struct {
	io.ReaderAt
	left    int64
	metered bool
}

func (m *meteredReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if m.metered {
		if m.left -= int64(len(p)); m.left < 0 {
			return 0, tooLarge("zip directory", maxDirectory-m.left, maxDirectory, "bytes")
		}
	}
	return m.ReaderAt.ReadAt(p, off)
}

// decodeZip reads the serialisation of torch 1.6 and later: a zip of NAME/data.pkl and NAME/data/KEY, stored
// without compression.
func decodeZip(f io.ReaderAt, size int64) (nn.Tensors, Info, error) {
	meter := &meteredReaderAt{ReaderAt: f, left: maxDirectory, metered: true}
	z, err := zip.NewReader(meter, size)
	if err != nil {
		return nil, Info{}, err
	}
	meter.metered = false
	records, root, err := zipRecords(z)
	if err != nil {
		return nil, Info{}, err
	}
	storages := storageTable{}
	value, err := loadZipPickle(records[root+"data.pkl"], storages)
	if err != nil {
		return nil, Info{}, err
	}
	c := newCollector(FormatZip)
	jobs, err := plan(c, value)
	if err != nil {
		return nil, Info{}, err
	}
	var reader storageReader
	for _, key := range slices.Sorted(maps.Keys(storages)) {
		s := storages[key]
		if todo := jobs[s]; len(todo) > 0 {
			if err := readZipStorage(records[root+"data/"+key], &reader, s, todo); err != nil {
				return nil, Info{}, fmt.Errorf("tensor %q: %w", todo[0].name, err)
			}
		}
	}
	return c.tensors, c.info, nil
}

// zipRecords indexes the archive and finds the folder that holds data.pkl.
func zipRecords(z *zip.Reader) (map[string]*zip.File, string, error) {
	records := make(map[string]*zip.File, len(z.File))
	root, found := "", 0
	for _, f := range z.File {
		switch path.Base(f.Name) {
		case "constants.pkl":
			return nil, "", &problem.Error{What: "the file is a TorchScript program, not weights", Try: "save the plain parameters: torch.save(model.state_dict(), FILE)"}
		case "data.pkl":
			root = strings.TrimSuffix(f.Name, "data.pkl")
			found++
		case "byteorder":
			if err := checkByteOrder(f); err != nil {
				return nil, "", err
			}
		}
		records[f.Name] = f
	}
	if found != 1 || len(records) != len(z.File) {
		return nil, "", &problem.Error{What: "the zip is no PyTorch file", Expected: "one data.pkl, and each name once", Found: fmt.Sprintf("%d data.pkl, %d names for %d entries", found, len(records), len(z.File))}
	}
	return records, root, nil
}

func checkByteOrder(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, 16))
	if err != nil {
		return err
	}
	if string(b) != "little" {
		return &problem.Error{What: "the file was saved on a big-endian machine", Expected: "little", Found: fmt.Sprintf("%q", b)}
	}
	return nil
}

func loadZipPickle(f *zip.File, storages storageTable) (any, error) {
	if f.UncompressedSize64 > maxHeader {
		return nil, tooLarge("pickle", int64(min(f.UncompressedSize64, maxFile)), maxHeader, "bytes")
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	buf := bufio.NewReader(r)
	value, err := newUnpickler(buf, storages.persistent).load()
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, buf) // to the end, where the checksum is compared
	return value, err
}

// readZipStorage reads one record, and compares its checksum.
func readZipStorage(f *zip.File, b *storageReader, s *rootStorage, jobs []job) error {
	if f == nil {
		return &problem.Error{What: fmt.Sprintf("the file lacks the values of the storage %.50q", s.key), Try: "copy or download the file again"}
	}
	if want := uint64(s.count * s.dtype.size); f.Method != zip.Store || f.UncompressedSize64 != want || f.CompressedSize64 != want {
		return &problem.Error{What: fmt.Sprintf("the storage %.50q has another size than the pickle says", s.key), Expected: fmt.Sprintf("%d bytes, not compressed", want), Found: fmt.Sprintf("%d bytes (%d in the file)", f.UncompressedSize64, f.CompressedSize64)}
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if err := b.read(r, s, jobs); err != nil {
		return noEOF(err)
	}
	_, err = io.Copy(io.Discard, r)
	return err
}
