package synth

import "testing"

// BenchmarkRender is one full-size image on one core.
func BenchmarkRender(b *testing.B) {
	c := Config{Patients: 50, Seed: 1}
	patients := drawCohort(c.Patients, c.Seed)
	for i := 0; b.Loop(); i++ {
		render(patients[i%len(patients)], c)
	}
}
