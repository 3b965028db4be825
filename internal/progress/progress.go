// Package progress shows how a long job is going: bars on a terminal, one line
// every 30 seconds elsewhere. It writes to stderr only.
//
// Start with New and Reporter.
//
// # Caveats
//
// A Reporter is safe for use by several goroutines. Close it before the result
// is printed, or a bar may be drawn over it.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Interval is the time between two lines where there is no terminal.
const Interval = 30 * time.Second

// Reporter is told what a study does. Counts and rates are of the present
// phase.
type Reporter interface {
	// Phase begins another phase, "search", "selection" or "test", with so many
	// candidates to come.
	Phase(name string, candidates int)
	// Expect says how many candidates are known to come, done ones included.
	Expect(candidates int)
	// Each says how long a candidate of the present phase takes, until one of them is
	// measured.
	Each(d time.Duration)
	// Candidate says that a candidate is begun.
	Candidate(number int, strategy, label string)
	// Items says how many items of the candidate are answered.
	Items(answered, total int)
	// Done says that a candidate is done, Skip that it was done before.
	Done()
	Skip()
	// Best says which candidate is the best so far, in points.
	Best(points float64, label string)
	// Waiting says what the study waits for, in place of what it does; "" that it
	// goes on.
	Waiting(what string)
	// Close removes the bars.
	Close()
}

// New returns a Reporter for w: nothing if quiet, bars if w is a terminal,
// lines otherwise.
func New(w io.Writer, quiet bool) Reporter {
	if quiet {
		return silent{}
	}
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return newBars(w)
	}
	return newLines(w, Interval)
}

type silent struct{}

func (silent) Phase(string, int)             {}
func (silent) Expect(int)                    {}
func (silent) Each(time.Duration)            {}
func (silent) Candidate(int, string, string) {}
func (silent) Items(int, int)                {}
func (silent) Done()                         {}
func (silent) Skip()                         {}
func (silent) Best(float64, string)          {}
func (silent) Waiting(string)                {}
func (silent) Close()                        {}

// state is what both forms show.
type state struct {
	mu        sync.Mutex
	start     time.Time
	phase     string
	expected  int
	done      int
	skipped   int // of done: they took no time
	label     string
	answered  int // items of finished candidates
	current   int // items of the present one
	total     int
	best      float64
	bestLabel string
	hasBest   bool
	waiting   string
	each      time.Duration // of a candidate, as known before one was done
	now       func() time.Time
}

func (s *state) begin() { s.start, s.now, s.phase = time.Now(), time.Now, "search" }

func (s *state) Phase(name string, candidates int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.expected, s.start, s.each = name, candidates, s.now(), 0
	s.done, s.skipped, s.answered, s.current, s.total = 0, 0, 0, 0, 0
}

func (s *state) Each(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each = d
}

func (s *state) Expect(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected = max(n, s.done)
}

func (s *state) Candidate(_ int, strategy, label string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered += s.current
	s.current, s.total = 0, 0
	s.label = label
	if !strings.HasPrefix(label, strategy) {
		s.label = strategy + ": " + label
	}
}

func (s *state) Items(answered, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.total = answered, total
}

func (s *state) Done() { s.count(0) }
func (s *state) Skip() { s.count(1) }

func (s *state) count(skipped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	s.skipped += skipped
	s.expected = max(s.expected, s.done)
}

func (s *state) Best(points float64, label string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.best, s.bestLabel, s.hasBest = points, label, true
}

func (s *state) Waiting(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = what
}

// rate is the items answered a second since the start.
func (s *state) rate() float64 {
	seconds := s.now().Sub(s.start).Seconds()
	if seconds <= 0 {
		return 0
	}
	return float64(s.answered+s.current) / seconds
}

// left estimates the time to go from the candidates known to come; zero if
// nothing can be said.
func (s *state) left() time.Duration {
	each := s.each
	if s.done > s.skipped {
		each = s.now().Sub(s.start) / time.Duration(s.done-s.skipped)
	}
	if s.expected <= s.done {
		return 0
	}
	return (each * time.Duration(s.expected-s.done)).Round(time.Second)
}

func (s *state) line() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != "" {
		return "waiting for " + s.waiting
	}
	text := fmt.Sprintf("%s: %d of %d candidates, %.0f items/s", s.phase, s.done, max(s.expected, s.done), s.rate())
	if s.hasBest {
		text += fmt.Sprintf(", best %.2f (%s)", s.best, s.bestLabel)
	}
	if d := s.left(); d > 0 {
		text += fmt.Sprintf(", about %v left", d)
	}
	return text
}

// lines prints one line each interval.
type lines struct {
	state
	w    io.Writer
	stop chan struct{}
	wait sync.WaitGroup
	once sync.Once
}

func newLines(w io.Writer, every time.Duration) *lines {
	l := &lines{w: w, stop: make(chan struct{})}
	l.begin()
	l.wait.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintln(w, "soup: "+l.line())
			case <-l.stop:
				return
			}
		}
	})
	return l
}

// Waiting says so at once.
func (l *lines) Waiting(what string) {
	l.state.Waiting(what)
	if what != "" {
		fmt.Fprintln(l.w, "soup: "+l.line())
	}
}

func (l *lines) Close() {
	l.once.Do(func() { close(l.stop) })
	l.wait.Wait()
}

// bars draws one bar for the candidates and one for the items of the present.
type bars struct {
	state
	progress          *mpb.Progress
	candidates, items *mpb.Bar
	once              sync.Once
}

func newBars(w io.Writer) *bars {
	b := &bars{progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))}
	b.begin()
	b.candidates = b.progress.AddBar(0, mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.line() })))
	b.items = b.progress.AddBar(0, mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.present() })))
	return b
}

func (b *bars) present() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("%d of %d items  %s", b.current, b.total, b.label)
}

func (b *bars) Expect(n int) {
	b.state.Expect(n)
	b.draw()
}

func (b *bars) Items(answered, total int) {
	b.state.Items(answered, total)
	b.items.SetTotal(int64(total), false)
	b.items.SetCurrent(int64(answered))
}

func (b *bars) Phase(name string, candidates int) {
	b.state.Phase(name, candidates)
	b.draw()
}

func (b *bars) Done() {
	b.state.Done()
	b.draw()
}

func (b *bars) Skip() {
	b.state.Skip()
	b.draw()
}

// draw brings the upper bar up to date.
func (b *bars) draw() {
	b.mu.Lock()
	done, expected := b.done, max(b.expected, b.done)
	b.mu.Unlock()
	b.candidates.SetTotal(int64(expected), false)
	b.candidates.SetCurrent(int64(done))
}

func (b *bars) Close() {
	b.once.Do(func() {
		b.candidates.Abort(true)
		b.items.Abort(true)
		b.progress.Wait()
	})
}
