package roi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sonotype/imaging"
	"sonotype/internal/problem"
)

// MaskInfo describes a mask file as stored.
type MaskInfo struct {
	Format      string     `json:"format"` // "nifti", "nrrd", "metaimage", "png", "bmp", "tiff", "jpeg"
	Width       int        `json:"width"`
	Height      int        `json:"height"`
	Rule        string     `json:"rule"`       // how samples became 0 or 1, for example "value >= 0.5"
	Labels      []float64  `json:"labels"`     // distinct non-zero samples, ascending, at most 16 of them
	NonBinary   bool       `json:"non_binary"` // more than one distinct non-zero sample, or a negative or fractional one
	Spacing     [2]float64 `json:"spacing_mm"` // width and height of a pixel; 0 when the file gives none, or 1 x 1, which is what tools write for images without one
	Slice       int        `json:"slice"`      // 1-based slice that holds the labels; 1 for 2-D files
	Slices      int        `json:"slices"`
	Area        int        `json:"area"` // pixels inside
	Empty       bool       `json:"empty"`
	TouchesEdge bool       `json:"touches_edge"`
}

// ReadMask reads a lesion mask: NIfTI-1 (.nii, .nii.gz), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd), or a
// PNG, BMP, TIFF or JPEG image. The format is told by the content. Pixels stay in file order, column first:
// no affine or direction matrix is applied, which is how ITK pairs a mask with the image it was drawn on.
//
// A volume may have several slices if at most one of them holds labels; that one is read and named in
// MaskInfo.Slice. Volumes with labels on several slices are an error, since the image has only one.
// Every label counts as lesion; MaskInfo.NonBinary says when there were several.
// Errors are *problem.Error and name the file.
func ReadMask(path string) (*Mask, MaskInfo, error) {
	f, err := openRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, MaskInfo{}, &problem.Error{What: "the mask file is missing", File: path,
			Try: "check the path in the cohort table; paths are relative to the table"}
	}
	if err != nil {
		return nil, MaskInfo{}, unreadable(path, err)
	}
	defer f.Close()
	return decodeMask(path, f, func(name string) (io.ReadCloser, int64, error) {
		if !filepath.IsLocal(name) {
			return nil, 0, fmt.Errorf("its data file %q lies outside the header's folder", name)
		}
		d, err := openRegular(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return nil, 0, fmt.Errorf("its data file: %w", err)
		}
		st, err := d.Stat()
		if err != nil {
			d.Close()
			return nil, 0, err
		}
		return d, st.Size(), nil
	})
}

// DecodeMask is ReadMask for a file held in memory; headers that name a separate data file are refused.
func DecodeMask(name string, data []byte) (*Mask, MaskInfo, error) {
	return decodeMask(name, bytes.NewReader(data), func(string) (io.ReadCloser, int64, error) {
		return nil, 0, errors.New("its voxels stand in a separate data file")
	})
}

// sibling opens a data file named by a header and returns its size.
type sibling func(name string) (io.ReadCloser, int64, error)

func decodeMask(name string, r io.Reader, open sibling) (*Mask, MaskInfo, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	head, err := br.Peek(512)
	if err != nil && err != io.EOF {
		return nil, MaskInfo{}, unreadable(name, err)
	}
	var m *Mask
	var info MaskInfo
	switch {
	case isNIfTI(head):
		m, info, err = readNIfTI(br)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		m, info, err = readGzipNIfTI(br)
	case bytes.HasPrefix(head, []byte("NRRD000")):
		m, info, err = readNRRD(br, open)
	case isMetaImage(name, head):
		m, info, err = readMetaImage(br, open)
	default:
		m, info, err = readRaster(name, br)
	}
	if err != nil {
		return nil, MaskInfo{}, unreadable(name, err)
	}
	info.Width, info.Height, info.Area = m.W, m.H, m.Area()
	info.Empty, info.TouchesEdge = info.Area == 0, m.TouchesEdge()
	return m, info, nil
}

func unreadable(name string, err error) error {
	if p, ok := problem.As(err); ok {
		return p
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = fmt.Errorf("the file ends early: %w", io.ErrUnexpectedEOF)
	}
	return &problem.Error{What: "the mask cannot be read", File: name, Err: err,
		Expected: "a mask as NIfTI, NRRD, MetaImage or PNG, one value a pixel",
		Try:      "open it with its image in ITK-SNAP and save the segmentation again, as NIfTI (.nii.gz)"}
}

func openRegular(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err == nil && st.Size() > maxFileBytes {
		err = fmt.Errorf("%d MB, more than the limit of %d MB", st.Size()>>20, maxFileBytes>>20)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func isMetaImage(name string, head []byte) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return bytes.HasPrefix(head, []byte("ObjectType")) || bytes.HasPrefix(head, []byte("NDims")) ||
		ext == ".mha" || ext == ".mhd"
}

// maxFileBytes bounds a mask file, compressed or not.
const maxFileBytes = imaging.MaxFileBytes
