// Package page is decision support in the browser: a reader's cases and a frozen model's card flow in, pages flow out, in
// English or Chinese. They need no other site, and but for drawing outlines no script.
package page

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"

	"sonotype/report/chart"
	"sonotype/serve"
	"sonotype/serve/store"
)

//go:embed templates assets words
var files embed.FS

// pages answers the browser.
type pages struct {
	*serve.Service
	accounts  bool
	log       *slog.Logger
	templates map[string]*template.Template // by language
	words     map[string]map[string]string
}

// New makes the pages of a service; accounts says that readers sign in.
func New(s *serve.Service, accounts bool, log *slog.Logger) (http.Handler, error) {
	p := &pages{Service: s, accounts: accounts, log: log, templates: map[string]*template.Template{}}
	var err error
	if p.words, err = readWords(); err != nil {
		return nil, err
	}
	for lang := range p.words {
		if p.templates[lang], err = template.New("").Funcs(p.funcs(lang)).ParseFS(files, "templates/*.html"); err != nil {
			return nil, err
		}
	}
	return p.routes()
}

func (p *pages) routes() (http.Handler, error) {
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, err
	}
	r := chi.NewRouter()
	r.Handle("/assets/*", http.StripPrefix("/assets", http.FileServerFS(assets)))
	r.Get("/assets/chart.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		_, _ = w.Write([]byte(chart.Style())) // the client may have gone
	})
	r.Get("/", p.worklist)
	r.Post("/cases", p.addCase)
	r.Get("/login", func(w http.ResponseWriter, r *http.Request) { p.render(w, r, "login", r.URL.Query().Get("failed")) })
	r.Get("/model", func(w http.ResponseWriter, r *http.Request) { p.render(w, r, "model", p.modelView()) })
	r.Route("/cases/{case}", func(r chi.Router) {
		r.Use(serve.SmallBody)
		r.Get("/", p.casePage)
		r.Get("/results", p.results)
		r.Get("/benefit", p.benefit)
		r.Get("/report", p.caseReport)
		r.Post("/predict", p.predict)
		r.Post("/biopsy", p.biopsy)
		r.Post("/delete", p.deleteCase)
	})
	r.Group(func(r chi.Router) {
		r.Use(p.adminOnly, serve.SmallBody)
		r.Get("/audit", p.audit)
		r.Get("/readers", p.readers)
		r.Post("/readers", p.setReader)
		r.Post("/readers/delete", p.removeReader)
	})
	r.NotFound(func(w http.ResponseWriter, r *http.Request) { p.fail(w, r, store.ErrNotFound) })
	return r, nil
}

// frame is what every page shows around its own content.
type frame struct {
	Lang, Other string // of the page, and the one to change to
	Reader      store.Reader
	Accounts    bool
	Admin       bool
	Title       string
	Body        any
}

// render writes a page, or nothing of it when its template fails.
func (p *pages) render(w http.ResponseWriter, r *http.Request, name string, body any) {
	p.renderStatus(w, r, http.StatusOK, name, body)
}

func (p *pages) renderStatus(w http.ResponseWriter, r *http.Request, status int, name string, body any) {
	p.remember(w, r)
	lang := p.languageOf(r)
	reader := serve.ReaderOf(r.Context())
	f := frame{Lang: lang, Other: map[string]string{"en": "zh", "zh": "en"}[lang], Reader: reader, Accounts: p.accounts,
		Admin: reader.Role == store.RoleAdmin, Title: p.Card().Title, Body: body}
	var b bytes.Buffer
	if err := p.templates[lang].ExecuteTemplate(&b, name, f); err != nil {
		p.log.Error("template", slog.String("name", name), slog.String("error", err.Error()))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may have gone
}

// fail shows an error as the API words it.
func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := serve.Describe(err)
	if f.Status == http.StatusInternalServerError {
		p.log.Error("page failed", slog.String("error", err.Error()))
	}
	p.renderStatus(w, r, f.Status, "error", f)
}

func (p *pages) adminOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if serve.ReaderOf(r.Context()).Role != store.RoleAdmin {
			p.renderStatus(w, r, http.StatusForbidden, "error", serve.Fault{Title: http.StatusText(http.StatusForbidden), Status: http.StatusForbidden})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// funcs are the templates' helpers: words, numbers, figures.
func (p *pages) funcs(lang string) template.FuncMap {
	return template.FuncMap{
		"t":       func(key string, args ...any) (string, error) { return p.say(lang, key, args...) },
		"percent": percent, "digits": digits, "whole": func(v any) string { return fmt.Sprint(v) },
	}
}

var errNoWord = errors.New("no such word")

// say is a text of the page's language.
func (p *pages) say(lang, key string, args ...any) (string, error) {
	text, ok := p.words[lang][key]
	if !ok {
		return "", fmt.Errorf("%w: %s", errNoWord, key)
	}
	return fmt.Sprintf(text, args...), nil
}
