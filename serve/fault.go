package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"sonotype/internal/problem"
	"sonotype/serve/store"
)

// rejection marks an error that is the request's fault.
type rejection struct{ error }

func (r rejection) Unwrap() error { return r.error }

// Rejected marks an error as the request's fault: its words reach the sender.
func Rejected(err error) error { return rejection{err} }

// Fault is an error as a client sees it, application/problem+json (RFC 9457).
type Fault struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
	Try      string `json:"try,omitempty"`
	retry    bool
}

// Describe says an error in a form that gives nothing of the server away.
func Describe(err error) Fault {
	var r rejection
	var tooLarge *http.MaxBytesError
	f := Fault{Type: "about:blank", Status: http.StatusInternalServerError}
	switch {
	case errors.As(err, &tooLarge):
		f.Status, f.Detail = http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is larger than %d MB", tooLarge.Limit>>20)
	case errors.As(err, &r):
		f.Status = http.StatusUnprocessableEntity
		f.describe(r.error)
	case errors.Is(err, store.ErrNotFound):
		f.Status = http.StatusNotFound
	case errors.Is(err, store.ErrConflict):
		f.Status, f.Detail = http.StatusConflict, err.Error()
	case errors.Is(err, store.ErrFull):
		f.Status, f.Detail = http.StatusInsufficientStorage, "the server's disk is full; nothing was changed"
	case errors.Is(err, ErrBusy):
		f.Status, f.Detail, f.retry = http.StatusServiceUnavailable, "many predictions are waiting; send the request again in a moment", true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f.Status, f.Detail, f.retry = http.StatusServiceUnavailable, "the request took too long", true
	}
	f.Title = http.StatusText(f.Status)
	return f
}

func (f *Fault) describe(err error) {
	if p, ok := problem.As(err); ok {
		f.Detail, f.Expected, f.Found, f.Try = p.What, p.Expected, p.Found, p.Try
		return
	}
	f.Detail = err.Error()
}

// fail answers with an error; what the sender is not told stands in the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := Describe(err)
	if f.Status == http.StatusInternalServerError {
		s.log.Error("request failed", slog.String("method", r.Method), slog.String("route", routeOf(r)), slog.String("error", err.Error()))
	}
	f.write(w)
}

func (f Fault) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	if f.retry {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(f.Status)
	_ = json.NewEncoder(w).Encode(f) // the client may have gone
}

// refuse answers with a status and its reason.
func refuse(w http.ResponseWriter, status int, detail string) {
	Fault{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}.write(w)
}
