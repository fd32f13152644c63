// Command start writes the weights that a run's networks begin with, where they are random, so that PyTorch can begin
// with the same: the body and the classifier of one logit.
//
//	go run ./bench/start RUN FILE.safetensors
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"sonotype/densenet"
	"sonotype/internal/artifact"
	"sonotype/weights"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: start RUN FILE.safetensors")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(run, file string) error {
	var plan struct {
		Seed    uint64
		Network struct {
			Backbone densenet.Variant
			Weights  string
			Input    int
		}
	}
	if err := artifact.ReadJSON(filepath.Join(run, "plan.json"), &plan); err != nil {
		return err
	}
	if plan.Network.Weights != weights.RandomName {
		return fmt.Errorf("the run begins with %s: give that file to peer_study.py", plan.Network.Weights)
	}
	shape, err := plan.Network.Backbone.Config()
	if err != nil {
		return err
	}
	shape.Classes = 1
	g := densenet.Build(shape, plan.Network.Input)
	if err := g.Err(); err != nil {
		return err
	}
	return weights.SaveSafetensors(file, weights.Random(g.Params(), plan.Seed), nil)
}
