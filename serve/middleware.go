package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"sonotype/serve/store"
)

// cookieName carries the session; browsers keep the prefix __Host- to this host and to TLS.
func (c *Config) cookieName() string {
	if c.secure() {
		return "__Host-sonotype"
	}
	return "sonotype"
}

type readerKey struct{}

// ReaderOf is who sent a request: the signed-in reader, or on a server without accounts the one at this machine.
func ReaderOf(ctx context.Context) store.Reader {
	r, _ := ctx.Value(readerKey{}).(store.Reader)
	return r
}

// localReader is who sits at a machine that serves only itself.
var localReader = store.Reader{Name: "local", Role: store.RoleAdmin}

// signedIn lets readers pass.
func (s *Server) signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reader, err := s.reader(r)
		if errors.Is(err, store.ErrNotFound) {
			refuse(w, http.StatusUnauthorized, "sign in first (POST /api/session)")
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), readerKey{}, reader)))
	})
}

// reader is who sent a request, or store.ErrNotFound.
func (s *Server) reader(r *http.Request) (store.Reader, error) {
	if !s.Accounts {
		return localReader, nil
	}
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return store.Reader{}, store.ErrNotFound
	}
	return s.store.SignedIn(r.Context(), c.Value)
}

func (s *Server) adminOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ReaderOf(r.Context()).Role != store.RoleAdmin {
			refuse(w, http.StatusForbidden, "only an administrator may do this")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// monitor lets a monitor on this machine pass, and administrators.
func (s *Server) monitor(next http.Handler) http.Handler {
	admins := s.signedIn(s.adminOnly(next))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if loopback(clientOf(r, s.Proxy)) {
			next.ServeHTTP(w, r)
			return
		}
		admins.ServeHTTP(w, r)
	})
}

// sameOrigin refuses what another site makes a reader's browser send: by the browser's own word on where a request comes
// from, and on a server for this machine alone also by the name that it was called by (DNS rebinding).
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "the request comes from another site")
	}))
	guarded := p.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.Accounts && !local(r.Host) {
			refuse(w, http.StatusForbidden, "this server answers to localhost only")
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// local reports whether a Host header names this machine.
func local(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1", "[::1]"}, host)
}

// headers keep pages to themselves: no script, picture or form of another origin, no frame, nothing kept in caches.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if s.secure() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// slowDown answers 429 to a client that asks too much; health checks and metrics are not counted.
func (s *Server) slowDown(next http.Handler) http.Handler {
	free := []string{"/api/health", "/api/ready", "/metrics"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(free, r.URL.Path) && !s.calls.allow(r) {
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusTooManyRequests, "too many requests from this address")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// smallBody is the most bytes of a request that brings no file.
const smallBody = 64 << 10

// SmallBody bounds the body of a request that brings no file. Who has not signed in can send no more, and forms stay in
// memory: files of larger ones would be left on the disk, since the server forgets them when a request's context changes.
func SmallBody(next http.Handler) http.Handler { return http.MaxBytesHandler(next, smallBody) }

// limitBody bounds what a request may send, and how long it may take.
func (s *Server) limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, s.Limit)
		ctx, cancel := context.WithTimeout(r.Context(), s.Timeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recover turns a panic into an answer; the log has the place, not the request.
func (s *Server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("panic", slog.Any("value", p), slog.String("route", routeOf(r)), slog.String("stack", string(debug.Stack())))
				refuse(w, http.StatusInternalServerError, "")
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// observe counts requests by route, and measures how long they take.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		s.metrics.saw(r.Method, routeOf(r), seen.status, time.Since(began))
	})
}

// routeOf is the pattern that a request matched, which names no case.
func routeOf(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil && c.RoutePattern() != "" {
		return c.RoutePattern()
	}
	return "other"
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
