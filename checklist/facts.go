package checklist

import "slices"

// Facts is the typed summary of a run that checklists are answered from. Only what the run's files hold goes in; a zero
// value is "the run does not say".
type Facts struct {
	Files    []string // paths in the run folder, with slashes
	Sections []string // ids of the report's sections

	Outcome  string // the definition in words
	Positive string
	Unit     string // patient | lesion
	Version  string // of the program
	Command  string // that makes the run again

	Tables, RowsRead int
	PatientsRead     int
	PatientsAnalysed int
	Exclusions       []Count // reason -> patients
	Sets             []Set   // train, internal, external
	Centres          []string
	Devices          []string

	Seed       uint64
	TrainShare float64
	Folds      int
	OwnSplit   bool // the split was given in the table
	Committed  bool // the split's hash was written before outcomes were joined

	Preprocessing string // sentence
	Size          string // of the standardised image, e.g. 960 x 720 pixels by linear interpolation
	Region        string // sentence: tumour and peritumoural area
	Backbone      string
	Weights       string // where the network began
	Layer         string
	FeatureWidth  int // deep features a region
	Trained       bool
	Training      string // sentence
	Balanced      string // how class imbalance is met in training; "" = not at all
	Selection     string // sentence with the numbers of features at each step
	RobustFilter  string // how non-robust features were removed; "" = not at all
	Models        []string
	Primary       string
	PrimaryWhy    string // how it was chosen, in words without a full stop
	ChosenOnTest  bool   // the primary model was picked by its test-set figures
	Threshold     string
	Compared      bool // the primary model was tested against the others, multiplicity controlled
	Simple        bool // logistic regression is the primary model or among those compared
	Recalibrated  bool // the primary model's probabilities are recalibrated scores

	Missing       []Count // clinical variable -> patients without it
	MissingRule   string  // how they were met, in words
	SeveralReader bool    // some images have several outlines
	Outlines      string  // whose outline is used; "" = the table names no readers
	SingleReader  bool    // all test images were outlined by one named reader

	SampleSize       string // sentence: before and after
	SampleEnough     bool   // the development set meets the criteria after the run
	SampleAssessed   bool
	Warnings         []string
	GalleryWrong     int  // misclassified cases shown
	Maps             bool // Grad-CAM drawn, and checked against random weights
	Software         string
	ClinicalCompared bool // against a clinical model, with a test
	Subgroups        []string
	ByCentre         int // external centres reported one by one
	Marks            string
	Agreement        bool     // between readers
	Harmonised       string   // how centres were harmonised
	Robustness       []string // what robustness analyses the run holds
	LedgerReads      int
}

// Count is a name with a number of patients.
type Count struct {
	Name string
	N    int
}

// Set is one set of the analysis with the primary model's figures; Text holds them in words.
type Set struct {
	Name             string
	Title            string
	Patients, Images int
	Positive         int
	AUC              string // with its interval, "" when not computable
	Calibration      string
	Operating        string
}

func (f *Facts) set(name string) (Set, bool) {
	i := slices.IndexFunc(f.Sets, func(s Set) bool { return s.Name == name })
	if i < 0 {
		return Set{}, false
	}
	return f.Sets[i], true
}

// section links to a part of the report, file to a file of the run; neither where it does not exist.
func (f *Facts) section(id, label string) []Link {
	if !slices.Contains(f.Sections, id) {
		return nil
	}
	return []Link{{label, "#" + id}}
}

func (f *Facts) file(path string) []Link {
	if !slices.Contains(f.Files, path) {
		return nil
	}
	return []Link{{path, path}}
}
