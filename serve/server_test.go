package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sonotype/bundle"
	"sonotype/roi"
	"sonotype/serve/servetest"
	"sonotype/serve/store"
)

// oracle is a model that scores by the share of the image that the outline covers.
type oracle struct{ wait chan struct{} }

func (o oracle) Predict(ctx context.Context, c bundle.Case) (bundle.Prediction, error) {
	if o.wait != nil {
		select {
		case <-o.wait:
		case <-ctx.Done():
			return bundle.Prediction{}, ctx.Err()
		}
	}
	s := share(c.Mask)
	return bundle.Prediction{Score: s, Probability: s, Lo: s / 2, Hi: s, Threshold: 0.1, Positive: s > 0.1, Group: "low", Reasons: []string{}, Warnings: []string{}, Bundle: o.Hash()}, nil
}

func (oracle) Prepare(c bundle.Case) (*roi.Regions, error) {
	return roi.Prepare(c.Image, c.Mask, c.Spacing, c.Device, roi.Defaults())
}
func (o oracle) Map(_ context.Context, c bundle.Case, _ string) (image.Image, error) {
	r, err := o.Prepare(c)
	if err != nil {
		return nil, err
	}
	return roi.Overlay(r), nil
}
func (oracle) Card() bundle.Card { return bundle.Card{Title: "by area"} }
func (oracle) Hash() string      { return strings.Repeat("ab", 32) }

// site is a server on a store of its own, with a client that keeps cookies.
type site struct {
	t       *testing.T
	server  *httptest.Server
	service *Service
	cookies []*http.Cookie
}

