package cohort

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/internal/rng"
)

// paperTable has the paper's numbers: centre A 796 patients, centre B 133; 662 of 929 high.
func paperTable() string {
	var b strings.Builder
	b.WriteString("patient_id,image,mask,centre,outcome\n")
	for i := range 929 {
		centre, outcome := "A", 1
		if i >= 796 {
			centre = "B"
		}
		if (centre == "A" && i < 229) || i >= 891 { // 229 low in A, 38 low in B
			outcome = 0
		}
		fmt.Fprintf(&b, "P%03d,%d.png,%d.nii,%s,%d\n", i, i, i, centre, outcome)
	}
	return b.String()
}

func TestPaperSizes(t *testing.T) {
	c := load(t, Rules{}, paperTable())
	s, err := Split(c, SplitConfig{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	f := c.Flow(s)
	var got []string
	for _, set := range f.Sets {
		got = append(got, fmt.Sprintf("%s %d/%d", set.Set, set.Patients, set.Positive))
	}
	if want := []string{"train 557/397", "internal 239/170", "external 133/95"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if s.Development != "A" || s.Source != "random" || s.Folds != 5 {
		t.Errorf("%+v", s)
	}
}

// TestSplitProperties: exact size, every class within one of its share, each patient in one set,
// folds even in size and class; the same seed gives the same splits, another seed others.
func TestSplitProperties(t *testing.T) {
	r := rng.Stream(9, "test")
	for trial := range 20 {
		c := load(t, Rules{}, csvOf(append([]string{header}, randomTable(r, 60+r.IntN(100))...)...))
		config := SplitConfig{TrainFraction: 0.5 + 0.4*r.Float64(), Folds: 2 + r.IntN(4)}
		s, err := Split(c, config, uint64(trial))
		if err != nil {
			t.Fatal(err)
		}
		again, _ := Split(c, config, uint64(trial))
		other, _ := Split(c, config, uint64(trial)+1000)
		if s.Hash != again.Hash || s.Hash == other.Hash {
			t.Error("the seed does not decide the splits")
		}
		checkSplits(t, c, s, config)
	}
}

func checkSplits(t *testing.T, c *Cohort, s *Splits, config SplitConfig) {
	t.Helper()
	var size, train [2]float64
	folds := make([][2]float64, config.Folds)
	seen := make(map[string]bool)
	for _, p := range c.people() {
		a, ok := s.Of(p.id)
		if !ok || seen[p.id] {
			t.Fatalf("patient %s is not placed once", p.id)
		}
		seen[p.id] = true
		if (a.Set == SetExternal) != (p.centre != s.Development) || (a.Fold >= 0) != (a.Set == SetTrain) {
			t.Errorf("patient %s of %s: %+v", p.id, p.centre, a)
		}
		if p.centre != s.Development {
			continue
		}
		size[p.label]++
		if a.Set == SetTrain {
			train[p.label]++
			folds[a.Fold][p.label]++
		}
	}
	n := size[0] + size[1]
	if want := math.Round(config.TrainFraction * n); train[0]+train[1] != want {
		t.Errorf("%v of %v patients train, want %v", train[0]+train[1], n, want)
	}
	for k := range size {
		if share := size[k] * (train[0] + train[1]) / n; math.Abs(train[k]-share) >= 1 {
			t.Errorf("class %d: %v train, its share is %v", k, train[k], share)
		}
	}
	spread := func(count func(f [2]float64) float64) float64 {
		low, high := math.Inf(1), 0.0
		for _, f := range folds {
			low, high = min(low, count(f)), max(high, count(f))
		}
		return high - low
	}
	for k := range size {
		if spread(func(f [2]float64) float64 { return f[k] }) > 1 {
			t.Errorf("class %d is uneven over the folds: %v", k, folds)
		}
	}
	if spread(func(f [2]float64) float64 { return f[0] + f[1] }) > 1 {
		t.Errorf("the folds differ in size: %v", folds)
	}
}

func TestRoundHalfUp(t *testing.T) {
	for n := range 2000 {
		if got, want := roundHalfUp(0.7*float64(n)), (7*n+5)/10; got != want {
			t.Errorf("0.7 x %d: %d, want %d", n, got, want)
		}
	}
}

func TestLesionsGoTogether(t *testing.T) {
	rows := []string{header + "|lesion_id"}
	for i := range 40 {
		for l := range 3 {
			rows = append(rows, fmt.Sprintf("P%02d|%d-%d.png|%d-%d.nii|A|%d|L%d", i, i, l, i, l, (i+l)%2*(i%3), l))
		}
	}
	for i, r := range rows { // outcomes 0 and 1 only
		rows[i] = strings.Replace(r, "|A|2|", "|A|1|", 1)
	}
	c := load(t, Rules{}, csvOf(rows...))
	s, err := Split(c, SplitConfig{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Patients) != 40 || len(c.Units) != 120 || len(s.In(SetTrain)) != 28 {
		t.Errorf("%d patients, %d units, %d train", len(s.Patients), len(c.Units), len(s.In(SetTrain)))
	}
}

func TestSplitColumn(t *testing.T) {
	rows := []string{header + "|split"}
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("P%02d|%d.png|%d.nii|A|%d|%s", i, i, i, i/2%2, []string{"Training", "internal_test"}[i%2]))
	}
	rows = append(rows, "X|x.png|x.nii|A|1|external")
	c := load(t, Rules{}, csvOf(rows...))
	s, err := Split(c, SplitConfig{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if s.Source != "column" || len(s.In(SetTrain)) != 10 || len(s.In(SetInternal)) != 10 || !slices.Equal(s.In(SetExternal), []string{"X"}) {
		t.Errorf("%+v", s)
	}
	c = load(t, Rules{}, csvOf(append(rows, "Y|y.png|y.nii|A|1|")...))
	if _, err := Split(c, SplitConfig{}, 1); err == nil || !strings.Contains(err.Error(), "patient Y") {
		t.Errorf("a patient without a set: %v", err)
	}
	c = load(t, Rules{IgnoreSplit: true}, csvOf(rows...))
	if s, err := Split(c, SplitConfig{}, 1); err != nil || s.Source != "random" {
		t.Errorf("the ignored split column was used: %v", err)
	}
}

func TestSplitErrors(t *testing.T) {
	c := load(t, Rules{}, paperTable())
	for _, k := range []struct {
		config SplitConfig
		words  string
	}{
		{SplitConfig{Development: "a"}, `centres "A", "B"`},
		{SplitConfig{TrainFraction: 1.2}, "training fraction"},
		{SplitConfig{TrainFraction: -0.5}, "training fraction"},
		{SplitConfig{Folds: 1}, "number of folds"},
		{SplitConfig{Folds: 300}, "too few training patients"},
	} {
		if _, err := Split(c, k.config, 1); err == nil || !strings.Contains(err.Error(), k.words) {
			t.Errorf("%+v: %v, want %q", k.config, err, k.words)
		}
	}
	one := load(t, Rules{}, csvOf(header, "1|a|b|A|1", "2|c|d|A|1", "3|e|f|B|0"))
	if _, err := Split(one, SplitConfig{}, 1); err == nil || !strings.Contains(err.Error(), "one class") {
		t.Errorf("one class: %v", err)
	}
}

func TestFrozenSplits(t *testing.T) {
	c := load(t, Rules{}, paperTable())
	s, err := Split(c, SplitConfig{}, 7)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "01-cohort", "splits.csv")
	if err := s.Write(path); err != nil {
		t.Fatal(err)
	}
	if sum, err := artifact.HashFile(path); err != nil || sum != s.Hash {
		t.Errorf("the file's hash is %s, the splits say %s (%v)", sum, s.Hash, err)
	}
	back, err := ReadSplits(path)
	if err != nil {
		t.Fatal(err)
	}
	if back.Seed != 7 || back.Hash != s.Hash || !slices.Equal(back.Patients, s.Patients) || back.Covers(c) != nil {
		t.Error("the splits that were read differ from those written")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), ",internal,", ",external,", 1)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ReadSplits(path)
	if p, ok := problem.As(err); !ok || !errors.Is(err, ErrTampered) || p.File != path {
		t.Errorf("changed splits: %v", err)
	}
	small := load(t, Rules{}, csvOf(append([]string{header}, sound(0)...)...))
	if err := s.Covers(small); !errors.Is(err, ErrTampered) {
		t.Errorf("splits of another cohort: %v", err)
	}
}

// TestImpossibleSplitsFile: the hash alone is not trusted.
func TestImpossibleSplitsFile(t *testing.T) {
	for _, body := range []string{"P1,train,9\n", "P1,train,\n", "P1,internal,1\n", "P1,valid,\n", "P2,internal,\nP1,internal,\n", "P1,train,x\n", "P1,train\n"} {
		path := filepath.Join(t.TempDir(), "splits.csv")
		text := "patient_id,set,fold\n" + body
		if err := artifact.WriteBytes(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := artifact.WriteJSON(sidecar(path), Splits{Folds: 5, Hash: hashBytes([]byte(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSplits(path); err == nil {
			t.Errorf("%q was accepted", body)
		}
	}
}

func TestHashPatients(t *testing.T) {
	a := HashPatients([]string{"P1", "P2", "P1"})
	if a != HashPatients([]string{"P2", "P1"}) || a == HashPatients([]string{"P1"}) || a == HashPatients([]string{"P1P2"}) {
		t.Error("the fingerprint does not stand for the set of ids")
	}
}
