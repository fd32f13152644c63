package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"

	"sonotype/internal/golden"
)

type subgroupsGolden struct {
	golden.Meta
	Sets []struct {
		Name   string    `json:"name"`
		Label  []int     `json:"label"`
		P      []float64 `json:"p"`
		Group  []int     `json:"group"`
		Levels []struct {
			N        int     `json:"n"`
			Positive int     `json:"positive"`
			AUC      float64 `json:"auc"`
			Lo       float64 `json:"lo"`
			Hi       float64 `json:"hi"`
		} `json:"levels"`
		Q   float64 `json:"q"`
		QP  float64 `json:"q_p"`
		LR  float64 `json:"lr"`
		LRP float64 `json:"lr_p"`
	} `json:"sets"`
}

func TestSubgroupsAgreeWithR(t *testing.T) {
	var g subgroupsGolden
	golden.Load(t, "testdata/oracle/subgroups.json", &g)
	for _, set := range g.Sets {
		names := []string{"a", "b", "c", "d"}[:len(set.Levels)]
		got, err := BySubgroup("device", set.P, set.Label, set.Group, names, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		near := func(what string, got, want float64) {
			if !(math.Abs(got-want) <= g.Tolerance) {
				t.Errorf("%s: %s %.12g, want %.12g", set.Name, what, got, want)
			}
		}
		for i, want := range set.Levels {
			l := got.Levels[i]
			if l.N != want.N || l.Positive != want.Positive {
				t.Errorf("%s, %s: %d units, %d positive", set.Name, l.Level, l.N, l.Positive)
			}
			near("AUC", float64(l.AUC), want.AUC)
			near("AUC's lower end", float64(l.AUCLo), want.Lo)
			near("AUC's upper end", float64(l.AUCHi), want.Hi)
		}
		near("Q", float64(got.AUCs.Statistic), set.Q)
		near("P of Q", float64(got.AUCs.P), set.QP)
		near("likelihood ratio", float64(got.Interaction.Statistic), set.LR)
		near("its P", float64(got.Interaction.P), set.LRP)
	}
}

// Without any difference between levels the two P values are uniform: about one in twenty is below 0.05.
func TestSubgroupTestsHoldTheirLevel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	const draws, n = 400, 300
	below := [2]int{}
	for range draws {
		scores, labels, group := make([]float64, n), make([]int, n), make([]int, n)
		for i := range scores {
			labels[i], group[i] = r.IntN(2), r.IntN(3)
			scores[i] = sigmoid(r.NormFloat64() + float64(labels[i]) - 0.5)
		}
		s, err := BySubgroup("x", scores, labels, group, []string{"a", "b", "c"}, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		for k, p := range []float64{float64(s.AUCs.P), float64(s.Interaction.P)} {
			if p < 0.05 {
				below[k]++
			}
		}
	}
	for k, n := range below { // mean 20, standard deviation 4.4
		if n < 7 || n > 37 {
			t.Errorf("test %d: %d of %d below 0.05", k, n, draws)
		}
	}
}

func TestSubgroupsWithFewUnits(t *testing.T) {
	scores := []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}
	labels := []int{0, 1, 0, 1, 0, 1, 0, 1}
	s, err := BySubgroup("x", scores, labels, []int{0, 0, 0, 0, 0, 2, 2, -1}, []string{"a", "empty", "b"}, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Levels) != 2 || s.Unknown != 1 || s.Levels[1].Level != "b" || !s.AUCs.P.IsNaN() || s.Interaction.Note == "" {
		t.Errorf("%+v", s)
	}
	if _, err := BySubgroup("x", scores, labels, []int{0}, []string{"a"}, 0.5); err == nil {
		t.Error("too few subgroups: no error")
	}
	if _, err := BySubgroup("x", scores, labels, []int{0, 0, 0, 0, 0, 0, 0, 3}, []string{"a"}, 0.5); err == nil {
		t.Error("an unknown level: no error")
	}
	perfect := make([]float64, 40)
	y, group := make([]int, 40), make([]int, 40)
	for i := range perfect {
		y[i], group[i] = i%2, i/20
		perfect[i] = 0.1 + 0.6*float64(y[i]) + 0.001*float64(i)
	}
	if s, err = BySubgroup("x", perfect, y, group, []string{"a", "b"}, 0.5); err != nil || !s.AUCs.P.IsNaN() || !s.Interaction.P.IsNaN() || s.AUCs.Note == "" {
		t.Errorf("separated classes: %+v, %v", s, err)
	}
}
