package weights

import (
	"fmt"
	"regexp"
	"strings"

	"sonotype/internal/problem"
	"sonotype/nn"
)

// oldName matches the names of torchvision's first DenseNet files, whose module names held a dot
// (the same pattern as torchvision's _load_state_dict).
var oldName = regexp.MustCompile(`^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.(?:weight|bias|running_mean|running_var))$`)

// canonical gives torchvision's present name and whether the old scheme was used.
func canonical(name string) (string, bool) {
	name = strings.TrimPrefix(name, "module.")
	if m := oldName.FindStringSubmatch(name); m != nil {
		return m[1] + m[2], true
	}
	return name, false
}

// counter reports whether name is a batch-norm step counter, which inference does not use.
func counter(name string) bool { return strings.HasSuffix(name, "num_batches_tracked") }

// collector gathers the kept tensors of a file under their canonical names.
type collector struct {
	tensors nn.Tensors
	info    Info
	left    int64 // values that the file may still hold
}

func newCollector(format string) *collector {
	return &collector{
		tensors: nn.Tensors{},
		info:    Info{Format: format, DTypes: map[string]int{}},
		left:    maxElements,
	}
}

// reserve decides about one tensor of the file before its values are read: keep says whether to read it.
// The shape must have been checked; elements is its product.
func (c *collector) reserve(name string, d dtype, shape []int, elements int64) (dst []float32, keep bool, err error) {
	if counter(name) || !d.float {
		c.info.Ignored = append(c.info.Ignored, name)
		return nil, false, nil
	}
	if c.left -= elements; c.left < 0 {
		return nil, false, tooLarge("sum of all tensors", maxElements-c.left, maxElements, "values")
	}
	key, renamed := canonical(name)
	if _, ok := c.tensors[key]; ok {
		return nil, false, &problem.Error{What: fmt.Sprintf("the file holds the tensor %q twice", key), Found: "its old and its new name, or a duplicate"}
	}
	if renamed {
		c.info.Renamed++
	}
	c.info.DTypes[d.name]++
	dst = make([]float32, elements)
	c.tensors[key] = nn.Tensor{Shape: shape, Data: dst}
	return dst, true, nil
}
