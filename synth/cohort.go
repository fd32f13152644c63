package synth

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"sonotype/internal/rng"
)

// Cutoff is the percentage above which Ki-67 counts as high, the paper's.
const Cutoff = 20.0

// Counts of the paper (Tables 1 and 2) that every cohort size is scaled from.
const (
	paperA, paperHighA = 796, 567 // centre A: training and internal test set
	paperB, paperHighB = 133, 95  // centre B: external test set
)

// factor is one categorical row of Table 1: its counts in the low and the high Ki-67 group.
type factor struct {
	name      string
	levels    []string
	low, high []int
	block     int     // factors of one block hang together, in level order
	loading   float64 // correlation of the factor's latent score with its block
}

const (
	blockStage = iota
	blockHormone
	blockGrowth
	blocks
)

var table1 = []factor{
	{"t_stage", []string{"1", "2", "3", "4"}, []int{62, 155, 26, 24}, []int{180, 373, 59, 50}, blockStage, 0.6},
	{"n_stage", []string{"0", "1", "2"}, []int{171, 59, 37}, []int{420, 185, 57}, blockStage, 0.7},
	{"m_stage", []string{"0", "1"}, []int{253, 14}, []int{618, 44}, blockStage, 0.6},
	{"egfr", []string{"negative", "low", "high"}, []int{222, 44, 1}, []int{489, 164, 9}, blockGrowth, 0.4},
	{"er", []string{"negative", "positive"}, []int{76, 191}, []int{338, 324}, blockHormone, 0.9},
	{"her2", []string{"negative", "low", "high"}, []int{108, 121, 38}, []int{210, 248, 204}, blockGrowth, 0.4},
	{"pr", []string{"negative", "low", "high"}, []int{65, 139, 63}, []int{311, 261, 90}, blockHormone, 0.9},
}

// patient is one row of the table without its image.
type patient struct {
	id, centre     string
	high           bool
	score          float64 // normal score of Ki-67
	ki67           float64 // percent, one decimal
	age            int
	height, weight float64 // cm, kg
	factors        map[string]string
	dfsMonths      float64 // NaN where the patient has no disease-free start (M1)
	dfsEvent       bool
}

// drawCohort draws n patients, centre A first. The counts of centre, Ki-67 group and every row of Table 1
// are the paper's scaled to n (exactly the paper's at n = 929); who gets which is random.
func drawCohort(n int, seed uint64) []patient {
	r := rng.Stream(seed, "synth", "cohort")
	nB := scale(n, paperB, paperA+paperB)
	groups := drawGroups(n-nB, nB, r)
	patients := make([]patient, n)
	for i := range patients {
		centre, k := "A", i
		if i >= n-nB {
			centre, k = "B", i-(n-nB)
		}
		p := &patients[i]
		*p = patient{id: fmt.Sprintf("%s%04d", centre, k+1), centre: centre, high: groups[i], factors: map[string]string{}}
		p.drawKi67(r)
		p.drawBody(r)
	}
	for _, high := range []bool{false, true} {
		drawFactors(patients, high, r)
	}
	for i := range patients {
		patients[i].drawFollowUp(r)
	}
	return patients
}

// scale returns n*part/whole to the nearest whole number.
func scale(n, part, whole int) int {
	return int(math.Round(float64(n) * float64(part) / float64(whole)))
}

// drawGroups shuffles the scaled counts of high Ki-67 inside each centre.
func drawGroups(nA, nB int, r *rand.Rand) []bool {
	groups := make([]bool, nA+nB)
	a, b := groups[:nA], groups[nA:]
	for i := range scale(nA, paperHighA, paperA) {
		a[i] = true
	}
	for i := range scale(nB, paperHighB, paperB) {
		b[i] = true
	}
	r.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
	r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return groups
}

// drawKi67 draws the quantile of Ki-67 inside the patient's group, hence its percentage and its normal score.
// The share of low patients is the paper's; inside the groups the curve is ours: median 12 % low, 42 % high.
func (p *patient) drawKi67(r *rand.Rand) {
	share := 1 - float64(paperHighA+paperHighB)/float64(paperA+paperB)
	u := r.Float64()
	q := share * u
	p.ki67 = max(1, round1(Cutoff*math.Pow(u, 0.75)))
	if p.high {
		q = share + (1-share)*u
		p.ki67 = min(95, max(Cutoff+0.1, round1(Cutoff+75*math.Pow(u, 1.8))))
	}
	p.score = math.Sqrt2 * math.Erfinv(2*min(max(q, 1e-6), 1-1e-6)-1)
}

// drawBody draws age, height and weight with the paper's means and SDs; height and weight correlate
// at 0.25 so that the body-mass index comes out with the paper's 23.1 (3.5).
func (p *patient) drawBody(r *rand.Rand) {
	const heightWeight = 0.25
	p.age = int(math.Round(min(86, max(24, 53+10.2*r.NormFloat64()))))
	h := r.NormFloat64()
	w := heightWeight*h + math.Sqrt(1-heightWeight*heightWeight)*r.NormFloat64()
	p.height = round1(min(180, max(138, 156.5+6.7*h)))
	mean := 55.9
	if p.high {
		mean = 56.6
	}
	p.weight = round1(min(105, max(35, mean+8.2*w)))
}

func (p *patient) bmi() float64 {
	m := p.height / 100
	return p.weight / (m * m)
}

// drawFactors gives the patients of one Ki-67 group the scaled counts of every row of Table 1. Levels go by the
// rank of a latent score, and scores of one block share a component, so ER goes with PR and T with N and M.
func drawFactors(patients []patient, high bool, r *rand.Rand) {
	var members []int
	for i, p := range patients {
		if p.high == high {
			members = append(members, i)
		}
	}
	shared := make([][blocks]float64, len(patients))
	for _, i := range members {
		for b := range blocks {
			shared[i][b] = r.NormFloat64()
		}
	}
	latent := make([]float64, len(patients))
	for _, f := range table1 {
		for _, i := range members {
			latent[i] = f.loading*shared[i][f.block] + math.Sqrt(1-f.loading*f.loading)*r.NormFloat64()
		}
		order := slices.Clone(members)
		slices.SortFunc(order, func(i, j int) int { return cmp.Or(cmp.Compare(latent[i], latent[j]), i-j) })
		counts := f.low
		if high {
			counts = f.high
		}
		next := 0
		for level, k := range apportion(len(order), counts) {
			for range k {
				patients[order[next]].factors[f.name] = f.levels[level]
				next++
			}
		}
	}
}

// apportion splits n in the proportions of counts by largest remainders (earlier levels first among equals).
func apportion(n int, counts []int) []int {
	total := 0
	for _, c := range counts {
		total += c
	}
	out := make([]int, len(counts))
	order := make([]int, len(counts))
	left := n
	for i, c := range counts {
		out[i] = n * c / total
		order[i] = i
		left -= out[i]
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(n*counts[j]%total, n*counts[i]%total)
	})
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}

func round1(x float64) float64 { return math.Round(x*10) / 10 }
