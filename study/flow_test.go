package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sonotype/cohort"
)

// Whoever was read is analysed or stands among the exclusions, each case by name; and under each set stands who takes
// part in the survival analysis and who cannot.
func TestFlowNamesEverybody(t *testing.T) {
	t.Parallel()
	dir, out := cohortFolder(t, 80), t.TempDir()
	table := filepath.Join(dir, "cohort.csv")
	lines := strings.Split(strings.TrimSpace(read(t, table)), "\n")
	at := map[string]int{}
	for i, name := range strings.Split(lines[0], ",") {
		at[name] = i
	}
	for row, column := range map[int]string{3: "ki67", 10: "ki67", 20: "mask"} {
		cells := strings.Split(lines[row], ",")
		cells[at[column]] = ""
		lines[row] = strings.Join(cells, ",")
	}
	for row, line := range lines { // the first patient of the external centre has no follow-up
		if cells := strings.Split(line, ","); cells[at["centre"]] == "B" {
			cells[at["dfs_months"]], cells[at["dfs_event"]] = "", ""
			lines[row] = strings.Join(cells, ",")
			break
		}
	}
	if err := os.WriteFile(table, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	images, err := filepath.Glob(filepath.Join(dir, "images", "*.png"))
	if err != nil || len(images) < 51 {
		t.Fatal(err)
	}
	if err := os.Truncate(images[50], 100); err != nil {
		t.Fatal(err)
	}
	mustRun(t, dir, out, 0, "classify.models=[lr]")
	a := &assembly{run: reopened(t, dir, out, "classify.models=[lr]")}
	if err := a.load(); err != nil {
		t.Fatal(err)
	}
	f := a.cohort.Flow(a.splits)
	rows, patients, cases := f.Analysed.Rows, f.Analysed.Patients, 0
	for _, e := range f.Excluded {
		rows, patients = rows+e.Rows, patients+e.Patients
	}
	for _, e := range a.flow().Exclusions {
		cases += len(e.Cases)
	}
	if rows != f.Read.Rows || patients != f.Read.Patients || cases != f.Read.Rows-f.Analysed.Rows || cases < 4 {
		t.Errorf("%d rows and %d patients accounted for, %d and %d read; %d cases named", rows, patients, f.Read.Rows, f.Read.Patients, cases)
	}
	for _, set := range a.flow().Sets {
		words := strings.Join(set.Parts, "; ")
		if set.Name != cohort.SetTrain && !strings.Contains(words, "in the survival analysis") {
			t.Errorf("%s: %q", set.Name, words)
		}
		if set.Name == cohort.SetExternal && !strings.Contains(words, "without follow-up") {
			t.Errorf("%s: %q hides a patient without follow-up", set.Name, words)
		}
	}
}
