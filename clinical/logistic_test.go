package clinical

import "testing"

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
