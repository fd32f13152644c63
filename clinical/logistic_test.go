package clinical

import (
	"math"
	"testing"
)

// Four patients whose outcome follows the variable exactly have no maximum likelihood estimate.
func TestSeparationIsSaid(t *testing.T) {
	vars := []Variable{{Name: "size"}}
	columns := [][]float64{{1, 2, 3, 4, 5, 6}}
	y := []int{0, 0, 0, 1, 1, 1}
	for _, c := range []struct {
		firth Firth
		fits  bool
	}{{Auto, true}, {Never, false}, {Always, true}} {
		m, err := Fit(vars, columns, y, c.firth)
		if err != nil {
			t.Fatal(err)
		}
		if m.Fitted() != c.fits {
			t.Errorf("%s: fitted %v", c.firth, m.Fitted())
		}
		if c.firth != Always && (len(m.Separated) != 1 || m.Separated[0] != "size") {
			t.Errorf("%s: separated %v", c.firth, m.Separated)
		}
	}
}

// The log-likelihood of a Firth fit is that of the design as it is, whatever the fit scales inside.
func TestPenalisedLogLikelihoodIsOfTheDesign(t *testing.T) {
	vars, columns := []Variable{{Name: "size"}}, [][]float64{{100, 250, 310, 420, 530, 640, 660, 700}}
	y := []int{0, 0, 1, 0, 1, 1, 0, 1}
	m, err := Fit(vars, columns, y, Always)
	if err != nil {
		t.Fatal(err)
	}
	x, err := design(vars, columns, len(y))
	if err != nil {
		t.Fatal(err)
	}
	s := at(x, y, m.coefficients(), true)
	if want := s.loglik + s.penalty; math.Abs(float64(m.LogLik)-want) > 1e-9 {
		t.Errorf("%v, want %v", m.LogLik, want)
	}
}

func TestColumnsThatDoNotFitAreErrors(t *testing.T) {
	y := []int{0, 1, 0, 1}
	stage := Variable{Name: "stage", Levels: []string{"1", "2"}}
	for what, columns := range map[string][][]float64{
		"none": {}, "short": {{1, 0, 1}}, "no such level": {{0, 1, 2, 0}}, "below the first level": {{0, 1, -1, 0}}, "between levels": {{0, 1, 0.5, 0}},
	} {
		if _, err := Fit([]Variable{stage}, columns, y, Auto); err == nil {
			t.Errorf("fit, %s: no error", what)
		}
		if _, err := Univariable([]Variable{stage}, columns, y, Auto); err == nil {
			t.Errorf("one variable, %s: no error", what)
		}
	}
}
