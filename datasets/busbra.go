package datasets

import (
	"path/filepath"
	"strings"

	"sonotype/cohort/table"
	"sonotype/internal/problem"
)

// ImportBUSBRA reads BUS-BRA (Gomez-Flores et al., Medical Physics 2024, doi 10.1002/mp.16812) from
// src (bus_data.csv, Images, Masks) and writes cohort.csv and study.yaml into out: the patient is
// the column Case, one row an image, the outcome is Pathology. The data set gives no pixel size.
func ImportBUSBRA(src, out string) (Summary, error) {
	m, err := newImporter(src, out, []string{"patient_id", "image", "mask", "centre", "device", "outcome", "histology", "birads", "side", "width", "height"})
	if err != nil {
		return Summary{}, err
	}
	path := filepath.Join(src, "bus_data.csv")
	t, err := table.Read(path, table.Options{})
	if err != nil {
		return Summary{}, err
	}
	at, err := positions(t, "ID", "Case", "Histology", "Pathology", "BIRADS", "Device", "Width", "Height", "Side")
	if err != nil {
		return Summary{}, err
	}
	for i, r := range t.Rows {
		id, outcome := r[at["ID"]], r[at["Pathology"]]
		number, ok := strings.CutPrefix(id, "bus_")
		if !ok || strings.ContainsAny(id, `/\`) {
			return Summary{}, &problem.Error{What: "the image id is not one of BUS-BRA", File: path, Row: t.Line[i], Expected: "bus_NNNN-x", Found: id}
		}
		image, mask := filepath.Join("Images", id+".png"), filepath.Join("Masks", "mask_"+number+".png")
		if ok, err := m.present(path, t.Line[i], image, mask); err != nil {
			return Summary{}, err
		} else if !ok {
			continue
		}
		if image, err = m.relative(image); err != nil {
			return Summary{}, err
		}
		if mask, err = m.relative(mask); err != nil {
			return Summary{}, err
		}
		m.add(outcome, "busbra-"+pad(r[at["Case"]], 4), image, mask, "bus-bra", r[at["Device"]], outcome,
			r[at["Histology"]], r[at["BIRADS"]], r[at["Side"]], r[at["Width"]], r[at["Height"]])
	}
	return m.write(path, studyYAML("BUS-BRA", "Gomez-Flores et al., Medical Physics 2024, doi 10.1002/mp.16812", "bus-bra"))
}

// positions finds the named columns.
func positions(t *table.Table, names ...string) (map[string]int, error) {
	at := make(map[string]int, len(names))
	for _, name := range names {
		j, err := t.Require(name)
		if err != nil {
			return nil, err
		}
		at[name] = j
	}
	return at, nil
}

// pad writes a number with leading zeros, so that ids sort as numbers do.
func pad(number string, width int) string {
	return strings.Repeat("0", max(0, width-len(number))) + number
}
