package classify

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"sonotype/internal/problem"
)

// maxModelText is the largest model file that is read; a LightGBM model of the study has about 1 MB.
const maxModelText = 256 << 20

// ReadBooster reads a binary model in LightGBM's text format (versions 3 and 4), as Booster.save_model writes it.
// Every tree is checked: memory stays in proportion to the text and prediction cannot fail.
func ReadBooster(r io.Reader) (*Booster, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxModelText+1))
	if err != nil {
		return nil, &problem.Error{What: "cannot read the LightGBM model", Err: err}
	}
	if len(text) > maxModelText {
		return nil, damaged("a file over %d MB", maxModelText>>20)
	}
	lines := textLines{rest: string(text)}
	head := lines.section()
	b, count, err := readHeader(head)
	if err != nil {
		return nil, err
	}
	for lines.found("Tree=") {
		t, err := readTree(lines.section(), len(b.Names))
		if err != nil {
			return nil, fmt.Errorf("tree %d: %w", len(b.Trees), err)
		}
		b.Trees = append(b.Trees, t)
	}
	if len(b.Trees) == 0 || (count >= 0 && count != len(b.Trees)) || !lines.found("end of trees") {
		return nil, &problem.Error{What: "the LightGBM model is cut short",
			Expected: fmt.Sprintf("%d trees and the line \"end of trees\"", max(count, 1)), Found: fmt.Sprintf("%d trees", len(b.Trees)),
			Try: "save the model again with Booster.save_model"}
	}
	return b, nil
}

// damaged is the error for a text that is no LightGBM model.
func damaged(format string, args ...any) error {
	return &problem.Error{What: "not a usable LightGBM model", Found: fmt.Sprintf(format, args...),
		Expected: "a binary model in LightGBM's text format, with plain (not linear) leaves"}
}

// textLines walks through the text of a model.
type textLines struct{ rest string }

// section takes the key=value lines up to the next tree, the end of the trees or the end of the text.
// A line without "=" is a key without a value; of repeated keys the last counts, as in LightGBM.
func (l *textLines) section() map[string]string {
	s := map[string]string{}
	for l.rest != "" && !strings.HasPrefix(l.rest, "Tree=") && !strings.HasPrefix(l.rest, "end of trees") {
		var line string
		line, l.rest, _ = strings.Cut(l.rest, "\n")
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\r"), "=")
		s[key] = value
	}
	return s
}

// found takes the next line if it starts with prefix.
func (l *textLines) found(prefix string) bool {
	if !strings.HasPrefix(l.rest, prefix) {
		return false
	}
	_, l.rest, _ = strings.Cut(l.rest, "\n")
	return true
}

// readHeader reads the lines before the first tree; count is the number of trees that they promise, -1 if none.
func readHeader(head map[string]string) (b *Booster, count int, err error) {
	if _, ok := head["tree"]; !ok {
		return nil, 0, damaged("no first line \"tree\"")
	}
	if head["num_class"] != "1" || head["num_tree_per_iteration"] != "1" {
		return nil, 0, damaged("num_class=%.20q, num_tree_per_iteration=%.20q", head["num_class"], head["num_tree_per_iteration"])
	}
	if _, ok := head["average_output"]; ok {
		return nil, 0, damaged("average_output (a random forest)")
	}
	b = &Booster{Names: strings.Split(head["feature_names"], " "), Infos: strings.Split(head["feature_infos"], " ")}
	last, err := strconv.Atoi(head["max_feature_idx"])
	if err != nil || len(b.Names) != last+1 || len(b.Infos) != last+1 {
		return nil, 0, damaged("max_feature_idx=%.20q, %d names and %d ranges of features", head["max_feature_idx"], len(b.Names), len(b.Infos))
	}
	objective := strings.Fields(head["objective"])
	if len(objective) < 2 || objective[0] != "binary" || !strings.HasPrefix(objective[1], "sigmoid:") {
		return nil, 0, damaged("objective=%.40q", head["objective"])
	}
	b.Sigmoid, err = strconv.ParseFloat(objective[1][len("sigmoid:"):], 64)
	if err != nil || !(b.Sigmoid > 0) || math.IsInf(b.Sigmoid, 0) {
		return nil, 0, damaged("objective=%.40q", head["objective"])
	}
	sizes, ok := head["tree_sizes"]
	if !ok {
		return b, -1, nil
	}
	return b, len(strings.Fields(sizes)), nil
}

// fields reads the arrays of one tree and keeps the first error.
type fields struct {
	section map[string]string
	err     error
}

// array reads n numbers under key; an optional key may be missing and gives n zeros.
func array[T any](f *fields, key string, n int, optional bool, parse func(string) (T, error)) []T {
	text, ok := f.section[key]
	if f.err != nil || (!ok && optional) {
		return make([]T, n)
	}
	words := strings.Fields(text)
	if len(words) != n {
		f.err = damaged("%s holds %d numbers instead of %d", key, len(words), n)
		return nil
	}
	out := make([]T, n)
	for i, word := range words {
		v, err := parse(word)
		if err != nil {
			f.err = damaged("%s holds %.40q", key, word)
			return nil
		}
		out[i] = v
	}
	return out
}

