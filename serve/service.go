// Package serve is decision support for readers: cases with images and outlines and a frozen model flow in, predictions
// with their uncertainty flow out, as a REST API and as pages.
package serve

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"math"
	"slices"

	"sonotype/bundle"
	"sonotype/imaging"
	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/roi"
	"sonotype/serve/store"
)

// Model is a frozen model as the service needs it; *bundle.Bundle is one.
type Model interface {
	// Predict abstains rather than err where the case is outside the model's contract.
	Predict(ctx context.Context, c bundle.Case) (bundle.Prediction, error)
	// Prepare gives the regions that the networks see.
	Prepare(c bundle.Case) (*roi.Regions, error)
	// Map draws what the network of a region (ta, pta) looked at over its crop.
	Map(ctx context.Context, c bundle.Case, region string) (image.Image, error)
	// Card describes the model, ready for JSON.
	Card() bundle.Card
	// Hash is the SHA-256 of the bundle's file.
	Hash() string
}

// Service is what the pages and the API offer, on a store and a model. Its methods may be called from several goroutines.
type Service struct {
	store *store.Store
	model Model
	queue *queue

	hashing  slots // passwords being checked
	decoding slots // images and outlines being decoded: up to half a gigabyte each
}

// decoding is how many files are decoded at once.
const decoding = 4

// NewService serves a model; at most waiting predictions wait for their turn, and those beyond are ErrBusy.
func NewService(s *store.Store, m Model, waiting int) *Service {
	return &Service{store: s, model: m, queue: newQueue(waiting), hashing: make(slots, hashing), decoding: make(slots, decoding)}
}

// Card describes the model.
func (s *Service) Card() bundle.Card { return s.model.Card() }

// Hash is the SHA-256 of the bundle's file.
func (s *Service) Hash() string { return s.model.Hash() }

// Store is where the cases lie.
func (s *Service) Store() *store.Store { return s.store }

// Upload is an image or an outline as it came.
type Upload struct {
	Image, Mask []byte
	Device      string
	PixelMM     float64 // NaN: unknown
	Patient     string
	Key         string // of idempotency
}

// AddCase keeps an image that can be decoded.
func (s *Service) AddCase(ctx context.Context, reader string, u Upload) (store.Case, error) {
	if _, _, err := s.decodeImage(ctx, u.Image); err != nil {
		return store.Case{}, err
	}
	return s.store.AddCase(ctx, reader, store.NewCase{Patient: u.Patient, Image: u.Image, Device: u.Device, PixelMM: u.PixelMM, Key: u.Key})
}

// AddOutline keeps a mask that can be decoded and has the size of the case's image.
func (s *Service) AddOutline(ctx context.Context, reader, id string, u Upload) (store.Outline, error) {
	file, err := s.store.Image(ctx, id)
	if err != nil {
		return store.Outline{}, err
	}
	img, _, err := s.decodeImage(ctx, file)
	if err != nil {
		return store.Outline{}, err
	}
	if _, err := s.decodeMask(ctx, u.Mask, img); err != nil {
		return store.Outline{}, err
	}
	return s.store.AddOutline(ctx, reader, id, u.Mask, u.Key)
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

// Predict predicts a stored case and keeps the answer.
func (s *Service) Predict(ctx context.Context, reader, id, outline string) (store.Prediction, error) {
	p, err := s.predict(ctx, func() (bundle.Case, error) { return s.lesion(ctx, id, outline) })
	if err != nil {
		return store.Prediction{}, err
	}
	b, err := json.Marshal(p)
	if err != nil {
		return store.Prediction{}, err
	}
	return s.store.AddPrediction(ctx, reader, id, outline, s.model.Hash(), b)
}

// PredictUpload predicts an image with its mask and keeps nothing.
func (s *Service) PredictUpload(ctx context.Context, u Upload) (bundle.Prediction, error) {
	return s.predict(ctx, func() (bundle.Case, error) { return s.decode(ctx, u) })
}

// predict waits for the model's turn and decodes the case only then: those who wait hold no picture.
func (s *Service) predict(ctx context.Context, decode func() (bundle.Case, error)) (p bundle.Prediction, err error) {
	err = s.queue.do(ctx, func() error {
		c, err := decode()
		if err != nil {
			return err
		}
		p, err = s.model.Predict(ctx, c)
		return err
	})
	return p, err
}

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

// SetBiopsy enters the marker as measured, in the outcome's unit.
func (s *Service) SetBiopsy(ctx context.Context, reader, id string, value *float64) error {
	if value == nil || !num.Finite(*value) || *value < 0 {
		return Rejected(&problem.Error{What: "the measured value is not valid", Expected: "a number of at least 0"})
	}
	return s.store.SetBiopsy(ctx, reader, id, *value)
}

// SetReader adds an account, or gives it another role and password.
func (s *Service) SetReader(ctx context.Context, actor, name, role, password string) error {
	if name == "" || len(name) > 100 || (role != store.RoleReader && role != store.RoleAdmin) {
		return Rejected(&problem.Error{What: "the account is not valid", Expected: "a name of 1 to 100 characters; the role reader or admin", Found: role})
	}
	phc, err := HashPassword(password)
	if err != nil {
		return err
	}
	return s.store.SetReader(ctx, actor, name, role, phc)
}

func share(m *roi.Mask) num.Float {
	n := 0
	for _, v := range m.Pix {
		n += int(v)
	}
	return num.Float(n) / num.Float(len(m.Pix))
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
