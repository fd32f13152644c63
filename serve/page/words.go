package page

import (
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"sonotype/internal/num"
)

// readWords reads words/LANG.yaml, all texts of the pages.
func readWords() (map[string]map[string]string, error) {
	entries, err := files.ReadDir("words")
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]string{}
	for _, e := range entries {
		b, err := files.ReadFile(path.Join("words", e.Name()))
		if err != nil {
			return nil, err
		}
		words := map[string]string{}
		if err := yaml.Unmarshal(b, &words); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(e.Name(), ".yaml")] = words
	}
	return all, nil
}

const languageCookie = "sonotype-lang"

// remember keeps the language of ?lang= for the next pages.
func (p *pages) remember(w http.ResponseWriter, r *http.Request) {
	if asked := r.URL.Query().Get("lang"); p.words[asked] != nil {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: asked, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 365 * 24 * 3600})
	}
}

// languageOf is that of ?lang=, else of the cookie, else of the browser; English where none is known.
func (p *pages) languageOf(r *http.Request) string {
	if asked := r.URL.Query().Get("lang"); p.words[asked] != nil {
		return asked
	}
	if c, err := r.Cookie(languageCookie); err == nil && p.words[c.Value] != nil {
		return c.Value
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(tag, "-")
		if p.words[base] != nil {
			return base
		}
	}
	return "en"
}

// percent prints a probability: 23 %, and one digit more near 0 and 1.
func percent(v num.Float) string {
	x := 100 * float64(v)
	switch {
	case v.IsNaN():
		return "–"
	case x < 1 || x > 99:
		return strconv.FormatFloat(x, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(x, 'f', 0, 64) + " %"
}

// digits prints three significant digits.
func digits(v num.Float) string {
	if v.IsNaN() {
		return "–"
	}
	return strconv.FormatFloat(float64(v), 'g', 3, 64)
}
