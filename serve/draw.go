package serve

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"image"
	"image/png"
	"slices"

	"sonotype/bundle"
	"sonotype/internal/problem"
	"sonotype/roi"
)

// Picture is the case's image as PNG, whatever format it came in.
func (s *Service) Picture(ctx context.Context, id string) ([]byte, error) {
	file, err := s.store.Image(ctx, id)
	if err != nil {
		return nil, err
	}
	img, _, err := s.decodeImage(ctx, file)
	if err != nil {
		return nil, err
	}
	return encode(&image.Gray{Pix: img.Pix, Stride: img.W, Rect: image.Rect(0, 0, img.W, img.H)})
}

// MaskPicture is a stored outline as a black and white PNG.
func (s *Service) MaskPicture(ctx context.Context, id, outline string) ([]byte, error) {
	m, err := s.mask(ctx, id, outline)
	if err != nil {
		return nil, err
	}
	out := image.NewGray(image.Rect(0, 0, m.W, m.H))
	for i, v := range m.Pix {
		out.Pix[i] = 255 * v
	}
	return encode(out)
}

// MaskNIfTI is a stored outline as gzipped NIfTI, in ITK-SNAP's arrangement.
func (s *Service) MaskNIfTI(ctx context.Context, id, outline string) ([]byte, error) {
	c, err := s.lesion(ctx, id, outline)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(roi.EncodeNIfTI(z, c.Mask, c.Spacing), z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (s *Service) mask(ctx context.Context, id, outline string) (*roi.Mask, error) {
	file, err := s.store.Mask(ctx, id, outline)
	if err != nil {
		return nil, err
	}
	m, _, err := roi.DecodeMask(maskName(file), file)
	return m, err
}

// Contours draws the tumour's and the peritumoural area's contours over the standardised image.
func (s *Service) Contours(ctx context.Context, id, outline string) ([]byte, error) {
	c, err := s.lesion(ctx, id, outline)
	if err != nil {
		return nil, err
	}
	r, err := s.model.Prepare(c)
	if err != nil {
		return nil, Rejected(err)
	}
	return encode(roi.Overlay(r))
}

// Map draws what the network of a region looked at.
func (s *Service) Map(ctx context.Context, id, outline, region string) ([]byte, error) {
	if !slices.Contains(bundle.Regions, region) {
		return nil, Rejected(&problem.Error{What: "unknown region", Expected: "ta or pta", Found: region})
	}
	var drawn image.Image
	err := s.queue.do(ctx, func() error {
		c, err := s.lesion(ctx, id, outline)
		if err != nil {
			return err
		}
		drawn, err = s.model.Map(ctx, c, region)
		return err
	})
	if err != nil {
		return nil, err
	}
	return encode(drawn)
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
