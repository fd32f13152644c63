package study

import (
	"os"
	"path/filepath"

	"sonotype/imaging"
	"sonotype/internal/problem"
	"sonotype/roi"
)

// crops are the network's inputs as bytes: ta.u8 and pta.u8 hold input x input grey pixels for each image of the
// cohort, in its order, without a header; images.csv's source column is the position.
type crops struct {
	size  int64
	files map[string]*os.File
}

func createCrops(dir string, input int) (*crops, error) {
	c := &crops{size: int64(input) * int64(input), files: map[string]*os.File{}}
	for _, region := range regions {
		f, err := os.Create(filepath.Join(dir, region+".u8"))
		if err != nil {
			return nil, err
		}
		c.files[region] = f
	}
	return c, nil
}

func (c *crops) write(i int, r *roi.Regions) error {
	if _, err := c.files["ta"].WriteAt(r.TACrop.Pix, int64(i)*c.size); err != nil {
		return err
	}
	_, err := c.files["pta"].WriteAt(r.PTACrop.Pix, int64(i)*c.size)
	return err
}

func (c *crops) close() {
	for _, f := range c.files {
		f.Close()
	}
}

// cropFile reads one region's crops.
type cropFile struct {
	f    *os.File
	side int
}

func (r *Run) openCrops(region string) (*cropFile, error) {
	f, err := os.Open(filepath.Join(r.dir(2, "roi"), region+".u8"))
	if err != nil {
		return nil, err
	}
	return &cropFile{f, r.Plan.Network.Input}, nil
}

// read fills dst, side x side, with an image's crop; it may be called from several goroutines.
func (c *cropFile) read(im imageRow, dst *imaging.Gray) error {
	if _, err := c.f.ReadAt(dst.Pix, int64(im.Source)*int64(c.side*c.side)); err != nil {
		return &problem.Error{What: "cannot read a crop", File: c.f.Name(), Patient: im.Patient, Err: err, Try: "delete the folder 02-roi and run again"}
	}
	return nil
}

// input fills dst with an image's crop as the network takes it.
func (c *cropFile) input(im imageRow, dst []float32) error {
	crop := imaging.NewGray(c.side, c.side)
	if err := c.read(im, crop); err != nil {
		return err
	}
	roi.Normalise(crop, dst)
	return nil
}

func (c *cropFile) close() { c.f.Close() }
