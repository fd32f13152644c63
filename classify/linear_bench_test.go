package classify

import (
	"fmt"
	"testing"
)

// The published training set's shape, before and after selection.
func BenchmarkLinearModels(b *testing.B) {
	for _, p := range []int{22, 512} {
		train := recipe{seed: 41, n: 557, p: p, informative: 8, noise: 1}.generate()
		for _, name := range []string{"lr", "svm", "knn"} {
			b.Run(fmt.Sprintf("%s/%d", name, p), func(b *testing.B) {
				for b.Loop() {
					scores(b, fitted(b, name, Config{}, train, nil), train.x)
				}
			})
		}
	}
}
