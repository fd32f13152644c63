package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"sonotype/internal/num"
	"sonotype/internal/problem"
	"sonotype/serve/store"
)

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready says whether a case could be predicted and kept now.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.store.Ready(r.Context()); err != nil {
		refuse(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready", "bundle": s.model.Hash()})
}

func (s *Server) describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.openapi) // the client may have gone
}

func (s *Server) card(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.Card()) }

// createSession signs a reader in.
func (s *Server) createSession(w http.ResponseWriter, r *http.Request) {
	if !s.logins.allow(r) {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusTooManyRequests, "too many attempts to sign in from this address")
		return
	}
	var in struct{ Name, Password string }
	if err := readJSON(r, &in); err != nil {
		s.fail(w, r, err)
		return
	}
	token, err := s.signIn(r.Context(), in.Name, in.Password)
	if errors.Is(err, errSignIn) {
		refuse(w, http.StatusUnauthorized, err.Error())
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.SetCookie(w, s.cookie(token, sessionLasts))
	w.WriteHeader(http.StatusNoContent)
}

// formSession signs a reader in from the page's form.
func (s *Server) formSession(w http.ResponseWriter, r *http.Request) {
	if !s.logins.allow(r) {
		http.Redirect(w, r, "/login?failed=often", http.StatusSeeOther)
		return
	}
	token, err := s.signIn(r.Context(), r.PostFormValue("name"), r.PostFormValue("password"))
	if errors.Is(err, errSignIn) {
		http.Redirect(w, r, "/login?failed=wrong", http.StatusSeeOther)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.SetCookie(w, s.cookie(token, sessionLasts))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// formSignOut signs a reader out and shows the form to sign in.
func (s *Server) formSignOut(w http.ResponseWriter, r *http.Request) {
	if err := s.signOut(w, r); err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (s *Server) cookie(token string, lasts time.Duration) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(), Value: token, Path: "/", HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteStrictMode, MaxAge: int(lasts.Seconds())}
}

// endSession signs a reader out.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.signOut(w, r))
}

// signOut ends the request's session and takes its cookie away.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	reader, err := s.reader(r)
	if c, none := r.Cookie(s.cookieName()); err == nil && none == nil && s.Accounts {
		err = s.store.EndSession(r.Context(), reader.Name, c.Value)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) { // a session that has ended needs no end
		return err
	}
	http.SetCookie(w, s.cookie("", -time.Second))
	return nil
}

func (s *Server) listAudit(w http.ResponseWriter, r *http.Request) {
	before, err := whole(r, "before", 0, math.MaxInt64)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	limit, err := whole(r, "limit", 100, 1000)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list, err := s.store.Audit(r.Context(), before, int(limit))
	s.give(w, r, http.StatusOK, list, err)
}

// account is a reader without the password.
type account struct {
	Name   string     `json:"name"`
	Role   string     `json:"role"`
	Locked *time.Time `json:"locked_until"`
}

func (s *Server) listReaders(w http.ResponseWriter, r *http.Request) {
	all, err := s.store.Readers(r.Context())
	list := []account{}
	for _, a := range all {
		shown := account{Name: a.Name, Role: a.Role}
		if a.Locked.After(time.Now()) {
			shown.Locked = &a.Locked
		}
		list = append(list, shown)
	}
	s.give(w, r, http.StatusOK, list, err)
}

// setReader adds an account, or changes one.
func (s *Server) setReader(w http.ResponseWriter, r *http.Request) {
	var in struct{ Name, Role, Password string }
	if err := readJSON(r, &in); err != nil {
		s.fail(w, r, err)
		return
	}
	if err := s.SetReader(r.Context(), ReaderOf(r.Context()).Name, in.Name, in.Role, in.Password); err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, http.StatusCreated, account{Name: in.Name, Role: in.Role})
}

func (s *Server) removeReader(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.store.RemoveReader(r.Context(), ReaderOf(r.Context()).Name, chi.URLParam(r, "name")))
}

// give answers with a value, or with the error.
func (s *Server) give(w http.ResponseWriter, r *http.Request, status int, v any, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	answer(w, status, v)
}

// done answers with nothing, or with the error.
func (s *Server) done(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// file answers with bytes of a type, or with the error.
func (s *Server) file(w http.ResponseWriter, r *http.Request, kind string, b []byte, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(b) // the client may have gone
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have gone
}

// readJSON reads a small JSON object and refuses fields that it does not know.
func readJSON(r *http.Request, v any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, smallBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return Rejected(&problem.Error{What: "the request is not valid JSON for this call", Found: err.Error(), Try: "see /api/openapi.json"})
	}
	return nil
}

// whole reads a number from 0 to most of the query.
func whole(r *http.Request, name string, otherwise, most int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, Rejected(&problem.Error{What: name + " is not valid", Expected: fmt.Sprintf("a whole number from 0 to %d", most), Found: text})
	}
	return n, nil
}

// decimal reads a number of a form above 0; an empty one is NaN.
func decimal(name, text string) (float64, error) {
	if text == "" {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !num.Finite(v) || v <= 0 {
		return 0, Rejected(&problem.Error{What: name + " is not valid", Expected: "a number above 0", Found: text})
	}
	return v, nil
}

// key is the request's Idempotency-Key.
func key(r *http.Request) (string, error) {
	k := r.Header.Get("Idempotency-Key")
	if len(k) > 200 {
		return "", Rejected(&problem.Error{What: "the Idempotency-Key is too long", Expected: "at most 200 characters"})
	}
	return k, nil
}
