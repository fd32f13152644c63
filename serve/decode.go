package serve

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"sonotype/bundle"
	"sonotype/imaging"
	"sonotype/internal/problem"
	"sonotype/roi"
)

// decoding is how many files are decoded at once.
const decoding = 4

// Upload is an image or an outline as it came.
type Upload struct {
	Image, Mask []byte
	Device      string
	PixelMM     float64 // NaN: unknown
	Patient     string
	Key         string // of idempotency
}

// decodeImage refuses files that are no image; its errors are the sender's fault.
func (s *Service) decodeImage(ctx context.Context, file []byte) (img *imaging.Gray, info imaging.Info, err error) {
	err = s.decoding.do(ctx, func() (err error) {
		if img, info, err = imaging.DecodeBytes("image", file); err != nil {
			return Rejected(err)
		}
		return nil
	})
	return img, info, err
}

// decodeMask refuses files that are no outline of the image.
func (s *Service) decodeMask(ctx context.Context, file []byte, img *imaging.Gray) (m *roi.Mask, err error) {
	var info roi.MaskInfo
	err = s.decoding.do(ctx, func() (err error) {
		m, info, err = roi.DecodeMask(maskName(file), file)
		return err
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, Rejected(err)
	}
	if m.W != img.W || m.H != img.H {
		return nil, Rejected(&problem.Error{What: "the outline has another size than the image", Expected: size(img.W, img.H), Found: size(m.W, m.H)})
	}
	if info.Empty {
		return nil, Rejected(&problem.Error{What: "the outline is empty", Try: "draw the lesion's outline"})
	}
	return m, nil
}

func size(w, h int) string { return fmt.Sprintf("%d x %d px", w, h) }

// maskName is a name whose extension tells roi what the file's first bytes say that it is.
func maskName(file []byte) string {
	for head, name := range map[string]string{"\x1f\x8b": "mask.nii.gz", "\x89PNG": "mask.png", "NRRD": "mask.nrrd", "BM": "mask.bmp", "\xff\xd8": "mask.jpg"} {
		if bytes.HasPrefix(file, []byte(head)) {
			return name
		}
	}
	return "mask.nii"
}

// lesion reads a stored case with an outline as the model takes it.
func (s *Service) lesion(ctx context.Context, id, outline string) (bundle.Case, error) {
	c, err := s.store.Case(ctx, id)
	if err != nil {
		return bundle.Case{}, err
	}
	u := Upload{Device: c.Device, PixelMM: math.NaN()}
	if c.PixelMM != nil {
		u.PixelMM = *c.PixelMM
	}
	if u.Image, err = s.store.Image(ctx, id); err != nil {
		return bundle.Case{}, err
	}
	if u.Mask, err = s.store.Mask(ctx, id, outline); err != nil {
		return bundle.Case{}, err
	}
	return s.decode(ctx, u)
}

// decode turns an upload into a case for the model.
func (s *Service) decode(ctx context.Context, u Upload) (c bundle.Case, err error) {
	if c.Image, c.Info, err = s.decodeImage(ctx, u.Image); err != nil {
		return c, err
	}
	if c.Mask, err = s.decodeMask(ctx, u.Mask, c.Image); err != nil {
		return c, err
	}
	c.Device = u.Device
	if u.PixelMM > 0 {
		c.Spacing = [2]float64{u.PixelMM, u.PixelMM}
	}
	return c, nil
}
