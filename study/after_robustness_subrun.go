package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/report"
)

// variation is the study run again, up to its scores, with one decision changed.
type variation struct {
	name   string // of its folder
	words  string // what is changed, for progress
	change func(p *Plan)
	splits *cohort.Splits // that it takes over; nil: its own
	frozen bool           // the study's networks are kept
}

// subLine are the stages that lead to the scores.
func subLine() []*stage {
	all := line()
	return all[:1+slices.IndexFunc(all, func(s *stage) bool { return s.name == "classify" })]
}

// vary runs the nth of so many variations in a folder of its own, where it goes on if it was stopped. Only the primary
// model's classifier is fitted. A variation that the data do not allow gives a problem.Error.
func (r *Run) vary(ctx context.Context, v variation, key report.Key, nth, of int) (*Run, error) {
	p := r.Plan
	p.Classify.Models, p.Classify.Primary = []string{key.Model}, key.String()
	v.change(&p)
	if err := p.validate(""); err != nil {
		return nil, err
	}
	o := r.Options
	o.RunDir, o.Evidence = filepath.Join(r.RunDir, robustnessDir, v.name), Evidence{}
	o.Observer = &partObserver{Observer: r.Observer, words: v.words, nth: nth, of: of}
	sub := &Run{Plan: p, Options: o, digests: map[string]string{}, seconds: map[string]float64{}, parent: r, given: v.splits}
	if err := os.MkdirAll(o.RunDir, 0o755); err != nil {
		return nil, err
	}
	if err := sweep(o.RunDir); err != nil {
		return nil, err
	}
	if err := artifact.WriteJSON(filepath.Join(o.RunDir, "plan.json"), p); err != nil {
		return nil, err
	}
	known := lockBook{}
	if err := artifact.ReadJSON(filepath.Join(o.RunDir, lockFile), &known); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := sub.readTiming(); err != nil {
		return nil, err
	}
	defer sub.cache.close()
	for _, s := range subLine() {
		if s.name == "finetune" && v.frozen {
			if err := sub.keepNetworks(s); err != nil {
				return nil, err
			}
			continue
		}
		if err := sub.step(ctx, s, known); err != nil {
			return nil, err
		}
	}
	sub.key = r.key // of what it is read for
	return sub, nil
}

// keepNetworks takes the networks of the study instead of training others.
func (r *Run) keepNetworks(s *stage) error {
	from, to := r.parent.dir(s.number, s.name), r.dir(s.number, s.name)
	var rec record
	if err := artifact.ReadJSON(filepath.Join(from, recordFile), &rec); err != nil {
		return err
	}
	if err := removeStale(to); err != nil {
		return err
	}
	for name := range rec.Outputs {
		name = filepath.FromSlash(name)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
			return err
		}
		if err := artifact.Copy(filepath.Join(to, name), filepath.Join(from, name)); err != nil {
			return err
		}
	}
	r.digests[s.name] = rec.Digest
	return artifact.WriteJSON(filepath.Join(to, recordFile), rec)
}

// newSplits divides the patients, or takes over the division of the study that is varied.
func (r *Run) newSplits(c *cohort.Cohort) (*cohort.Splits, error) {
	if r.given != nil {
		return r.given, r.given.Covers(c)
	}
	return cohort.Split(c, r.Plan.splitConfig(), r.Plan.Seed)
}

// whyNot is what a variation that the data do not allow is noted with; other errors stop everything.
func whyNot(err error) (note string, stop error) {
	var changed *ErrTampered
	if p, ok := problem.As(err); ok && !errors.As(err, &changed) && !errors.Is(err, context.Canceled) {
		note = p.What
		if p.Found != "" {
			note += " (" + p.Found + ")"
		}
		return note, nil
	}
	return "", err
}

// partObserver shows the stages of a variation within the progress line of all of them.
type partObserver struct {
	Observer
	words   string
	nth, of int
	stage   int
}

// steps of a variation's progress.
const partSteps = 1000

// StageStarted implements Observer.
func (o *partObserver) StageStarted(number int, name string) {
	o.stage = number
	o.Observer.Say(fmt.Sprintf("%s: %02d %s", o.words, number, name), false)
	o.Progress(0, 1)
}

// Progress implements Observer.
func (o *partObserver) Progress(done, total int) {
	stages := len(subLine())
	part := (o.stage - 1) * partSteps / stages
	o.Observer.Progress(o.nth*partSteps+part+partSteps*done/(max(total, 1)*stages), o.of*partSteps)
}

// Say implements Observer.
func (o *partObserver) Say(words string, lasting bool) { o.Observer.Say(o.words+": "+words, lasting) }

// StageDone implements Observer.
func (o *partObserver) StageDone(int, string, bool, time.Duration) {}
