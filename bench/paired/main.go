// Command paired compares the AUCs of two score tables over the same patients or lesions, set by set, by DeLong's
// paired test: a run against another run (a trained network against a random one), or against PyTorch's scores.
//
//	go run ./bench/paired [-key fusion/svm] [-key-b KEY] [-sets internal,external] [-above X] A.csv B.csv
//
// Tables are those of stage 06, scores.csv. With -above the exit code is 1 where the 95 % interval of AUC A - AUC B
// does not lie above X in every set.
package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/jszwec/csvutil"

	"sonotype/evaluate"
	"sonotype/internal/artifact"
)

func main() {
	key := flag.String("key", "", "features/model to compare; default: that of primary.json beside A.csv")
	keyB := flag.String("key-b", "", "features/model of B.csv; default: that of A.csv")
	sets := flag.String("sets", "internal,external", "sets to compare")
	above := flag.Float64("above", math.NaN(), "bound that the whole interval of the difference must exceed")
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	rows, err := compare(flag.Arg(0), flag.Arg(1), *key, *keyB, strings.Split(*sets, ","))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	show(os.Stdout, rows)
	missed := false
	for _, r := range rows {
		if !math.IsNaN(*above) && !(float64(r.Lo) > *above) {
			fmt.Printf("MISSED: the interval of the %s set does not lie above %g\n", r.set, *above)
			missed = true
		}
	}
	if missed {
		os.Exit(1)
	}
}

// row is the comparison in one set.
type row struct {
	set, a, b string // a, b: features/model
	evaluate.PairedAUC
}

func show(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "set\tA\tB\tn\tpositive\tAUC A\tAUC B\tA - B\t95 % CI\tP\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%.3f\t%.3f\t%+.3f\t%+.3f to %+.3f\t%.3g\t%s\n", r.set, r.a, r.b, r.N, r.Positive,
			r.AUC1, r.AUC2, r.Difference, r.Lo, r.Hi, r.P, r.Note)
	}
	w.Flush()
}

// score is a row of scores.csv.
type score struct {
	Unit     string  `csv:"unit"`
	Set      string  `csv:"set"`
	Features string  `csv:"features"`
	Model    string  `csv:"model"`
	Label    int     `csv:"label"`
	Score    float64 `csv:"score"`
}

// compare reads two tables and compares them in each set.
func compare(pathA, pathB, keyA, keyB string, sets []string) ([]row, error) {
	if keyA == "" {
		var err error
		if keyA, err = primary(filepath.Join(filepath.Dir(pathA), "primary.json")); err != nil {
			return nil, err
		}
	}
	keyB = cmp.Or(keyB, keyA)
	a, err := read(pathA)
	if err != nil {
		return nil, err
	}
	b, err := read(pathB)
	if err != nil {
		return nil, err
	}
	var out []row
	for _, set := range sets {
		p, err := pair(choose(a, set, keyA), choose(b, set, keyB))
		if err != nil {
			return nil, fmt.Errorf("%s set, %s of %s against %s of %s: %w", set, keyA, pathA, keyB, pathB, err)
		}
		out = append(out, row{set, keyA, keyB, p})
	}
	return out, nil
}

// primary reads the primary model's features/model.
func primary(path string) (string, error) {
	var p struct{ Primary string }
	if err := artifact.ReadJSON(path, &p); err != nil {
		return "", fmt.Errorf("no -key is given, and %w", err)
	}
	return p.Primary, nil
}

func read(path string) ([]score, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var rows []score
	d, err := csvutil.NewDecoder(csv.NewReader(bytes.NewReader(b)))
	if err == nil {
		d.DisallowMissingColumns = true
		err = d.Decode(&rows)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}

// choose picks the rows of a set and a features/model.
func choose(rows []score, set, key string) []score {
	var out []score
	for _, r := range rows {
		if r.Set == set && r.Features+"/"+r.Model == key {
			out = append(out, r)
		}
	}
	return out
}

// pair matches the units of two tables, which must be the same with the same labels, and compares their scores.
func pair(a, b []score) (evaluate.PairedAUC, error) {
	if len(a) == 0 || len(b) == 0 {
		return evaluate.PairedAUC{}, fmt.Errorf("%d and %d scores", len(a), len(b))
	}
	of := map[string]score{}
	for _, s := range b {
		of[s.Unit] = s
	}
	if len(of) != len(b) || len(a) != len(b) {
		return evaluate.PairedAUC{}, fmt.Errorf("%d and %d scores of %d units", len(a), len(b), len(of))
	}
	var scoresA, scoresB []float64
	var labels []int
	for _, s := range a {
		other, ok := of[s.Unit]
		if !ok || other.Label != s.Label {
			return evaluate.PairedAUC{}, errors.New("unit " + s.Unit + " is missing in one table, stands twice in the other, or has another label")
		}
		delete(of, s.Unit)
		scoresA, scoresB, labels = append(scoresA, s.Score), append(scoresB, other.Score), append(labels, s.Label)
	}
	return evaluate.DeLongPaired(scoresA, scoresB, labels)
}