func newSite(t *testing.T, accounts bool, m Model) *site {
	t.Helper()
	dir := t.TempDir()
	v, err := store.OpenVault(filepath.Join(dir, "key"), false)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(filepath.Join(dir, "cases.db"), v)
	if err != nil {
		t.Fatal(err)
	}
	service := NewService(db, m, 4)
	s, err := New(Config{Addr: "127.0.0.1:0", Accounts: accounts, Limit: 1 << 20, Timeout: 5 * time.Second}, service, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.calls = newLimiter(1e6, 1e6, false)
	out := &site{t: t, server: httptest.NewServer(s.Handler()), service: service}
	t.Cleanup(func() { out.server.Close(); db.Close() })
	return out
}

// send sends a request and decodes its JSON answer into v, unless nil.
func (s *site) send(method, path, kind string, body []byte, header map[string]string, v any) *http.Response {
	s.t.Helper()
	r, err := http.NewRequest(method, s.server.URL+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for k, x := range header {
		if k == "Host" {
			r.Host = x
		}
		r.Header.Set(k, x)
	}
	for _, c := range s.cookies {
		r.AddCookie(c)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	w.Body = io.NopCloser(bytes.NewReader(b))
	if v != nil {
		if err := json.Unmarshal(b, v); err != nil {
			s.t.Fatalf("%s %s: %d %s", method, path, w.StatusCode, b)
		}
	}
	return w
}

func (s *site) json(method, path, body string, want int, v any) {
	s.t.Helper()
	w := s.send(method, path, "application/json", []byte(body), nil, v)
	if w.StatusCode != want {
		b, _ := io.ReadAll(w.Body)
		s.t.Errorf("%s %s: %d, want %d: %s", method, path, w.StatusCode, want, b)
	}
}

var (
	testImage = servetest.Picture(200, 150, image.Rect(20, 20, 180, 130))
	testMask  = servetest.Picture(200, 150, image.Rect(60, 50, 120, 100))
)

// form is a multipart body.
func form(fields map[string][]byte) (kind string, body []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, v := range fields {
		p, err := w.CreateFormFile(name, "../../etc/passwd")
		if err != nil {
			panic(err)
		}
		p.Write(v)
	}
	w.Close()
	return w.FormDataContentType(), b.Bytes()
}

func (s *site) addCase(fields map[string][]byte, key string) (c store.Case, status int) {
	s.t.Helper()
	kind, body := form(fields)
	w := s.send("POST", "/api/cases", kind, body, map[string]string{"Idempotency-Key": key}, &c)
	return c, w.StatusCode
}

// A case goes all its way: added, outlined twice, predicted, compared, entered, removed.
func TestCaseFromUploadToRemoval(t *testing.T) {
	s := newSite(t, false, oracle{})
	c, status := s.addCase(map[string][]byte{"image": testImage, "patient": []byte("P1"), "device": []byte("A"), "pixel_mm": []byte("0.1")}, "k")
	if status != 201 || c.Device != "A" || *c.PixelMM != 0.1 || c.Patient == "P1" {
		t.Fatalf("%d %+v", status, c)
	}
	var o, o2 store.Outline
	base := "/api/cases/" + c.ID
	s.send("POST", base+"/outlines", "application/octet-stream", testMask, nil, &o)
	s.send("POST", base+"/outlines", "application/octet-stream", servetest.Picture(200, 150, image.Rect(70, 50, 130, 100)), nil, &o2)
	var p store.Prediction
	s.json("POST", base+"/predictions", `{"outline":"`+o.ID+`"}`, 201, &p)
	var result, stateless bundle.Prediction
	if err := json.Unmarshal(p.Result, &result); err != nil || result.Score != 0.1 {
		t.Errorf("score %v, %v", result.Score, err)
	}
	kind, body := form(map[string][]byte{"image": testImage, "mask": testMask})
	s.send("POST", "/api/predict", kind, body, nil, &stateless)
	if stateless.Score != result.Score {
		t.Errorf("the stateless score is %v, the stored %v", stateless.Score, result.Score)
	}
	var a Agreement
	s.json("GET", base+"/agreement?a="+o.ID+"&b="+o2.ID, "", 200, &a)
	if d := float64(a.Dice) - 2.0*50/120; d > 1e-9 || d < -1e-9 || a.Hausdorff95MM != a.Hausdorff95PX/10 {
		t.Errorf("agreement %+v", a)
	}
	for path, want := range map[string]string{"/image.png": "\x89PNG", "/outlines/" + o.ID + ".png": "\x89PNG", "/outlines/" + o.ID + ".nii.gz": "\x1f\x8b",
		"/outlines/" + o.ID + "/contours.png": "\x89PNG", "/outlines/" + o.ID + "/map.png?region=pta": "\x89PNG"} {
		b, _ := io.ReadAll(s.send("GET", base+path, "", nil, nil, nil).Body)
		if !bytes.HasPrefix(b, []byte(want)) {
			t.Errorf("%s: %.40q", path, b)
		}
	}
	b, _ := io.ReadAll(s.send("GET", base+"/outlines/"+o.ID+".nii.gz", "", nil, nil, nil).Body)
	back, _, err := roi.DecodeMask("m.nii.gz", b)
	if err != nil || roi.Dice(back, back) != 1 || back.W != 200 || share(back) != 0.1 {
		t.Errorf("the exported outline: %v", err)
	}
	s.json("PUT", base+"/biopsy", `{"value":35}`, 204, nil)
	s.json("DELETE", base, "", 204, nil)
	s.json("GET", base, "", 404, nil)
	var log []store.Entry
	s.json("GET", "/api/audit?limit=500", "", 200, &log)
	if len(log) != 6 || log[0].Action != "case deleted" {
		t.Errorf("audit log %+v", log)
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	s := newSite(t, false, oracle{})
	c, _ := s.addCase(map[string][]byte{"image": testImage}, "k")
	again, status := s.addCase(map[string][]byte{"image": testImage}, "k")
	if again.ID != c.ID || status != 201 {
		t.Errorf("the same upload again: %d, %s and %s", status, again.ID, c.ID)
	}
	for name, f := range map[string]struct {
		fields map[string][]byte
		key    string
		want   int
	}{
		"no image":     {map[string][]byte{"mask": testMask}, "", 422},
		"not an image": {map[string][]byte{"image": []byte("GIF89a nothing")}, "", 422},
		"truncated":    {map[string][]byte{"image": testImage[:100]}, "", 422},
		"reused key":   {map[string][]byte{"image": testMask}, "k", 409},
		"long key":     {map[string][]byte{"image": testImage}, strings.Repeat("k", 201), 422},
		"pixel size":   {map[string][]byte{"image": testImage, "pixel_mm": []byte("-1")}, "", 422},
		"long name":    {map[string][]byte{"image": testImage, "patient": bytes.Repeat([]byte("x"), 201)}, "", 422},
		"too large":    {map[string][]byte{"image": make([]byte, 2<<20)}, "", 413},
	} {
		if _, status := s.addCase(f.fields, f.key); status != f.want {
			t.Errorf("%s: %d, want %d", name, status, f.want)
		}
	}
	for name, mask := range map[string][]byte{"other size": servetest.Picture(20, 20, image.Rect(5, 5, 9, 9)), "empty": servetest.Picture(200, 150, image.Rectangle{}), "no mask": []byte("x"), "nothing": nil} {
		if w := s.send("POST", "/api/cases/"+c.ID+"/outlines", "application/octet-stream", mask, nil, nil); w.StatusCode != 422 {
			t.Errorf("outline, %s: %d", name, w.StatusCode)
		}
	}
	s.json("PUT", "/api/cases/"+c.ID+"/biopsy", `{"value":-1}`, 422, nil)
	s.json("PUT", "/api/cases/"+c.ID+"/biopsy", `{"valeu":1}`, 422, nil)
	s.json("POST", "/api/cases/"+c.ID+"/predictions", `{"outline":"x"}`, 404, nil)
	s.json("GET", "/api/cases?limit=501", "", 422, nil)
	s.json("PATCH", "/api/cases", "", 405, nil)
	s.json("GET", "/api/nothing", "", 404, nil)
}

func TestAccounts(t *testing.T) {
	ctx, s := context.Background(), newSite(t, true, oracle{})
	for name, role := range map[string]string{"mei": store.RoleReader, "root": store.RoleAdmin} {
		if err := s.service.SetReader(ctx, "setup", name, role, "a long password"); err != nil {
			t.Fatal(err)
		}
	}
	s.json("GET", "/api/cases", "", 401, nil)
	signIn := func(name, password string, want int) {
		t.Helper()
		s.cookies = nil
		w := s.send("POST", "/api/session", "application/json", []byte(`{"name":"`+name+`","password":"`+password+`"}`), nil, nil)
		if w.StatusCode != want {
			t.Errorf("%s: %d, want %d", name, w.StatusCode, want)
		}
		s.cookies = w.Cookies()
	}
	signIn("nobody", "a long password", 401)
	signIn("mei", "another password", 401)
	if log, err := s.service.store.Audit(ctx, 0, 2); err != nil || log[0].Subject != "mei" || log[1].Action != "sign-in failed" || log[1].Subject != "" {
		t.Errorf("audit log of failed attempts %+v, %v", log, err)
	}
	signIn("mei", "a long password", 204)
	if c := s.cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %+v", c)
	}
	s.json("GET", "/api/cases", "", 200, nil)
	s.json("GET", "/api/audit", "", 403, nil)
	s.json("POST", "/api/readers", `{"name":"x","role":"admin","password":"a long password"}`, 403, nil)
	s.json("DELETE", "/api/session", "", 204, nil)
	s.json("GET", "/api/cases", "", 401, nil)
	signIn("root", "a long password", 204)
	s.json("POST", "/api/readers", `{"name":"x","role":"reader","password":"short"}`, 422, nil)
	s.json("POST", "/api/readers", `{"name":"x","role":"king","password":"a long password"}`, 422, nil)
	var list []account
	s.json("GET", "/api/readers", "", 200, &list)
	if len(list) != 2 || list[0].Name != "mei" {
		t.Errorf("accounts %+v", list)
	}
	s.json("DELETE", "/api/readers/mei", "", 204, nil)
	s.json("DELETE", "/api/readers/mei", "", 404, nil)
}

func TestAccountIsLockedAfterFailures(t *testing.T) {
	ctx, s := context.Background(), newSite(t, true, oracle{})
	if err := s.service.SetReader(ctx, "setup", "mei", store.RoleReader, "a long password"); err != nil {
		t.Fatal(err)
	}
	for range attempts {
		if _, err := s.service.signIn(ctx, "mei", "guess"); !errors.Is(err, errSignIn) {
			t.Fatal(err)
		}
	}
	if _, err := s.service.signIn(ctx, "mei", "a long password"); !errors.Is(err, errSignIn) {
		t.Errorf("a locked account: %v", err)
	}
}

// Attempts to sign in from one address are few.
func TestSigningInIsSlowedDown(t *testing.T) {
	s := newSite(t, true, oracle{})
	last := 0
	for range 7 {
		last = s.send("POST", "/api/session", "application/json", []byte(`{"name":"x","password":"y"}`), nil, nil).StatusCode
	}
	if last != 429 {
		t.Errorf("the seventh attempt: %d", last)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	s := newSite(t, false, oracle{})
	for name, h := range map[string]map[string]string{
		"another site": {"Sec-Fetch-Site": "cross-site"}, "another origin": {"Origin": "https://evil.example"}, "another name": {"Host": "evil.example"},
	} {
		kind, body := form(map[string][]byte{"image": testImage})
		if w := s.send("POST", "/api/cases", kind, body, h, nil); w.StatusCode != 403 {
			t.Errorf("%s: %d", name, w.StatusCode)
		}
	}
	if w := s.send("GET", "/api/cases", "", nil, map[string]string{"Host": "evil.example"}, nil); w.StatusCode != 403 {
		t.Errorf("reading by another name: %d", w.StatusCode)
	}
	csp := s.send("GET", "/api/health", "", nil, nil, nil).Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("CSP %q", csp)
	}
}

func TestNetworksNeedTLSAndAccounts(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Addr: "127.0.0.1:80"}, ""}, {Config{Addr: "localhost:80"}, ""}, {Config{Addr: "[::1]:80"}, ""},
		{Config{Addr: ":80"}, "without accounts"}, {Config{Addr: "0.0.0.0:80", Cert: "c", Key: "k"}, "without accounts"},
		{Config{Addr: "10.0.0.1:80", Accounts: true}, "without TLS"},
		{Config{Addr: "10.0.0.1:80", Accounts: true, Cert: "c", Key: "k"}, ""}, {Config{Addr: "10.0.0.1:80", Accounts: true, Proxy: true}, ""},
		{Config{Addr: "127.0.0.1:80", Proxy: true}, "without accounts"}, {Config{Addr: "127.0.0.1:80", Proxy: true, Accounts: true}, ""},
		{Config{Addr: "127.0.0.1:80", Cert: "c"}, "go together"}, {Config{Addr: "localhost"}, "not valid"},
	} {
		err := c.config.check()
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c.config, err)
		}
	}
}

