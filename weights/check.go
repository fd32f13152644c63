package weights

import (
	"fmt"
	"math"
	"strings"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// Check reports the first parameter of specs that t lacks, or has in another shape, or with values that no
// trained network has (NaN, infinite, a negative running variance). Tensors that specs does not name are fine:
// an ImageNet classifier, for one.
func Check(specs []nn.ParamSpec, t nn.Tensors) error {
	for _, s := range specs {
		x, ok := t[s.Name]
		if !ok {
			return &problem.Error{
				What:     fmt.Sprintf("the weights lack the tensor %q", s.Name),
				Expected: fmt.Sprintf("%s of shape %v", s.Name, s.Shape),
				Found:    fmt.Sprintf("%d other tensors", len(t)),
				Try:      "use weights of the same network (densenet169 or densenet121) with torchvision's names",
			}
		}
		if !sameShape(x.Shape, s.Shape) || len(x.Data) != x.Len() {
			return &problem.Error{
				What:     fmt.Sprintf("the tensor %q has another shape than the network's", s.Name),
				Expected: fmt.Sprintf("shape %v", s.Shape),
				Found:    fmt.Sprintf("shape %v with %d values", x.Shape, len(x.Data)),
				Try:      "use weights of the same network (densenet169 or densenet121)",
			}
		}
		if err := checkValues(s.Name, x.Data); err != nil {
			return err
		}
	}
	return nil
}

func sameShape(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func checkValues(name string, x []float32) error {
	variance := strings.HasSuffix(name, ".running_var")
	for i, v := range x {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) || variance && v < 0 {
			return &problem.Error{
				What:     fmt.Sprintf("the tensor %q holds a value that no network can use", name),
				Expected: "finite numbers (and variances of at least 0)",
				Found:    fmt.Sprintf("%v at position %d", v, i),
				Try:      "export the weights again: training that diverged, or a damaged file, gives such values",
			}
		}
	}
	return nil
}
