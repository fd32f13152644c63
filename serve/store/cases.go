package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Case is an image of a lesion.
type Case struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Reader  string    `json:"reader"`
	Patient string    `json:"patient"` // the identifier where it is kept encrypted, else its pseudonym
	SHA256  string    `json:"sha256"`  // of the image file
	Device  string    `json:"device"`
	PixelMM *float64  `json:"pixel_mm"` // nil: unknown
	Biopsy  *float64  `json:"biopsy"`   // the marker as measured; nil: not entered
}

// NewCase is a case to be added.
type NewCase struct {
	Patient string
	Image   []byte
	Device  string
	PixelMM float64 // NaN: unknown
	Key     string  // of idempotency; "" = none
}

// Outline is an outline of a case's lesion.
type Outline struct {
	ID      string    `json:"id"`
	Case    string    `json:"case"`
	Created time.Time `json:"created"`
	Reader  string    `json:"reader"`
	SHA256  string    `json:"sha256"` // of the mask file
}

// Prediction is what a bundle said of a case with an outline.
type Prediction struct {
	ID      string          `json:"id"`
	Case    string          `json:"case"`
	Outline string          `json:"outline"`
	Created time.Time       `json:"created"`
	Reader  string          `json:"reader"`
	Bundle  string          `json:"bundle"` // SHA-256 of the file
	Result  json.RawMessage `json:"result"`
}

func hashOf(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// once gives the id that an earlier upload with the same key made, or makes one by do. Another upload under the key is
// ErrConflict.
func once(tx *sql.Tx, reader, key, request string, do func(id string) error) (id string, err error) {
	if key != "" {
		var old string
		err := tx.QueryRow("SELECT request, subject FROM uploads WHERE reader = ? AND key = ?", reader, key).Scan(&old, &id)
		switch {
		case err == nil && old != request:
			return "", ErrConflict
		case err == nil:
			return id, nil
		case !errors.Is(err, sql.ErrNoRows):
			return "", err
		}
	}
	id = newID()
	if err := do(id); err != nil {
		return "", err
	}
	if key == "" {
		return id, nil
	}
	_, err = tx.Exec("INSERT INTO uploads VALUES (?, ?, ?, ?)", reader, key, request, id)
	return id, err
}

// AddCase keeps an image and returns its case.
func (s *Store) AddCase(ctx context.Context, reader string, n NewCase) (Case, error) {
	sum := hashOf(n.Image)
	request := hashOf([]byte(fmt.Sprintf("%s\x00%s\x00%v\x00", sum, n.Device, n.PixelMM)), s.vault.derive("patient "+n.Patient))
	var id string
	err := s.transact(ctx, func(tx *sql.Tx) (err error) {
		id, err = once(tx, reader, n.Key, request, func(id string) error {
			if _, err := tx.Exec("INSERT INTO cases (id, created, reader, patient, image, sha256, device, pixel_mm) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				id, s.stamp(), reader, s.vault.hide(n.Patient, id), n.Image, sum, n.Device, nullable(n.PixelMM)); err != nil {
				return err
			}
			return s.note(tx, reader, "case added", id, "image "+sum)
		})
		return err
	})
	if err != nil {
		return Case{}, err
	}
	return s.Case(ctx, id)
}

func nullable(x float64) any {
	if math.IsNaN(x) {
		return nil
	}
	return x
}

const caseColumns = "id, created, reader, patient, sha256, device, pixel_mm, biopsy"

func (s *Store) scanCase(row row) (Case, error) {
	var c Case
	var created string
	var patient []byte
	err := row.Scan(&c.ID, &created, &c.Reader, &patient, &c.SHA256, &c.Device, &c.PixelMM, &c.Biopsy)
	if err != nil {
		return c, named(err)
	}
	c.Created = at(created)
	c.Patient, err = s.vault.show(patient, c.ID)
	return c, err
}

// Case is the case of an id, or ErrNotFound.
func (s *Store) Case(ctx context.Context, id string) (Case, error) {
	return s.scanCase(s.read.QueryRowContext(ctx, "SELECT "+caseColumns+" FROM cases WHERE id = ?", id))
}

// Cases lists cases, newest first, from the offset on.
func (s *Store) Cases(ctx context.Context, offset, limit int) ([]Case, error) {
	return list(ctx, s.read, s.scanCase, "SELECT "+caseColumns+" FROM cases ORDER BY created DESC, id LIMIT ? OFFSET ?", limit, offset)
}

// Image is the image file of a case.
func (s *Store) Image(ctx context.Context, id string) ([]byte, error) {
	return s.file(ctx, "SELECT image FROM cases WHERE id = ?", id)
}

func (s *Store) file(ctx context.Context, query string, args ...any) (b []byte, err error) {
	err = named(s.read.QueryRowContext(ctx, query, args...).Scan(&b))
	return b, err
}

// SetBiopsy enters the measured marker of a case.
func (s *Store) SetBiopsy(ctx context.Context, reader, id string, value float64) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		r, err := tx.Exec("UPDATE cases SET biopsy = ? WHERE id = ?", value, id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return ErrNotFound
		}
		return s.note(tx, reader, "biopsy entered", id, "")
	})
}

