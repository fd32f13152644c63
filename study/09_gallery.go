package study

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"sonotype/cohort"
	"sonotype/densenet"
	"sonotype/explain"
	"sonotype/features"
	"sonotype/imaging"
	"sonotype/internal/artifact"
	"sonotype/internal/num"
	"sonotype/internal/rng"
	"sonotype/report"
	"sonotype/roi"
)

// wrongCases is the title of the part with misclassified cases.
const wrongCases = "Wrong at the threshold, furthest first"

// gallery picks random, lowest, highest and wrong cases of the test sets (of the training set where there is none).
func (a *assembly) gallery(ctx context.Context) (report.Images, error) {
	g := report.Images{Total: len(a.images), Calipers: a.summary.Marked, Markers: a.marksInWords()}
	devices, sizes := map[string]int{}, map[string]int{}
	for _, im := range a.images {
		devices[im.Device]++
		sizes[fmt.Sprintf("%d–%d px wide", im.Width/100*100, im.Width/100*100+99)]++
	}
	g.Devices, g.Sizes = counts(devices), counts(sizes)
	score, sets := map[string]float64{}, a.shownSets()
	for _, set := range sets {
		s := a.scores[set][a.evaluation.Primary]
		for i, u := range s.units {
			score[u] = s.scores[i]
		}
	}
	shown := map[string]bool{}
	pool := where(a.images, func(im imageRow) bool { // the first image of each unit
		_, ok := score[im.Unit]
		first := ok && !shown[im.Unit]
		shown[im.Unit] = true
		return first
	})
	cams, checks, err := a.cams()
	if err != nil {
		return g, err
	}
	defer cams.close()
	g.Maps = checks
	for _, part := range a.galleryParts(pool, score) {
		cases := report.GalleryPart{Title: part.title}
		for _, i := range part.images {
			if err := ctx.Err(); err != nil {
				return g, err
			}
			c, err := a.galleryCase(i, score[a.images[i].Unit], cams)
			if err != nil {
				return g, err
			}
			cases.Cases = append(cases.Cases, c)
		}
		g.Parts = append(g.Parts, cases)
	}
	return g, nil
}

// shownSets are the test sets, or the training set when there is no other.
func (a *assembly) shownSets() []string {
	var sets []string
	for _, s := range []string{cohort.SetInternal, cohort.SetExternal} {
		if len(a.scores[s]) > 0 {
			sets = append(sets, s)
		}
	}
	if len(sets) == 0 {
		sets = []string{cohort.SetTrain}
	}
	return sets
}

type galleryChoice struct {
	title  string
	images []int
}

func (a *assembly) galleryParts(pool []int, score map[string]float64) []galleryChoice {
	n := min(a.run.Plan.Report.Gallery, len(pool))
	threshold := float64(a.evaluation.Thresholds[a.evaluation.Primary])
	of := func(i int) float64 { return score[a.images[i].Unit] }
	byScore := slices.Clone(pool)
	slices.SortStableFunc(byScore, func(i, j int) int { return cmp.Compare(of(i), of(j)) })
	random := make([]int, n)
	for k, at := range rng.Stream(a.run.Plan.Seed, "report-gallery").Perm(len(pool))[:n] {
		random[k] = pool[at]
	}
	highest := slices.Clone(byScore[len(byScore)-n:])
	slices.Reverse(highest)
	wrong := slices.DeleteFunc(slices.Clone(pool), func(i int) bool { return (of(i) > threshold) == (a.images[i].Label == 1) })
	slices.SortStableFunc(wrong, func(i, j int) int { return cmp.Compare(math.Abs(of(j)-threshold), math.Abs(of(i)-threshold)) })
	return []galleryChoice{
		{"Random cases", random},
		{"Lowest scores", byScore[:n]},
		{"Highest scores", highest},
		{wrongCases, wrong[:min(n, len(wrong))]},
	}
}

func (a *assembly) galleryCase(i int, score float64, cams camMaps) (report.GalleryCase, error) {
	im := a.images[i]
	c, err := a.run.cohort()
	if err != nil {
		return report.GalleryCase{}, err
	}
	_, regions, err := a.run.prepare(c, im.Source)
	if err != nil {
		return report.GalleryCase{}, err
	}
	return report.GalleryCase{
		Patient: im.Patient, Set: im.Set, Label: im.Label, Score: num.Float(score),
		Overlay: roi.Overlay(regions), TA: regions.TACrop.Image(), PTA: regions.PTACrop.Image(),
		TACam: cams.over(regions.TACrop, "ta", i), PTACam: cams.over(regions.PTACrop, "pta", i),
	}, nil
}

// camMaps are the Grad-CAM maps of all images by region; empty without training.
type camMaps struct {
	matrix map[string]*features.Matrix
	h, w   int
}

// cams opens the maps and reads their check.
func (a *assembly) cams() (camMaps, []report.MapCheck, error) {
	m := camMaps{matrix: map[string]*features.Matrix{}}
	if !a.run.Plan.trains() {
		return m, nil, nil
	}
	_, m.h, m.w = densenet.FeatureShape(densenet.Variant(a.run.Plan.Network.Backbone), a.run.Plan.Network.Input)
	dir := a.run.dir(4, "features")
	var checks map[string]camCheck
	if err := artifact.ReadJSON(filepath.Join(dir, "cam.json"), &checks); err != nil {
		return m, nil, err
	}
	var out []report.MapCheck
	for _, region := range regions {
		x, err := features.Open(filepath.Join(dir, region+"-cam.npy"))
		if err != nil {
			m.close()
			return m, nil, err
		}
		m.matrix[region] = x
		c := checks[region]
		out = append(out, report.MapCheck{
			Region: region, Randomised: c.Randomised, Maps: c.Maps, Blank: c.Blank,
			Similarity: c.Similarity, Changed: c.Changed, Alike: explain.Alike,
		})
	}
	return m, out, nil
}

func (m camMaps) close() {
	for _, x := range m.matrix {
		x.Close()
	}
}

// over draws the map of an image over its crop; nil without training.
func (m camMaps) over(crop *imaging.Gray, region string, i int) image.Image {
	if m.matrix[region] == nil {
		return nil
	}
	return explain.Overlay(crop, m.matrix[region].Row(i), m.h, m.w)
}

func counts(m map[string]int) []report.Count {
	var out []report.Count
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, report.Count{Name: name, N: m[name]})
	}
	return out
}
