package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"sonotype/bundle"
	"sonotype/cohort/table"
	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/roi"
)

type predictFlags struct {
	trustFlags
	image, mask, images, masks, table, device, out string
	pixelMM                                        float64
}

func (a *app) predict() *cobra.Command {
	f := &predictFlags{}
	cmd := &cobra.Command{
		Use:   "predict BUNDLE",
		Short: "Predict a case, a folder or a table of cases with a frozen model",
		Long: `Predict cases with a frozen model: a calibrated probability with its Venn-Abers
interval, or the reasons for giving none. A case that the model refuses is no
error. A table has the columns image and mask, and may have device and pixel_mm;
paths are relative to it. In folders an image and its mask share their base name.
` + exitHelp,
		Example: "  sonotype predict model.sono --image case.png --mask case.nii.gz\n  sonotype predict model.sono --images images --masks masks --out predictions.csv\n  sonotype predict model.sono --table cohort.csv --json",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.predictCases(cmd.Context(), args[0], f)
		},
	}
	f.bind(cmd)
	cmd.Flags().StringVar(&f.image, "image", "", "image of one case")
	cmd.Flags().StringVar(&f.mask, "mask", "", "its outline")
	cmd.Flags().StringVar(&f.images, "images", "", "folder of images")
	cmd.Flags().StringVar(&f.masks, "masks", "", "folder of their outlines")
	cmd.Flags().StringVar(&f.table, "table", "", "table of cases")
	cmd.Flags().StringVar(&f.device, "device", "", "ultrasound device, where the table does not say")
	cmd.Flags().Float64Var(&f.pixelMM, "pixel-mm", 0, "size of a pixel in mm, where the table does not say")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "also write a CSV table")
	return cmd
}

// asked is a case to be predicted.
type asked struct {
	image, mask, device string
	pixelMM             float64
}

// told is a case with its prediction. One that could not be read has an error instead.
type told struct {
	Image string `json:"image"`
	bundle.Prediction
	Error string `json:"error,omitempty"`
}

func (a *app) predictCases(ctx context.Context, path string, f *predictFlags) error {
	cases, err := f.cases()
	if err != nil {
		return err
	}
	b, err := f.openBundle(path)
	if err != nil {
		return err
	}
	defer b.Close()
	if f.image != "" {
		p, err := predictOne(ctx, b, cases[0])
		if err != nil {
			return err
		}
		return a.showPredictions([]told{{Image: cases[0].image, Prediction: p}}, f, b.Card())
	}
	all, err := a.predictAll(ctx, b, cases)
	if err != nil {
		return err
	}
	return a.showPredictions(all, f, b.Card())
}

// predictAll predicts cases side by side, so that one is decoded while another is in the networks; their order stays.
func (a *app) predictAll(ctx context.Context, b *bundle.Bundle, cases []asked) ([]told, error) {
	out := make([]told, len(cases))
	p := newProgress(a.err)
	err := p.task("predict", func(report func(done, total int)) error {
		var done atomic.Int64
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(2)
		for i, c := range cases {
			g.Go(func() error {
				said, err := predictOne(ctx, b, c)
				out[i] = told{Image: c.image, Prediction: said}
				if err != nil {
					out[i].Error = firstLine(err)
				}
				report(int(done.Add(1)), len(cases))
				return ctx.Err()
			})
		}
		return g.Wait()
	})
	p.wait()
	a.excluded = slices.ContainsFunc(out, func(t told) bool { return t.Error != "" })
	return out, err
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func predictOne(ctx context.Context, b *bundle.Bundle, c asked) (bundle.Prediction, error) {
	img, info, err := imaging.Decode(c.image)
	if err != nil {
		return bundle.Prediction{}, err
	}
	mask, _, err := roi.ReadMask(c.mask)
	if err != nil {
		return bundle.Prediction{}, err
	}
	if mask.W != img.W || mask.H != img.H {
		return bundle.Prediction{}, &problem.Error{What: "the outline has another size than the image", File: c.mask,
			Expected: fmt.Sprintf("%d x %d px", img.W, img.H), Found: fmt.Sprintf("%d x %d px", mask.W, mask.H)}
	}
	return b.Predict(ctx, bundle.Case{Image: img, Info: info, Mask: mask, Spacing: [2]float64{c.pixelMM, c.pixelMM}, Device: c.device})
}

// cases lists what the flags name.
func (f *predictFlags) cases() ([]asked, error) {
	ways := 0
	for _, set := range []bool{f.image != "" || f.mask != "", f.images != "" || f.masks != "", f.table != ""} {
		if set {
			ways++
		}
	}
	switch {
	case ways != 1 || (f.image == "") != (f.mask == "") || (f.images == "") != (f.masks == ""):
		return nil, errUsage{fmt.Errorf("give --image with --mask, or --images with --masks, or --table\n  Try: sonotype predict -h")}
	case f.image != "":
		return []asked{{f.image, f.mask, f.device, f.pixelMM}}, nil
	case f.table != "":
		return f.tableCases()
	}
	return f.folderCases()
}

// folderCases pairs images and masks by their base names.
func (f *predictFlags) folderCases() ([]asked, error) {
	masks := map[string]string{}
	entries, err := os.ReadDir(f.masks)
	if err != nil {
		return nil, &problem.Error{What: "cannot read the folder of outlines", File: f.masks, Err: err}
	}
	for _, e := range entries {
		masks[baseName(e.Name())] = filepath.Join(f.masks, e.Name())
	}
	if entries, err = os.ReadDir(f.images); err != nil {
		return nil, &problem.Error{What: "cannot read the folder of images", File: f.images, Err: err}
	}
	var out []asked
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		path := filepath.Join(f.images, e.Name())
		mask := masks[baseName(e.Name())]
		if mask == "" {
			return nil, &problem.Error{What: "an image has no outline of its base name", File: path, Try: "add the outline to " + f.masks + ", or move the image away"}
		}
		out = append(out, asked{path, mask, f.device, f.pixelMM})
	}
	if len(out) == 0 {
		return nil, &problem.Error{What: "the folder holds no image", File: f.images}
	}
	return out, nil
}

