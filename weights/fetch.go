package weights

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
)

// OfficialBase is where torchvision's weight files lie.
const OfficialBase = "https://download.pytorch.org/models/"

// official are torchvision's ImageNet weights; the end of a name is the start of the file's SHA-256.
var official = map[string]string{
	"densenet121": "densenet121-a639ec97.pth",
	"densenet169": "densenet169-b2777c0a.pth",
}

const officialLicence = "BSD-3-Clause (torchvision); trained on ImageNet, whose own terms allow non-commercial research"

// FetchOptions are for a mirror, a special client, and for showing progress. The zero value is right.
type FetchOptions struct {
	BaseURL  string                  // folder of the files; empty: OfficialBase
	Client   *http.Client            // nil: http.DefaultClient
	Stall    time.Duration           // longest wait for the next bytes; 0: 60 s
	Progress func(done, total int64) // bytes; total is -1 when the server does not say it
}

// Fetch downloads torchvision's ImageNet weights of variant, compares their hash with the one in the file's name,
// and imports them under the variant's name. A broken download is taken up where it stopped; what is in the store
// changes only when all is well.
func (s Store) Fetch(ctx context.Context, variant string, o FetchOptions) (Card, error) {
	file, ok := official[variant]
	if !ok {
		return Card{}, &problem.Error{What: "there are no official weights of this name", Expected: strings.Join(slices.Sorted(maps.Keys(official)), " or "), Found: fmt.Sprintf("%q", variant)}
	}
	return s.fetch(ctx, variant, file, o)
}

func (s Store) fetch(ctx context.Context, variant, file string, o FetchOptions) (Card, error) {
	if o.BaseURL == "" {
		o.BaseURL = OfficialBase
	}
	d := download{url: strings.TrimSuffix(o.BaseURL, "/") + "/" + file, part: filepath.Join(s.Dir, file+".part"), o: o}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return Card{}, named(s.Dir, err)
	}
	resumed, err := d.run(ctx)
	if err == nil {
		err = d.checkHash(file)
	}
	if err != nil && resumed && errors.Is(err, errHash) { // the old part may have been of another file
		if _, err = d.run(ctx); err == nil {
			err = d.checkHash(file)
		}
	}
	if err != nil {
		return Card{}, d.advise(ctx, file, err)
	}
	card, err := s.importFrom(d.part, variant, d.url, officialLicence)
	if err != nil {
		return Card{}, err
	}
	return card, os.Remove(d.part)
}

var errHash = errors.New("the file's SHA-256 does not start as its name says")

// download is one file on its way to part.
type download struct {
	url, part string
	o         FetchOptions
}

// checkHash compares part with the hash prefix in "NAME-PREFIX.pth"; a part that fails is removed.
func (d download) checkHash(file string) error {
	stem := strings.TrimSuffix(file, filepath.Ext(file))
	want := stem[strings.LastIndex(stem, "-")+1:]
	got, err := artifact.HashFile(d.part)
	if err != nil {
		return err
	}
	if strings.HasPrefix(got, want) {
		return nil
	}
	if err := os.Remove(d.part); err != nil {
		return err
	}
	return &problem.Error{What: "the downloaded file is not the official one", File: d.url, Expected: "SHA-256 " + want + "...", Found: got, Err: errHash}
}

// run fetches url into part, going on where an earlier run stopped; resumed says whether it did.
func (d download) run(ctx context.Context) (resumed bool, err error) {
	watch, ctx := newWatchdog(ctx, d.o.Stall)
	defer watch.stop()
	defer func() {
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = cause
		}
	}()
	have := int64(0)
	if st, err := os.Stat(d.part); err == nil {
		have = st.Size()
	}
	resp, err := d.request(ctx, have)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	switch {
	case resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)):
		flags, resumed = os.O_WRONLY|os.O_APPEND, true
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0: // part is whole, or not of this file
		return true, nil
	case resp.StatusCode != http.StatusOK:
		return false, &problem.Error{What: "the server refused the download", File: d.url, Expected: "200 OK", Found: resp.Status}
	default:
		have = 0
	}
	f, err := os.OpenFile(d.part, flags, 0o644)
	if err != nil {
		return resumed, err
	}
	err = d.copy(f, resp, have, watch)
	return resumed, errors.Join(err, f.Close())
}

func (d download) request(ctx context.Context, have int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	client := d.o.Client
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(req)
}

// watchdog cancels a download for which no byte came for a while.
type watchdog struct {
	after  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func newWatchdog(ctx context.Context, after time.Duration) (*watchdog, context.Context) {
	if after <= 0 {
		after = time.Minute
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(after, func() { cancel(fmt.Errorf("the server sent nothing for %v", after)) })
	return &watchdog{after, timer, cancel}, ctx
}

func (w *watchdog) fed() { w.timer.Reset(w.after) }

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// copy writes the body to f and gives up when the file grows beyond any network; have bytes are there already.
func (d download) copy(f io.Writer, resp *http.Response, have int64, watch *watchdog) error {
	total := int64(-1)
	if resp.ContentLength >= 0 {
		total = have + resp.ContentLength
	}
	buf := make([]byte, 1<<16)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			watch.fed()
			if _, err := f.Write(buf[:n]); err != nil {
				return err
			}
			if have += int64(n); have > maxFile {
				return tooLarge("download", have, maxFile, "bytes")
			}
			if d.o.Progress != nil {
				d.o.Progress(have, total)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// advise tells how to bring the file by hand when it cannot be fetched; a cancelled fetch stays what it is.
func (d download) advise(ctx context.Context, file string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p, ok := problem.As(err)
	if !ok {
		p = &problem.Error{What: "the weights cannot be downloaded", File: d.url, Err: err}
	}
	q := *p
	q.Try = fmt.Sprintf("download %s on a computer with a network, copy it here, and run: sonotype weights import %s --name %s\n       (or run fetch again: it goes on where it stopped)",
		OfficialBase+file, file, strings.SplitN(file, "-", 2)[0])
	return &q
}
