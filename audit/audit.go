package audit

import (
	"context"
	"fmt"
)

// Run audits a paper. The same paper gives the same report.
func Run(ctx context.Context, p *Paper) (*Report, error) {
	r := &Report{Title: p.Title, Reference: p.Reference, Seed: p.Seed, Counts: map[string]int{}}
	for i := range p.Totals {
		r.total(&p.Totals[i])
	}
	for i := range p.Shares {
		r.share(&p.Shares[i])
	}
	for i := range p.Tables {
		if err := r.table(ctx, &p.Tables[i], p.Seed); err != nil {
			return nil, err
		}
	}
	r.acrossTables(p)
	for i := range p.Sets {
		r.set(&p.Sets[i])
	}
	for i := range p.Models {
		if err := r.models(ctx, &p.Models[i], p.Seed); err != nil {
			return nil, err
		}
	}
	for i := range p.Survival {
		r.contrast(&p.Survival[i])
	}
	return r, nil
}

// set checks that the classes add up to the set, where the paper prints all three.
func (r *Report) set(s *Set) {
	switch s.printed {
	case 0:
	case s.N.N:
		r.add("sum", s.Name, Agrees, fmt.Sprintf("The classes add up to the %d patients of the set.", s.N.N))
	default:
		r.add("sum", s.Name, Contradiction, fmt.Sprintf("The classes add up to %d patients, the set has %d.", s.N.N, s.printed))
	}
}

// models audits the models that were compared on one set.
func (r *Report) models(ctx context.Context, g *Models, seed uint64) error {
	for i := range g.Models {
		m := &g.Models[i]
		res := ModelResult{Group: g.Name, Set: g.Set, Model: m.Name, N: g.set.N.N, Positive: g.set.Positive.N}
		r.confusion(g, m, &res)
		r.accuracy(g, m, &res)
		r.auc(g, m, &res)
		r.Models = append(r.Models, res)
	}
	return r.best(ctx, g, seed)
}
