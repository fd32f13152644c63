package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"sonotype/internal/problem"
)

// A bundle's file is a head, its SHA-256, the entries' bytes one after another, and perhaps a signature (docs/bundle.md):
//
//	8 bytes   magic
//	4 bytes   version, little-endian
//	4 bytes   length of the index, little-endian
//	index     JSON: {"entries": [{"name", "size", "sha256"}, ...]}, names ascending
//	32 bytes  SHA-256 of all of the above: the bundle's hash
//	entries   in the index's order, without gaps
//	104 bytes signature, if any: magic, public key, Ed25519 signature of the bundle's hash
//
// Every byte is covered: the head by its hash, an entry by its own in the head, the signature by its verification.
const (
	magic         = "\x89SONO\r\n\x1a" // with the bytes that a transfer as text would change, as PNG has
	formatVersion = 1
	fixedHead     = 16
	maxIndex      = 1 << 20
	maxEntry      = 1 << 31 // bytes; an entry is held in memory while it is read
)

// Entry is a part of a bundle.
type Entry struct {
	Name   string `json:"name"` // a path with forward slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// index is the part of the head that lists the entries.
type index struct {
	Entries []Entry `json:"entries"`
}

// ErrVerification marks a bundle that is not what was written, or not from whom it should be (exit code 12).
type ErrVerification struct{ Problem *problem.Error }

func (e *ErrVerification) Error() string { return e.Problem.Error() }
func (e *ErrVerification) Unwrap() error { return e.Problem }

// unverified makes any error of reading a bundle one of its verification.
func unverified(file string, err error) error {
	var already *ErrVerification
	if err == nil || errors.As(err, &already) {
		return err
	}
	p, ok := problem.As(err)
	if !ok {
		p = &problem.Error{What: "the bundle cannot be read", Err: err}
	}
	changed := *p
	if changed.File == "" || !strings.HasPrefix(changed.File, file) {
		changed.File = strings.TrimSuffix(file+": "+changed.File, ": ")
	}
	if changed.Try == "" {
		changed.Try = "copy the file again from where it was made, and compare `sonotype bundle inspect` on both"
	}
	return &ErrVerification{&changed}
}

// archive reads the entries of a bundle's file. It is a file system whose files are verified when they are opened, so
// that no byte is used that was not checked.
type archive struct {
	file      io.ReaderAt
	entries   []Entry
	offset    map[string]int64 // by name
	size      map[string]Entry
	hash      [sha256.Size]byte
	end       int64 // of the entries
	signature *Signature
}

// readArchive reads the head of a file of so many bytes, and its signature.
func readArchive(file io.ReaderAt, size int64) (*archive, error) {
	head, err := readHead(file, size)
	if err != nil {
		return nil, err
	}
	a := &archive{file: file, offset: map[string]int64{}, size: map[string]Entry{}, hash: sha256.Sum256(head)}
	var stored [sha256.Size]byte
	if _, err := file.ReadAt(stored[:], int64(len(head))); err != nil {
		return nil, cutShort(err)
	}
	if stored != a.hash {
		return nil, &problem.Error{What: "the bundle's head was changed", Expected: "sha256 " + hex.EncodeToString(stored[:]), Found: "sha256 " + hex.EncodeToString(a.hash[:])}
	}
	if a.entries, err = parseIndex(head[fixedHead:]); err != nil {
		return nil, err
	}
	a.end = int64(len(head)) + sha256.Size
	for _, e := range a.entries {
		a.offset[e.Name], a.size[e.Name] = a.end, e
		if a.end += e.Size; a.end > size {
			return nil, &problem.Error{What: "the bundle is cut short", Expected: "the whole of " + e.Name, Found: fmt.Sprintf("%d bytes in all", size)}
		}
	}
	switch rest := size - a.end; rest {
	case 0:
	case signatureSize:
		block := make([]byte, signatureSize)
		if _, err := file.ReadAt(block, a.end); err != nil {
			return nil, cutShort(err)
		}
		if a.signature, err = parseSignature(block, a.hash); err != nil {
			return nil, err
		}
	default:
		return nil, &problem.Error{What: "the bundle's length is not what its head says", Expected: fmt.Sprintf("%d bytes, or %d with a signature", a.end, a.end+signatureSize), Found: fmt.Sprintf("%d bytes", size)}
	}
	return a, nil
}

// readHead reads the file up to the end of its index.
func readHead(file io.ReaderAt, size int64) ([]byte, error) {
	var fixed [fixedHead]byte
	if _, err := file.ReadAt(fixed[:], 0); err != nil {
		return nil, cutShort(err)
	}
	if string(fixed[:len(magic)]) != magic {
		return nil, &problem.Error{What: "this is no bundle", Expected: "a file that stage 10 wrote, e.g. run/10-bundle/model.sono", Found: fmt.Sprintf("a file that begins with %q", fixed[:len(magic)])}
	}
	if v := binary.LittleEndian.Uint32(fixed[8:]); v != formatVersion {
		return nil, &problem.Error{What: "the bundle has a format that this program does not read", Expected: fmt.Sprintf("version %d", formatVersion), Found: fmt.Sprintf("version %d", v), Try: "use the program that made it, or a newer one"}
	}
	n := int64(binary.LittleEndian.Uint32(fixed[12:]))
	if n > maxIndex || n > size-fixedHead {
		return nil, &problem.Error{What: "the bundle's index has an impossible length", Expected: fmt.Sprintf("at most %d bytes, within the file", maxIndex), Found: fmt.Sprintf("%d bytes", n)}
	}
	head := make([]byte, fixedHead+n)
	if _, err := file.ReadAt(head, 0); err != nil {
		return nil, cutShort(err)
	}
	return head, nil
}

func cutShort(err error) error {
	return &problem.Error{What: "the bundle is cut short", Err: err}
}

// parseIndex reads the entries' names, sizes and hashes.
func parseIndex(b []byte) ([]Entry, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var in index
	if err := d.Decode(&in); err != nil {
		return nil, &problem.Error{What: "the bundle's index is damaged", Err: err}
	}
	if d.InputOffset() != int64(len(b)) {
		return nil, &problem.Error{What: "the bundle's index goes on after its end"}
	}
	last := ""
	for _, e := range in.Entries {
		sum, err := hex.DecodeString(e.SHA256)
		if !fs.ValidPath(e.Name) || e.Name <= last || e.Size < 0 || e.Size > maxEntry || err != nil || len(sum) != sha256.Size {
			return nil, &problem.Error{What: "the bundle's index lists an impossible entry", Expected: "ascending names, sizes and SHA-256 sums", Found: fmt.Sprintf("%q, %d bytes, %q", e.Name, e.Size, e.SHA256)}
		}
		last = e.Name
	}
	return in.Entries, nil
}

// ReadFile reads and verifies an entry.
func (a *archive) ReadFile(name string) ([]byte, error) {
	e, ok := a.size[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	b := make([]byte, e.Size)
	if _, err := a.file.ReadAt(b, a.offset[name]); err != nil && !(errors.Is(err, io.EOF) && e.Size == 0) {
		return nil, cutShort(err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != e.SHA256 {
		return nil, &problem.Error{What: "the bundle was changed or damaged", File: name, Expected: "sha256 " + e.SHA256, Found: "sha256 " + hex.EncodeToString(sum[:])}
	}
	return b, nil
}

// Open implements fs.FS.
func (a *archive) Open(name string) (fs.File, error) {
	b, err := a.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &entryFile{Reader: bytes.NewReader(b), name: path.Base(name)}, nil
}

// readJSON reads an entry into v.
func (a *archive) readJSON(name string, v any) error {
	b, err := a.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return &problem.Error{What: "a part of the bundle cannot be read", File: name, Err: err}
	}
	return nil
}

// verify reads every entry but those that were read before.
func (a *archive) verify(but map[string]bool) error {
	for _, e := range a.entries {
		if but[e.Name] {
			continue
		}
		if _, err := a.ReadFile(e.Name); err != nil {
			return err
		}
	}
	return nil
}

// entryFile is an entry in memory as a file.
type entryFile struct {
	*bytes.Reader
	name string
}

func (f *entryFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *entryFile) Close() error               { return nil }
func (f *entryFile) Name() string               { return f.name }
func (f *entryFile) Mode() fs.FileMode          { return 0o444 }
func (f *entryFile) ModTime() time.Time         { return time.Time{} }
func (f *entryFile) IsDir() bool                { return false }
func (f *entryFile) Sys() any                   { return nil }

// openArchive opens a bundle's file and reads its head; close the file when done.
func openArchive(name string) (*archive, *os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, &problem.Error{What: "cannot open the bundle", File: name, Err: err, Try: "give the path of a bundle; `sonotype run` writes run/10-bundle/model.sono"}
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &problem.Error{What: "this is no bundle", Found: "no regular file"}
	}
	var a *archive
	if err == nil {
		a, err = readArchive(f, st.Size())
	}
	if err != nil {
		f.Close()
		return nil, nil, unverified(name, err)
	}
	return a, f, nil
}