func parseFloat(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

func parseFloat32(s string) (float32, error) {
	v, err := strconv.ParseFloat(s, 32)
	return float32(v), err
}

func parseInt8(s string) (int8, error) {
	v, err := strconv.ParseInt(s, 10, 8)
	return int8(v), err
}

func parseUint32(s string) (uint32, error) {
	v, err := strconv.ParseUint(s, 10, 32)
	return uint32(v), err
}

// leavesOf returns the number of leaves of a tree's section. It is checked against the values that are there,
// so that no count makes us allocate more than the text is long.
func leavesOf(section map[string]string) (int, error) {
	n, err := strconv.Atoi(section["num_leaves"])
	if err != nil || n < 1 || n > len(section["leaf_value"]) {
		return 0, damaged("num_leaves=%.20q for %d characters of leaf values", section["num_leaves"], len(section["leaf_value"]))
	}
	if v := section["is_linear"]; v != "" && v != "0" {
		return 0, damaged("is_linear=%.20q", v)
	}
	return n, nil
}

// readTree reads and checks one tree of a model with p features.
func readTree(section map[string]string, p int) (*BoostedTree, error) {
	n, err := leavesOf(section)
	if err != nil {
		return nil, err
	}
	f := &fields{section: section}
	t := &BoostedTree{
		LeafValue:  array(f, "leaf_value", n, false, parseFloat),
		LeafCount:  array(f, "leaf_count", n, true, strconv.Atoi),
		LeafWeight: make([]float64, n),
		Shrinkage:  1,
	}
	if text, ok := section["shrinkage"]; ok && f.err == nil {
		if t.Shrinkage, err = parseFloat(text); err != nil {
			return nil, damaged("shrinkage=%.20q", text)
		}
	}
	if n > 1 {
		readSplits(t, f, n)
	}
	if f.err == nil {
		f.err = t.check(p)
	}
	if f.err != nil {
		return nil, f.err
	}
	return t, nil
}

// readSplits reads what only a tree with more than one leaf has.
func readSplits(t *BoostedTree, f *fields, n int) {
	t.LeafWeight = array(f, "leaf_weight", n, true, parseFloat)
	t.SplitFeature = array(f, "split_feature", n-1, false, strconv.Atoi)
	t.SplitGain = array(f, "split_gain", n-1, true, parseFloat32)
	t.Threshold = array(f, "threshold", n-1, false, parseFloat)
	t.DecisionType = array(f, "decision_type", n-1, true, parseInt8)
	t.LeftChild = array(f, "left_child", n-1, false, strconv.Atoi)
	t.RightChild = array(f, "right_child", n-1, false, strconv.Atoi)
	t.InnerValue = array(f, "internal_value", n-1, true, parseFloat)
	t.InnerWeight = array(f, "internal_weight", n-1, true, parseFloat)
	t.InnerCount = array(f, "internal_count", n-1, true, strconv.Atoi)
	if sets := f.section["num_cat"]; f.err == nil && sets != "0" {
		t.CatBoundaries = array(f, "cat_boundaries", len(strings.Fields(f.section["cat_boundaries"])), false, strconv.Atoi)
		t.CatBits = array(f, "cat_threshold", len(strings.Fields(f.section["cat_threshold"])), false, parseUint32)
		if f.err == nil && sets != strconv.Itoa(len(t.CatBoundaries)-1) {
			f.err = damaged("num_cat=%.20q and %d boundaries", sets, len(t.CatBoundaries))
		}
	}
}

// check refuses a tree that could index out of range, never end or score NaN.
func (t *BoostedTree) check(p int) error {
	for _, v := range t.LeafValue {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return damaged("a leaf value of %g", v)
		}
	}
	for s := 1; s < len(t.CatBoundaries); s++ {
		if t.CatBoundaries[0] != 0 || t.CatBoundaries[s] < t.CatBoundaries[s-1] || t.CatBoundaries[s] > len(t.CatBits) {
			return damaged("category boundaries %d to %d of %d", t.CatBoundaries[s-1], t.CatBoundaries[s], len(t.CatBits))
		}
	}
	for k, j := range t.SplitFeature {
		if j < 0 || j >= p {
			return damaged("a split on feature %d of %d", j, p)
		}
		if v := t.Threshold[k]; math.IsNaN(v) {
			return damaged("a threshold of NaN")
		} else if t.DecisionType[k]&categoricalBit != 0 && !(v >= 0 && v < float64(len(t.CatBoundaries)-1)) {
			return damaged("category set %g of %d", v, len(t.CatBoundaries)-1)
		}
	}
	return t.checkShape()
}

// checkShape makes sure that every inner node but the root and every leaf is the child of one node, and that the
// root reaches them all.
func (t *BoostedTree) checkShape() error {
	inner := len(t.SplitFeature)
	if inner == 0 {
		return nil
	}
	seenInner, seenLeaf := make([]bool, inner), make([]bool, len(t.LeafValue))
	seenInner[0] = true
	open := []int{0}
	reached := 0
	for len(open) > 0 {
		k := open[len(open)-1]
		open = open[:len(open)-1]
		reached++
		for _, c := range []int{t.LeftChild[k], t.RightChild[k]} {
			seen, at := seenInner, c
			if c < 0 {
				seen, at = seenLeaf, ^c
			} else {
				open = append(open, c)
			}
			if at >= len(seen) || seen[at] {
				return damaged("child %d of node %d is out of range or has two parents", c, k)
			}
			seen[at] = true
		}
	}
	if reached != inner {
		return damaged("%d of %d nodes cannot be reached", inner-reached, inner)
	}
	return nil
}
