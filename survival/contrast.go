package survival

import (
	"fmt"
	"math"

	"sonotype/internal/num"
	"sonotype/internal/problem"
)

// The group names of ByCut.
const (
	LowGroup  = "low"
	HighGroup = "high"
)

// ByCut compares the patients with score > cut ("high") with the others ("low"): curves with intervals on the
// named scale, log-rank test, hazard ratio, and Harrell's C of the continuous score. What cannot be computed (an
// empty group, a group without events) is null, with a note.
func ByCut(time []float64, event []int, score []float64, cut float64, interval string) (*Contrast, error) {
	events, err := checkFollowUp(time, event)
	if err != nil {
		return nil, err
	}
	if math.IsNaN(cut) {
		return nil, &problem.Error{What: "the survival cut is not a number"}
	}
	concordance, err := ConcordanceIndex(time, event, score)
	if err != nil {
		return nil, err
	}
	c := &Contrast{N: len(time), Cut: num.Float(cut), Events: events, LogRankP: num.NaN(), HR: num.NaN(), HRLo: num.NaN(), HRHi: num.NaN(),
		CIndex: concordance.C, CIndexLo: concordance.Lo, CIndexHi: concordance.Hi, Curves: []KM{}}
	group, high := make([]string, len(time)), make([]float64, len(time))
	for i, s := range score {
		group[i] = LowGroup
		if s > cut {
			group[i], high[i] = HighGroup, 1
			c.NHigh++
			c.EventsHigh += event[i]
		}
	}
	c.NLow, c.EventsLow = c.N-c.NHigh, c.Events-c.EventsHigh
	for _, name := range []string{LowGroup, HighGroup} {
		if err := c.addCurve(name, time, event, group, interval); err != nil {
			return nil, err
		}
	}
	lr, err := LogRankTest(time, event, group, nil)
	if err != nil {
		return nil, err
	}
	c.LogRank, c.LogRankP = *lr, lr.P
	switch {
	case c.NHigh == 0 || c.NLow == 0:
		c.Note = fmt.Sprintf("no contrast: all %d patients are in one group", c.N)
	case c.Events == 0:
		c.Note = "no contrast: no events"
	case c.EventsHigh == 0 || c.EventsLow == 0:
		c.Note = fmt.Sprintf("no hazard ratio: %d events in the high group, %d in the low group", c.EventsHigh, c.EventsLow)
	default:
		cox, err := FitCox(time, event, []Covariate{{Name: HighGroup, Values: high}})
		if err != nil {
			c.Note = "no hazard ratio: " + err.Error()
			if e, ok := problem.As(err); ok {
				c.Note = "no hazard ratio: " + e.What
			}
			break
		}
		c.HR, c.HRLo, c.HRHi = cox.Terms[0].HR, cox.Terms[0].Lo, cox.Terms[0].Hi
	}
	return c, nil
}

func (c *Contrast) addCurve(name string, time []float64, event []int, group []string, interval string) error {
	var t []float64
	var e []int
	for i, g := range group {
		if g == name {
			t, e = append(t, time[i]), append(e, event[i])
		}
	}
	if len(t) == 0 {
		return nil
	}
	k, err := KaplanMeier(t, e, interval)
	if err != nil {
		return err
	}
	k.Name = name
	c.Curves = append(c.Curves, *k)
	return nil
}
