package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// Builder gathers the entries of a bundle. The same entries give the same bytes, in whatever order they were added.
type Builder struct {
	parts []part
	err   error // the first that an Add met
}

// part is an entry and where its bytes come from.
type part struct {
	Entry
	open func() (io.ReadCloser, error)
}

// AddBytes adds an entry that is in memory.
func (b *Builder) AddBytes(name string, data []byte) {
	b.add(name, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
}

// AddJSON adds an entry with v as JSON.
func (b *Builder) AddJSON(name string, v any) {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		b.fail(fmt.Errorf("%s: %w", name, err))
		return
	}
	b.AddBytes(name, append(data, '\n'))
}

// AddFile adds a file's bytes, which are read again when the bundle is written.
func (b *Builder) AddFile(name, file string) {
	b.add(name, func() (io.ReadCloser, error) { return os.Open(file) })
}

func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// add hashes what open gives.
func (b *Builder) add(name string, open func() (io.ReadCloser, error)) {
	if b.err != nil {
		return
	}
	if !fs.ValidPath(name) || name == "." || slices.ContainsFunc(b.parts, func(p part) bool { return p.Name == name }) {
		b.fail(&problem.Error{What: "an entry cannot have this name, or stands in the bundle already", Found: name})
		return
	}
	r, err := open()
	if err != nil {
		b.fail(err)
		return
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		b.fail(err)
		return
	}
	if n > maxEntry {
		b.fail(&problem.Error{What: "a part of the bundle is too large", File: name, Expected: fmt.Sprintf("at most %d bytes", int64(maxEntry)), Found: fmt.Sprintf("%d bytes", n)})
		return
	}
	b.parts = append(b.parts, part{Entry{name, n, hex.EncodeToString(h.Sum(nil))}, open})
}

// Files are the entries so far, as a file system.
func (b *Builder) Files() fs.FS { return builderFiles{b} }

type builderFiles struct{ b *Builder }

// Open implements fs.FS.
func (f builderFiles) Open(name string) (fs.File, error) {
	i := slices.IndexFunc(f.b.parts, func(p part) bool { return p.Name == name })
	if i < 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	var data bytes.Buffer
	if err := f.b.parts[i].copy(&data); err != nil {
		return nil, err
	}
	return &entryFile{bytes.NewReader(data.Bytes()), path.Base(name)}, nil
}

// WriteFile writes the bundle, atomically, and returns its hash.
func (b *Builder) WriteFile(file string) (hash string, err error) {
	head, parts, err := b.head()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(head)
	err = artifact.Write(file, func(w io.Writer) error {
		if _, err := w.Write(append(head, sum[:]...)); err != nil {
			return err
		}
		for _, p := range parts {
			if err := p.copy(w); err != nil {
				return err
			}
		}
		return nil
	})
	return hex.EncodeToString(sum[:]), err
}

// head is the file up to the end of its index, and the parts in the index's order.
func (b *Builder) head() ([]byte, []part, error) {
	if b.err != nil {
		return nil, nil, b.err
	}
	parts := slices.SortedFunc(slices.Values(b.parts), func(a, b part) int { return strings.Compare(a.Name, b.Name) })
	var in index
	for _, p := range parts {
		in.Entries = append(in.Entries, p.Entry)
	}
	list, err := json.Marshal(in)
	if err != nil {
		return nil, nil, err
	}
	if len(list) > maxIndex {
		return nil, nil, &problem.Error{What: "the bundle has too many entries", Found: fmt.Sprint(len(parts))}
	}
	head := binary.LittleEndian.AppendUint32([]byte(magic), formatVersion)
	return append(binary.LittleEndian.AppendUint32(head, uint32(len(list))), list...), parts, nil
}

// copy writes the entry's bytes, which must still be those that were hashed.
func (p part) copy(w io.Writer) error {
	r, err := p.open()
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), r)
	if err != nil {
		return err
	}
	if n != p.Size || hex.EncodeToString(h.Sum(nil)) != p.SHA256 {
		return &problem.Error{What: "a file was changed while the bundle was written", File: p.Name, Try: "run again"}
	}
	return nil
}
