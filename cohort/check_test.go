package cohort

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sonotype/imaging"
	"sonotype/roi"
)

const (
	w, h   = 96, 72
	lesion = 30 // the sound lesion is the box from (30, 30) to (50, 45)
)

var soundBox = image.Rect(lesion, lesion, 50, 45)

// study writes four sound patients, P1 and P2 in centre A, P3 and P4 in centre B, each with its
// own image, and lets damage change the files or the table's rows.
func study(t *testing.T, damage func(dir string, rows map[string]string)) *Cohort {
	t.Helper()
	dir := t.TempDir()
	rows := make(map[string]string)
	for i := range 4 {
		id := fmt.Sprintf("P%d", i+1)
		writePNG(t, filepath.Join(dir, id+".png"), texture(uint64(i), w, h))
		writePNG(t, filepath.Join(dir, id+"_m.png"), box(w, h, soundBox, 255))
		rows[id] = fmt.Sprintf("%s|%s.png|%s_m.png|%c|%d|||", id, id, id, "AABB"[i], i%2)
	}
	if damage != nil {
		damage(dir, rows)
	}
	lines := []string{header + "|width|height|pixel_mm"}
	for i := range 4 {
		lines = append(lines, rows[fmt.Sprintf("P%d", i+1)])
	}
	path := write(t, dir, "cohort.csv", csvOf(lines...))
	c, err := Load([]string{path}, Columns{}, Rules{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fileCases give every finding of the files.
var fileCases = []struct {
	name   string
	code   Code
	damage func(t *testing.T, dir string, rows map[string]string)
	want   []string
}{
	{"image missing", ImageMissing, func(t *testing.T, dir string, rows map[string]string) {
		os.Remove(filepath.Join(dir, "P2.png"))
	}, []string{"error image-missing 3"}},
	{"image truncated", ImageUnreadable, func(t *testing.T, dir string, rows map[string]string) {
		if err := os.Truncate(filepath.Join(dir, "P2.png"), 500); err != nil {
			t.Fatal(err)
		}
	}, []string{"error image-unreadable 3"}},
	{"mask missing", MaskMissing, func(t *testing.T, dir string, rows map[string]string) {
		os.Remove(filepath.Join(dir, "P3_m.png"))
	}, []string{"error mask-missing 4"}},
	{"mask not an image", MaskUnreadable, func(t *testing.T, dir string, rows map[string]string) {
		write(t, dir, "P3_m.png", "text")
	}, []string{"error mask-unreadable 4"}},
	{"size mismatch", SizeMismatch, func(t *testing.T, dir string, rows map[string]string) {
		writePNG(t, filepath.Join(dir, "P1_m.png"), box(w, h+1, soundBox, 255))
	}, []string{"error size-mismatch 2"}},
	{"width differs", TableSize, func(t *testing.T, dir string, rows map[string]string) {
		rows["P1"], rows["P2"] = "P1|P1.png|P1_m.png|A|0|97|72|", "P2|P2.png|P2_m.png|A|1|96|72|"
	}, []string{"warning table-size-differs 2"}},
	{"empty mask", MaskEmpty, func(t *testing.T, dir string, rows map[string]string) {
		writePNG(t, filepath.Join(dir, "P1_m.png"), box(w, h, image.Rectangle{}, 255))
	}, []string{"error mask-empty 2"}},
	{"mask at the edge", MaskEdge, func(t *testing.T, dir string, rows map[string]string) {
		writePNG(t, filepath.Join(dir, "P1_m.png"), box(w, h, image.Rect(80, 20, w, 40), 255))
	}, []string{"warning mask-touches-edge 2"}},
	{"two labels", MaskNonBinary, func(t *testing.T, dir string, rows map[string]string) {
		m := box(w, h, soundBox, 255)
		m.SetGray(lesion+1, lesion+1, color.Gray{Y: 200})
		writePNG(t, filepath.Join(dir, "P1_m.png"), m)
	}, []string{"warning mask-not-binary 2"}},
	{"other spacing", SpacingDiffers, func(t *testing.T, dir string, rows map[string]string) {
		mask, _, err := roi.ReadMask(filepath.Join(dir, "P1_m.png"))
		if err != nil {
			t.Fatal(err)
		}
		for name, mm := range map[string]float64{"P1.nii.gz": 0.08, "P2.nii.gz": 0.1} {
			if err := roi.WriteNIfTI(filepath.Join(dir, name), mask, [2]float64{mm, mm}); err != nil {
				t.Fatal(err)
			}
		}
		rows["P1"], rows["P2"] = "P1|P1.png|P1.nii.gz|A|0|||0.08", "P2|P2.png|P2.nii.gz|A|1|||0.08"
	}, []string{"warning spacing-differs 3"}},
	{"same pixels, other outcome", DuplicateExact, func(t *testing.T, dir string, rows map[string]string) {
		copyFile(t, dir, "P1.png", "P2.png")
	}, []string{"error duplicate-exact 3"}},
	{"same file, other centre", DuplicateExact, func(t *testing.T, dir string, rows map[string]string) {
		rows["P3"] = "P3|P1.png|P3_m.png|B|0|||"
	}, []string{"error duplicate-exact 4"}},
	{"same pixels, same patient", DuplicateExact, func(t *testing.T, dir string, rows map[string]string) {
		copyFile(t, dir, "P1.png", "again.png")
		rows["P1"] += "\nP1|again.png|P1_m.png|A|0|||"
	}, []string{"warning duplicate-exact 3"}},
	{"recompressed, other outcome", DuplicateNear, func(t *testing.T, dir string, rows map[string]string) {
		recompress(t, dir, "P1.png", "P2.png")
	}, []string{"error duplicate-near 3"}},
	{"recompressed, same outcome and centre", DuplicateNear, func(t *testing.T, dir string, rows map[string]string) {
		recompress(t, dir, "P1.png", "P2.png")
		rows["P2"], rows["P3"] = "P2|P2.png|P2_m.png|A|0|||", "P3|P3.png|P3_m.png|B|1|||"
	}, []string{"warning duplicate-near 3"}},
	{"similar frames of one lesion", DuplicateNear, func(t *testing.T, dir string, rows map[string]string) {
		recompress(t, dir, "P1.png", "again.png")
		rows["P1"] += "\nP1|again.png|P1_m.png|A|0|||"
	}, nil},
}

func copyFile(t *testing.T, dir, from, to string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, from))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, to, string(b))
}

