package cohort

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"sonotype/imaging"
	"sonotype/internal/problem"
	"sonotype/roi"
)

// CheckConfig says how the files are checked. The zero value is the default.
type CheckConfig struct {
	Splits   *Splits               // tells duplicates across sets; without it, centres stand for sets
	NearBits int                   // images whose difference hashes differ in at most so many of 64 bits are near-duplicates; 0: default 5; < 0: none
	Workers  int                   // <= 0: one a CPU
	Progress func(done, total int) // called after each image, never at the same time
}

// defaultNearBits: in BUS-BRA (1875 images of 1064 patients) no two images are closer than 8 bits,
// while blurred, halved or recompressed copies (JPEG quality 60 and better) stay within 5.
const defaultNearBits = 5

// Check reads every image and mask of the cohort and returns the findings of tables and files,
// errors first. Only one image a worker is in memory. The error is that of a cancelled context.
func Check(ctx context.Context, c *Cohort, config CheckConfig) ([]Finding, error) {
	if config.NearBits == 0 {
		config.NearBits = defaultNearBits
	}
	if config.Workers <= 0 {
		config.Workers = runtime.GOMAXPROCS(0)
	}
	hashes := make([]imageHash, len(c.Images))
	found := make([][]Finding, len(c.Images))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(config.Workers)
	var mu sync.Mutex
	done := 0
	for i := range c.Images {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			hashes[i], found[i] = c.checkImage(c.Images[i])
			mu.Lock()
			defer mu.Unlock()
			done++
			if config.Progress != nil {
				config.Progress(done, len(c.Images))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	findings := append([]Finding(nil), c.Findings...)
	for _, f := range found {
		findings = append(findings, f...)
	}
	findings = append(findings, c.duplicates(hashes, config)...)
	sortFindings(findings)
	return findings, nil
}

// imageHash is what is kept of an image that was read.
type imageHash struct {
	ok    bool
	exact [sha256.Size]byte // of size and pixels
	near  uint64            // difference hash
}

func fingerprint(g *imaging.Gray) imageHash {
	h := sha256.New()
	var size [16]byte
	binary.LittleEndian.PutUint64(size[:], uint64(g.W))
	binary.LittleEndian.PutUint64(size[8:], uint64(g.H))
	h.Write(size[:])
	h.Write(g.Pix)
	p := imageHash{ok: true, near: imaging.DHash(g)}
	h.Sum(p.exact[:0])
	return p
}

// fileFinding is a finding about a file that row r names.
func fileFinding(severity string, code Code, r Row, path, message, try string) Finding {
	return Finding{Severity: severity, Code: code, File: r.Table, Row: r.Line, Patient: r.Patient, Path: path, Message: message, Try: try}
}

// checkImage reads one image and its masks.
func (c *Cohort) checkImage(m Image) (imageHash, []Finding) {
	first := c.Rows[m.Masks[0].Row]
	g, _, err := imaging.Decode(m.Path)
	var out []Finding
	var p imageHash
	if err != nil {
		out = append(out, unreadable("image", ImageMissing, ImageUnreadable, first, m.Name, m.Path, err))
	} else {
		p = fingerprint(g)
		if (first.Width > 0 && first.Width != g.W) || (first.Height > 0 && first.Height != g.H) {
			out = append(out, fileFinding(SeverityWarning, TableSize, first, m.Path,
				fmt.Sprintf("image %s is %d x %d pixels, the table says %s x %s", quote(m.Name), g.W, g.H, side(first.Width), side(first.Height)),
				"the file counts; check that the row names the right image"))
		}
	}
	for _, mask := range m.Masks {
		out = append(out, c.checkMask(m, mask, g)...)
	}
	return p, out
}

func side(v int) string {
	if v == 0 {
		return "?"
	}
	return fmt.Sprint(v)
}

// unreadable tells a file that is not there from one that cannot be decoded.
func unreadable(kind string, missing, broken Code, r Row, name, path string, err error) Finding {
	if _, statErr := os.Stat(path); errors.Is(statErr, fs.ErrNotExist) {
		return fileFinding(SeverityError, missing, r, path, "the "+kind+" file "+quote(name)+" does not exist",
			"paths in the table start at its folder, "+filepath.Dir(r.Table)+"; capital and small letters count")
	}
	message, try := err.Error(), ""
	if p, ok := problem.As(err); ok {
		message, try = p.What, p.Try
		if p.Found != "" {
			message += ": found " + p.Found
		}
		if p.Err != nil {
			message += ": " + p.Err.Error()
		}
	}
	return fileFinding(SeverityError, broken, r, path, "the "+kind+" file "+quote(name)+": "+message, try)
}

// checkMask reads one mask of image m; g is the decoded image, nil when it could not be read.
func (c *Cohort) checkMask(m Image, mask Mask, g *imaging.Gray) []Finding {
	r := c.Rows[mask.Row]
	name := quote(mask.Name)
	_, info, err := roi.ReadMask(mask.Path)
	if err != nil {
		return []Finding{unreadable("mask", MaskMissing, MaskUnreadable, r, mask.Name, mask.Path, err)}
	}
	var out []Finding
	add := func(severity string, code Code, message, try string) {
		out = append(out, fileFinding(severity, code, r, mask.Path, message, try))
	}
	if g != nil && (info.Width != g.W || info.Height != g.H) {
		add(SeverityError, SizeMismatch, fmt.Sprintf("mask %s is %d x %d pixels, its image %s is %d x %d", name, info.Width, info.Height, quote(m.Name), g.W, g.H),
			"the mask must be drawn on this very image")
	}
	if info.Empty {
		add(SeverityError, MaskEmpty, "mask "+name+" is empty", "draw the region of interest, or clear the mask's cell to leave the image out")
	}
	if info.TouchesEdge {
		add(SeverityWarning, MaskEdge, "mask "+name+" touches the edge of the image", "the lesion may be cut off, and the peritumoural ring is not complete there")
	}
	if info.NonBinary {
		add(SeverityWarning, MaskNonBinary, fmt.Sprintf("mask %s is not binary: it holds the values %v; used as %s", name, info.Labels, info.Rule),
			"save one label only, without smoothing")
	}
	if s := info.Spacing; s[0] > 0 && m.PixelMM > 0 && math.Max(math.Abs(s[0]/m.PixelMM-1), math.Abs(s[1]/m.PixelMM-1)) > 0.01 {
		add(SeverityWarning, SpacingDiffers, fmt.Sprintf("mask %s has pixels of %.4g x %.4g mm, the table says %.4g mm", name, s[0], s[1], m.PixelMM),
			"the table counts; correct pixel_mm if the mask is right")
	}
	return out
}
