package cli

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"sonotype/study"
)

// progress draws one line a stage: a bar on a terminal, a plain line when a stage ends elsewhere.
type progress struct {
	out   io.Writer
	bars  *mpb.Progress // nil when out is not a terminal
	bar   *mpb.Bar
	title string
	note  *atomic.Value // what stands behind the bar when it is full
	words *atomic.Value // what stands below the bar while it fills
}

// newProgress looks at w once to decide between bars and lines.
func newProgress(w io.Writer) *progress {
	p := &progress{out: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(32), mpb.WithRefreshRate(150*time.Millisecond))
	}
	return p
}

// StageStarted begins a stage's line.
func (p *progress) StageStarted(number int, name string) {
	p.title = fmt.Sprintf("%02d %-10s", number, name)
	if number == study.AfterTheLine {
		p.title = fmt.Sprintf("   %-10s", name)
	}
	p.open()
}

// open starts a bar of unknown length.
func (p *progress) open() {
	if p.bars == nil {
		return
	}
	note, words := &atomic.Value{}, &atomic.Value{}
	p.note, p.words = note, words
	p.bar = p.bars.AddBar(0,
		mpb.BarBtmExtender(mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
			said, _ := words.Load().(string)
			if said == "" || s.Completed || s.Aborted {
				return nil
			}
			_, err := fmt.Fprintf(w, "   %s\n", said[:min(len(said), max(0, s.AvailableWidth-4))])
			return err
		})),
		mpb.PrependDecorators(decor.Name(p.title)),
		mpb.AppendDecorators(
			decor.OnComplete(decor.CountersNoUnit("%d/%d ", decor.WCSyncWidth), ""),
			decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO), ""),
			decor.Any(func(decor.Statistics) string { said, _ := note.Load().(string); return said })))
}

// Progress moves the current line's bar.
func (p *progress) Progress(done, total int) {
	if p.bar == nil {
		return
	}
	p.bar.SetTotal(int64(total), false)
	p.bar.SetCurrent(int64(done))
}

// Say shows what a long stage is doing: below the bar, or where there is none as a line of its own if it is lasting.
func (p *progress) Say(words string, lasting bool) {
	switch {
	case p.bar != nil:
		p.words.Store(words)
	case p.bars == nil && lasting:
		fmt.Fprintf(p.out, "%s %s\n", p.title, words)
	}
}

// StageDone closes the stage's line.
func (p *progress) StageDone(number int, name string, reused bool, took time.Duration) {
	note := fmt.Sprintf("%.1f s", took.Seconds())
	if reused {
		note = "already done"
	}
	p.close(note)
}

func (p *progress) close(note string) {
	if p.bar != nil {
		p.note.Store(note)
		full := max(1, p.bar.Current()) // also where nothing was counted
		p.bar.SetCurrent(full)
		p.bar.SetTotal(full, true)
		p.bar = nil
		return
	}
	if p.bars == nil {
		fmt.Fprintf(p.out, "%s %s\n", p.title, note)
	}
}

// task runs a single long job under a progress line of its own.
func (p *progress) task(title string, job func(report func(done, total int)) error) error {
	p.title = title
	p.open()
	start := time.Now()
	err := job(p.Progress)
	if err != nil {
		p.abort()
		return err
	}
	p.close(fmt.Sprintf("%.1f s", time.Since(start).Seconds()))
	return nil
}

// abort drops the open bar, so that an error message stands alone.
func (p *progress) abort() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bar = nil
	}
}

// wait flushes the bars before anything else is printed.
func (p *progress) wait() {
	p.abort()
	if p.bars != nil {
		p.bars.Wait()
	}
}
