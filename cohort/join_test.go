package cohort

import (
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sonotype/internal/rng"
)

// TestReadersDoNotMultiplySamples: two images, three readers, one lesion: one unit, two samples.
func TestReadersDoNotMultiplySamples(t *testing.T) {
	c := load(t, Rules{}, csvOf(header+"|reader",
		"P1|a.png|a1.nii|A|1|R1", "P1|a.png|a2.nii|A|1|R2", "P1|a.png|a3.nii|A|1|R3", "P1|b.png|b1.nii|A|1|R2", "P2|c.png|c.nii|A|0|R1"))
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	if len(c.Units) != 2 || len(c.Images) != 3 || len(c.Images[0].Masks) != 3 {
		t.Fatalf("%d units, %d images: %+v", len(c.Units), len(c.Images), c.Images)
	}
	reading := func(i int, primary string) (names []string) {
		for _, m := range c.Images[i].Readings(primary) {
			names = append(names, m.Name)
		}
		return names
	}
	if got := reading(0, "R2"); !slices.Equal(got, []string{"a2.nii"}) {
		t.Errorf("primary reader: %v", got)
	}
	if got := reading(0, ""); !slices.Equal(got, []string{"a1.nii", "a2.nii", "a3.nii"}) {
		t.Errorf("no primary reader: %v", got)
	}
	if got := reading(1, "R1"); !slices.Equal(got, []string{"b1.nii"}) {
		t.Errorf("primary reader absent: %v", got)
	}
}

func TestLesionsAreUnits(t *testing.T) {
	c := load(t, Rules{}, csvOf(header+"|lesion_id", "P1|a.png|a1.png|A|1|L1", "P1|a.png|a2.png|A|0|L2", "P2|b.png|b.png|A|0|"))
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, u := range c.Units {
		ids = append(ids, u.ID)
	}
	if !slices.Equal(ids, []string{"P1#L1", "P1#L2", "P2"}) || len(c.Images) != 3 {
		t.Errorf("%v, %d images", ids, len(c.Images))
	}
}

func TestJoin(t *testing.T) {
	one := csvOf(header, "1|a.png|a.nii|A|1", "2|b.png|b.nii|A|0")
	patients := func(c *Cohort) (ids []string) {
		for _, u := range c.Units {
			ids = append(ids, u.Patient)
		}
		return ids
	}
	cases := []struct {
		name, second string
		patients     []string
		err          bool
	}{
		{"no clash", csvOf(header, "3|c.png|c.nii|B|1"), []string{"1", "2", "3"}, false},
		{"clash, other centre: other people", csvOf(header, "1|c.png|c.nii|B|0"), []string{"t0:1", "t0:2", "t1:1"}, false},
		{"same centre: same patient", csvOf(header, "1|c.png|c.nii|A|1"), []string{"1", "2"}, false},
		{"same centre, other outcome", csvOf(header, "1|c.png|c.nii|A|0"), []string{"1", "2"}, true},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			c := load(t, Rules{}, one, k.second)
			if got := patients(c); !slices.Equal(got, k.patients) || (c.Err() != nil) != k.err {
				t.Errorf("%v, error %v", got, c.Err())
			}
		})
	}
	if _, err := Join(nil); err == nil {
		t.Error("no table is accepted")
	}
	path := write(t, t.TempDir(), "t.csv", one)
	if _, err := Load([]string{path, path}, Columns{}, Rules{}); err == nil {
		t.Error("the same table twice is accepted")
	}
}

func TestTableNames(t *testing.T) {
	cases := [][2][]string{
		{{"x/a.csv", "x/b.csv"}, {"a", "b"}},
		{{"x/cohort.csv", "y/cohort.csv"}, {"x", "y"}},
		{{"x/1/c.csv", "y/1/c.csv"}, {"table1", "table2"}},
	}
	for _, k := range cases {
		var tables []*Table
		for _, p := range k[0] {
			tables = append(tables, &Table{Path: p})
		}
		if got := tableNames(tables); !slices.Equal(got, k[1]) {
			t.Errorf("%v: %v", k[0], got)
		}
	}
}

func TestPaths(t *testing.T) {
	c := load(t, Rules{}, csvOf(header, `P1|images\a.png|../m/a.nii|A|1`, "P2|/abs/b.png|b.nii|A|0"))
	dir := filepath.Dir(c.Sources[0].Path)
	if got := c.Rows[0].ImagePath(); got != filepath.Join(dir, "images", "a.png") {
		t.Error(got)
	}
	if got := c.Rows[0].MaskPath(); got != filepath.Join(filepath.Dir(dir), "m", "a.nii") {
		t.Error(got)
	}
	if got := c.Rows[1].ImagePath(); filepath.IsAbs("/abs/b.png") && got != filepath.FromSlash("/abs/b.png") {
		t.Error(got)
	}
}

// randomTable has patients with 1 to 3 images, some without mask or outcome, in centres A and B.
func randomTable(r *rand.Rand, patients int) []string {
	var rows []string
	for p := range patients {
		id, centre := "P"+string(rune('A'+p/26))+string(rune('A'+p%26)), []string{"A", "A", "A", "B"}[r.IntN(4)]
		outcome := []string{"0", "1", "1"}[r.IntN(3)]
		for i := range 1 + r.IntN(3) {
			cells := []string{id, id + string(rune('0'+i)) + ".png", id + string(rune('0'+i)) + ".nii", centre, outcome}
			if r.IntN(12) == 0 {
				cells[2+2*r.IntN(2)] = ""
			}
			rows = append(rows, strings.Join(cells, "|"))
		}
	}
	return rows
}

// TestRowOrderDoesNotMatter shuffles the rows: units, images, splits and flow stay the same.
func TestRowOrderDoesNotMatter(t *testing.T) {
	r := rng.Stream(5, "test")
	for range 10 {
		rows := randomTable(r, 60)
		a := load(t, Rules{}, csvOf(append([]string{header}, rows...)...))
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		b := load(t, Rules{}, csvOf(append([]string{header}, rows...)...))
		sa, err := Split(a, SplitConfig{}, 3)
		if err != nil {
			t.Fatal(err)
		}
		sb, err := Split(b, SplitConfig{}, 3)
		if err != nil {
			t.Fatal(err)
		}
		if sa.Hash != sb.Hash || !reflect.DeepEqual(sa, sb) {
			t.Error("the splits depend on the order of the rows")
		}
		if !reflect.DeepEqual(a.Flow(sa), b.Flow(sb)) {
			t.Errorf("the flow depends on the order of the rows:\n%+v\n%+v", a.Flow(sa), b.Flow(sb))
		}
		for i := range a.Units {
			if a.Units[i].ID != b.Units[i].ID || a.Images[i].Name != b.Images[i].Name {
				t.Fatal("units or images are in another order")
			}
		}
	}
}
