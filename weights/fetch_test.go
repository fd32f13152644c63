package weights

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sonotype/internal/problem"
)

// mirror serves one weight file; it can break off after some bytes, once.
type mirror struct {
	body     []byte
	breakAt  int // > 0: the first answer ends here
	requests []string
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.requests = append(m.requests, r.Header.Get("Range"))
	if at := m.breakAt; at > 0 {
		m.breakAt = 0
		w.Header().Set("Content-Length", "1000000")
		w.Write(m.body[:at])
		return // the promised length is not reached: the client sees a broken connection
	}
	http.ServeContent(w, r, "x.pth", time.Time{}, bytes.NewReader(m.body))
}

func setUp(t *testing.T) (Store, *mirror, FetchOptions, string) {
	t.Helper()
	body, err := os.ReadFile("testdata/legacy_old.pth")
	if err != nil {
		t.Fatal(err)
	}
	m := &mirror{body: body}
	srv := httptest.NewServer(m)
	t.Cleanup(srv.Close)
	sum := sha256.Sum256(body)
	return Store{Dir: filepath.Join(t.TempDir(), "store")}, m, FetchOptions{BaseURL: srv.URL + "/models/"}, "tiny-" + hex.EncodeToString(sum[:4]) + ".pth"
}

func noPart(t *testing.T, s Store) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFetchGood(t *testing.T) {
	s, m, o, file := setUp(t)
	var seen []int64
	o.Progress = func(done, total int64) { seen = append(seen, done, total) }
	c, err := s.fetch(t.Context(), "tiny", file, o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(c.Source, "/models/"+file) || c.Licence != officialLicence {
		t.Errorf("card %+v", c)
	}
	if n := int64(len(m.body)); len(seen) < 2 || seen[len(seen)-2] != n || seen[len(seen)-1] != n {
		t.Errorf("progress %v", seen)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
	noPart(t, s)
}

func TestFetchGoesOnWhereItStopped(t *testing.T) {
	s, m, o, file := setUp(t)
	m.breakAt = 3000
	_, err := s.fetch(t.Context(), "tiny", file, o)
	if p, ok := problem.As(err); !ok || !strings.Contains(p.Try, OfficialBase+file) || !strings.Contains(p.Try, "weights import "+file) {
		t.Fatalf("broken off: %v", err)
	}
	if cards, err := s.List(); err != nil || len(cards) != 0 {
		t.Errorf("a broken download is in the store: %v, %v", cards, err)
	}
	if _, err := s.fetch(t.Context(), "tiny", file, o); err != nil {
		t.Fatal(err)
	}
	if len(m.requests) != 2 || m.requests[1] != "bytes=3000-" {
		t.Errorf("requests %q", m.requests)
	}
	noPart(t, s)
}

// A part that belongs to another file, or that is whole already, ends well.
func TestFetchWithOddParts(t *testing.T) {
	for what, part := range map[string]func(body []byte) []byte{
		"other":  func(body []byte) []byte { return bytes.Repeat([]byte{7}, 500) },
		"whole":  func(body []byte) []byte { return body },
		"longer": func(body []byte) []byte { return append(bytes.Clone(body), 0) },
	} {
		s, m, o, file := setUp(t)
		if err := os.MkdirAll(s.Dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.Dir, file+".part"), part(m.body), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.fetch(t.Context(), "tiny", file, o); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		noPart(t, s)
	}
}

func TestFetchWrongHash(t *testing.T) {
	s, m, o, file := setUp(t)
	m.body = bytes.Clone(m.body)
	m.body[2000] ^= 1
	_, err := s.fetch(t.Context(), "tiny", file, o)
	if p, ok := problem.As(err); !ok || !errors.Is(err, errHash) || !strings.HasSuffix(p.File, file) || p.Found == "" {
		t.Errorf("%v", err)
	}
	if cards, _ := s.List(); len(cards) != 0 {
		t.Error("imported all the same")
	}
	noPart(t, s)
}

func TestFetchRefused(t *testing.T) {
	s, _, o, file := setUp(t)
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	o.BaseURL = srv.URL
	if _, err := s.fetch(t.Context(), "tiny", file, o); err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "Try: download") {
		t.Errorf("%v", err)
	}
}

func TestFetchWithoutNetwork(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close() // nobody listens there now
	_, err := s.Fetch(t.Context(), "densenet169", FetchOptions{BaseURL: srv.URL})
	for _, w := range []string{"https://download.pytorch.org/models/densenet169-b2777c0a.pth", "sonotype weights import densenet169-b2777c0a.pth --name densenet169", srv.URL} {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%v lacks %q", err, w)
		}
	}
	if _, err := s.Fetch(t.Context(), "resnet50", FetchOptions{}); err == nil || !strings.Contains(err.Error(), "densenet121 or densenet169") {
		t.Errorf("unknown variant: %v", err)
	}
}

func TestFetchStalledAndCancelled(t *testing.T) {
	s, _, o, file := setUp(t)
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("some"))
		w.(http.Flusher).Flush()
		<-release
	}))
	defer srv.Close()
	defer close(release)
	o.BaseURL, o.Stall = srv.URL, 50*time.Millisecond
	if _, err := s.fetch(t.Context(), "tiny", file, o); err == nil || !strings.Contains(err.Error(), "sent nothing for 50ms") {
		t.Errorf("stalled: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.Stall = time.Minute
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.fetch(ctx, "tiny", file, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
