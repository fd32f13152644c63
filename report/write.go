package report

import (
	"io"
	"path/filepath"
	"slices"

	"sonotype/internal/artifact"
)

// Write fills dir with report.html (one file that needs nothing else), figures/*.svg and tables/*.csv.
// A figure and its table have one name. progress, which may be nil, counts files and gallery cases.
func Write(dir string, s *Study, progress func(done, total int)) error {
	sections := s.sections()
	figures, tables := sections.all(), s.tables()
	total, done := 2*len(figures)+len(tables)+1, 0
	for _, p := range s.Images.Parts {
		total += len(p.Cases)
	}
	step := func() {
		if done++; progress != nil {
			progress(min(done, total), total)
		}
	}
	for _, f := range figures {
		tables = append(tables, namedTable{f.id, f.data})
		if err := artifact.WriteBytes(filepath.Join(dir, "figures", f.id+".svg"), f.canvas.File()); err != nil {
			return err
		}
		step()
	}
	for _, t := range tables {
		if err := artifact.WriteBytes(filepath.Join(dir, "tables", t.name+".csv"), t.bytes()); err != nil {
			return err
		}
		step()
	}
	gallery, err := s.gallery(step)
	if err != nil {
		return err
	}
	view := s.page(sections, gallery)
	if err := artifact.Write(filepath.Join(dir, "report.html"), func(w io.Writer) error { return templates.ExecuteTemplate(w, "page.html", view) }); err != nil {
		return err
	}
	if progress != nil {
		progress(total, total)
	}
	return nil
}

// sections holds the figures by where they stand.
type sections struct {
	patients, images, learning, features []figure
	performance                          [][]figure // a row of panels, one per shown set
	survival, honesty                    []figure
	nomogram, clinical                   []figure
	readers                              []figure
	robustness                           robustnessFigures
}

func (s *Study) sections() sections {
	out := sections{patients: []figure{s.flow()}, images: s.imageFigures(), learning: s.learningFigures(), honesty: s.honestyFigures(), nomogram: s.nomogram(), clinical: s.clinicalFigures(), readers: s.readerFigures(), robustness: s.robustnessFigures()}
	out.features = append(append(s.lassoFigures(), s.trainingROC()...), s.scree()...)
	panels := []func(Set) figure{
		func(set Set) figure { return s.roc(set, numbered(set, "A")) },
		func(set Set) figure { return s.confusion(set, numbered(set, "B")) },
		func(set Set) figure { return s.distribution(set, numbered(set, "C")) },
		func(set Set) figure { return s.decision(set, numbered(set, "D")) },
		s.calibration,
	}
	for i, panel := range panels {
		var row []figure
		for _, set := range s.shown() {
			if _, ok := set.Results[s.Primary]; !ok || i == 0 && set.Name == setTrain {
				continue // the training ROC is figure 1D
			}
			row = append(row, panel(set))
		}
		if len(row) > 0 {
			out.performance = append(out.performance, row)
		}
	}
	out.survival = s.followUpFigures()
	return out
}

func (x sections) all() []figure {
	out := slices.Concat(x.patients, x.images, x.learning, x.features)
	for _, row := range x.performance {
		out = append(out, row...)
	}
	return slices.Concat(out, x.nomogram, x.clinical, x.survival, x.robustness.all(), x.readers, x.honesty)
}