// recompress stores an image as a JPEG of quality 60 (under a .png name: content decides).
func recompress(t *testing.T, dir, from, to string) {
	t.Helper()
	g, _, err := imaging.Decode(filepath.Join(dir, from))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, to))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := jpeg.Encode(f, &image.Gray{Pix: g.Pix, Stride: g.W, Rect: image.Rect(0, 0, g.W, g.H)}, &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
}

func TestFileFindings(t *testing.T) {
	for _, k := range fileCases {
		t.Run(k.name, func(t *testing.T) {
			c := study(t, func(dir string, rows map[string]string) { k.damage(t, dir, rows) })
			got, err := Check(context.Background(), c, CheckConfig{Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(codes(got), k.want) {
				t.Errorf("found %+v, want %v", got, k.want)
			}
			for _, f := range got {
				if f.Path == "" || f.Patient == "" || filepath.Base(f.File) != "cohort.csv" || !strings.Contains(f.Message, `.`) {
					t.Errorf("finding without file or patient: %+v", f)
				}
			}
			if (Err(got) != nil) != slices.ContainsFunc(got, func(f Finding) bool { return f.Severity == SeverityError }) {
				t.Error("Err does not follow the findings")
			}
		})
	}
}

// TestDuplicatesAcrossSets: with splits, sets decide instead of centres.
func TestDuplicatesAcrossSets(t *testing.T) {
	c := study(t, func(dir string, rows map[string]string) { copyFile(t, dir, "P1.png", "P3.png") })
	for _, k := range []struct {
		set  string
		fold int
		want string
	}{{SetInternal, -1, "error duplicate-exact 4"}, {SetTrain, 1, "warning duplicate-exact 4"}, {SetTrain, 0, "warning duplicate-exact 4"}} {
		s := &Splits{Patients: []Assignment{{"P1", SetTrain, 0}, {"P2", SetTrain, 1}, {"P3", k.set, k.fold}, {"P4", SetTrain, 1}}}
		got, err := Check(context.Background(), c, CheckConfig{Splits: s})
		if err != nil || !slices.Equal(codes(got), []string{k.want}) {
			t.Errorf("%+v: %v %v", k, codes(got), err)
		}
		if fold := strings.Contains(got[0].Message, "another fold"); fold != (k.fold == 1) {
			t.Errorf("fold %d: %s", k.fold, got[0].Message)
		}
	}
}

// TestNoNearDuplicates: a negative NearBits keeps the exact ones only.
func TestNoNearDuplicates(t *testing.T) {
	c := study(t, func(dir string, rows map[string]string) { recompress(t, dir, "P1.png", "P2.png") })
	if got, err := Check(context.Background(), c, CheckConfig{NearBits: -1}); err != nil || len(got) > 0 {
		t.Errorf("%v %v", codes(got), err)
	}
}

// TestCheckIsTheSameForAnyWorkers also sees every image in the progress and keeps the tables' findings.
func TestCheckIsTheSameForAnyWorkers(t *testing.T) {
	c := study(t, func(dir string, rows map[string]string) {
		copyFile(t, dir, "P1.png", "P2.png")
		os.Remove(filepath.Join(dir, "P4_m.png"))
		rows["P1"] = "P1|P1.png|P1_m.png|A|0|||0"
	})
	var want []string
	for _, workers := range []int{1, 2, 7} {
		var steps []int
		got, err := Check(context.Background(), c, CheckConfig{Workers: workers, Progress: func(done, total int) {
			steps = append(steps, done*10+total)
		}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(steps, []int{14, 24, 34, 44}) {
			t.Errorf("progress %v", steps)
		}
		if want == nil {
			want = codes(got)
		}
		if !slices.Equal(codes(got), want) || want[0] != "error pixel-size-impossible 2" || len(want) != 3 {
			t.Errorf("%d workers: %v, one worker: %v", workers, codes(got), want)
		}
	}
}

func TestCheckCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Check(ctx, study(t, nil), CheckConfig{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSoundStudyHasNoFindings(t *testing.T) {
	got, err := Check(context.Background(), study(t, nil), CheckConfig{})
	if err != nil || len(got) > 0 {
		t.Errorf("%+v %v", got, err)
	}
}

// TestEveryCodeHasACase reads the codes from finding.go.
func TestEveryCodeHasACase(t *testing.T) {
	tested := []Code{OutcomeOutside, OneOutcome} // TestOutcomes, TestOneOutcome
	for _, k := range tableCases {
		tested = append(tested, k.code)
	}
	for _, k := range fileCases {
		tested = append(tested, k.code)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "finding.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); ok && id.Name == "Code" {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil || !slices.Contains(tested, Code(code)) {
				t.Errorf("%s (%s) has no case", spec.Names[0].Name, code)
			}
		}
		return true
	})
}
