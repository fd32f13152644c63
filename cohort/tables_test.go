package cohort

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/problem"
)

const header = "patient_id|image|mask|centre|outcome"

// tableCases give every finding of the tables: a header, rows, and what is found.
var tableCases = []struct {
	code   Code
	header string // added to the usual header
	rows   []string
	want   string // the finding as codes writes it
}{
	{PatientMissing, "", []string{"|a.png|a.nii|A|1"}, "error patient-missing 2"},
	{CentreMissing, "", []string{"P1|a.png|a.nii||1"}, "error centre-missing 2"},
	{ImageCellMissing, "", []string{"P1||a.nii|A|1"}, "warning image-cell-missing 2"},
	{MaskCellMissing, "", []string{"P1|a.png|NA|A|1"}, "warning mask-cell-missing 2"},
	{LesionMissing, "|lesion_id", []string{"P1|a.png|a.nii|A|1|L", "P1|b.png|b.nii|A|1|"}, "error lesion-missing 3"},
	{UnitAmbiguous, "|lesion_id", []string{"P1|a.png|a.nii|A|1|x#y", "P1#x|b.png|b.nii|A|1|y"}, "error unit-ambiguous 3"},
	{RowRepeated, "|reader", []string{"P1|a.png|a.nii|A|1|R1", "P1|a.png|b.nii|A|1|R1"}, "error row-repeated 3"},
	{ImageConflict, "|reader|device", []string{"P1|a.png|a.nii|A|1|R1|X", "P1|a.png|b.nii|A|1|R2|Y"}, "error image-conflict 3"},
	{OutcomeMissing, "", []string{"P1|a.png|a.nii|A|"}, "warning outcome-missing 2"},
	{OutcomeInvalid, "", []string{"P1|a.png|a.nii|A|2"}, "error outcome-invalid 2"},
	{OutcomeConflict, "", []string{"P1|a.png|a.nii|A|0", "P1|b.png|b.nii|A|1"}, "error outcome-conflict 3"},
	{CentreConflict, "", []string{"P1|a.png|a.nii|A|1", "P1|b.png|b.nii|B|1"}, "error patient-in-two-centres 3"},
	{NumberInvalid, "|pixel_mm", []string{"P1|a.png|a.nii|A|1|wide"}, "error number-invalid 2"},
	{PixelImpossible, "|pixel_mm", []string{"P1|a.png|a.nii|A|1|0"}, "error pixel-size-impossible 2"},
	{PixelImpossible, "|pixel_mm", []string{"P1|a.png|a.nii|A|1|0.0078"}, "warning pixel-size-impossible 2"},
	{AgeImpossible, "|age", []string{"P1|a.png|a.nii|A|1|121"}, "error age-impossible 2"},
	{AgeImpossible, "|age", []string{"P1|a.png|a.nii|A|1|-1"}, "error age-impossible 2"},
	{AgeMinor, "|age", []string{"P1|a.png|a.nii|A|1|17.9"}, "warning age-minor 2"},
	{TimeImpossible, "|dfs_months|dfs_event", []string{"P1|a.png|a.nii|A|1|-3|0"}, "error time-impossible 2"},
	{TimeImpossible, "|dfs_months|dfs_event", []string{"P1|a.png|a.nii|A|1|900|0"}, "error time-impossible 2"},
	{EventInvalid, "|dfs_months|dfs_event", []string{"P1|a.png|a.nii|A|1|3|2"}, "error event-invalid 2"},
	{EventMissing, "|dfs_months|dfs_event", []string{"P1|a.png|a.nii|A|1|3|"}, "error event-missing 2"},
	{EventMissing, "|dfs_months", []string{"P1|a.png|a.nii|A|1|3"}, "error event-missing 1"},
	{TimeMissing, "|dfs_months|dfs_event", []string{"P1|a.png|a.nii|A|1||1"}, "warning time-missing 2"},
	{FollowUpConflict, "|dfs_months|dfs_event", []string{"P1|a.png|a.nii|A|1|3|1", "P1|b.png|b.nii|A|1|4|1"}, "error follow-up-conflict 3"},
	{FollowUpConflict, "|lesion_id|dfs_months|dfs_event", []string{"P1|a.png|a.nii|A|1|L1|3|1", "P1|b.png|b.nii|A|0|L2|3|0"}, "error follow-up-conflict 3"},
	{Metastatic, "|M|dfs_months|dfs_event", []string{"P1|a.png|a.nii|A|1|M1|3|1"}, "warning metastatic-in-disease-free 2"},
	{Metastatic, "|m_stage|dfs_months|dfs_event", []string{"P1|a.png|a.nii|A|1|1|3|1"}, "warning metastatic-in-disease-free 2"},
	{SplitInvalid, "|split", []string{"P1|a.png|a.nii|A|1|test"}, "error split-invalid 2"},
	{SplitConflict, "|split", []string{"P1|a.png|a.nii|A|1|train", "P1|b.png|b.nii|A|1|internal"}, "error split-conflict 3"},
	{ClinicalDiffers, "|side", []string{"P1|a.png|a.nii|A|1|left", "P1|b.png|b.nii|A|1|right"}, "note clinical-differs 3"},
}

