// Package audit takes a published study's own figures, as printed, and gives what can be recomputed from them and what contradicts them.
package audit

// Paper is an audit file: the figures of one study, copied as they are printed. Trailing zeros count, since
// they say how far a figure was rounded. Every part may be left out.
type Paper struct {
	Title     string     `yaml:"title"`
	Reference string     `yaml:"reference"` // DOI or address
	Seed      uint64     `yaml:"seed"`      // of the simulations; 0 is 1
	Totals    []Total    `yaml:"totals"`
	Shares    []Share    `yaml:"shares"`
	Tables    []Table    `yaml:"tables"`
	Sets      []Set      `yaml:"sets"`
	Models    []Models   `yaml:"models"`
	Survival  []Survival `yaml:"survival"`
}

// Total is a sum that must hold, e.g. patients by centre.
type Total struct {
	Name  string  `yaml:"name"`
	Parts []Whole `yaml:"parts"`
	Total Whole   `yaml:"total"`
}

// Share is a count with its printed percentage outside a table.
type Share struct {
	Name    string `yaml:"name"`
	Count   Whole  `yaml:"count"`
	Of      Whole  `yaml:"of"`
	Printed Text   `yaml:"printed"`

	printed figure
}

// Table is a baseline table: one column a group, and an Overall column where it has one.
type Table struct {
	Name    string  `yaml:"name"`
	Groups  []Group `yaml:"groups"`
	Overall Whole   `yaml:"overall"` // patients in the Overall column, whose cells come last; left out without one
	Rows    []Row   `yaml:"rows"`
}

// Group is a column of a baseline table.
type Group struct {
	Name string `yaml:"name"`
	N    Whole  `yaml:"n"`
}

// Row is a variable of a baseline table: either Cells with means and SDs, or Levels with counts.
type Row struct {
	Name   string  `yaml:"name"`
	Cells  []Text  `yaml:"cells"`  // "53.1 (10.2)" or "53.1 ± 10.2", one a column
	Whole  bool    `yaml:"whole"`  // the variable is a whole number in each patient, so that its means can be tested (GRIM)
	Levels []Level `yaml:"levels"` // of a categorical variable
	P      Text    `yaml:"p"`      // "0.930", "<0.001"
	Test   string  `yaml:"test"`   // the test that the paper names, where it does

	p      *figure
	means  []moments // one a column
	counts [][]count // [level][column]
}

// Level is a level of a categorical variable.
type Level struct {
	Name  string `yaml:"name"`
	Cells []Text `yaml:"cells"` // "62 (23.2%)" or "62", one a column
}

// Set is a set of patients on which models were measured.
type Set struct {
	Name     string `yaml:"name"`
	N        Whole  `yaml:"n"` // where the classes are not given
	Positive Whole  `yaml:"positive"`
	Negative Whole  `yaml:"negative"`

	printed int // N of the file where both classes stand there, too; N itself is then their sum
}

// Models are the models that were compared on one set.
type Models struct {
	Name   string  `yaml:"name"`
	Set    string  `yaml:"set"`
	Best   string  `yaml:"best"` // the model that the paper calls best
	Models []Model `yaml:"models"`

	set *Set
}

// Model is one model's printed measures.
type Model struct {
	Name        string `yaml:"name"`
	AUC         Text   `yaml:"auc"`
	CI          []Text `yaml:"ci"` // of the AUC, 95 %
	Accuracy    Text   `yaml:"accuracy"`
	Sensitivity Text   `yaml:"sensitivity"`
	Specificity Text   `yaml:"specificity"`
	PPV         Text   `yaml:"ppv"`
	NPV         Text   `yaml:"npv"`
	F1          Text   `yaml:"f1"`
	TP          Whole  `yaml:"tp"`
	FP          Whole  `yaml:"fp"`
	TN          Whole  `yaml:"tn"`
	FN          Whole  `yaml:"fn"`

	auc, lo, hi *figure
	measures    []measure // of the confusion matrix
}

// Survival is one contrast of survival between two groups.
type Survival struct {
	Name   string          `yaml:"name"`
	N      Whole           `yaml:"n"`
	Groups []SurvivalGroup `yaml:"groups"`
	Events Whole           `yaml:"events"` // in all, where not given by group
	HR     Text            `yaml:"hr"`
	CI     []Text          `yaml:"ci"` // of the hazard ratio, 95 %
	P      Text            `yaml:"p"`  // of the log-rank test

	hr, lo, hi, p *figure
}

// SurvivalGroup is one curve.
type SurvivalGroup struct {
	Name   string `yaml:"name"`
	N      Whole  `yaml:"n"`
	Events Whole  `yaml:"events"`
}
