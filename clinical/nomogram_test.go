package clinical

import (
	"math"
	"math/rand/v2"
	"testing"

	"sonotype/internal/rng"
)

// drawn makes patients with an age, a receptor, a stage and a score, and outcomes that depend on them.
func drawn(n int, r *rand.Rand) (vars []Variable, columns [][]float64, y []int) {
	vars = []Variable{{Name: "age"}, {Name: "er", Levels: []string{"positive", "negative"}}, {Name: "stage", Levels: []string{"T1", "T2", "T3"}}, {Name: "score", Scale: Logit}}
	columns = make([][]float64, len(vars))
	for range n {
		age, er, stage, score := math.Round(52+11*r.NormFloat64()), float64(r.IntN(2)), float64(r.IntN(3)), sigmoid(r.NormFloat64())
		for j, v := range []float64{age, er, stage, score} {
			columns[j] = append(columns[j], v)
		}
		z := 0.04*(52-age) + 0.8*er + 0.5*stage - 0.6 + vars[3].Transform(score)
		label := 0
		if r.Float64() < sigmoid(z) {
			label = 1
		}
		y = append(y, label)
	}
	return vars, columns, y
}

func rowOf(columns [][]float64, i int) []float64 {
	var out []float64
	for _, c := range columns {
		out = append(out, c[i])
	}
	return out
}

// The points of the axes, summed, give the model's probability.
func TestPointsSumToTheProbability(t *testing.T) {
	for seed := range uint64(5) {
		vars, columns, y := drawn(150, rng.Stream(seed, "nomogram"))
		m, err := Fit(vars, columns, y, Auto)
		if err != nil {
			t.Fatal(err)
		}
		n, err := NewNomogram(m, columns)
		if err != nil {
			t.Fatal(err)
		}
		top := 0.0
		for i := range y {
			points, p, err := n.Sum(rowOf(columns, i))
			want, err2 := m.Predict(rowOf(columns, i))
			if err != nil || err2 != nil || math.Abs(p-want) > 1e-12 {
				t.Fatalf("patient %d: %v by points, %v by the model (%v, %v)", i, p, want, err, err2)
			}
			for _, v := range points {
				if v < -1e-9 || v > 100+1e-9 {
					t.Errorf("patient %d has %v points", i, points)
				}
			}
		}
		for _, a := range n.Axes {
			for k, mark := range a.Marks {
				top = max(top, mark.At)
				if len(a.Variable.Levels) == 0 && k > 0 && math.Abs(mark.At-a.Marks[k-1].At) > 1+1e-9 {
					t.Errorf("%s: marks %v and %v are %v points apart", a.Variable.Name, a.Marks[k-1].Value, mark.Value, mark.At-a.Marks[k-1].At)
				}
			}
		}
		if math.Abs(top-100) > 1e-9 {
			t.Errorf("the longest axis reaches %v points", top)
		}
		for _, r := range n.Risks {
			if math.Abs(n.Probability(r.At)-r.Value) > 1e-12 {
				t.Errorf("risk %v stands at %v points", r.Value, r.At)
			}
		}
	}
}

func TestRoundStep(t *testing.T) {
	for v, want := range map[float64]float64{0.9: 1, 1: 1, 1.1: 2, 3: 5, 6: 10, 0.013: 0.02, 7000: 10000} {
		if got := roundStep(v); math.Abs(got-want) > 1e-12*want {
			t.Errorf("roundStep(%v) = %v, want %v", v, got, want)
		}
	}
}
