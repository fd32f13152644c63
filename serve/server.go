package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"sonotype/internal/problem"
	"sonotype/serve/store"
)

// Config says how the service is offered.
type Config struct {
	Addr     string // host:port
	Cert     string // TLS certificate and key, PEM files; both or none
	Key      string
	Proxy    bool          // a reverse proxy in front does TLS and adds the client's address to X-Forwarded-For
	Accounts bool          // readers sign in
	Limit    int64         // bytes of a request's body; 0: 64 MiB
	Timeout  time.Duration // of a request; 0: one minute
	Log      *slog.Logger  // of what fails; holds no patient and no body
}

// Server is the HTTP side of a Service.
type Server struct {
	Config
	*Service
	log     *slog.Logger
	metrics *metrics
	logins  *limiter
	calls   *limiter
	openapi []byte
	pages   http.Handler // nil: none
}

// New makes a server; pages, which may be nil, answers everything that is not the API's.
func New(c Config, s *Service, pages http.Handler) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Limit == 0 {
		c.Limit = 64 << 20
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	api, err := openAPI()
	if err != nil {
		return nil, err
	}
	return &Server{
		Config: c, Service: s, log: c.Log, metrics: newMetrics(s.queue), openapi: api, pages: pages,
		logins: newLimiter(0.2, 5, c.Proxy), calls: newLimiter(50, 200, c.Proxy),
	}, nil
}

// check refuses to offer patients' data to a network without TLS and accounts.
func (c *Config) check() error {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return &problem.Error{What: "the address to listen on is not valid", Expected: "host:port, e.g. 127.0.0.1:8080", Found: c.Addr}
	}
	if (c.Cert == "") != (c.Key == "") {
		return &problem.Error{What: "a TLS certificate and its key go together", Try: "give both --tls-cert and --tls-key"}
	}
	if (host == "localhost" || loopback(host)) && !c.Proxy { // a proxy brings the network to any address
		return nil
	}
	if !c.Accounts {
		return &problem.Error{What: "refusing to serve a network without accounts", Found: c.Addr,
			Try: "stay on 127.0.0.1 without a proxy, or make an account (sonotype serve reader set NAME)"}
	}
	if c.Cert == "" && !c.Proxy {
		return &problem.Error{What: "refusing to serve a network without TLS", Found: c.Addr,
			Try: "give --tls-cert and --tls-key, or --behind-proxy where a reverse proxy does TLS"}
	}
	return nil
}

// secure reports whether clients speak TLS, so that cookies may be held back from plain HTTP.
func (c *Config) secure() bool { return c.Cert != "" || c.Proxy }

// Handler answers every request.
func (s *Server) Handler() http.Handler {
	r := chi.NewRouter()
	r.Use(s.observe, s.recover, s.headers, s.slowDown, s.limitBody, s.sameOrigin)
	r.Get("/api/health", s.health)
	r.Get("/api/ready", s.ready)
	r.With(s.monitor).Get("/metrics", s.metrics.handler.ServeHTTP)
	r.Get("/api/openapi.json", s.describe)
	r.With(SmallBody).Post("/api/session", s.createSession)
	r.Get("/login", s.page)
	r.With(SmallBody).Post("/login", s.formSession)
	r.Post("/logout", s.formSignOut)
	r.Group(func(r chi.Router) {
		r.Use(s.signedIn)
		s.routes(r)
	})
	r.NotFound(s.page)
	r.MethodNotAllowed(func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusMethodNotAllowed, "") })
	return r
}

// routes are those of the API that need a reader.
func (s *Server) routes(r chi.Router) {
	r.Delete("/api/session", s.endSession)
	r.Get("/api/model", s.card)
	r.Post("/api/predict", s.predictUpload)
	r.Get("/api/cases", s.listCases)
	r.Post("/api/cases", s.createCase)
	r.Route("/api/cases/{case}", func(r chi.Router) {
		r.Get("/", s.getCase)
		r.Delete("/", s.deleteCase)
		r.Get("/image.png", s.picture)
		r.Put("/biopsy", s.putBiopsy)
		r.Get("/agreement", s.agreement)
		r.Get("/predictions", s.listPredictions)
		r.Post("/predictions", s.createPrediction)
		r.Get("/outlines", s.listOutlines)
		r.Post("/outlines", s.createOutline)
		r.Get("/outlines/{outline}.png", s.maskPicture)
		r.Get("/outlines/{outline}.nii.gz", s.maskNIfTI)
		r.Get("/outlines/{outline}/contours.png", s.contours)
		r.Get("/outlines/{outline}/map.png", s.attention)
	})
	r.Group(func(r chi.Router) {
		r.Use(s.adminOnly)
		r.Get("/api/audit", s.listAudit)
		r.Get("/api/readers", s.listReaders)
		r.Post("/api/readers", s.setReader)
		r.Delete("/api/readers/{name}", s.removeReader)
	})
}

// page hands a request that is not the API's to the pages; who has not signed in is sent there.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if s.pages == nil || strings.HasPrefix(r.URL.Path, "/api/") {
		s.fail(w, r, store.ErrNotFound)
		return
	}
	reader, err := s.reader(r)
	if errors.Is(err, store.ErrNotFound) && r.URL.Path != "/login" && !strings.HasPrefix(r.URL.Path, "/assets/") {
		if r.Header.Get("HX-Request") != "" { // a part of a page: the whole page must go
			w.Header().Set("HX-Redirect", "/login")
			return
		}
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		s.fail(w, r, err)
		return
	}
	s.pages.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), readerKey{}, reader)))
}

// Run serves until ctx ends, then lets requests in progress finish. started is told the address once it listens.
func (s *Server) Run(ctx context.Context, started func(addr string)) error {
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return &problem.Error{What: "cannot listen", Found: s.Addr, Err: err, Try: "choose another port with --addr"}
	}
	h := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: s.Timeout, WriteTimeout: s.Timeout + 10*time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		stopped <- h.Shutdown(end)
	}()
	started(l.Addr().String())
	if s.Cert != "" {
		err = h.ServeTLS(l, s.Cert, s.Config.Key)
	} else {
		err = h.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return <-stopped
	}
	return err
}
