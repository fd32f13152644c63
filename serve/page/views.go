package page

import (
	"encoding/json"
	"errors"
	"html/template"
	"math"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"sonotype/bundle"
	"sonotype/internal/num"
	"sonotype/serve"
	"sonotype/serve/store"
)

const pageLength = 50

// worklistView is the list of cases.
type worklistView struct {
	Cases        []listed
	Newer, Older int // offsets of the neighbouring pages; -1: none
	High         string
	Devices      []string
}

// listed is a case with its last prediction, if any.
type listed struct {
	store.Case
	Last *predicted
}

// predicted is a stored prediction with what the model said.
type predicted struct {
	store.Prediction
	Said bundle.Prediction
}

func (p *pages) worklist(w http.ResponseWriter, r *http.Request) {
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset")) // anything else is the first page
	offset = max(0, offset)
	cases, err := p.Store().Cases(r.Context(), offset, pageLength+1)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	card := p.Card()
	v := worklistView{Newer: -1, Older: -1, High: card.High, Devices: card.Contract.Devices}
	if offset > 0 {
		v.Newer = max(0, offset-pageLength)
	}
	if len(cases) > pageLength {
		v.Older, cases = offset+pageLength, cases[:pageLength]
	}
	for _, c := range cases {
		last, err := p.last(r, c.ID)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		v.Cases = append(v.Cases, listed{c, last})
	}
	p.render(w, r, "worklist", v)
}

