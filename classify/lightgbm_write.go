package classify

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// defaultNames are LightGBM's names for the columns of a table without names.
func defaultNames(p int) []string {
	names := make([]string, p)
	for j := range names {
		names[j] = "Column_" + strconv.Itoa(j)
	}
	return names
}

// featureInfos gives each column's range as LightGBM's model file has it.
func featureInfos(mappers []binMapper) []string {
	infos := make([]string, len(mappers))
	for j, m := range mappers {
		infos[j] = "none"
		if m.isUsable {
			infos[j] = "[" + exact(m.low) + ":" + exact(m.high) + "]"
		}
	}
	return infos
}

// exact writes v with the 17 digits that read back as v, short with six, as C's %.17g and %g do.
func exact(v float64) string       { return strconv.FormatFloat(v, 'g', 17, 64) }
func short(v float64) string       { return strconv.FormatFloat(v, 'g', 6, 64) }
func short32(v float32) string     { return short(float64(v)) }
func bitsString(v uint32) string   { return strconv.FormatUint(uint64(v), 10) }
func decisionString(v int8) string { return strconv.Itoa(int(v)) }
func join[T any](v []T, text func(T) string) string {
	var b strings.Builder
	for i, e := range v {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(text(e))
	}
	return b.String()
}

// WriteText writes the model in LightGBM's text format, version 4, without the optional block of training
// parameters; lightgbm.Booster(model_file=...) reads it and predicts the same.
func (b *Booster) WriteText(w io.Writer) error {
	trees := make([]string, len(b.Trees))
	sizes := make([]int, len(b.Trees))
	for k, t := range b.Trees {
		trees[k] = fmt.Sprintf("Tree=%d\n%s\n", k, t.text())
		sizes[k] = len(trees[k])
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=%d\n", len(b.Names)-1)
	fmt.Fprintf(out, "objective=binary sigmoid:%s\nfeature_names=%s\nfeature_infos=%s\ntree_sizes=%s\n\n",
		short(b.Sigmoid), strings.Join(b.Names, " "), strings.Join(b.Infos, " "), join(sizes, strconv.Itoa))
	for _, t := range trees {
		out.WriteString(t)
	}
	out.WriteString("end of trees\n\nfeature_importances:\n" + b.importances())
	return out.Flush()
}

// text is the tree's section but for its "Tree=" line; it ends with an empty line.
func (t *BoostedTree) text() string {
	var b strings.Builder
	line := func(key, value string) { b.WriteString(key + "=" + value + "\n") }
	sets := max(0, len(t.CatBoundaries)-1)
	line("num_leaves", strconv.Itoa(len(t.LeafValue)))
	line("num_cat", strconv.Itoa(sets))
	line("split_feature", join(t.SplitFeature, strconv.Itoa))
	line("split_gain", join(t.SplitGain, short32))
	line("threshold", join(t.Threshold, exact))
	line("decision_type", join(t.DecisionType, decisionString))
	line("left_child", join(t.LeftChild, strconv.Itoa))
	line("right_child", join(t.RightChild, strconv.Itoa))
	line("leaf_value", join(t.LeafValue, exact))
	line("leaf_weight", join(t.LeafWeight, exact))
	line("leaf_count", join(t.LeafCount, strconv.Itoa))
	line("internal_value", join(t.InnerValue, short))
	line("internal_weight", join(t.InnerWeight, short))
	line("internal_count", join(t.InnerCount, strconv.Itoa))
	if sets > 0 {
		line("cat_boundaries", join(t.CatBoundaries, strconv.Itoa))
		line("cat_threshold", join(t.CatBits, bitsString))
	}
	line("is_linear", "0")
	line("shrinkage", short(t.Shrinkage))
	b.WriteByte('\n')
	return b.String()
}

// importances lists how often each column is split on, most often first.
func (b *Booster) importances() string {
	count := make([]int, len(b.Names))
	for _, t := range b.Trees {
		for k, j := range t.SplitFeature {
			if t.SplitGain[k] > 0 {
				count[j]++
			}
		}
	}
	var used []int
	for j, c := range count {
		if c > 0 {
			used = append(used, j)
		}
	}
	slices.SortStableFunc(used, func(i, j int) int { return cmp.Compare(count[j], count[i]) })
	var out strings.Builder
	for _, j := range used {
		fmt.Fprintf(&out, "%s=%d\n", b.Names[j], count[j])
	}
	return out.String()
}
