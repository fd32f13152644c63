package cohort

import (
	"fmt"
	"math/bits"
)

// duplicates compares all images with each other. The comparison of hashes is quadratic, at about
// a nanosecond a pair: 20,000 images take a fraction of a second.
func (c *Cohort) duplicates(hashes []imageHash, config CheckConfig) []Finding {
	var out []Finding
	for j := range hashes {
		worst := twin{}
		for i := range j {
			if t, ok := c.compare(hashes, i, j, config); ok && t.worseThan(worst) {
				worst = t
			}
		}
		if worst.severity != "" {
			out = append(out, worst.finding(c))
		}
	}
	return out
}

// twin is a pair of images that look the same.
type twin struct {
	i, j     int
	severity string
	exact    bool
	bits     int // hash bits that differ
	why      string
}

// worseThan orders by severity, then exact before near, then nearness.
func (t twin) worseThan(o twin) bool {
	if o.severity == "" {
		return true
	}
	if a, b := t.severity == SeverityError, o.severity == SeverityError; a != b {
		return a
	}
	if t.exact != o.exact {
		return t.exact
	}
	return t.bits < o.bits
}

// compare judges the images i and j. The same file for two lesions of a patient is no duplicate,
// and similar frames of one unit are expected.
func (c *Cohort) compare(hashes []imageHash, i, j int, config CheckConfig) (twin, bool) {
	p, q := &hashes[i], &hashes[j]
	if !p.ok || !q.ok {
		return twin{}, false
	}
	t := twin{i: i, j: j, severity: SeverityWarning, bits: bits.OnesCount64(p.near ^ q.near)}
	if t.bits > max(config.NearBits, 0) { // equal pixels have equal hashes
		return twin{}, false
	}
	t.exact = p.exact == q.exact
	a, b := c.Images[i], c.Images[j]
	sameUnit, samePatient := a.Unit == b.Unit, a.Patient == b.Patient
	switch {
	case !t.exact && (sameUnit || config.NearBits < 0):
		return twin{}, false
	case samePatient && a.Path == b.Path:
		return twin{}, false
	case c.Units[a.Unit].Label != c.Units[b.Unit].Label:
		t.severity, t.why = SeverityError, "with another outcome"
	case !samePatient && config.Splits == nil && a.Centre != b.Centre:
		t.severity, t.why = SeverityError, "of another centre"
	case !samePatient && config.Splits != nil:
		x, _ := config.Splits.Of(a.Patient)
		y, _ := config.Splits.Of(b.Patient)
		if x.Set != y.Set {
			t.severity, t.why = SeverityError, "in another set ("+y.Set+" here, "+x.Set+" there)"
		} else if x.Fold != y.Fold {
			t.why = "in another fold of the training set"
		}
	}
	return t, true
}

func (t twin) finding(c *Cohort) Finding {
	a, b := c.Images[t.i], c.Images[t.j]
	ra, rb := c.Rows[a.Masks[0].Row], c.Rows[b.Masks[0].Row]
	code, how := DuplicateExact, "the same pixels as"
	if !t.exact {
		code, how = DuplicateNear, fmt.Sprintf("nearly the same pixels (%d of 64 hash bits differ) as", t.bits)
	}
	message := fmt.Sprintf("image %s has %s %s of patient %s (%s)", quote(b.Name), how, quote(a.Name), a.Patient, where(rb, ra))
	if t.why != "" {
		message += ", " + t.why
	}
	try := "look at both images; keep one"
	if a.Patient != b.Patient {
		try = "look at both images; if it is the same person, give both rows the same patient id, or keep one"
	}
	return fileFinding(t.severity, code, rb, b.Path, message, try)
}
