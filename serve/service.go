// Package serve is decision support for readers: cases with images and outlines and a frozen model flow in, predictions
// with their uncertainty flow out, as a REST API and as pages.
package serve

import (
	"context"
	"encoding/json"
	"image"

	"sonotype/bundle"
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
	// Hash identifies the bundle: see bundle.Bundle.
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

// NewService serves a model; at most waiting predictions wait for their turn, and those beyond are ErrBusy.
func NewService(s *store.Store, m Model, waiting int) *Service {
	return &Service{store: s, model: m, queue: newQueue(waiting), hashing: make(slots, hashing), decoding: make(slots, decoding)}
}

// Card describes the model.
func (s *Service) Card() bundle.Card { return s.model.Card() }

// Hash identifies the bundle: see bundle.Bundle.
func (s *Service) Hash() string { return s.model.Hash() }

// Store is where the cases lie.
func (s *Service) Store() *store.Store { return s.store }

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
