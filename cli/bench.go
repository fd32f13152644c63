package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"sonotype/densenet"
	"sonotype/nn"
	"sonotype/weights"
)

// benchTime is one figure of the bench.
type benchTime struct {
	MsPerImage float64 `json:"ms_per_image"`
}

// benchResult is the JSON form of `bench`: times by batch size.
type benchResult struct {
	ISA     string               `json:"isa"`
	Threads int                  `json:"threads"`
	Network string               `json:"network"`
	Forward map[string]benchTime `json:"forward,omitempty"`
	Train   map[string]benchTime `json:"train,omitempty"`
	PeakRSS float64              `json:"peak_rss_mb"`
}

// Parts of the bench, for --only.
const (
	benchForward = "forward"
	benchTrain   = "train"
)

func (a *app) bench() *cobra.Command {
	var isa, only string
	var threads int
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure what this machine does: ms an image for DenseNet169, forward and training",
		Long: "Measure DenseNet169 on 224 x 224 pixels: the forward pass at batch 1 and 16, and a training step (forward,\n" +
			"backward, Adam) at batch 16, each the median of several runs. Peak memory is the process's: with --only it is\n" +
			"that of one part.\n" + exitHelp,
		Example: "  sonotype bench\n  sonotype bench --isa avx2 --json\n  sonotype bench --only train",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			level, err := nn.ParseISA(isa)
			if err != nil {
				return errUsage{err}
			}
			if !slices.Contains([]string{"", benchForward, benchTrain}, only) {
				return errUsage{fmt.Errorf("--only: %q is neither %s nor %s", only, benchForward, benchTrain)}
			}
			return a.runBench(cmd.Context(), level, threads, only)
		},
	}
	cmd.Flags().StringVar(&isa, "isa", "auto", "instruction set: auto, avx512, avx2, portable")
	cmd.Flags().StringVar(&only, "only", "", "measure one part: forward, train")
	cmd.Flags().IntVar(&threads, "threads", runtime.GOMAXPROCS(0), "threads")
	return cmd
}

// runBench measures the parts, or the only one, and prints what it found.
func (a *app) runBench(ctx context.Context, isa nn.ISA, threads int, only string) (err error) {
	r := benchResult{ISA: isa.String(), Threads: threads, Network: string(densenet.DenseNet169)}
	if only != benchTrain {
		if r.Forward, err = benchTimes(ctx, 0, nn.Bench, isa, threads, 1, 16); err != nil {
			return err
		}
	}
	if only != benchForward {
		if r.Train, err = benchTimes(ctx, 1, nn.BenchTraining, isa, threads, 16); err != nil {
			return err
		}
	}
	r.PeakRSS = peakRSS()
	if a.json {
		return a.writeJSON(r)
	}
	fmt.Fprintf(a.out, "%s, %s, %d threads\n", r.Network, r.ISA, r.Threads)
	a.writeTimes(benchForward, r.Forward)
	a.writeTimes(benchTrain, r.Train)
	if r.PeakRSS > 0 {
		fmt.Fprintf(a.out, "peak memory         %6.0f MB\n", r.PeakRSS)
	}
	return nil
}

// writeTimes prints the figures of a part, the smallest batch first.
func (a *app) writeTimes(part string, times map[string]benchTime) {
	for _, batch := range slices.SortedFunc(maps.Keys(times), func(x, y string) int { return cmp.Compare(len(x), len(y)) }) {
		fmt.Fprintf(a.out, "%-8s batch %-2s  %6.1f ms an image\n", part+",", batch, times[batch].MsPerImage)
	}
}

// benchMeasure is nn.Bench or nn.BenchTraining.
type benchMeasure func(ctx context.Context, g *nn.Graph, weights nn.Tensors, isa nn.ISA, workers, batch int) (float64, error)

// benchTimes measures DenseNet169 with so many outputs of its classifier at each batch size.
func benchTimes(ctx context.Context, classes int, measure benchMeasure, isa nn.ISA, threads int, batches ...int) (map[string]benchTime, error) {
	shape, err := densenet.DenseNet169.Config()
	if err != nil {
		return nil, err
	}
	shape.Classes = classes
	graph := densenet.Build(shape, weights.ImageNet.Size)
	w := weights.Random(graph.Params(), 1)
	times := map[string]benchTime{}
	for _, batch := range batches {
		ms, err := measure(ctx, graph, w, isa, threads, batch)
		if err != nil {
			return nil, err
		}
		times[strconv.Itoa(batch)] = benchTime{ms}
	}
	return times, nil
}
