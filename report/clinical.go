package report

import (
	"sonotype/clinical"
	"sonotype/evaluate"
	"sonotype/internal/num"
)

// Clinical is what clinical variables say of the outcome, alone and together with the score.
type Clinical struct {
	Score       Key                `json:"score"`       // the deep score, as its logit
	Variables   []string           `json:"variables"`   // of the clinical and the combined model, in display order
	Univariable []UnivariableRow   `json:"univariable"` // training patients, one model a variable
	Models      []ClinicalModel    `json:"models"`      // clinical, deep, combined
	Sets        []ClinicalSet      `json:"sets"`        // train (out-of-fold), internal, external
	Nomogram    *clinical.Nomogram `json:"nomogram"`    // of NomogramOf; nil when no model could be drawn
	NomogramOf  string             `json:"nomogram_of"` // combined | clinical
	Missing     string             `json:"missing"`     // complete | impute
	Imputations int                `json:"imputations"` // 0 with complete cases
	Honest      int                `json:"honest"`      // training units with an honest score
	Train       int                `json:"train"`       // training units
	Notes       []string           `json:"notes,omitempty"`
}

// UnivariableRow is one variable's model.
type UnivariableRow struct {
	Variable string          `json:"variable"`
	Model    *clinical.Model `json:"model"` // nil with a note: the column cannot be a variable
	Missing  int             `json:"missing"`
	Note     string          `json:"note,omitempty"`
}

// ClinicalModel is one of the three models.
type ClinicalModel struct {
	Name  string          `json:"name"` // clinical | deep | combined
	Model *clinical.Model `json:"model"`
}

// ClinicalSet is the three models on one set.
type ClinicalSet struct {
	Set         string               `json:"set"`
	Title       string               `json:"title"`
	Units       int                  `json:"units"`    // with an honest score
	Analysed    int                  `json:"analysed"` // complete, or completed
	Missing     []MissingCount       `json:"missing"`  // by variable
	Models      []ClinicalResult     `json:"models"`
	Comparisons []ClinicalComparison `json:"comparisons"` // test sets only
	Note        string               `json:"note,omitempty"`
}

// MissingCount counts the units of a set without a value; New those whose category no training patient has.
type MissingCount struct {
	Variable string `json:"variable"`
	Missing  int    `json:"missing"`
	New      int    `json:"new"`
}

// ClinicalResult is one model's figures on one set.
type ClinicalResult struct {
	Name        string                 `json:"name"`
	Performance evaluate.Performance   `json:"performance"`
	Calibration evaluate.Calibration   `json:"calibration"`
	Decision    evaluate.DecisionCurve `json:"decision"`
	ROC         []evaluate.ROCPoint    `json:"roc"`
}

// ClinicalComparison is DeLong's paired test of two models on one set, A's AUC minus B's.
type ClinicalComparison struct {
	A    string             `json:"a"`
	B    string             `json:"b"`
	Test evaluate.PairedAUC `json:"test"`
	Holm num.Float          `json:"holm_p"` // over the set's comparisons
}