// last is a case's newest prediction, nil where there is none.
func (p *pages) last(r *http.Request, id string) (*predicted, error) {
	stored, err := p.Store().LastPrediction(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := &predicted{Prediction: stored}
	return out, json.Unmarshal(stored.Result, &out.Said)
}

// addCase takes the work list's form.
func (p *pages) addCase(w http.ResponseWriter, r *http.Request) {
	u, err := serve.ReadUpload(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	c, err := p.AddCase(r.Context(), serve.ReaderOf(r.Context()).Name, u)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/cases/"+c.ID, http.StatusSeeOther)
}

// caseView is a case with its outlines and the newest prediction.
type caseView struct {
	store.Case
	Outlines   []store.Outline
	Last       *predicted
	Card       bundle.Card
	Discordant bool // the biopsy says otherwise than the model
	Concordant bool
	Scale      template.HTML // the probability, its interval
	Where      template.HTML // the score among those of the validation set
	Survival   template.HTML
	SurvivalP  num.Float
	Set        *bundle.ValidationSet // that the figures show
	Benefit    benefitView
}

// Measured is the biopsy's value; it is asked for only where there is one.
func (v *caseView) Measured() float64 { return *v.Biopsy }

func (p *pages) view(r *http.Request) (*caseView, error) {
	id := chi.URLParam(r, "case")
	v := &caseView{Card: p.Card(), SurvivalP: num.NaN()}
	var err error
	if v.Case, err = p.Store().Case(r.Context(), id); err != nil {
		return nil, err
	}
	if v.Outlines, err = p.Store().Outlines(r.Context(), id); err != nil {
		return nil, err
	}
	if v.Last, err = p.last(r, id); err != nil {
		return nil, err
	}
	if v.Last != nil {
		v.explain(p.figures(p.languageOf(r)))
	}
	return v, nil
}

// explain adds what surrounds a prediction that was made.
func (v *caseView) explain(f figures) {
	said := v.Last.Said
	if said.Abstained {
		return
	}
	v.Scale = f.scale(said)
	if b := v.Biopsy; b != nil && !v.Card.Cutoff.IsNaN() {
		v.Concordant = (*b > float64(v.Card.Cutoff)) == said.Positive
		v.Discordant = !v.Concordant
	}
	if v.Set = v.Card.Validation(); v.Set == nil {
		return
	}
	v.Where = f.where(*v.Set, said)
	v.Benefit = newBenefit(f, *v.Set, float64(v.Set.Performance.Positive)/math.Max(1, float64(v.Set.Performance.N)))
	if s := v.Set.Survival; s != nil {
		v.Survival, v.SurvivalP = f.survival(*s, said.Group), s.LogRankP
	}
}

func (p *pages) casePage(w http.ResponseWriter, r *http.Request)   { p.showCase(w, r, "case") }
func (p *pages) results(w http.ResponseWriter, r *http.Request)    { p.showCase(w, r, "results") }
func (p *pages) caseReport(w http.ResponseWriter, r *http.Request) { p.showCase(w, r, "report") }

func (p *pages) showCase(w http.ResponseWriter, r *http.Request, name string) {
	v, err := p.view(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.render(w, r, name, v)
}

func (p *pages) predict(w http.ResponseWriter, r *http.Request) {
	_, err := p.Predict(r.Context(), serve.ReaderOf(r.Context()).Name, chi.URLParam(r, "case"), r.PostFormValue("outline"))
	p.then(w, r, err)
}

// biopsy enters the measured marker.
func (p *pages) biopsy(w http.ResponseWriter, r *http.Request) {
	var value *float64
	if x, err := strconv.ParseFloat(r.PostFormValue("value"), 64); err == nil {
		value = &x
	}
	p.then(w, r, p.SetBiopsy(r.Context(), serve.ReaderOf(r.Context()).Name, chi.URLParam(r, "case"), value))
}

// then shows the results anew: as a part for htmx, else as the whole page.
func (p *pages) then(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case err != nil:
		p.fail(w, r, err)
	case r.Header.Get("HX-Request") != "":
		p.results(w, r)
	default:
		http.Redirect(w, r, "/cases/"+chi.URLParam(r, "case"), http.StatusSeeOther)
	}
}

func (p *pages) deleteCase(w http.ResponseWriter, r *http.Request) {
	if err := p.Store().DeleteCase(r.Context(), serve.ReaderOf(r.Context()).Name, chi.URLParam(r, "case")); err != nil {
		p.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// benefitView is the decision curve at the threshold probability that a reader chose.
type benefitView struct {
	At                  float64
	Model, All          num.Float // net benefit
	Title               string
	Figure              template.HTML
	More                num.Float // true positives a 100 patients more than by the better of treating all and none
	BetterThanReference bool
}

// Percent is the threshold as readers type it.
func (b benefitView) Percent() int { return int(math.Round(100 * b.At)) }

func newBenefit(f figures, set bundle.ValidationSet, at float64) benefitView {
	b := benefitView{At: math.Round(100*min(0.99, max(0.01, at))) / 100, Title: set.Title, Model: num.NaN(), All: num.NaN(), More: num.NaN()}
	if set.Decision == nil {
		return b
	}
	for _, q := range set.Decision.Points {
		if math.Abs(q.Threshold-b.At) < 0.005 {
			b.Model, b.All = num.Float(q.Model), num.Float(q.TreatAll)
		}
	}
	b.More = 100 * (b.Model - max(0, b.All))
	b.BetterThanReference = b.More > 0
	b.Figure = f.benefit(*set.Decision, b.At)
	return b
}

func (p *pages) benefit(w http.ResponseWriter, r *http.Request) {
	card := p.Card()
	at, err := strconv.ParseFloat(r.URL.Query().Get("at"), 64)
	set := card.Validation()
	if err != nil || !num.Finite(at) || set == nil {
		p.fail(w, r, store.ErrNotFound)
		return
	}
	p.render(w, r, "benefit", newBenefit(p.figures(p.languageOf(r)), *set, at/100))
}

// modelView is the model's card with its figures.
type modelView struct {
	Card bundle.Card
	Hash string
}

func (p *pages) modelView() modelView { return modelView{p.Card(), p.Hash()} }

// auditView is a page of the audit log, and whether the whole log holds together.
type auditView struct {
	Entries []store.Entry
	Count   int64
	Broken  string
	Older   int64
}

func (p *pages) audit(w http.ResponseWriter, r *http.Request) {
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // anything else is the newest page
	var v auditView
	var err error
	if v.Entries, err = p.Store().Audit(r.Context(), before, pageLength); err != nil {
		p.fail(w, r, err)
		return
	}
	if n := len(v.Entries); n == pageLength {
		v.Older = v.Entries[n-1].Seq
	}
	if v.Count, _, err = p.Store().VerifyAudit(r.Context()); err != nil {
		v.Broken = serve.Describe(serve.Rejected(err)).Found
	}
	p.render(w, r, "audit", v)
}

func (p *pages) readers(w http.ResponseWriter, r *http.Request) {
	all, err := p.Store().Readers(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.render(w, r, "readers", all)
}

func (p *pages) setReader(w http.ResponseWriter, r *http.Request) {
	if err := p.SetReader(r.Context(), serve.ReaderOf(r.Context()).Name, r.PostFormValue("name"), r.PostFormValue("role"), r.PostFormValue("password")); err != nil {
		p.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/readers", http.StatusSeeOther)
}

func (p *pages) removeReader(w http.ResponseWriter, r *http.Request) {
	if err := p.Store().RemoveReader(r.Context(), serve.ReaderOf(r.Context()).Name, r.PostFormValue("name")); err != nil {
		p.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/readers", http.StatusSeeOther)
}