// sound are rows beside every case, so that both outcomes occur.
func sound(columns int) []string {
	pad := strings.Repeat("|", columns)
	return []string{"Q1|q1.png|q1.nii|A|0" + pad, "Q2|q2.png|q2.nii|A|1" + pad}
}

func TestTableFindings(t *testing.T) {
	for _, k := range tableCases {
		t.Run(k.want, func(t *testing.T) {
			rows := append([]string{header + k.header}, k.rows...)
			c := load(t, Rules{IgnoreSplit: k.code != SplitInvalid && k.code != SplitConflict}, csvOf(append(rows, sound(strings.Count(k.header, "|"))...)...))
			var got []string
			for _, f := range c.Findings {
				if f.Code == k.code {
					got = append(got, codes([]Finding{f})...)
					if f.File == "" || f.Message == "" {
						t.Errorf("finding without file or message: %+v", f)
					}
				}
			}
			if !slices.Equal(got, []string{k.want}) {
				t.Errorf("found %v among %v, want %s", got, codes(c.Findings), k.want)
			}
		})
	}
}

func TestSoundTableHasNoFindings(t *testing.T) {
	c := load(t, Rules{}, csvOf(append([]string{header + "|age|M|dfs_months|dfs_event|pixel_mm|width",
		"P1|a.png|a.nii|A|1|50|M0|12.5|1|0.08|640", "P2|b.png|b.nii|A|0|NA|||||"}, sound(6)...)...))
	if len(c.Findings) > 0 || c.Err() != nil {
		t.Errorf("%+v", c.Findings)
	}
	if u := c.Units[0]; u.ID != "P1" || u.DFSMonths != 12.5 || u.DFSEvent != 1 || u.Clinical["age"] != "50" || u.Clinical["M"] != "M0" {
		t.Errorf("%+v", u)
	}
	if u := c.Units[1]; !math.IsNaN(u.DFSMonths) || u.DFSEvent != -1 || u.Clinical["age"] != "" {
		t.Errorf("%+v", u)
	}
	if !slices.Equal(c.Columns, []string{"age", "M"}) {
		t.Errorf("clinical columns %v", c.Columns)
	}
}

// TestRepeatedRowsReportOnce: a patient's age is wrong once, however many readers there are.
func TestRepeatedRowsReportOnce(t *testing.T) {
	c := load(t, Rules{}, csvOf(append([]string{header + "|reader|age", "P1|a.png|a.nii|A|1|R1|130", "P1|a.png|b.nii|A|1|R2|130"}, sound(2)...)...))
	if got := codes(c.Findings); !slices.Equal(got, []string{"error age-impossible 2"}) {
		t.Error(got)
	}
}

