package classify

import "testing"

// benchTable is the study's size: 557 training patients, 512 features.
func benchTable() labelled {
	return recipe{seed: 7, n: 557, p: 512, informative: 5, noise: 1, cut: -0.3}.generate()
}

func BenchmarkTreeFit(b *testing.B) {
	l := benchTable()
	for _, name := range []string{"rf", "lightgbm", "adaboost"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m, err := New(name, Config{Seed: 1, Workers: 1})
				if err != nil {
					b.Fatal(err)
				}
				if err := m.Fit(l.x, l.y, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
