package datasets

import (
	"path/filepath"
	"strconv"
	"strings"

	"sonotype/cohort/table"
	"sonotype/internal/problem"
)

// breastTable is the pattern of the clinical sheet's name: it carries a date.
const breastTable = "BrEaST-Lesions-USG-clinical-data*.xlsx"

// ImportBreastLesionsUSG reads BrEaST-Lesions-USG (Pawlowska et al., Scientific Data 2024, doi
// 10.1038/s41597-024-02984-z) from src (the clinical .xlsx and a folder of images and masks) and
// writes cohort.csv and study.yaml into out: one image a patient, the lesion in the mask's alpha
// channel, the outcome is Classification, Pixel_size in cm becomes pixel_mm. Normal cases have no
// mask and keep an empty cell, which excludes them from the study.
func ImportBreastLesionsUSG(src, out string) (Summary, error) {
	m, err := newImporter(src, out, []string{"patient_id", "image", "mask", "centre", "pixel_mm", "outcome", "age", "birads", "diagnosis",
		"tissue_composition", "shape", "margin", "echogenicity", "posterior_features", "calcifications"})
	if err != nil {
		return Summary{}, err
	}
	path, folder, err := locateBreast(src)
	if err != nil {
		return Summary{}, err
	}
	t, err := table.Read(path, table.Options{})
	if err != nil {
		return Summary{}, err
	}
	at, err := positions(t, "CaseID", "Image_filename", "Mask_tumor_filename", "Pixel_size", "Age", "Tissue_composition", "Shape", "Margin",
		"Echogenicity", "Posterior_features", "Calcifications", "BIRADS", "Diagnosis", "Classification")
	if err != nil {
		return Summary{}, err
	}
	for i := range t.Rows {
		if err := m.breastRow(t, i, at, folder); err != nil {
			return Summary{}, err
		}
	}
	return m.write(path, studyYAML("BrEaST-Lesions-USG", "Pawlowska et al., Scientific Data 2024, doi 10.1038/s41597-024-02984-z", "breast-lesions-usg"))
}

// locateBreast finds the clinical sheet and the folder of the images, relative to src.
func locateBreast(src string) (sheet, folder string, err error) {
	sheets, err := filepath.Glob(filepath.Join(globSafe(src), breastTable))
	if err != nil || len(sheets) != 1 {
		return "", "", &problem.Error{What: "the clinical table is not clear", File: src, Expected: "one file " + breastTable, Found: strconv.Itoa(len(sheets)) + " such files", Err: err}
	}
	images, err := filepath.Glob(filepath.Join(globSafe(src), "*", "case[0-9][0-9][0-9].png"))
	if err != nil || len(images) == 0 {
		return "", "", &problem.Error{What: "no images found", File: src, Expected: "a folder with case001.png, case001_tumor.png, ...", Err: err, Try: "unpack the images beside the clinical table"}
	}
	folder = filepath.Base(filepath.Dir(images[0]))
	if last := filepath.Base(filepath.Dir(images[len(images)-1])); last != folder {
		return "", "", &problem.Error{What: "the images lie in several folders", File: src, Found: folder + " and " + last, Try: "keep one copy of the images"}
	}
	return sheets[0], folder, nil
}

// globSafe escapes what a pattern would take for a wildcard in a path.
func globSafe(path string) string {
	if filepath.Separator == '\\' { // a backslash escapes nothing on Windows
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func (m *importer) breastRow(t *table.Table, i int, at map[string]int, folder string) error {
	cell := func(name string) string {
		if c := t.Rows[i][at[name]]; !table.Missing(c) {
			return c
		}
		return ""
	}
	var files []string
	for _, name := range []string{"Image_filename", "Mask_tumor_filename"} {
		f := cell(name)
		if strings.ContainsAny(f, `/\`) || (f == "" && name == "Image_filename") {
			return &problem.Error{What: "the file name is not one of BrEaST-Lesions-USG", File: t.Path, Row: t.Line[i], Expected: "caseNNN.png", Found: strconv.Quote(f)}
		}
		if f != "" {
			files = append(files, filepath.Join(folder, f))
		}
	}
	ok, err := m.present(t.Path, t.Line[i], files...)
	if err != nil || !ok {
		return err
	}
	paths := []string{"", ""} // a normal case has no mask
	for k, f := range files {
		if paths[k], err = m.relative(f); err != nil {
			return err
		}
	}
	pixel := ""
	if c := cell("Pixel_size"); c != "" {
		cm, err := table.Number(c)
		if err != nil {
			return &problem.Error{What: "the pixel size is not a number", File: t.Path, Row: t.Line[i], Err: err}
		}
		pixel = strconv.FormatFloat(cm*10, 'g', 9, 64) // the sheet gives cm with nine digits at most
	}
	outcome := cell("Classification")
	m.add(outcome, "breast-"+pad(cell("CaseID"), 3), paths[0], paths[1], "breast-lesions-usg", pixel, outcome,
		cell("Age"), cell("BIRADS"), cell("Diagnosis"), cell("Tissue_composition"), cell("Shape"), cell("Margin"),
		cell("Echogenicity"), cell("Posterior_features"), cell("Calcifications"))
	return nil
}
