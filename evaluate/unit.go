package evaluate

import (
	"fmt"

	"sonotype/internal/problem"
)

// Unit gives the mean score of each unit (patient or lesion) over its images, units in order of first appearance.
func Unit(scores []float64, unit []string) (ids []string, means []float64, err error) {
	p, err := pool(scores, nil, unit)
	if err != nil {
		return nil, nil, err
	}
	return p.Unit, p.Score, nil
}

// Pool is Unit with labels: all images of a unit must carry the same one.
func Pool(scores []float64, labels []int, unit []string) (*Pooled, error) {
	if _, _, err := checkInput(scores, labels); err != nil {
		return nil, err
	}
	return pool(scores, labels, unit)
}

func pool(scores []float64, labels []int, unit []string) (*Pooled, error) {
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
			p.Unit, p.Score, p.Images = append(p.Unit, u), append(p.Score, 0), append(p.Images, 0)
			if labels != nil {
				p.Label = append(p.Label, labels[i])
			}
		}
		if labels != nil && p.Label[k] != labels[i] {
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
