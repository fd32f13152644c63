package study

import (
	"context"
	"slices"
	"testing"

	"sonotype/cohort"
	"sonotype/report"
)

// leakingOn makes the leaks that divide images, on features without any signal.
func leakingOn(t *testing.T, patients, each int) *leaking {
	t.Helper()
	l := &leaking{nesting: noisyStudy(t, patients, each, 0, 7), honest: report.Key{Features: "fusion", Model: "knn"}}
	if err := l.divisions(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(l.rows) != 2 || l.rows[0].Leak != leakImages || l.rows[1].Leak != leakAll {
		t.Fatalf("%+v", l.rows)
	}
	return l
}

// Where the features know nothing of the outcome, dividing patients gives an AUC near one half; dividing images, whose
// patients then stand on both sides, and all leaks at once give a good one out of nothing.
func TestLeaksMakeSomethingOfNothing(t *testing.T) {
	t.Parallel()
	l := leakingOn(t, 50, 3)
	image, all := l.rows[0], l.rows[1]
	if image.Honest < 0.35 || image.Honest > 0.65 {
		t.Errorf("honest AUC %.3f", image.Honest)
	}
	if image.Shared < 0.7 || image.Leaky < 0.7 || all.Leaky < image.Leaky-0.02 {
		t.Errorf("%.2f of the test images shared, leaky AUC %.3f, all at once %.3f", image.Shared, image.Leaky, all.Leaky)
	}
	l = leakingOn(t, 60, 1)
	if image := l.rows[0]; image.Shared != 0 || !image.Leaky.IsNaN() || image.Note == "" {
		t.Errorf("one image each: %+v", image)
	}
}

// A division keeps the plan's share and, by patient, nobody on both sides; what only teaches is always learnt from.
func TestDivided(t *testing.T) {
	l := &leaking{nesting: noisyStudy(t, 40, 2, 0, 8)}
	l.teach, l.scorable = l.scorable[:4], l.scorable[4:]
	for _, byPatient := range []bool{true, false} {
		s := l.divided(byPatient, 0)
		if len(s.train)+len(s.test) != 80 || !byPatient && len(s.train) != 4+53 { // 70 % of 76 images
			t.Errorf("by patient %v: %d train, %d test", byPatient, len(s.train), len(s.test))
		}
		if shared := l.shared(s); (shared == 0) != byPatient {
			t.Errorf("by patient %v: %.2f of the test images shared", byPatient, shared)
		}
		if !slices.Contains(s.train, 0) {
			t.Error("who only teaches is missing")
		}
	}
}

// Patients whom a network learnt from are never scored; they teach only where the plan lets models learn from them.
func TestAssign(t *testing.T) {
	n := noisyStudy(t, 20, 1, 0, 9)
	n.images[19].Set = cohort.SetExternal
	known := patientSet{"P000": true, "P001": true}
	n.plan.Network.Train.Epochs = 5
	for fitOn, teach := range map[string]int{fitOnAll: 2, fitOnHeldout: 0} {
		n.plan.Network.Train.FitOn = fitOn
		n.assign(known)
		if len(n.scorable) != 17 || n.scorable[0] != 2 || len(n.teach) != teach {
			t.Errorf("%s: %d scored, %d teach", fitOn, len(n.scorable), len(n.teach))
		}
	}
}
