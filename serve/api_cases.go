package serve

import (
	"errors"
	"io"
	"math"
	"mime"
	"net/http"

	"github.com/go-chi/chi/v5"

	"sonotype/internal/problem"
)

// createCase adds a case from a form with an image.
func (s *Server) createCase(w http.ResponseWriter, r *http.Request) {
	u, err := ReadUpload(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.AddCase(r.Context(), ReaderOf(r.Context()).Name, u)
	s.give(w, r, http.StatusCreated, c, err)
}

func (s *Server) listCases(w http.ResponseWriter, r *http.Request) {
	offset, err := whole(r, "offset", 0, math.MaxInt32)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	limit, err := whole(r, "limit", 50, 500)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list, err := s.store.Cases(r.Context(), int(offset), int(limit))
	s.give(w, r, http.StatusOK, list, err)
}

func (s *Server) getCase(w http.ResponseWriter, r *http.Request) {
	c, err := s.store.Case(r.Context(), chi.URLParam(r, "case"))
	s.give(w, r, http.StatusOK, c, err)
}

func (s *Server) deleteCase(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.store.DeleteCase(r.Context(), ReaderOf(r.Context()).Name, chi.URLParam(r, "case")))
}

func (s *Server) picture(w http.ResponseWriter, r *http.Request) {
	b, err := s.Picture(r.Context(), chi.URLParam(r, "case"))
	s.file(w, r, "image/png", b, err)
}

func (s *Server) putBiopsy(w http.ResponseWriter, r *http.Request) {
	var in struct{ Value *float64 }
	err := readJSON(r, &in)
	if err == nil {
		err = s.SetBiopsy(r.Context(), ReaderOf(r.Context()).Name, chi.URLParam(r, "case"), in.Value)
	}
	s.done(w, r, err)
}

// createOutline adds an outline from the body.
func (s *Server) createOutline(w http.ResponseWriter, r *http.Request) {
	k, err := key(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	mask, err := io.ReadAll(r.Body)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	o, err := s.AddOutline(r.Context(), ReaderOf(r.Context()).Name, chi.URLParam(r, "case"), Upload{Mask: mask, Key: k})
	s.give(w, r, http.StatusCreated, o, err)
}

func (s *Server) listOutlines(w http.ResponseWriter, r *http.Request) {
	if _, err := s.store.Case(r.Context(), chi.URLParam(r, "case")); err != nil {
		s.fail(w, r, err)
		return
	}
	list, err := s.store.Outlines(r.Context(), chi.URLParam(r, "case"))
	s.give(w, r, http.StatusOK, list, err)
}

func (s *Server) maskPicture(w http.ResponseWriter, r *http.Request) {
	b, err := s.MaskPicture(r.Context(), chi.URLParam(r, "case"), chi.URLParam(r, "outline"))
	s.file(w, r, "image/png", b, err)
}

func (s *Server) maskNIfTI(w http.ResponseWriter, r *http.Request) {
	b, err := s.MaskNIfTI(r.Context(), chi.URLParam(r, "case"), chi.URLParam(r, "outline"))
	w.Header().Set("Content-Disposition", `attachment; filename="outline.nii.gz"`)
	s.file(w, r, "application/gzip", b, err)
}

func (s *Server) contours(w http.ResponseWriter, r *http.Request) {
	b, err := s.Contours(r.Context(), chi.URLParam(r, "case"), chi.URLParam(r, "outline"))
	s.file(w, r, "image/png", b, err)
}

// attention is the map of what a network looked at.
func (s *Server) attention(w http.ResponseWriter, r *http.Request) {
	b, err := s.Map(r.Context(), chi.URLParam(r, "case"), chi.URLParam(r, "outline"), r.URL.Query().Get("region"))
	s.file(w, r, "image/png", b, err)
}

func (s *Server) agreement(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, err := s.Agree(r.Context(), chi.URLParam(r, "case"), q.Get("a"), q.Get("b"))
	s.give(w, r, http.StatusOK, a, err)
}

// createPrediction predicts a case with one of its outlines.
func (s *Server) createPrediction(w http.ResponseWriter, r *http.Request) {
	var in struct{ Outline string }
	if err := readJSON(r, &in); err != nil {
		s.fail(w, r, err)
		return
	}
	p, err := s.Predict(r.Context(), ReaderOf(r.Context()).Name, chi.URLParam(r, "case"), in.Outline)
	s.give(w, r, http.StatusCreated, p, err)
}

func (s *Server) listPredictions(w http.ResponseWriter, r *http.Request) {
	if _, err := s.store.Case(r.Context(), chi.URLParam(r, "case")); err != nil {
		s.fail(w, r, err)
		return
	}
	list, err := s.store.Predictions(r.Context(), chi.URLParam(r, "case"))
	s.give(w, r, http.StatusOK, list, err)
}

// predictUpload predicts an image with its mask and keeps nothing.
func (s *Server) predictUpload(w http.ResponseWriter, r *http.Request) {
	u, err := ReadUpload(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p, err := s.PredictUpload(r.Context(), u)
	s.give(w, r, http.StatusOK, p, err)
}

// ReadUpload reads a form of image, mask, patient, device and pixel_mm, in memory: no name in it is a path.
func ReadUpload(r *http.Request) (u Upload, err error) {
	if u.Key, err = key(r); err != nil {
		return u, err
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		return u, Rejected(&problem.Error{What: "the request is no form", Expected: "multipart/form-data"})
	}
	form, err := r.MultipartReader()
	if err != nil {
		return u, Rejected(err)
	}
	fields := map[string][]byte{}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return u, partFault(err)
		}
		if fields[part.FormName()], err = io.ReadAll(part); err != nil {
			return u, partFault(err)
		}
		if len(fields) > 10 {
			return u, Rejected(&problem.Error{What: "the form has too many fields", Expected: "image, mask, patient, device, pixel_mm"})
		}
	}
	u.Image, u.Mask = fields["image"], fields["mask"]
	u.Patient, u.Device = string(fields["patient"]), string(fields["device"])
	if len(u.Patient) > 200 || len(u.Device) > 200 {
		return u, Rejected(&problem.Error{What: "patient or device is too long", Expected: "at most 200 characters"})
	}
	u.PixelMM, err = decimal("pixel_mm", string(fields["pixel_mm"]))
	return u, err
}

// partFault tells a form that is too large from one that is broken.
func partFault(err error) error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return err
	}
	return Rejected(&problem.Error{What: "the form is broken", Err: err})
}