func TestOutcomes(t *testing.T) {
	cut := 20.0
	cases := []struct {
		name   string
		rule   Outcome
		column []string
		labels []int // by patient; -1 = left out
	}{
		{"0 and 1", Outcome{}, []string{"0", "1", "1.0", "NA"}, []int{0, 1, 1, -1}},
		{"cut-off", Outcome{Cutoff: &cut}, []string{"20", "20.1", "5", "100"}, []int{0, 1, 0, 1}},
		{"category", Outcome{Positive: []string{"malignant"}}, []string{"Malignant", "benign", "unknown", "normal"}, []int{1, 0, -1, 0}},
		{"both classes", Outcome{Positive: []string{"malignant"}, Negative: []string{"benign"}}, []string{"malignant", "benign", "normal", "benign"}, []int{1, 0, -1, 0}},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			rows := []string{header}
			for i, o := range k.column {
				p := string(rune('A' + i))
				rows = append(rows, p+"|"+p+".png|"+p+".nii|X|"+o)
			}
			c := load(t, Rules{Outcome: k.rule}, csvOf(rows...))
			if err := c.Err(); err != nil {
				t.Fatal(err)
			}
			for i, want := range k.labels {
				if got := c.Rows[i].Label; got != want || (want < 0) != (c.Rows[i].Reason != "") {
					t.Errorf("row %d: label %d reason %q, want %d", i, got, c.Rows[i].Reason, want)
				}
			}
		})
	}
	for _, o := range []Outcome{{Cutoff: &cut, Positive: []string{"x"}}, {Negative: []string{"x"}}, {Positive: []string{"x"}, Negative: []string{"X"}}} {
		if o.Validate() == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestOneOutcome(t *testing.T) {
	c := load(t, Rules{Outcome: Outcome{Positive: []string{"malignnat"}}}, csvOf(header, "P1|a|b|A|malignant", "P2|c|d|A|benign"))
	if got := codes(c.Findings); !slices.Equal(got, []string{"error one-outcome 0"}) {
		t.Error(got)
	}
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), `"malignant", "benign"`) {
		t.Error(err)
	}
	if _, err := Split(c, SplitConfig{}, 1); err == nil {
		t.Error("a cohort with errors was split")
	}
}

func TestColumnNames(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "t.csv", "Case,Image_filename,Mask,Hospital,Ki67\n1,a.png,b.png,A,30\n2,c.png,d.png,A,10\n")
	cut := 20.0
	_, err := Load([]string{path}, Columns{}, Rules{})
	if p, ok := problem.As(err); !ok || p.Row != 1 || p.File != path || !strings.Contains(p.Found, "Case") {
		t.Errorf("unknown column: %v", err)
	}
	columns := Columns{PatientID: "Case", Image: "Image_filename", Centre: "hospital"}
	c, err := Load([]string{path}, columns, Rules{Outcome: Outcome{Column: "Ki67", Cutoff: &cut}})
	if err != nil || c.Err() != nil || len(c.Units) != 2 || c.Units[0].Label != 1 || c.Units[0].Outcome != 30 {
		t.Errorf("%+v %v", c, err)
	}
	columns.Device = "scaner"
	if _, err = Load([]string{path}, columns, Rules{Outcome: Outcome{Column: "Ki67", Cutoff: &cut}}); err == nil {
		t.Error("a column that is named but absent was accepted")
	}
	columns.Device, columns.Mask = "", "Image_filename"
	if _, err = Load([]string{path}, columns, Rules{Outcome: Outcome{Column: "Ki67", Cutoff: &cut}}); err == nil {
		t.Error("image and mask in one column were accepted")
	}
	two := write(t, dir, "two.csv", csvOf(header+"|M|m_stage", "P1|a|b|A|1|0|0"))
	if _, err = Load([]string{two}, Columns{}, Rules{}); err == nil || !strings.Contains(err.Error(), "two columns could be m_stage") {
		t.Errorf("two M columns: %v", err)
	}
}
