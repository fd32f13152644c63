package study

import (
	"context"

	"golang.org/x/sync/errgroup"

	"sonotype/evaluate"
	"sonotype/imaging"
	"sonotype/roi"
)

// rescore gives the scores of units by the bundle's parts, from the study's crops.
func (f *freezing) rescore(ctx context.Context, units []string) ([]float64, error) {
	wanted := map[string]bool{}
	for _, u := range units {
		wanted[u] = true
	}
	images, err := f.imagesOf(wanted)
	if err != nil {
		return nil, err
	}
	lesions, err := f.lesions(ctx, images)
	if err != nil {
		return nil, err
	}
	var scores []float64
	var of []string
	for lo := 0; lo < len(lesions); lo += chunkImages {
		part, err := f.scorer.ScoreAll(ctx, lesions[lo:min(lo+chunkImages, len(lesions))])
		if err != nil {
			return nil, err
		}
		for _, s := range part {
			scores = append(scores, s[0])
			of = append(of, images[len(of)].Unit)
		}
		f.run.Observer.Progress(len(scores), len(lesions))
	}
	pooled, err := evaluate.Pool(scores, make([]int, len(scores)), of)
	if err != nil {
		return nil, err
	}
	at := map[string]float64{}
	for i, u := range pooled.Unit {
		at[u] = pooled.Score[i]
	}
	out := make([]float64, len(units))
	for i, u := range units {
		out[i] = at[u]
	}
	return out, nil
}

// imagesOf are the images of units that the study scored them by, in its order.
func (f *freezing) imagesOf(units map[string]bool) ([]imageRow, error) {
	learners, err := f.run.learners(f.from.images, f.run.Plan.fits()[0])
	if err != nil {
		return nil, err
	}
	learnt := map[int]bool{}
	for _, i := range learners {
		learnt[i] = true
	}
	var out []imageRow
	for i, im := range f.from.images {
		if units[im.Unit] && (im.Fold < 0 || learnt[i]) {
			out = append(out, im)
		}
	}
	return out, nil
}

// lesions are images as the networks take them.
func (f *freezing) lesions(ctx context.Context, images []imageRow) ([]*roi.Regions, error) {
	ta, err := f.run.openCrops("ta")
	if err != nil {
		return nil, err
	}
	defer ta.close()
	pta, err := f.run.openCrops("pta")
	if err != nil {
		return nil, err
	}
	defer pta.close()
	out := make([]*roi.Regions, len(images))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers(f.run.Jobs))
	for i, im := range images {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			out[i] = &roi.Regions{TACrop: imaging.NewGray(ta.side, ta.side), PTACrop: imaging.NewGray(pta.side, pta.side)}
			if err := ta.read(im, out[i].TACrop); err != nil {
				return err
			}
			return pta.read(im, out[i].PTACrop)
		})
	}
	return out, g.Wait()
}
