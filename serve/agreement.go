package serve

import (
	"context"

	"sonotype/internal/num"
	"sonotype/roi"
)

// Agreement compares two outlines of a case.
type Agreement struct {
	Dice            num.Float `json:"dice"`
	Hausdorff95PX   num.Float `json:"hausdorff95_px"`
	Hausdorff95MM   num.Float `json:"hausdorff95_mm"` // null where the size of a pixel is unknown
	AreaShareFirst  num.Float `json:"area_share_a"`   // of the image
	AreaShareSecond num.Float `json:"area_share_b"`
}

// Agree compares two stored outlines of a case.
func (s *Service) Agree(ctx context.Context, id, a, b string) (Agreement, error) {
	c, err := s.store.Case(ctx, id)
	if err != nil {
		return Agreement{}, err
	}
	ma, err := s.mask(ctx, id, a)
	if err != nil {
		return Agreement{}, err
	}
	mb, err := s.mask(ctx, id, b)
	if err != nil {
		return Agreement{}, err
	}
	out := Agreement{
		Dice: num.Float(roi.Dice(ma, mb)), Hausdorff95PX: num.Float(roi.Hausdorff95(ma, mb, [2]float64{1, 1})), Hausdorff95MM: num.NaN(),
		AreaShareFirst: share(ma), AreaShareSecond: share(mb),
	}
	if c.PixelMM != nil {
		out.Hausdorff95MM = num.Float(roi.Hausdorff95(ma, mb, [2]float64{*c.PixelMM, *c.PixelMM}))
	}
	return out, nil
}

func share(m *roi.Mask) num.Float {
	n := 0
	for _, v := range m.Pix {
		n += int(v)
	}
	return num.Float(n) / num.Float(len(m.Pix))
}
