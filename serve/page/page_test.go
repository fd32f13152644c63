package page

import (
	"bytes"
	"context"
	"image"
	"io"
	"log/slog"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sonotype/bundle"
	"sonotype/evaluate"
	"sonotype/internal/num"
	"sonotype/roi"
	"sonotype/serve"
	"sonotype/serve/servetest"
	"sonotype/serve/store"
	"sonotype/survival"
)

// oracle is a model whose answer a test chooses.
type oracle struct{ says bundle.Prediction }

func (o *oracle) Predict(context.Context, bundle.Case) (bundle.Prediction, error) { return o.says, nil }
func (*oracle) Prepare(c bundle.Case) (*roi.Regions, error) {
	return roi.Prepare(c.Image, c.Mask, c.Spacing, c.Device, roi.Defaults())
}
func (o *oracle) Map(_ context.Context, c bundle.Case, _ string) (image.Image, error) {
	r, err := o.Prepare(c)
	if err != nil {
		return nil, err
	}
	return roi.Overlay(r), nil
}
func (*oracle) Hash() string { return strings.Repeat("ab", 32) }

func (*oracle) Card() bundle.Card {
	scores, labels := []float64{}, []int{}
	var months []float64
	var events []int
	for i := range 60 {
		scores, labels = append(scores, 0.2+0.01*float64(i)), append(labels, i*7%60/31)
		months, events = append(months, float64(5+i*11%70)), append(events, i%3/2)
	}
	p, err := evaluate.Measure(scores, labels, 0.5)
	if err != nil {
		panic(err)
	}
	d, err := evaluate.Decision(scores, labels, nil)
	if err != nil {
		panic(err)
	}
	s, err := survival.ByCut(months, events, scores, 0.5, survival.Log)
	if err != nil {
		panic(err)
	}
	set := bundle.ValidationSet{Name: "external", Title: "External test", Performance: p, Slope: evaluate.Estimate{Value: 1, Lo: 0.5, Hi: 1.5}, Decision: &d, Survival: s,
		Scores: bundle.Histogram{Edges: []float64{0, 0.25, 0.5, 0.75, 1}, Low: []int{5, 12, 6, 1}, High: []int{1, 8, 15, 12}}}
	return bundle.Card{Title: "Ki-67 <b>", High: "Ki-67 high", Low: "Ki-67 low", Cutoff: 20, Threshold: 0.5, Trained: true, Synthetic: true, HoldsRows: true,
		IntendedUse: "Research.", Contract: bundle.Contract{Formats: []string{"PNG"}, MinSide: 64, MaxSide: 8192, Devices: []string{"Philips"}, Growth: 10, Unit: "px"}, Sets: []bundle.ValidationSet{set}}
}

func confident() bundle.Prediction {
	return bundle.Prediction{Score: 0.71, Probability: 0.66, Lo: 0.61, Hi: 0.72, Threshold: 0.5, Positive: true, Group: "high",
		Warnings: []string{"the device <Toshiba> was not seen in training"}, Nearest: []bundle.Neighbour{{ID: "T1", Label: 1, Score: 0.8, Distance: 1.5}}}
}

// browser keeps a language and follows redirects.
type browser struct {
	t    *testing.T
	url  string
	lang string
}

func newSite(t *testing.T, says bundle.Prediction, accounts bool) (*browser, *serve.Service) {
	t.Helper()
	dir := t.TempDir()
	v, err := store.OpenVault(filepath.Join(dir, "key"), true)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(filepath.Join(dir, "cases.db"), v)
	if err != nil {
		t.Fatal(err)
	}
	service := serve.NewService(db, &oracle{says}, 4)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	h, err := New(service, accounts, log)
	if err != nil {
		t.Fatal(err)
	}
	s, err := serve.New(serve.Config{Addr: "127.0.0.1:0", Accounts: accounts, Log: log}, service, h)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() { server.Close(); db.Close() })
	return &browser{t, server.URL, "en"}, service
}

func (b *browser) get(path string, want int) string {
	b.t.Helper()
	return b.do("GET", path, "", nil, want)
}

func (b *browser) post(path string, form url.Values, want int) string {
	b.t.Helper()
	return b.do("POST", path, "application/x-www-form-urlencoded", []byte(form.Encode()), want)
}

