// Command load sends predictions to a running server from many clients at once, and says how it bore it: answers, refusals,
// other errors, and how long the answered ones took beside what queueing theory gives for the time of a single case.
//
//	go run ./bench/load -url http://127.0.0.1:8080 -image case.png -mask case.nii.gz [-clients 64] [-for 60s]
//
// A refused client (429, 503) waits as long as it is told and comes again. Exit 1 where anything but an answer or a
// refusal came back.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

func main() {
	url := flag.String("url", "http://127.0.0.1:8080", "server")
	image := flag.String("image", "", "image file")
	mask := flag.String("mask", "", "its outline")
	clients := flag.Int("clients", 64, "clients at once")
	lasts := flag.Duration("for", time.Minute, "how long")
	queue := flag.Int("queue", 32, "the server's --queue")
	flag.Parse()
	kind, body, err := form(*image, *mask)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	l := &load{url: *url + "/api/predict", kind: kind, body: body, client: &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: *clients}}}
	single := l.single()
	began := time.Now()
	l.run(*clients, *lasts)
	l.report(single, *clients, *queue, time.Since(began))
	if len(l.failed) > 0 {
		os.Exit(1)
	}
}

// form is the request's body.
func form(image, mask string) (kind string, body []byte, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, file := range map[string]string{"image": image, "mask": mask} {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", nil, err
		}
		p, err := w.CreateFormFile(name, filepath.Base(file))
		if err != nil {
			return "", nil, err
		}
		if _, err := p.Write(data); err != nil {
			return "", nil, err
		}
	}
	if err := w.Close(); err != nil {
		return "", nil, err
	}
	return w.FormDataContentType(), b.Bytes(), nil
}

// load is what the clients send and what came back.
type load struct {
	url, kind string
	body      []byte
	client    *http.Client

	mu       sync.Mutex
	answered []time.Duration
	refused  map[int]int
	failed   map[string]int
}

// single is the median time of ten cases, one after another.
func (l *load) single() time.Duration {
	for range 12 {
		l.send()
	}
	times := l.answered
	if len(times) == 0 {
		fmt.Fprintf(os.Stderr, "no single case was answered: %v %v\n", l.refused, l.failed)
		os.Exit(1)
	}
	times = slices.Sorted(slices.Values(times[min(2, len(times)-1):]))
	l.answered = nil
	return times[len(times)/2]
}

// send sends one request and returns how long a refused client is to wait.
func (l *load) send() (wait time.Duration) {
	began := time.Now()
	w, err := l.client.Post(l.url, l.kind, bytes.NewReader(l.body))
	took := time.Since(began)
	status, text := 0, ""
	if err == nil {
		b, readErr := io.ReadAll(w.Body)
		w.Body.Close()
		status, text, err = w.StatusCode, string(b), readErr
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused == nil {
		l.refused, l.failed = map[int]int{}, map[string]int{}
	}
	switch {
	case err != nil:
		l.failed[err.Error()]++
	case status == http.StatusOK:
		l.answered = append(l.answered, took)
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		l.refused[status]++
		seconds, _ := strconv.Atoi(w.Header.Get("Retry-After"))
		return time.Duration(max(1, seconds)) * time.Second
	default:
		l.failed[fmt.Sprintf("%d %s", status, text)]++
	}
	return 0
}

func (l *load) run(clients int, lasts time.Duration) {
	end := time.Now().Add(lasts)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for time.Now().Before(end) {
				time.Sleep(l.send())
			}
		})
	}
	wg.Wait()
}

// report prints the times beside the ideal: one server that needs the single case's time for each, with at most queue+1
// in it, answers 1/single a second, and a full queue makes the last comer wait for all before it.
func (l *load) report(single time.Duration, clients, queue int, took time.Duration) {
	slices.Sort(l.answered)
	at := func(share float64) time.Duration {
		if len(l.answered) == 0 {
			return 0
		}
		return l.answered[min(len(l.answered)-1, int(share*float64(len(l.answered))))]
	}
	inside := min(clients, queue+1)
	fmt.Printf("single case       %v\n", single.Round(time.Millisecond))
	fmt.Printf("%d clients, %v: %d answered (%.1f/s; ideal %.1f/s), refused %v, failed %v\n", clients, took.Round(time.Second), len(l.answered),
		float64(len(l.answered))/took.Seconds(), 1/single.Seconds(), l.refused, l.failed)
	fmt.Printf("p50 %v, p99 %v, max %v; ideal with a full queue %v\n", at(0.5).Round(time.Millisecond), at(0.99).Round(time.Millisecond), at(1).Round(time.Millisecond),
		(time.Duration(inside) * single).Round(time.Millisecond))
}
