package features

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sums is a network whose tap "sums" gives, for each image, its value count and a mix of its values.
type sums struct {
	batches []int
	fail    error
}

func (s *sums) Infer(x []float32, n int, taps map[string][]float32) error {
	s.batches = append(s.batches, n)
	out, size := taps["sums"], len(x)/n
	for i := range n {
		total := float32(0)
		for k, v := range x[i*size : (i+1)*size] {
			total += v * float32(k+1)
		}
		out[2*i], out[2*i+1] = float32(size), total
	}
	return s.fail
}

// fill makes image i: i, i+1, ...; some images are slower to prepare than others.
func fill(i int, dst []float32) error {
	if i%5 == 0 {
		time.Sleep(time.Millisecond)
	}
	for k := range dst {
		dst[k] = float32(i + k)
	}
	return nil
}

func job(t *testing.T) Job {
	return Job{Path: filepath.Join(t.TempDir(), "x.npy"), Images: 23, InputLen: 4, Input: fill, Tap: "sums", Width: 2, Batch: 5, Workers: 3}
}

func TestExtractGivesTheSameBytesForAnyBatchAndWorkers(t *testing.T) {
	var first []byte
	for _, c := range [][2]int{{5, 3}, {1, 1}, {23, 2}, {64, 8}, {0, 0}} {
		j, net := job(t), &sums{}
		j.Batch, j.Workers = c[0], c[1]
		var progress []int
		j.Progress = func(done, total int) { progress = append(progress, done, total) }
		if err := Extract(t.Context(), net, j); err != nil {
			t.Fatal(err)
		}
		if n := len(progress); progress[n-2] != 23 || progress[n-1] != 23 || n != 2*len(net.batches) {
			t.Errorf("progress %v for batches %v", progress, net.batches)
		}
		b, err := os.ReadFile(j.Path)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if string(b) != string(first) {
			t.Errorf("batch %d, workers %d: other bytes", c[0], c[1])
		}
	}
	j := job(t)
	if err := Extract(t.Context(), &sums{}, j); err != nil {
		t.Fatal(err)
	}
	m, err := Open(j.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for i := range 23 { // 1 i + 2 (i+1) + 3 (i+2) + 4 (i+3) = 10 i + 20
		if r := m.Row(i); r[0] != 4 || r[1] != float32(10*i+20) {
			t.Errorf("row %d: %v", i, r)
		}
	}
}

func TestInputsArePreparedAhead(t *testing.T) {
	j := job(t)
	var started atomic.Int32
	j.Input = func(i int, dst []float32) error { started.Add(1); return fill(i, dst) }
	net := &waitFor{n: 10, started: &started}
	if err := Extract(t.Context(), net, j); err != nil {
		t.Fatal(err)
	}
	if net.late {
		t.Error("the second batch was not prepared while the network ran the first")
	}
}

// waitFor holds the first batch in the network until n inputs were begun.
type waitFor struct {
	sums
	n       int32
	started *atomic.Int32
	late    bool
}

func (w *waitFor) Infer(x []float32, n int, taps map[string][]float32) error {
	for end := time.Now().Add(5 * time.Second); w.started.Load() < w.n && !w.late; time.Sleep(time.Millisecond) {
		w.late = time.Now().After(end)
	}
	return w.sums.Infer(x, n, taps)
}

func TestExtractFaultsLeaveNothing(t *testing.T) {
	bad := errors.New("bad image")
	for what, c := range map[string]struct {
		change func(*Job, *sums)
		want   string
	}{
		"input":   {func(j *Job, _ *sums) { j.Input = func(i int, _ []float32) error { return errIf(i == 17, bad) } }, "bad image"},
		"network": {func(_ *Job, s *sums) { s.fail = errors.New("network fault") }, "network fault"},
		"width":   {func(j *Job, _ *sums) { j.Width = 0 }, "nothing to extract"},
		"none":    {func(j *Job, _ *sums) { j.Images = 0 }, "nothing to extract"},
		"NaN": {func(j *Job, _ *sums) {
			j.Input = func(i int, dst []float32) error { dst[0] = float32(i-7) / float32(i-7); return nil }
		}, "image 8 of 23"},
	} {
		j, net := job(t), &sums{}
		c.change(&j, net)
		err := Extract(t.Context(), net, j)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
		if left, _ := os.ReadDir(filepath.Dir(j.Path)); len(left) > 0 {
			t.Errorf("%s: left behind %v", what, left)
		}
	}
}

func errIf(yes bool, err error) error {
	if yes {
		return err
	}
	return nil
}

func TestExtractCancelled(t *testing.T) {
	j := job(t)
	ctx, cancel := context.WithCancel(t.Context())
	j.Progress = func(done, _ int) {
		if done == 10 {
			cancel()
		}
	}
	if err := Extract(ctx, &sums{}, j); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(j.Path)); len(left) > 0 {
		t.Errorf("left behind %v", left)
	}
}
