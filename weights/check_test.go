package weights

import (
	"math"
	"strings"
	"testing"

	"sonotype/nn"
)

var smallSpecs = []nn.ParamSpec{
	{Name: "features.conv0.weight", Shape: []int{64, 3, 7, 7}},
	{Name: "features.norm0.weight", Shape: []int{64}},
	{Name: "features.norm0.bias", Shape: []int{64}},
	{Name: "features.norm0.running_mean", Shape: []int{64}},
	{Name: "features.norm0.running_var", Shape: []int{64}},
	{Name: "classifier.weight", Shape: []int{1, 64}},
	{Name: "classifier.bias", Shape: []int{1}},
}

func TestRandomIsHeNormalAndSeeded(t *testing.T) {
	a := Random(smallSpecs, 1)
	if err := Check(smallSpecs, a); err != nil {
		t.Fatal(err)
	}
	if Hash(a) != Hash(Random(smallSpecs, 1)) || Hash(a) == Hash(Random(smallSpecs, 2)) {
		t.Error("not a function of the seed")
	}
	x := a["features.conv0.weight"].Data // 9408 draws: the mean is within 5 sd/sqrt(n), the sd within 5 sd/sqrt(2n)
	var sum, square float64
	for _, v := range x {
		sum += float64(v)
		square += float64(v) * float64(v)
	}
	n, sd := float64(len(x)), math.Sqrt(2.0/147)
	if mean := sum / n; math.Abs(mean) > 5*sd/math.Sqrt(n) {
		t.Errorf("mean %v", mean)
	}
	if got := math.Sqrt(square / n); math.Abs(got-sd) > 5*sd/math.Sqrt(2*n) {
		t.Errorf("sd %v, want %v", got, sd)
	}
	for _, v := range a["classifier.weight"].Data {
		if math.Abs(float64(v)) > 1.0/8 {
			t.Errorf("linear weight %v beyond 1/sqrt(64)", v)
		}
	}
	for name, want := range map[string]float32{"norm0.weight": 1, "norm0.bias": 0, "norm0.running_mean": 0, "norm0.running_var": 1} {
		if v := a["features."+name].Data[63]; v != want {
			t.Errorf("%s = %v", name, v)
		}
	}
	other := Random(smallSpecs[:1], 1)
	if other["features.conv0.weight"].Data[9000] != x[9000] {
		t.Error("a tensor depends on the other tensors")
	}
}

func TestCheckNamesTheFault(t *testing.T) {
	nan := float32(math.NaN())
	for what, c := range map[string]struct {
		change func(nn.Tensors)
		words  []string
	}{
		"missing": {func(x nn.Tensors) { delete(x, "features.norm0.bias") }, []string{"features.norm0.bias", "lack"}},
		"shape": {func(x nn.Tensors) {
			x["classifier.weight"] = nn.Tensor{Shape: []int{1000, 64}, Data: make([]float32, 64000)}
		},
			[]string{"classifier.weight", "[1 64]", "[1000 64]"}},
		"rank":     {func(x nn.Tensors) { x["classifier.bias"] = nn.Tensor{Data: []float32{0}} }, []string{"classifier.bias", "[1]", "[]"}},
		"too few":  {func(x nn.Tensors) { x["classifier.bias"] = nn.Tensor{Shape: []int{1}} }, []string{"classifier.bias", "0 values"}},
		"NaN":      {func(x nn.Tensors) { x["features.norm0.bias"].Data[5] = nan }, []string{"features.norm0.bias", "NaN", "position 5"}},
		"variance": {func(x nn.Tensors) { x["features.norm0.running_var"].Data[0] = -1 }, []string{"running_var", "-1"}},
	} {
		x := Random(smallSpecs, 3)
		c.change(x)
		err := Check(smallSpecs, x)
		for _, w := range c.words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v lacks %q", what, err, w)
			}
		}
	}
	x := Random(smallSpecs, 3)
	x["classifier2.weight"] = nn.Tensor{Shape: []int{1}, Data: []float32{nan}}
	if err := Check(smallSpecs, x); err != nil {
		t.Errorf("a tensor that the network does not ask for: %v", err)
	}
}