func TestSlots(t *testing.T) {
	s, running, most := make(slots, 2), make(chan struct{}, 8), 0
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 8 {
		wg.Go(func() {
			_ = s.do(context.Background(), func() error {
				running <- struct{}{}
				mu.Lock()
				most = max(most, len(running))
				mu.Unlock()
				time.Sleep(time.Millisecond)
				<-running
				return nil
			})
		})
	}
	wg.Wait()
	if most != 2 {
		t.Errorf("%d at once in 2 slots", most)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s <- struct{}{}
	s <- struct{}{}
	if err := s.do(ctx, func() error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("no slot was free: %v", err)
	}
}

// More predictions than have a place are told to come again; the others are answered.
func TestBusyServerSaysSo(t *testing.T) {
	m := oracle{wait: make(chan struct{})}
	s := newSite(t, false, m)
	kind, body := form(map[string][]byte{"image": testImage, "mask": testMask})
	status := make(chan int, 20)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { status <- s.send("POST", "/api/predict", kind, body, nil, nil).StatusCode })
	}
	for range 15 {
		if got := <-status; got != 503 {
			t.Errorf("beyond the queue: %d", got)
		}
	}
	for range 5 {
		m.wait <- struct{}{}
	}
	wg.Wait()
	for range 5 {
		if got := <-status; got != 200 {
			t.Errorf("in the queue: %d", got)
		}
	}
}

