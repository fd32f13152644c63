package nn

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sonotype/internal/problem"
)

// Bench measures the forward pass of g on random images: the median over several timed calls of
// milliseconds an image. Workers <= 0: GOMAXPROCS.
func Bench(ctx context.Context, g *Graph, weights Tensors, isa ISA, workers, batch int) (float64, error) {
	if batch < 1 {
		return 0, &problem.Error{What: "impossible batch size", Expected: batchRange(0), Found: fmt.Sprint(batch)}
	}
	p, err := New().Compile(g, Options{ISA: isa, Workers: workers})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	if err := p.ImportState(State{Tensors: weights}); err != nil {
		return 0, err
	}
	x := benchImages(batch * g.InputShape().Len())
	taps := map[string][]float32{}
	if s, ok := g.TapShape("features"); ok {
		taps["features"] = make([]float32, batch*s.Len())
	}
	return benchCalls(ctx, batch, func() error { return p.Infer(x, batch, taps) })
}

// BenchTraining measures training steps of g, which ends in one logit, on random images: forward, backward and an
// update by Adam; the median over several timed calls of milliseconds an image. Workers <= 0: GOMAXPROCS.
func BenchTraining(ctx context.Context, g *Graph, weights Tensors, isa ISA, workers, batch int) (float64, error) {
	if batch < 1 {
		return 0, &problem.Error{What: "impossible batch size", Expected: batchRange(0), Found: fmt.Sprint(batch)}
	}
	t, err := New().CompileTraining(g, TrainOptions{ISA: isa, Workers: workers})
	if err != nil {
		return 0, err
	}
	defer t.Close()
	if err := t.ImportState(State{Tensors: weights}); err != nil {
		return 0, err
	}
	x, y := benchImages(batch*g.InputShape().Len()), make([]float32, batch)
	for i := range y {
		y[i] = float32(i % 2)
	}
	return benchCalls(ctx, batch, func() error {
		_, err := t.TrainStep(x, y, batch, Hyper{Optimizer: Adam, Rate: 1e-4})
		return err
	})
}

// benchImages are n values between -1 and 1.
func benchImages(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*7919%1000)/500 - 1
	}
	return x
}

// How long is measured: at least so many calls after the first, and so long, but no call starts after the longest time.
const (
	benchCallsMin = 5
	benchTime     = 2 * time.Second
	benchLongest  = 30 * time.Second
)

func benchCalls(ctx context.Context, batch int, call func() error) (float64, error) {
	if err := call(); err != nil { // warm up
		return 0, err
	}
	var ms []float64
	for start := time.Now(); ; {
		if spent := time.Since(start); len(ms) >= benchCallsMin && spent > benchTime || len(ms) > 0 && spent > benchLongest {
			break
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		t := time.Now()
		if err := call(); err != nil {
			return 0, err
		}
		ms = append(ms, time.Since(t).Seconds()*1e3/float64(batch))
	}
	slices.Sort(ms)
	return ms[len(ms)/2], nil
}
