package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"sonotype/cohort"
	"sonotype/internal/artifact"
	"sonotype/internal/problem"
	"sonotype/nn"
)

// Observer is told how the line proceeds; the command line draws progress bars from it.
type Observer interface {
	StageStarted(number int, name string)
	Progress(done, total int)
	Say(words string, lasting bool) // what a long stage is doing; lasting: worth a line where no bar is drawn
	StageDone(number int, name string, reused bool, took time.Duration)
}

// Options are what may change a run's speed but not its results, and where things lie.
type Options struct {
	StudyDir string // folder of study.yaml; tables are relative to it
	RunDir   string // where results go
	Weights  string // folder of the weight store
	Jobs     int    // workers; 0 = all cores
	ISA      nn.ISA
	Version  string // of the program, for the report
	Observer Observer
	Evidence Evidence // beyond the line
}

// Run is one study being computed.
type Run struct {
	Plan Plan
	Options
	digests  map[string]string // stage -> digest of its outputs
	seconds  map[string]float64
	cache    loaded
	dataHash string         // over all images and masks
	key      string         // of the stage that is being computed
	noting   sync.Mutex     // one note in the ledger at a time
	parent   *Run           // of a sub-run: the study whose decisions it varies
	given    *cohort.Splits // of a sub-run that divides the patients as its parent
}

// stage is one step of the line: it reads earlier stages' files and writes its own folder.
type stage struct {
	number  int
	name    string
	version int      // raised when the output changes for the same inputs
	needs   []string // earlier stages whose output it reads
	params  func(p *Plan) any
	outside func(ctx context.Context, r *Run) (any, error) // hashes of inputs from outside the run
	run     func(ctx context.Context, r *Run, out string) error
	sealed  func(r *Run) error // after the stage is whole; may be nil
}

// line is the study: the same names and numbers as the folders and the docs.
func line() []*stage {
	return []*stage{cohortStage(), roiStage(), finetuneStage(), featuresStage(), selectionStage(), classifyStage(), evaluateStage(), clinicalStage(), survivalStage(), reportStage(), bundleStage()}
}

// Execute runs every stage of the study that is not already done in o.RunDir.
func Execute(ctx context.Context, p Plan, o Options) (Summary, error) {
	if err := os.MkdirAll(o.RunDir, 0o755); err != nil {
		return Summary{}, &problem.Error{What: "cannot create the run folder", File: o.RunDir, Err: err, Try: "choose another folder with --out"}
	}
	guard := flock.New(filepath.Join(o.RunDir, ".lock"))
	if ok, err := guard.TryLock(); err != nil || !ok {
		return Summary{}, &problem.Error{What: "the run folder is in use", File: o.RunDir, Err: err, Try: "wait for the other run to end, or choose another --out"}
	}
	defer guard.Unlock()
	if err := sweep(o.RunDir); err != nil {
		return Summary{}, err
	}
	if err := artifact.WriteJSON(filepath.Join(o.RunDir, "plan.json"), p); err != nil {
		return Summary{}, err
	}
	r := &Run{Plan: p, Options: o, digests: map[string]string{}, seconds: map[string]float64{}}
	defer r.cache.close()
	known := lockBook{}
	if err := artifact.ReadJSON(filepath.Join(o.RunDir, lockFile), &known); err != nil && !os.IsNotExist(err) {
		return Summary{}, &ErrTampered{&problem.Error{What: "cannot read the run's lock file", File: filepath.Join(o.RunDir, lockFile), Err: err, Try: "use a fresh --out"}}
	}
	if err := r.readTiming(); err != nil {
		return Summary{}, err
	}
	for _, s := range line() {
		if s.name == "report" { // which shows the evidence too
			if err := r.evidence(ctx); err != nil {
				return Summary{}, err
			}
		}
		if err := r.step(ctx, s, known); err != nil {
			return Summary{}, err
		}
	}
	return r.publish()
}

// step reuses or computes one stage.
func (r *Run) step(ctx context.Context, s *stage, known lockBook) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	start := time.Now()
	r.Observer.StageStarted(s.number, s.name)
	inputs := map[string]string{}
	for _, n := range s.needs {
		inputs[n] = r.digests[n]
	}
	var outside any
	if s.outside != nil {
		var err error
		if outside, err = s.outside(ctx, r); err != nil {
			return err
		}
	}
	key, err := stageKey(s, &r.Plan, outside, inputs)
	if err != nil {
		return err
	}
	dir := r.dir(s.number, s.name)
	rec, err := reusable(dir, key)
	if err != nil {
		return err
	}
	reused := rec != nil
	if !reused {
		if rec, err = r.compute(ctx, s, key, dir); err != nil {
			return err
		}
		r.seconds[s.name] = time.Since(start).Seconds()
		if err := r.writeTiming(); err != nil {
			return err
		}
	}
	if err := known.admit(r.RunDir, rec); err != nil {
		return err
	}
	if s.sealed != nil {
		if err := s.sealed(r); err != nil {
			return err
		}
	}
	r.digests[s.name] = rec.Digest
	r.Observer.StageDone(s.number, s.name, reused, time.Since(start))
	return nil
}

func (r *Run) compute(ctx context.Context, s *stage, key, dir string) (*record, error) {
	if err := removeStale(dir); err != nil {
		return nil, err
	}
	r.key = key
	if err := s.run(ctx, r, dir); err != nil {
		return nil, err
	}
	rec, err := seal(s, key, dir)
	if err != nil {
		return nil, err
	}
	if rec.Reads, err = readsOf(r.RunDir, key); err != nil {
		return nil, err
	}
	return rec, artifact.WriteJSON(filepath.Join(dir, recordFile), rec)
}

// dir is the folder of a stage, e.g. RUN/05-selection.
func (r *Run) dir(number int, name string) string {
	return filepath.Join(r.RunDir, fmt.Sprintf("%02d-%s", number, name))
}

const timingFile = "timing.json"

// Timing is kept apart from the artefacts, which do not depend on how long they took.
func (r *Run) readTiming() error {
	err := artifact.ReadJSON(filepath.Join(r.RunDir, timingFile), &r.seconds)
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

func (r *Run) writeTiming() error {
	return artifact.WriteJSON(filepath.Join(r.RunDir, timingFile), r.seconds)
}
