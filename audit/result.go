package audit

import "sonotype/internal/num"

// Verdict is what a check found.
type Verdict string

// The verdicts. A contradiction cannot be true as printed; a doubt can, and needs an explanation.
const (
	Agrees        Verdict = "agrees"
	Note          Verdict = "note"
	Doubt         Verdict = "doubt"
	Contradiction Verdict = "contradiction"
	Untestable    Verdict = "not testable"
)

// Check is one check with what it found.
type Check struct {
	Kind    string  `json:"check"` // e.g. "p-value", "percentage", "confusion matrix"
	Where   string  `json:"where"` // e.g. "Table 1, N stage"
	Verdict Verdict `json:"verdict"`
	Message string  `json:"message"`
}

// Report is the audit of a paper.
type Report struct {
	Title     string         `json:"title"`
	Reference string         `json:"reference,omitempty"`
	Seed      uint64         `json:"seed"`
	Counts    map[string]int `json:"counts"` // checks by verdict
	Checks    []Check        `json:"checks"`
	Rows      []RowResult    `json:"rows,omitempty"`
	Models    []ModelResult  `json:"models,omitempty"`
	Luck      []LuckResult   `json:"luck,omitempty"`
}

// Findings are the checks with a contradiction, a doubt or a note, the gravest first.
func (r *Report) Findings() []Check {
	var out []Check
	for _, v := range []Verdict{Contradiction, Doubt, Note} {
		for _, c := range r.Checks {
			if c.Verdict == v {
				out = append(out, c)
			}
		}
	}
	return out
}

func (r *Report) add(kind, where string, v Verdict, message string) {
	r.Checks = append(r.Checks, Check{Kind: kind, Where: where, Verdict: v, Message: message})
	r.Counts[string(v)]++
}

// PRange is the p-value of one test: all values that the printed figures allow; Lo = Hi for counts.
type PRange struct {
	Test    string    `json:"test"`
	Lo      num.Float `json:"lo"`
	Hi      num.Float `json:"hi"`
	Overall bool      `json:"overall"` // the Overall column was entered as a further group
	Matches bool      `json:"matches"` // it can be the printed p-value
	Note    string    `json:"note,omitempty"`
}

// RowResult is a row of a baseline table with its p-values recomputed.
type RowResult struct {
	Table   string    `json:"table"`
	Row     string    `json:"row"`
	Kind    string    `json:"kind"` // categorical | continuous
	Printed string    `json:"printed"`
	Value   num.Float `json:"printed_p"` // the bound itself where one is printed
	Tests   []PRange  `json:"tests"`     // the first is the usual test of such a row
	Status  string    `json:"status"`
	Changes bool      `json:"changes"` // the right p-value lies on the other side of 0.05
}

// Matrix is a confusion matrix with what follows from it.
type Matrix struct {
	TP  int       `json:"tp"`
	FP  int       `json:"fp"`
	TN  int       `json:"tn"`
	FN  int       `json:"fn"`
	PPV num.Float `json:"ppv"`
	NPV num.Float `json:"npv"`
}

// ModelResult is a model with the matrices and standard errors that fit its figures.
type ModelResult struct {
	Group         string    `json:"group"`
	Set           string    `json:"set"`
	Model         string    `json:"model"`
	N             int       `json:"n"`
	Positive      int       `json:"positive"` // 0 where the paper does not give the classes
	Matrices      int       `json:"matrices"` // how many fit every printed measure
	Examples      []Matrix  `json:"examples,omitempty"`
	Accuracy      num.Float `json:"accuracy"`
	NoInformation num.Float `json:"no_information"` // accuracy of calling everyone the commoner class
	AboveP        num.Float `json:"above_p"`        // one-sided exact P of an accuracy this high without information
	SE            *SERange  `json:"auc_se,omitempty"`
}

// SERange compares the standard error that a printed interval implies with what an AUC can have at these class counts.
type SERange struct {
	AUC       num.Float `json:"auc"`
	Lo        num.Float `json:"lo"` // implied by the interval, as rounded
	Hi        num.Float `json:"hi"`
	Hanley    num.Float `json:"hanley_mcneil"`
	BinormLo  num.Float `json:"binormal_lo"` // SDs of the classes from 1:3 to 3:1
	BinormHi  num.Float `json:"binormal_hi"`
	UsualLo   num.Float `json:"binormal_usual_lo"` // SDs from 1:2 to 2:1
	UsualHi   num.Float `json:"binormal_usual_hi"`
	Least     num.Float `json:"least"` // of any scores without ties
	Most      num.Float `json:"most"`  // of any scores
	Symmetric bool      `json:"symmetric"`
}

// LuckResult says how much the best of several equal models gains by being chosen on the test set.
type LuckResult struct {
	Group string    `json:"group"`
	K     int       `json:"k"`
	AUC   num.Float `json:"auc"` // the true AUC that all models are given
	Draws int       `json:"draws"`
	Gains []Gain    `json:"gains"`
}

// Gain is the mean excess of the best model's AUC at one correlation of the models' scores.
type Gain struct {
	Correlation float64   `json:"correlation"`
	Mean        num.Float `json:"mean"`
	SE          num.Float `json:"se"`  // Monte Carlo
	P95         num.Float `json:"p95"` // 95th percentile
}
