package report

import (
	"encoding/base64"
	"html/template"
	"io"

	"sonotype/evaluate"
	"sonotype/internal/artifact"
	"sonotype/report/chart"
)

// scoresPage is the report on a table of scores: one set, without images, features or training.
type scoresPage struct {
	*Study
	CSS             template.CSS
	Headline, Unit  string
	Measures        measuresView
	Patients        []figureView // who is in it, where that is known
	Panels          []figureView
	Compared        []otherScoreRow
	SurvivalFigures []figureView
	SurvivalTables  survivalView
	CSV             map[string]download
}

// otherScoreRow is DeLong's paired test of the score against another one of the same table.
type otherScoreRow struct {
	Against             string
	Own, Other, Gain, P valueCell
}

// WriteScores writes the report on the only set of s to one file that needs nothing else; compared holds the paired tests
// of its primary model against others, by their name.
func WriteScores(path string, s *Study, compared map[Key]evaluate.PairedAUC) error {
	set := s.Sets[0]
	v := &scoresPage{Study: s, Headline: s.headlineOf(set, "given"), Unit: s.unit(), Measures: s.measuresView(), SurvivalTables: s.survivalView(), CSV: map[string]download{}}
	v.Measures.Title = "All measures"
	if len(s.Flow.Tables) > 0 {
		v.Patients = embeddedViews([]figure{s.flow()})
	}
	css, _ := files.ReadFile("templates/style.css") // embedded, so it is there
	v.CSS = template.CSS(string(css) + chart.Style())
	roc := s.roc(set, "")
	roc.caption = "Sensitivity against false alarms for every possible threshold. An AUC of 0.5 is guessing, 1 is perfect."
	panels := []figure{roc, s.confusion(set, ""), s.distribution(set, "")}
	if r := set.Results[s.Primary]; r.Calibration.N > 0 {
		panels = append(panels, s.calibration(set), s.decision(set, ""))
	}
	v.Panels = embeddedViews(panels)
	for _, key := range s.keys() {
		if c, ok := compared[key]; ok {
			v.Compared = append(v.Compared, otherScoreRow{Against: ModelName(key.Model), Own: plain(c.AUC1, c.Note), Other: plain(c.AUC2, c.Note),
				Gain: signedCell(c.Difference, c.Lo, c.Hi, 3, c.Note), P: pCell(c.P, c.Note)})
		}
	}
	v.SurvivalFigures = embeddedViews(s.followUpFigures())
	tables := []namedTable{{"measures", s.measuresTable()}, {"plan", settingsTable(s.Plan)}}
	if len(s.Survival) > 0 {
		tables = append(tables, namedTable{"survival", s.survivalTable()}, namedTable{"survival-ranking", s.rankingTable()}, namedTable{"survival-cox", s.coxTable()})
	}
	for _, t := range tables {
		v.CSV[t.name] = embedded(t.name, t.table)
	}
	return artifact.Write(path, func(w io.Writer) error { return templates.ExecuteTemplate(w, "scores.html", v) })
}

// embeddedViews are figures whose tables all travel inside the page: there is no folder beside it.
func embeddedViews(figures []figure) []figureView {
	out := views(figures)
	for i, f := range figures {
		out[i].CSV = embedded(f.id, f.data)
	}
	return out
}

func embedded(name string, t table) download {
	return download{Name: name + ".csv", URI: template.URL("data:text/csv;charset=utf-8;base64," + base64.StdEncoding.EncodeToString(t.bytes()))}
}