// baseName is a file's name up to its first dot: case.nii.gz and case.png are a pair.
func baseName(name string) string {
	base, _, _ := strings.Cut(name, ".")
	return base
}

// tableCases reads the table's rows.
func (f *predictFlags) tableCases() ([]asked, error) {
	t, err := table.Read(f.table, table.Options{})
	if err != nil {
		return nil, err
	}
	image, err := t.Require("image")
	if err != nil {
		return nil, err
	}
	mask, err := t.Require("mask")
	if err != nil {
		return nil, err
	}
	device, pixel := slices.Index(t.Header, "device"), slices.Index(t.Header, "pixel_mm")
	dir := filepath.Dir(f.table)
	var out []asked
	for i, row := range t.Rows {
		c := asked{tableFile(dir, row[image]), tableFile(dir, row[mask]), f.device, f.pixelMM}
		if device >= 0 && row[device] != "" {
			c.device = row[device]
		}
		if pixel >= 0 && row[pixel] != "" {
			if c.pixelMM, err = table.Number(row[pixel]); err != nil || !(c.pixelMM > 0) || math.IsInf(c.pixelMM, 0) {
				return nil, &problem.Error{What: "the size of a pixel is not valid", File: t.Path, Row: t.Line[i], Expected: "mm above 0", Found: strconv.Quote(row[pixel])}
			}
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, &problem.Error{What: "the table has no rows", File: t.Path}
	}
	return out, nil
}

func tableFile(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// showPredictions prints one case in words or several as a table, and writes the CSV.
func (a *app) showPredictions(all []told, f *predictFlags, card bundle.Card) error {
	if f.out != "" {
		if err := artifact.Write(f.out, func(w io.Writer) error { return writePredictions(w, all) }); err != nil {
			return err
		}
	}
	switch {
	case a.json && f.image != "":
		return a.writeJSON(all[0].Prediction)
	case a.json:
		return a.writeJSON(map[string]any{"predictions": all})
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "image\tP(%s)\tinterval\tcall\tnote\n", card.High)
	for _, t := range all {
		call, interval := card.Low, fmt.Sprintf("%s to %s", three(t.Lo), three(t.Hi))
		if t.Positive {
			call = card.High
		}
		notes := t.Warnings
		if t.Abstained {
			call, interval, notes = "abstained", "-", append(notes, t.Reasons...)
		}
		if t.Error != "" {
			call, interval, notes = "error", "-", []string{t.Error}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", filepath.Base(t.Image), three(t.Probability), interval, call, strings.Join(notes, "; "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(a.out, "Research use only: not for diagnosis, not for treatment decisions.")
	return nil
}

// writePredictions writes a CSV table, a row a case.
func writePredictions(w io.Writer, all []told) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"image", "score", "probability", "lo", "hi", "threshold", "positive", "group", "abstained", "reasons", "warnings", "error"}}
	for _, t := range all {
		rows = append(rows, []string{t.Image, full(t.Score), full(t.Probability), full(t.Lo), full(t.Hi), full(t.Threshold), strconv.FormatBool(t.Positive),
			t.Group, strconv.FormatBool(t.Abstained), strings.Join(t.Reasons, "; "), strings.Join(t.Warnings, "; "), t.Error})
	}
	return c.WriteAll(rows)
}

// full is a number that reads back to the last bit.
func full(v num.Float) string {
	if v.IsNaN() {
		return ""
	}
	return strconv.FormatFloat(float64(v), 'g', -1, 64)
}

func three(v num.Float) string {
	if v.IsNaN() {
		return "-"
	}
	return strconv.FormatFloat(float64(v), 'f', 3, 64)
}