func TestPasswords(t *testing.T) {
	phc, err := HashPassword("correct horse battery")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s, %v", phc, err)
	}
	if !checkPassword("correct horse battery", phc) || checkPassword("correct horse batterz", phc) {
		t.Error("a password is told by its hash")
	}
	for _, broken := range []string{"", "$argon2id$", "$argon2i$v=19$m=19456,t=2,p=1$AAAA$AAAA", strings.Replace(phc, "m=19456", "m=99999999", 1), unknownReader} {
		if checkPassword("correct horse battery", broken) {
			t.Errorf("%q was accepted", broken)
		}
	}
}

func TestMetricsNameNoCase(t *testing.T) {
	s := newSite(t, false, oracle{})
	c, _ := s.addCase(map[string][]byte{"image": testImage}, "")
	s.json("GET", "/api/cases/"+c.ID, "", 200, nil)
	b, _ := io.ReadAll(s.send("GET", "/metrics", "", nil, nil, nil).Body)
	if strings.Contains(string(b), c.ID) || !strings.Contains(string(b), `sonotype_http_requests_total{method="GET",route="/api/cases/{case}",status="200"} 1`) {
		t.Errorf("metrics:\n%s", b)
	}
}

// Behind a proxy each client is slowed down by itself; what a client says of its own address counts for nothing.
func TestClientsAreToldApart(t *testing.T) {
	for _, c := range []struct {
		remote, want string
		forwarded    []string
		proxy        bool
	}{
		{"10.0.0.1:80", "10.0.0.1", []string{"9.9.9.9"}, false}, {"127.0.0.1:80", "10.0.0.7", []string{"9.9.9.9, 10.0.0.7"}, true},
		{"127.0.0.1:80", "10.0.0.8", []string{"9.9.9.9", " 10.0.0.8 "}, true}, {"127.0.0.1:80", "127.0.0.1", nil, true},
		{"[2001:db8::1]:80", "2001:db8::1", nil, false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = c.remote, c.forwarded
		if got := clientOf(r, c.proxy); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	l := newLimiter(0, 1, false)
	for i, want := range []bool{true, false, true, true} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = []string{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:0:1::1]:1", "10.0.0.1:1"}[i]
		if got := l.allow(r); got != want {
			t.Errorf("request %d: %v", i, got)
		}
	}
}

// Who has not signed in learns nothing of how much a server is used.
func TestMetricsAreForThisMachineAndAdministrators(t *testing.T) {
	s := newSite(t, true, oracle{})
	server, err := New(Config{Addr: "10.0.0.1:80", Proxy: true, Accounts: true}, s.service, nil)
	if err != nil {
		t.Fatal(err)
	}
	for remote, want := range map[string]int{"127.0.0.1:9": 200, "[::1]:9": 200, "10.0.0.9:9": 401} {
		r, w := httptest.NewRequest("GET", "/metrics", nil), httptest.NewRecorder()
		r.RemoteAddr = remote
		if server.Handler().ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d, want %d", remote, w.Code, want)
		}
	}
	r, w := httptest.NewRequest("GET", "/metrics", nil), httptest.NewRecorder()
	r.RemoteAddr = "127.0.0.1:9"
	r.Header.Set("X-Forwarded-For", "127.0.0.1, 10.0.0.9")
	if server.Handler().ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("through the proxy: %d", w.Code)
	}
}

// A stranger's large form is neither read to its end nor left on the disk.
func TestStrangersSendLittle(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := newSite(t, true, oracle{})
	server, err := New(Config{Addr: "127.0.0.1:0", Accounts: true}, s.service, nil)
	if err != nil {
		t.Fatal(err)
	}
	kind, body := form(map[string][]byte{"name": make([]byte, 40<<20)})
	r, w := httptest.NewRequest("POST", "/login", bytes.NewReader(body)), httptest.NewRecorder()
	r.Header.Set("Content-Type", kind)
	server.Handler().ServeHTTP(w, r)
	if left := must(os.ReadDir(os.TempDir())); len(left) > 0 || w.Code != 303 {
		t.Errorf("%d; left %v", w.Code, left)
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}
