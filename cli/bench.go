package cli

import (
	"fmt"
	"runtime"
	"strconv"

	"github.com/spf13/cobra"

	"sonotype/densenet"
	"sonotype/nn"
	"sonotype/weights"
)

// forwardTime is one figure of the bench.
type forwardTime struct {
	MsPerImage float64 `json:"ms_per_image"`
}

// benchResult is the JSON form of `bench`.
type benchResult struct {
	ISA     string                 `json:"isa"`
	Threads int                    `json:"threads"`
	Network string                 `json:"network"`
	Forward map[string]forwardTime `json:"forward"` // by batch size
	PeakRSS float64                `json:"peak_rss_mb"`
}

func (a *app) bench() *cobra.Command {
	var isa string
	var threads int
	cmd := &cobra.Command{
		Use:     "bench",
		Short:   "Measure what this machine does: ms an image for DenseNet169",
		Long:    "Measure the forward pass of DenseNet169 on 224 x 224 pixels: the median of several runs at batch 1 and 16.\n" + exitHelp,
		Example: "  sonotype bench\n  sonotype bench --isa avx2 --json",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			level, err := nn.ParseISA(isa)
			if err != nil {
				return errUsage{err}
			}
			return a.benchForward(cmd, level, threads)
		},
	}
	cmd.Flags().StringVar(&isa, "isa", "auto", "instruction set: auto, avx512, avx2, portable")
	cmd.Flags().IntVar(&threads, "threads", runtime.GOMAXPROCS(0), "threads")
	return cmd
}

func (a *app) benchForward(cmd *cobra.Command, isa nn.ISA, threads int) error {
	const variant = densenet.DenseNet169
	r := benchResult{ISA: isa.String(), Threads: threads, Network: string(variant), Forward: map[string]forwardTime{}}
	graph := densenet.Graph(variant, weights.ImageNet.Size)
	w := weights.Random(densenet.Params(variant), 1)
	for _, batch := range []int{1, 16} {
		ms, err := nn.Bench(cmd.Context(), graph, w, isa, threads, batch)
		if err != nil {
			return err
		}
		r.Forward[strconv.Itoa(batch)] = forwardTime{ms}
	}
	r.PeakRSS = peakRSS()
	if a.json {
		return a.writeJSON(r)
	}
	fmt.Fprintf(a.out, "%s, %s, %d threads\n", r.Network, r.ISA, r.Threads)
	for _, b := range []string{"1", "16"} {
		fmt.Fprintf(a.out, "forward, batch %-2s  %6.1f ms an image\n", b, r.Forward[b].MsPerImage)
	}
	if r.PeakRSS > 0 {
		fmt.Fprintf(a.out, "peak memory       %6.0f MB\n", r.PeakRSS)
	}
	return nil
}
