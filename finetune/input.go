package finetune

import (
	"strconv"

	"sonotype/imaging"
	"sonotype/internal/rng"
	"sonotype/roi"
)

// input makes the network's inputs of examples.
type input struct {
	side    int
	augment AugmentConfig // zero: none
	seed    uint64
	name    string
	crop    *imaging.Gray
}

// size is the number of values of one input.
func (in *input) size() int { return 3 * in.side * in.side }

// fill writes the normalised example, number index of its set, to dst. What augmentation draws depends on the seed, the
// name, the epoch and the index alone.
func (in *input) fill(dst []float32, e Example, epoch, index int) error {
	clear(in.crop.Pix)
	if err := e.Crop(in.crop); err != nil {
		return err
	}
	if in.augment == (AugmentConfig{}) {
		roi.Normalise(in.crop, dst)
		return nil
	}
	r := rng.Stream(in.seed, "augment", in.name, strconv.Itoa(epoch), strconv.Itoa(index))
	grey := dst[:in.side*in.side]
	in.augment.draw(r, in.side).apply(grey, in.crop, r)
	normalise(grey, dst)
	return nil
}

// normalise fills dst (3 x len(grey)) as roi.Normalise does, for greys that need not be whole. grey may be the start
// of dst.
func normalise(grey, dst []float32) {
	n := len(grey)
	for c := 2; c >= 0; c-- { // the first plane last, where grey may lie
		out := dst[c*n:][:n]
		for i, v := range grey {
			unit := v / 255
			out[i] = (unit - roi.ImageNetMean[c]) / roi.ImageNetStd[c]
		}
	}
}
