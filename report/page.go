package report

import (
	"embed"
	"encoding/base64"
	"html/template"
	"strings"

	"sonotype/report/chart"
)

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").ParseFS(files, "templates/*.html"))

// embeddedCSV is the largest table, in bytes, that travels inside the page; larger ones are only named.
const embeddedCSV = 300_000

// pageView is what the templates show.
type pageView struct {
	*Study
	CSS             template.CSS
	Headline, Unit  string
	Hash            string // the data hash's first twelve digits
	Glance          []glanceRow
	Flow            []figureView
	Excluded        []exclusion
	Table1, Table2  *baseline
	ImageFigures    []figureView
	Gallery         []galleryPart
	MapLegend       bool       // the gallery draws Grad-CAM maps
	MapChecks       []mapCheck // whether they depend on what was learnt
	LearningRows    []learningRow
	KeptWhy         []string // how the kept epochs were chosen
	LearningFigures []figureView
	FeatureRows     []featureRow
	FeatureFigures  []figureView
	Models          modelsView
	Performance     [][]figureView
	Details         []detailView
	Measures        measuresView
	PublishedRows   []publishedView
	Missing         []string // sets that the study lacks
	SurvivalFigures []figureView
	SurvivalTables  survivalView
	CSV             map[string]download // by table name
	PrimaryTitle    string
	Honest          honestyView
	Agree           agreementView
	ClinicalPart    clinicalView
	Varied          robustnessView
}

// figureView is a figure as the page shows it.
type figureView struct {
	Number, Title, Caption string
	SVG                    template.HTML
	CSV                    download
	Wide                   bool
}

// download is a table that the page carries, or only names when it is large.
type download struct {
	Name string
	URI  template.URL
}

func newDownload(name string, t table) download {
	d := download{Name: name + ".csv"}
	if b := t.bytes(); len(b) <= embeddedCSV {
		d.URI = template.URL("data:text/csv;charset=utf-8;base64," + base64.StdEncoding.EncodeToString(b))
	}
	return d
}

// featureRow is stage 05 for one feature set in numbers.
type featureRow struct {
	Name                                     string
	Images, Inputs, PCA, AfterSpearman, Kept int
	Lambda, Note                             string
}

func (s *Study) page(x sections, gallery []galleryPart) *pageView {
	v := &pageView{Study: s, Headline: Headline(s), Unit: s.unit(), Hash: s.DataHash[:min(12, len(s.DataHash))], Glance: s.glance(), Excluded: s.exclusions(),
		Table1: newBaseline(s.Table1), Table2: newBaseline(s.Table2), Gallery: gallery, MapLegend: s.Images.hasMaps(), MapChecks: s.Images.mapChecks(), LearningRows: s.learningRows(), KeptWhy: s.keptWhy(), Models: s.modelsView(), Details: s.details(), Measures: s.measuresView(), PublishedRows: s.published(), Missing: s.missing(),
		Flow: views(x.patients), ImageFigures: views(x.images), LearningFigures: views(x.learning), FeatureFigures: views(x.features), SurvivalFigures: views(x.survival), PrimaryTitle: strings.TrimPrefix(s.Primary.title(), "the ")}
	css, _ := files.ReadFile("templates/style.css") // embedded, so it is there
	v.CSS = template.CSS(string(css) + chart.Style())
	for _, row := range x.performance {
		v.Performance = append(v.Performance, views(row))
	}
	for _, f := range s.FeatureSets {
		if sel, ok := s.Selection[f]; ok {
			v.FeatureRows = append(v.FeatureRows, featureRow{featureName(f), sel.Images, sel.Inputs, sel.PCA, sel.AfterSpearman, len(sel.Kept), significant(sel.Lambda), sel.Note})
		}
	}
	v.SurvivalTables = s.survivalView()
	v.Honest = s.honestyView(x.honesty)
	v.Agree = s.agreementView(x.readers)
	v.Varied = s.robustnessView(x.robustness)
	v.ClinicalPart = s.clinicalView(x.nomogram, x.clinical)
	v.CSV = map[string]download{}
	for _, t := range s.tables() {
		v.CSV[t.name] = newDownload(t.name, t.table)
	}
	return v
}

func views(figures []figure) []figureView {
	var out []figureView
	for _, f := range figures {
		out = append(out, figureView{Number: f.number, Title: f.title, Caption: f.caption, SVG: template.HTML(f.canvas.Inline()), CSV: newDownload(f.id, f.data), Wide: f.wide})
	}
	return out
}

// missing says which sets the study lacks, and with them which figures.
func (s *Study) missing() []string {
	var out []string
	if _, ok := s.set(setInternal); !ok {
		out = append(out, "The study has no internal test set, so figures 2A–D are not drawn.")
	}
	if _, ok := s.set(setExternal); !ok {
		out = append(out, "The study has no external test set, so figures 3A–D are not drawn and nothing here says how the model does at another centre.")
	}
	return out
}