func (b *browser) do(method, path, kind string, body []byte, want int) string {
	b.t.Helper()
	r, err := http.NewRequest(method, b.url+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", b.lang+"-XX,en;q=0.5")
	r.Header.Set("Content-Type", kind)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if w.StatusCode != want {
		b.t.Errorf("%s %s: %d, want %d\n%s", method, path, w.StatusCode, want, text)
	}
	b.sound(path, string(text))
	return string(text)
}

// sound demands what every page must be: no formatting fault, no inline script or style, no other site, the warning.
func (b *browser) sound(path, page string) {
	b.t.Helper()
	for _, bad := range []string{"%!", "<no value>", " style=", "<style", " onclick=", "http://", "https://", "ZgotmplZ"} {
		page = strings.ReplaceAll(page, "http://www.w3.org/2000/svg", "")
		if i := strings.Index(page, bad); i >= 0 {
			b.t.Errorf("%s holds %q: …%s…", path, bad, page[max(0, i-80):min(len(page), i+80)])
		}
	}
	if strings.HasPrefix(page, "<!doctype") && !strings.Contains(page, `class="research"`) {
		b.t.Errorf("%s does not say that it is for research only", path)
	}
}

// addCase sends the work list's form and gives the case's id and its outline's.
func (b *browser) addCase(s *serve.Service) (id, outline string) {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	f, err := w.CreateFormFile("image", "x.png")
	if err != nil {
		b.t.Fatal(err)
	}
	f.Write(servetest.Picture(200, 150, image.Rect(20, 20, 180, 130)))
	w.WriteField("patient", "<Li> Na")
	w.Close()
	b.do("POST", "/cases", w.FormDataContentType(), body.Bytes(), 200)
	cases, err := s.Store().Cases(context.Background(), 0, 1)
	if err != nil || len(cases) != 1 {
		b.t.Fatalf("%d cases, %v", len(cases), err)
	}
	o, err := s.AddOutline(context.Background(), "local", cases[0].ID, serve.Upload{Mask: servetest.Picture(200, 150, image.Rect(60, 50, 120, 100))})
	if err != nil {
		b.t.Fatal(err)
	}
	return cases[0].ID, o.ID
}

// Whatever a stranger asks for, in whatever spelling, is the form to sign in or nothing.
func TestStrangersSeeTheSignInAlone(t *testing.T) {
	b, _ := newSite(t, confident(), true)
	for _, path := range []string{"/", "/model", "/audit", "/readers", "/cases/x", "/cases/x/results", "/%61udit", "//audit", "/login/../audit", "/cases/x%2f..%2f..%2fassets%2f"} {
		if page := b.get(path, 200); !strings.Contains(page, `type="password"`) {
			t.Errorf("%s shows a stranger\n%s", path, page)
		}
	}
	for _, path := range []string{"/assets/../audit", "/assets/%2e%2e/readers", "/assets%2f..%2fmodel", "/assets/../words/en.yaml", "/api/%61udit/../readers"} {
		if page := b.get(path, 404); strings.Contains(page, "<table") || strings.Contains(page, "login.title:") {
			t.Errorf("%s shows a stranger\n%s", path, page)
		}
	}
}

// A page whose session has ended goes to the form as a whole, also when it asked for a part; signing out then is no error.
func TestEndedSession(t *testing.T) {
	b, _ := newSite(t, confident(), true)
	r, err := http.NewRequest("GET", b.url+"/cases/x/results", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("HX-Request", "true")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	if w.Header.Get("HX-Redirect") != "/login" {
		t.Errorf("a part of a page: %d %v", w.StatusCode, w.Header)
	}
	if page := b.post("/logout", nil, 200); !strings.Contains(page, `type="password"`) {
		t.Error("signing out without a session does not lead to the form")
	}
}

func TestFailedSignInIsSaid(t *testing.T) {
	b, _ := newSite(t, confident(), true)
	if page := b.post("/login", url.Values{"name": {"mei"}, "password": {"guess"}}, 200); !strings.Contains(page, "The name or the password is wrong") {
		t.Error("a wrong password is not said")
	}
	if page := b.get("/login?failed=often", 200); !strings.Contains(page, "Too many attempts") {
		t.Error("too many attempts are not said")
	}
}

func TestPagesOfACase(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		b, s := newSite(t, confident(), false)
		b.lang = lang
		b.get("/", 200)
		id, outline := b.addCase(s)
		path := "/cases/" + id
		if page := b.get(path, 200); !strings.Contains(page, `data-editor="/api/cases/`+id) || !strings.Contains(page, "&lt;Li&gt; Na") {
			t.Errorf("the case's page:\n%s", page)
		}
		page := b.post(path+"/predict", url.Values{"outline": {outline}}, 200)
		for _, want := range []string{"66 %", "61 %", "72 %", "Ki-67 high", "&lt;Toshiba&gt;", "External test", "T1", "map.png?region=pta", "contours.png"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the prediction lacks %q", lang, want)
			}
		}
		if figures := strings.Count(page, "<figure><svg"); figures != 4 {
			t.Errorf("%d figures, want the scale, the scores, the decision curve and survival", figures)
		}
		if page := b.post(path+"/biopsy", url.Values{"value": {"12"}}, 200); !strings.Contains(page, words(t, s)[lang]["result.discordant"][:6]) {
			t.Errorf("%s: no note on the biopsy that says otherwise", lang)
		}
		b.get(path+"/benefit?at=30", 200)
		b.get(path+"/report", 200)
		b.get(path+"/results", 200)
		b.get("/", 200)
		b.get("/model", 200)
		b.get("/audit", 200)
		b.post(path+"/biopsy", url.Values{"value": {"much"}}, 422)
		b.get(path+"/benefit?at=x", 404)
		b.post(path+"/delete", nil, 200)
		b.get(path, 404)
		b.get("/nothing", 404)
	}
}

