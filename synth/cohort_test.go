package synth

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
)

func TestPaperSizeHasThePapersCounts(t *testing.T) {
	patients := drawCohort(paperA+paperB, 3)
	count := map[string]int{}
	for _, p := range patients {
		group := "low"
		if p.high {
			group = "high"
		}
		if p.high != (p.ki67 > Cutoff) {
			t.Fatalf("%s: group %s but Ki-67 %g", p.id, group, p.ki67)
		}
		count[p.centre+group]++
		for f, level := range p.factors {
			count[group+f+level]++
		}
	}
	for key, want := range map[string]int{"Ahigh": 567, "Alow": 229, "Bhigh": 95, "Blow": 38} {
		if count[key] != want {
			t.Errorf("%s: %d, want %d", key, count[key], want)
		}
	}
	for _, f := range table1 {
		for k, level := range f.levels {
			if l, h := count["low"+f.name+level], count["high"+f.name+level]; l != f.low[k] || h != f.high[k] {
				t.Errorf("%s %s: %d low, %d high, want %d, %d", f.name, level, l, h, f.low[k], f.high[k])
			}
		}
	}
}

// Means and SDs of Table 1's last column; tolerances are three standard errors at n = 9,999 plus the table's rounding.
func TestBodyMeasures(t *testing.T) {
	var age, height, weight, bmi []float64
	for _, p := range drawCohort(maxPatients, 5) {
		age, height, weight, bmi = append(age, float64(p.age)), append(height, p.height), append(weight, p.weight), append(bmi, p.bmi())
	}
	for _, v := range []struct {
		name                string
		x                   []float64
		mean, sd, tolerance float64
	}{{"age", age, 53, 10.2, 0.4}, {"height", height, 156.5, 6.7, 0.3}, {"weight", weight, 56.4, 8.2, 0.35}, {"bmi", bmi, 23.1, 3.5, 0.15}} {
		mean, sd := stat.MeanStdDev(v.x, nil)
		if math.Abs(mean-v.mean) > v.tolerance || math.Abs(sd-v.sd) > v.tolerance {
			t.Errorf("%s: %.2f (%.2f), want %.2f (%.2f)", v.name, mean, sd, v.mean, v.sd)
		}
	}
}

func TestReceptorsGoTogether(t *testing.T) {
	both, neither, n := 0, 0, 0
	for _, p := range drawCohort(2000, 1) {
		er, pr := p.factors["er"] == "positive", p.factors["pr"] != "negative"
		n++
		if er && pr {
			both++
		}
		if !er && !pr {
			neither++
		}
	}
	if agree := float64(both+neither) / float64(n); agree < 0.75 || agree > 0.95 {
		t.Errorf("ER and PR agree in %.2f", agree)
	}
}

func TestApportion(t *testing.T) {
	for n := range 500 {
		sum := 0
		for i, k := range apportion(n, table1[0].high) {
			share := float64(n) * float64(table1[0].high[i]) / 662
			if math.Abs(float64(k)-share) >= 1 {
				t.Errorf("n = %d: level %d gets %d of %.2f", n, i, k, share)
			}
			sum += k
		}
		if sum != n {
			t.Errorf("n = %d: %d given out", n, sum)
		}
	}
}

// With a Weibull baseline, events over integrated time^shape estimate the hazard; high against low comes to about 2.
func TestFollowUpDependsOnKi67(t *testing.T) {
	var events, time [2]float64
	empty, censoredEarly, n := 0, 0, 0
	for _, p := range drawCohort(maxPatients, 9) {
		if m1 := p.factors["m_stage"] == "1"; m1 != math.IsNaN(p.dfsMonths) {
			t.Fatalf("%s: M%s with DFS %g", p.id, p.factors["m_stage"], p.dfsMonths)
		} else if m1 {
			empty++
			continue
		}
		n++
		g := 0
		if p.high {
			g = 1
		}
		time[g] += math.Pow(p.dfsMonths, weibullShape)
		if p.dfsEvent {
			events[g]++
		} else if p.dfsMonths < minFollowUp {
			censoredEarly++
		}
		if p.dfsMonths < 0.1 || p.dfsMonths > maxFollowUp {
			t.Fatalf("%s: DFS %g", p.id, p.dfsMonths)
		}
	}
	if hr := events[1] / time[1] / (events[0] / time[0]); hr < 1.8 || hr > 2.5 {
		t.Errorf("hazard ratio %.2f", hr)
	}
	if share := (events[0] + events[1]) / float64(n); share < 0.15 || share > 0.3 {
		t.Errorf("%.2f of patients have an event", share)
	}
	if empty == 0 || censoredEarly == 0 {
		t.Errorf("%d empty, %d lost early", empty, censoredEarly)
	}
}

func TestKi67Distribution(t *testing.T) {
	var scores []float64
	for _, p := range drawCohort(maxPatients, 2) {
		if p.ki67 < 1 || p.ki67 > 95 {
			t.Fatalf("Ki-67 %g", p.ki67)
		}
		scores = append(scores, p.score)
	}
	if mean, sd := stat.MeanStdDev(scores, nil); math.Abs(mean) > 0.04 || math.Abs(sd-1) > 0.04 {
		t.Errorf("normal score %.3f (%.3f)", mean, sd)
	}
}
