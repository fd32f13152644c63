package study

import (
	"path/filepath"
	"slices"

	"sonotype/internal/artifact"
)

// A variation computes nothing that the study it varies has computed already from the same crops: the tumour area knows
// no width of the peritumoural area, and crops know no cut-off. What is taken over is what would be computed, to the last bit.

// sameCrops says whether a variation's crops of a region are those of the study that it varies, and its images those for
// which like holds.
func (r *Run) sameCrops(region string, like func(mine, theirs imageRow) bool) (bool, error) {
	if r.parent == nil {
		return false, nil
	}
	var mine, theirs record
	if err := artifact.ReadJSON(filepath.Join(r.dir(2, "roi"), recordFile), &mine); err != nil {
		return false, err
	}
	if err := artifact.ReadJSON(filepath.Join(r.parent.dir(2, "roi"), recordFile), &theirs); err != nil {
		return false, err
	}
	if file := region + ".u8"; mine.Outputs[file] != theirs.Outputs[file] {
		return false, nil
	}
	images, err := r.images()
	if err != nil {
		return false, err
	}
	study, err := r.parent.images()
	return err == nil && slices.EqualFunc(images, study, like), err
}

// inheritFeatures takes over what the untrained network saw of a region's crops.
func (r *Run) inheritFeatures(region, path string) (bool, error) {
	if r.Plan.trains() {
		return false, nil
	}
	same, err := r.sameCrops(region, func(a, b imageRow) bool { return a.Source == b.Source })
	if err != nil || !same {
		return false, err
	}
	return true, artifact.Copy(path, filepath.Join(r.parent.dir(4, "features"), region+".npy"))
}

// inherit takes over a region's trained network where crops, labels and sets are those of the study.
func (t *training) inherit(d *division, region string) (n trainedNetwork, ok bool, err error) {
	if region == shared {
		return n, false, nil
	}
	type taught struct {
		patient, unit, image, set string
		fold, label, source       int
	}
	of := func(im imageRow) taught {
		return taught{im.Patient, im.Unit, im.Image, im.Set, im.Fold, im.Label, im.Source}
	}
	same, err := t.run.sameCrops(region, func(a, b imageRow) bool { return of(a) == of(b) })
	if err != nil || !same {
		return n, false, err
	}
	study, err := t.run.parent.finetuned()
	if err != nil {
		return n, false, err
	}
	for _, theirs := range study.Networks {
		if theirs.Fold != d.fold || theirs.Region != region {
			continue
		}
		for _, ending := range []string{".safetensors", ".json"} {
			name := filepath.Join(networkDir(d.fold), region+ending)
			if err := artifact.Copy(filepath.Join(t.out, name), filepath.Join(t.run.parent.dir(3, "finetune"), name)); err != nil {
				return n, false, err
			}
		}
		return theirs, true, nil
	}
	return n, false, nil
}
