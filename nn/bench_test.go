package nn_test

import (
	"context"
	"errors"
	"testing"

	"sonotype/densenet"
	"sonotype/internal/problem"
	"sonotype/nn"
	"sonotype/nn/nntest"
)

func TestBenchTraining(t *testing.T) {
	shape := small
	shape.Classes = 1
	g := densenet.Build(shape, 32)
	w := nntest.Weights(g.Params())
	ms, err := nn.BenchTraining(context.Background(), g, w, nn.Detect(), 1, 2)
	if err != nil || !(ms > 0) {
		t.Errorf("%v ms, %v", ms, err)
	}
	if _, err := nn.BenchTraining(context.Background(), g, w, nn.Detect(), 1, 0); err == nil {
		t.Error("a batch of nothing was measured")
	} else if _, ok := problem.As(err); !ok {
		t.Errorf("%v is no problem.Error", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := nn.BenchTraining(ended, g, w, nn.Detect(), 1, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled bench gave %v", err)
	}
}
