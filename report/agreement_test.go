package report

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"sonotype/agreement"
	"sonotype/evaluate"
	"sonotype/internal/num"
)

// sampleAgreement is a plausible agreement section, made of drawn numbers through the packages that compute.
func sampleAgreement(t testing.TB) Agreement {
	r := rand.New(rand.NewPCG(12, 1))
	var g Agreement
	for _, set := range []string{"internal", "external"} {
		n := 239
		scores, labels, group := make([]float64, n), make([]int, n), make([]int, n)
		for i := range scores {
			labels[i], group[i] = min(1, r.IntN(3)), r.IntN(3)
			scores[i] = 1 / (1 + math.Exp(-r.NormFloat64()-1.4*float64(labels[i])*float64(group[i])/2))
		}
		x := SubgroupSet{Set: set, Title: map[string]string{"internal": "Internal test", "external": "External test"}[set]}
		var p []num.Float
		for _, v := range []string{"device", "age", "subtype"} {
			by := must[evaluate.Subgroups](t)(evaluate.BySubgroup(v, scores, labels, group, map[string][]string{
				"device": {"Philips", "Toshiba", "Other"}, "age": {"under 40", "40 to under 60", "60 or more"}, "subtype": {"HR+/HER2−", "HER2+", "triple negative"},
			}[v], 0.5))
			x.Variables = append(x.Variables, SubgroupVariable{Subgroups: by, Rule: "the column " + v})
			p = append(p, by.AUCs.P)
			group[r.IntN(n)] = -1
		}
		for i, adjusted := range evaluate.Holm(p) {
			x.Variables[i].AUCHolm = adjusted
		}
		g.Subgroups.Sets = append(g.Subgroups.Sets, x)
	}
	g.Subgroups.LeftOut = []string{"size: no size known"}
	g.Marks = []Mark{
		{Set: "internal", Title: "Internal test", Units: [2]int{81, 158}, Marked: [2]int{20, 60}, Odds: 1.86, Lo: .99, Hi: 3.6, P: .049},
		{Set: "external", Title: "External test", Units: [2]int{38, 95}, Marked: [2]int{0, 4}, Odds: num.NaN(), Lo: .26, Hi: num.NaN(), Open: true, P: .32, Note: "the odds ratio is infinite: a count is zero"},
	}
	g.Readers = sampleReaders(r)
	return g
}

func sampleReaders(r *rand.Rand) *Readers {
	draw := func(mean, sd float64) agreement.Quantity {
		v := make([]float64, 60)
		for i := range v {
			v[i] = max(0, mean+sd*r.NormFloat64())
		}
		return agreement.Describe(v)
	}
	iccs := make([]float64, 1664)
	for i := range iccs {
		iccs[i] = 1 - r.ExpFloat64()*.2
	}
	iccs[3] = math.NaN()
	none := agreement.Describe(nil)
	return &Readers{
		Names: []string{"Ana", "Bo", "Cai"}, Cases: 60, Bound: 0.75,
		Pairs: []agreement.Pair{
			{A: "Ana", B: "Bo", Images: 60, Dice: draw(.88, .03), Hausdorff95: draw(9, 2), MM: draw(.7, .1)},
			{A: "Ana", B: "Cai", Images: 60, Dice: draw(.8, .05), Hausdorff95: draw(14, 4), MM: none},
		},
		Regions:    []ReaderRegion{{"ta", agreement.Summarise(iccs), 300}, {"pta", agreement.Summarise(iccs[:900]), 200}},
		Components: []ReaderComponent{{"ta_001", agreement.ICC{Cases: 60, Readers: 3, ICC: .9, Lo: .84, Hi: .93}}, {"pta_014", agreement.ICC{Cases: 60, Readers: 3, ICC: num.NaN(), Lo: num.NaN(), Hi: num.NaN(), Note: "the ratings do not vary"}}},
		Score:      &ReaderScore{agreement.ICC{Cases: 60, Readers: 3, ICC: .83, Lo: .74, Hi: .9}, 7},
	}
}

func TestAgreementSections(t *testing.T) {
	s := sampleStudy(t)
	s.Agreement = sampleAgreement(t)
	files := write(t, "agreement", s)
	checkFiles(t, files)
	page := files["report.html"]
	for _, want := range []string{
		"Subgroups", "Molecular subtype", "triple negative", "Holm", "Not shown: size: no size known.",
		"Burnt-in marks and the outcome", "0.260–∞", "60 of 158",
		"Several readers", "Ana and Bo", "ICC of 0.830 (95 % CI 0.740–0.900)", "in 7 of 60 cases",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, name := range []string{"tables/subgroups.csv", "tables/marks.csv", "tables/readers-outlines.csv", "tables/readers-icc-inputs.csv", "figures/readers-icc.svg", "tables/readers-icc.csv"} {
		if files[name] == "" {
			t.Errorf("no %s", name)
		}
	}
}

func TestHostileTextInAgreement(t *testing.T) {
	evil := `<script>alert("x")</script>&"'` + "\x00" + strings.Repeat("long", 40)
	s := sampleStudy(t)
	s.Images, s.Survival, s.Learning = Images{}, nil, nil
	s.Agreement = sampleAgreement(t)
	v := &s.Subgroups.Sets[0].Variables[0]
	v.Variable, v.Rule, v.Levels[0].Level, v.AUCs.Note = evil, evil, evil, evil
	s.Subgroups.LeftOut, s.Subgroups.Sets[0].Title, s.Marks[0].Title, s.Marks[0].Note = []string{evil}, evil, evil, evil
	s.Readers.Names[0], s.Readers.Pairs[0].A, s.Readers.Note, s.Readers.Components[0].Name = evil, evil, evil, evil
	files := write(t, "hostile-agreement", s)
	checkFiles(t, files)
	if strings.Contains(files["report.html"], "<script") || strings.Contains(files["figures/readers-icc.svg"], "<script") {
		t.Error("unescaped markup")
	}
}

func TestAgreementMayLack(t *testing.T) {
	for name, take := range map[string]func(g *Agreement){
		"no-readers": func(g *Agreement) { g.Readers = nil },
		"one-case": func(g *Agreement) {
			g.Readers.Regions, g.Readers.Components, g.Readers.Score, g.Readers.Note = nil, nil, nil, "fewer than two cases"
		},
		"no-marks":  func(g *Agreement) { g.Marks[0].Marked, g.Marks[1].Marked = [2]int{}, [2]int{} },
		"no-groups": func(g *Agreement) { g.Subgroups.Sets = nil },
		"no-score": func(g *Agreement) {
			g.Readers.Score = &ReaderScore{agreement.ICC{ICC: num.NaN(), Lo: num.NaN(), Hi: num.NaN(), Note: "the ratings do not vary"}, 0}
		},
		"few": func(g *Agreement) {
			v := &g.Subgroups.Sets[0].Variables[0]
			v.Levels = v.Levels[:1]
			v.Levels[0].AUC, v.Levels[0].AUCLo, v.Levels[0].AUCHi, v.Levels[0].Sensitivity = num.NaN(), num.NaN(), num.NaN(), num.NaN()
			v.AUCs.P, v.AUCHolm, v.Interaction.P, v.Interaction.Note = num.NaN(), num.NaN(), num.NaN(), "fewer than two levels"
		},
	} {
		s := sampleStudy(t)
		s.Images, s.Survival, s.Learning = Images{}, nil, nil
		s.Agreement = sampleAgreement(t)
		take(&s.Agreement)
		checkFiles(t, write(t, name, s))
	}
}
