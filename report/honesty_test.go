package report

import (
	"fmt"
	"strings"
	"testing"

	"sonotype/evaluate"
	"sonotype/internal/num"
)

// sampleHonesty is all that can stand in the sections on luck, leaks and the ledger, some of it not computable.
func sampleHonesty() Honesty {
	nan := num.NaN()
	svm, lr := Key{"fusion", "svm"}, Key{"ta", "lr"}
	spread := Spread{N: 3, Mean: .75, SD: .01, Min: .74, Lo: .7405, Median: .75, Hi: .7595, Max: .76}
	nested := &Nested{
		Conditional: true, Folds: 5, Patients: 420, Positive: 280, Images: 431, TeachOnly: 370, Chosen: spread, Sensitivity: Spread{Median: .801}, Specificity: Spread{Median: .652}, Single: Spread{N: 15, Min: .61, Max: .88},
		Models: map[Key]Spread{svm: spread, lr: spread}, Picked: map[Key]int{svm: 9, lr: 6}, Study: .811,
	}
	for i, auc := range []num.Float{.74, .75, .76} {
		nested.Repeats = append(nested.Repeats, NestedRepeat{Repeat: i + 1, AUC: auc, Models: map[Key]num.Float{svm: auc, lr: nan}})
	}
	compared := func(set, title string) Comparison {
		return Comparison{
			Set: set, Title: title, Primary: svm,
			Rows: []Compared{
				{lr, evaluate.PairedAUC{N: 239, Difference: -.12, Lo: -.2, Hi: -.04, P: .003, AUC1: .7, AUC2: .82}, .006},
				{Key{"pta", "svm"}, evaluate.PairedAUC{N: 239, Difference: nan, Lo: nan, Hi: nan, P: nan, Note: "no test: a class has a single unit"}, nan},
			},
			Luck: []LuckOfSet{{"all", svm, evaluate.Luck{Models: 18, AUC: .811, Mean: .76, Lead: .051, LeadByLuck: .03, P: .2, Optimism: .031, Draws: 20000}}},
		}
	}
	return Honesty{
		Nested: nested, Permuted: &Permuted{AUC: []num.Float{.45, .5, .56}, Mean: .503, SE: .032, Within: true, Observed: .75, P: .25},
		Comparisons: []Comparison{compared("internal", "Internal test"), compared("external", "External test")},
		Leaky: &Leaky{Conditional: true, Rows: []Leak{
			{Leak: "selection", Set: "internal", HonestModel: svm, LeakyModel: svm, Honest: .77, HonestLo: .7, HonestHi: .84, Leaky: .91, LeakyLo: .87, LeakyHi: .95},
			{Leak: "image-split", Set: "development", HonestModel: svm, LeakyModel: svm, Splits: 5, Shared: 0, Honest: .75, HonestLo: nan, HonestHi: nan, Leaky: nan, LeakyLo: nan, LeakyHi: nan, Note: "cannot occur here"},
			{Leak: "all", Set: "development", HonestModel: svm, LeakyModel: lr, Splits: 5, Shared: .4, Honest: .75, HonestLo: nan, HonestHi: nan, Leaky: .97, LeakyLo: nan, LeakyHi: nan},
		}},
		Ledger:     []TestRead{{1, "evaluate", "internal", 239, "every measure", "ab12", "cd34", "ef56aaaaaaaaaaaa"}},
		Commitment: &Commitment{Splits: "cd34", Source: "random", Seed: 7, Sets: []CommittedSet{{"train", 557, "1f"}}},
	}
}

func TestHonestySections(t *testing.T) {
	s := sampleStudy(t)
	s.Honesty = sampleHonesty()
	files := write(t, "honesty", s)
	checkFiles(t, files)
	page := strings.Join(strings.Fields(files["report.html"]), " ")
	for _, want := range []string{
		"1 of the 1 other models differ from the fusion SVM (Holm, 5 %): the TA LR.", "−0.120<small>−0.200 to −0.040</small>", "0.006",
		"median of 0.750", "anything from 0.610 to 0.880", "median sensitivity is 0.801 and the median specificity 0.652", "gave 0.811 in its internal test set", "370 patients whom the networks learnt from",
		"dealt anew 3 times", "within two standard errors of one half", "Conditional on the network",
		"Images divided instead of patients", "&#43;0.140", "&#43;0.220", "fusion, SVM → TA, LR", "40 % of the test images",
		"20000 simulated test sets", "seed 7", "sha256 <code>cd34</code>", `<code title="ef56aaaaaaaaaaaa">ef56aaaaaa</code>`, "every measure",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, name := range []string{"figures/nested-cross-validation.svg", "tables/nested-cross-validation.csv", "tables/comparisons.csv", "tables/luck-of-the-best.csv", "tables/leaks.csv", "tables/ledger.csv"} {
		if files[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	s.Nested, s.Permuted.Within = nil, false
	page = write(t, "permuted-only", s)["report.html"]
	if !strings.Contains(page, "a leak that must be found") || strings.Contains(page, "median of") {
		t.Error("permutations alone are not shown as they should")
	}
	s.Honesty = Honesty{}
	page = write(t, "bare", s)["report.html"]
	for _, id := range []string{"comparisons", "honesty", "ledger"} {
		if strings.Contains(page, fmt.Sprintf("<section id=%q", id)) {
			t.Errorf("an empty section %s", id)
		}
	}
}
