package evaluate

import (
	"fmt"

	"sonotype/internal/problem"
)

// Pool gives the mean score and the label of each unit (patient or lesion) over its images, units in order of first
// appearance. All images of a unit must carry the same label.
func Pool(scores []float64, labels []int, unit []string) (*Pooled, error) {
	if _, _, err := checkInput(scores, labels); err != nil {
		return nil, err
	}
	if len(scores) != len(unit) {
		return nil, &problem.Error{What: "scores and units differ in number", Expected: fmt.Sprintf("%d units", len(scores)), Found: fmt.Sprintf("%d", len(unit))}
	}
	p := &Pooled{}
	at := map[string]int{}
	for i, u := range unit {
		if u == "" {
			return nil, &problem.Error{What: "a score has no unit", Found: fmt.Sprintf("score %d of %d", i+1, len(scores))}
		}
		k, seen := at[u]
		if !seen {
			k = len(p.Unit)
			at[u] = k
			p.Unit, p.Label = append(p.Unit, u), append(p.Label, labels[i])
			p.Score, p.Images = append(p.Score, 0), append(p.Images, 0)
		}
		if p.Label[k] != labels[i] {
			return nil, &problem.Error{What: "the images of one unit carry different labels", Patient: u, Expected: "one outcome per patient or lesion",
				Found: "0 and 1", Try: "correct the table, or give the lesions their own lesion_id"}
		}
		p.Score[k] += scores[i]
		p.Images[k]++
	}
	for k := range p.Score {
		p.Score[k] /= float64(p.Images[k])
	}
	return p, nil
}
