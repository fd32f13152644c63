package weights

import (
	"bytes"
	"io"
	"io/fs"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// LoadFS is Load for a file of a tree, such as a folder or an archive.
func LoadFS(files fs.FS, name string) (nn.Tensors, Info, error) {
	t, info, err := loadFS(files, name)
	if err == nil && len(t) == 0 {
		err = &problem.Error{What: "the file holds no weights", Expected: "named tensors of floating-point numbers"}
	}
	if err != nil {
		return nil, Info{}, named(name, err)
	}
	return t, info, nil
}

func loadFS(files fs.FS, name string) (nn.Tensors, Info, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, Info{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, Info{}, err
	}
	if st.Size() > maxFile {
		return nil, Info{}, tooLarge("file", st.Size(), maxFile, "bytes")
	}
	if at, ok := f.(io.ReaderAt); ok {
		return decode(at, st.Size())
	}
	b, err := io.ReadAll(io.LimitReader(f, st.Size()))
	if err != nil {
		return nil, Info{}, err
	}
	return decode(bytes.NewReader(b), int64(len(b)))
}