// DeleteCase removes a case with its outlines and predictions; the audit log keeps that it was there.
func (s *Store) DeleteCase(ctx context.Context, reader, id string) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		r, err := tx.Exec("DELETE FROM cases WHERE id = ?", id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return ErrNotFound
		}
		return s.note(tx, reader, "case deleted", id, "")
	})
}

// AddOutline keeps an outline of a case.
func (s *Store) AddOutline(ctx context.Context, reader, subject string, mask []byte, key string) (Outline, error) {
	sum := hashOf(mask)
	var id string
	err := s.transact(ctx, func(tx *sql.Tx) (err error) {
		if err := tx.QueryRow("SELECT id FROM cases WHERE id = ?", subject).Scan(new(string)); err != nil {
			return err
		}
		id, err = once(tx, reader, key, hashOf([]byte(subject+sum)), func(id string) error {
			if _, err := tx.Exec("INSERT INTO outlines VALUES (?, ?, ?, ?, ?, ?)", id, subject, s.stamp(), reader, mask, sum); err != nil {
				return err
			}
			return s.note(tx, reader, "outline added", subject, "outline "+id+", mask "+sum)
		})
		return err
	})
	if err != nil {
		return Outline{}, err
	}
	return scanOutline(s.read.QueryRowContext(ctx, "SELECT "+outlineColumns+" FROM outlines WHERE id = ?", id))
}

const outlineColumns = "id, subject, created, reader, sha256"

func scanOutline(row row) (Outline, error) {
	var o Outline
	var created string
	err := row.Scan(&o.ID, &o.Case, &created, &o.Reader, &o.SHA256)
	o.Created = at(created)
	return o, named(err)
}

// Outlines lists the outlines of a case, oldest first.
func (s *Store) Outlines(ctx context.Context, subject string) ([]Outline, error) {
	return list(ctx, s.read, scanOutline, "SELECT "+outlineColumns+" FROM outlines WHERE subject = ? ORDER BY created, id", subject)
}

// Mask is the file of a case's outline.
func (s *Store) Mask(ctx context.Context, subject, id string) ([]byte, error) {
	return s.file(ctx, "SELECT mask FROM outlines WHERE subject = ? AND id = ?", subject, id)
}

// AddPrediction keeps what the bundle said of a case's outline.
func (s *Store) AddPrediction(ctx context.Context, reader, subject, outline, bundle string, result json.RawMessage) (Prediction, error) {
	p := Prediction{ID: newID(), Case: subject, Outline: outline, Reader: reader, Bundle: bundle, Result: result}
	err := s.transact(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRow("SELECT id FROM outlines WHERE id = ? AND subject = ?", outline, subject).Scan(new(string)); err != nil {
			return err
		}
		created := s.stamp()
		p.Created = at(created)
		if _, err := tx.Exec("INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?)", p.ID, subject, outline, created, reader, bundle, string(result)); err != nil {
			return err
		}
		return s.note(tx, reader, "prediction made", subject, "outline "+outline+", bundle "+bundle)
	})
	return p, err
}

const predictionColumns = "id, subject, outline, created, reader, bundle, result"

// Predictions lists the predictions of a case, oldest first.
func (s *Store) Predictions(ctx context.Context, subject string) ([]Prediction, error) {
	return list(ctx, s.read, scanPrediction, "SELECT "+predictionColumns+" FROM predictions WHERE subject = ? ORDER BY created, id", subject)
}

// LastPrediction is the newest prediction of a case, or ErrNotFound.
func (s *Store) LastPrediction(ctx context.Context, subject string) (Prediction, error) {
	return scanPrediction(s.read.QueryRowContext(ctx, "SELECT "+predictionColumns+" FROM predictions WHERE subject = ? ORDER BY created DESC, id DESC LIMIT 1", subject))
}

func scanPrediction(row row) (Prediction, error) {
	var p Prediction
	var created, result string
	err := row.Scan(&p.ID, &p.Case, &p.Outline, &created, &p.Reader, &p.Bundle, &result)
	p.Created, p.Result = at(created), json.RawMessage(result)
	return p, named(err)
}