func words(t *testing.T, s *serve.Service) map[string]map[string]string {
	t.Helper()
	all, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAbstainedPredictionShowsNoNumber(t *testing.T) {
	b, s := newSite(t, bundle.Prediction{Score: num.NaN(), Probability: num.NaN(), Lo: num.NaN(), Hi: num.NaN(), Abstained: true, Reasons: []string{"the image is a photograph"}}, false)
	id, outline := b.addCase(s)
	page := b.post("/cases/"+id+"/predict", url.Values{"outline": {outline}}, 200)
	if !strings.Contains(page, "the image is a photograph") || strings.Contains(page, `class="answer"`) || strings.Contains(page, "<svg") {
		t.Errorf("an abstained prediction:\n%s", page)
	}
	if page := b.get("/", 200); !strings.Contains(page, "abstained") {
		t.Error("the work list does not say that the model abstained")
	}
}

func TestPagesNeedSigningIn(t *testing.T) {
	b, s := newSite(t, confident(), true)
	if page := b.get("/", 200); !strings.Contains(page, `action="/login"`) {
		t.Errorf("not sent to the form:\n%s", page)
	}
	if err := s.SetReader(context.Background(), "setup", "mei", store.RoleReader, "a long password"); err != nil {
		t.Fatal(err)
	}
	b.post("/login", url.Values{"name": {"mei"}, "password": {"wrong"}}, 200)
	http.DefaultClient.Jar = nil
	b.get("/assets/style.css", 200)
}

// Every language has the same words with the same gaps, and every word is used.
func TestWordsOfAllLanguages(t *testing.T) {
	all, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	source := ""
	for _, pattern := range []string{"templates/*.html", "*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := readFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source += b
		}
	}
	gap := regexp.MustCompile(`%[svd%]`)
	for key, en := range all["en"] {
		zh, ok := all["zh"][key]
		if !ok || strings.Join(gap.FindAllString(en, -1), "") != strings.Join(gap.FindAllString(zh, -1), "") {
			t.Errorf("%s: %q and %q", key, en, zh)
		}
		if !strings.Contains(source, `"`+key+`"`) && !strings.HasPrefix(key, "group.") {
			t.Errorf("%s is used nowhere", key)
		}
	}
	if len(all["zh"]) != len(all["en"]) {
		t.Errorf("%d words in English, %d in Chinese", len(all["en"]), len(all["zh"]))
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[num.Float]string{0.234: "23 %", 0.004: "0.4 %", 0.996: "99.6 %", num.NaN(): "–"} {
		if got := percent(v); got != want && !math.IsNaN(float64(v)) {
			t.Errorf("percent(%v) = %s, want %s", v, got, want)
		}
	}
}

func readFile(name string) (string, error) {
	b, err := os.ReadFile(name)
	return string(b), err
}
