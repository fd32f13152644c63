package classify

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// tinyModel is a model of one tree with two splits.
const tinyModel = `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=a b
feature_infos=[0:1] none
tree_sizes=999

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
split_gain=1 2
threshold=0.5 1
decision_type=2 2
left_child=-1 -2
right_child=1 -3
leaf_value=1 2 3
leaf_weight=0 0 0
leaf_count=1 1 1
internal_value=0 0
internal_weight=0 0
internal_count=3 2
is_linear=0
shrinkage=1


end of trees
`

func TestReadBoosterAcceptsOtherLineEnds(t *testing.T) {
	b, err := ReadBooster(strings.NewReader(strings.ReplaceAll(tinyModel, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Score(mat.NewDense(3, 2, []float64{0.5, 0, 0.6, 1, 0.6, 1.1}))
	if err != nil || got[0] != 1 || got[1] != 2 || got[2] != 3 {
		t.Errorf("scores %v, %v", got, err)
	}
}

func TestReadBoosterRefuses(t *testing.T) {
	for name, change := range map[string][2]string{
		"several classes":     {"num_class=1", "num_class=3"},
		"another objective":   {"binary sigmoid:1", "regression"},
		"a bad sigmoid":       {"sigmoid:1", "sigmoid:-1"},
		"a forest":            {"label_index=0", "average_output"},
		"missing names":       {"feature_names=a b", "feature_names=a"},
		"a huge feature":      {"max_feature_idx=1", "max_feature_idx=2000000000"},
		"a huge count":        {"num_leaves=3", "num_leaves=2000000000"},
		"no leaves":           {"num_leaves=3", "num_leaves=0"},
		"too few values":      {"leaf_value=1 2 3", "leaf_value=1 2"},
		"a cycle":             {"right_child=1 -3", "right_child=0 -3"},
		"a leaf used twice":   {"left_child=-1 -2", "left_child=-1 -1"},
		"an unreached node":   {"right_child=1 -3", "right_child=-2 -3"},
		"a child too far":     {"right_child=1 -3", "right_child=1 -9"},
		"a feature too far":   {"split_feature=0 1", "split_feature=0 2"},
		"a negative feature":  {"split_feature=0 1", "split_feature=0 -1"},
		"a NaN threshold":     {"threshold=0.5 1", "threshold=nan 1"},
		"a NaN leaf":          {"leaf_value=1 2 3", "leaf_value=1 nan 3"},
		"an absent category":  {"decision_type=2 2", "decision_type=1 2"},
		"lying categories":    {"num_cat=0", "num_cat=5"},
		"linear leaves":       {"is_linear=0", "is_linear=1"},
		"a lost tree":         {"tree_sizes=999", "tree_sizes=999 999"},
		"a cut file":          {"end of trees", ""},
		"words for numbers":   {"internal_count=3 2", "internal_count=x 2"},
		"another first line":  {"tree\n", "forest\n"},
		"no trees":            {"Tree=0", "Bush=0"},
		"a word as shrinkage": {"shrinkage=1", "shrinkage=w"},
	} {
		text := strings.Replace(tinyModel, change[0], change[1], 1)
		if text == tinyModel {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := ReadBooster(strings.NewReader(text)); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
}

// FuzzReadBooster: any text gives an error or a model that scores every row and survives a round trip.
func FuzzReadBooster(f *testing.F) {
	f.Add(tinyModel)
	for _, c := range loadLightGBM(f).Readable {
		f.Add(c.Model)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ReadBooster(strings.NewReader(text))
		if err != nil {
			return
		}
		p := len(b.Names)
		x := mat.NewDense(3, p, nil)
		for j := range p {
			x.Set(1, j, math.NaN())
			x.Set(2, j, 1e300*float64(j%3-1))
		}
		want, err := b.Score(x)
		if err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := b.WriteText(&again); err != nil {
			t.Fatal(err)
		}
		back, err := ReadBooster(&again)
		if err != nil {
			t.Fatalf("our own text is refused: %v", err)
		}
		got, err := back.Score(x)
		if err != nil || largestDifference(got, want) != 0 {
			t.Fatalf("scores change through a file: %v", err)
		}
	})
}
