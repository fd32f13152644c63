package clinical

import "math"

// Univariable fits a model of each variable alone, on the patients who have it (NaN is missing).
func Univariable(vars []Variable, columns [][]float64, y []int, firth Firth) ([]*Model, error) {
	if err := sized(vars, columns, len(y)); err != nil {
		return nil, err
	}
	var out []*Model
	for i, v := range vars {
		var x []float64
		var label []int
		for r, value := range columns[i] {
			if math.IsNaN(value) {
				continue
			}
			if err := v.check(value, r); err != nil {
				return nil, err
			}
			x, label = append(x, value), append(label, y[r])
		}
		v, x := occurring(v, x)
		m, err := Fit([]Variable{v}, [][]float64{x}, label, firth)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// occurring leaves out the levels of a categorical variable that no patient has.
func occurring(v Variable, x []float64) (Variable, []float64) {
	if len(v.Levels) == 0 {
		return v, x
	}
	count := make([]int, len(v.Levels))
	for _, value := range x {
		count[int(value)]++
	}
	index := make([]float64, len(v.Levels))
	out := Variable{Name: v.Name, Scale: v.Scale}
	for l, n := range count {
		if n > 0 {
			index[l] = float64(len(out.Levels))
			out.Levels = append(out.Levels, v.Levels[l])
		}
	}
	moved := make([]float64, len(x))
	for i, value := range x {
		moved[i] = index[int(value)]
	}
	return out, moved
}
