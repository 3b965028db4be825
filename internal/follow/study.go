package follow

import (
	"time"

	"soup/internal/study"
	"soup/results"
)

// Starting and Stopped are phases beside those of a run: there is no study yet,
// and the study is not finished and nobody works on it.
const (
	Starting = "starting"
	Stopped  = "stopped"
)

// Study is what is known of a study.
type Study struct {
	Name    string
	Seed    uint64
	Parents []string
	Server  string // its identity
	Keep    bool   // categories must be kept: the report judges that
	Created time.Time
	Size    int64 // bytes of the ledger

	Running bool // a process works on it
	study.Tally
	Trials []Trial // by number
	Unread int     // trials whose scores are not known yet

	Items    map[string]int // of each split, as far as they are known
	Answered int            // items, over all trials and splits
	Cost     results.Seconds
	Lost     results.Counts // items that were not measured, or truncated, over all trials and splits
	Present  *Trial         // that is being scored; nil if none is known to be
	Best     *Best          // by search score; nil while there is none
	Single   *Best          // the best single checkpoint
	Winner   *results.Winner
	Events   []results.Event // the latest that have words for people, oldest first

	moved time.Time // when the ledger was last seen to grow
}

// Trial is a trial and what its outcomes add up to.
type Trial struct {
	results.Trial
	Search *float64 // score; nil if it has none, or its outcomes are not read yet
	Splits map[string]results.Counts
}

// Best is a trial with its whole search score.
type Best struct {
	Trial
	Score *results.Score
}

// Now is the phase that a person would say the study is in.
func (s *Study) Now() string {
	switch {
	case s.Name == "":
		return Starting
	case s.Phase == study.FinishedPhase, s.Phase == "" && !s.Running && s.Winner != nil:
		return study.FinishedPhase
	case !s.Running:
		return Stopped
	case s.Phase != "":
		return s.Phase
	case s.Winner != nil:
		return study.TestPhase
	}
	return study.SearchPhase
}

// At is the phase that the study is in or was stopped in.
func (s *Study) At() string {
	if s.Phase != "" {
		return s.Phase
	}
	if s.Winner != nil {
		return study.TestPhase
	}
	return study.SearchPhase
}

// Done is how many candidates of the phase are done.
func (s *Study) Done() int {
	done := 0
	for i := range s.Trials {
		if s.done(&s.Trials[i]) {
			done++
		}
	}
	return done
}

func (s *Study) done(t *Trial) bool {
	switch at := s.At(); at {
	case study.SelectionPhase, study.TestPhase:
		if s.Present != nil && s.Present.Number == t.Number && t.total(at) < s.Items[at] {
			return false
		}
		return t.total(at) > 0
	}
	return t.State != results.Running
}

// Unread reports whether the trial's scores are not known yet.
func (t *Trial) Unread() bool { return t.Splits == nil && t.State != results.Cached }

// total is how many items of a split have an outcome, measured or not.
func (t *Trial) total(split string) int {
	c := t.Splits[split]
	return c.N + c.Failed + c.Timeout + c.Missing
}

// Asked is how many items of a split have been asked, of how many.
func (s *Study) Asked(t *Trial, split string) (asked, of int) { return t.total(split), s.Items[split] }

// ItemRate is the items a second at which a trial's search was scored; 0 if
// that is not known.
func (t *Trial) ItemRate() float64 {
	if t.State == results.Running || t.State == results.Cached || t.Eval <= 0 {
		return 0
	}
	return float64(t.total(results.Search)) / t.Eval
}

// pace is how many of the latest trials the estimate of the end rests on.
const pace = 20

// Left estimates the time to the end of the phase; 0 if nothing can be said.
func (s *Study) Left(now time.Time) time.Duration {
	todo := s.Candidates - s.Done()
	if !s.Running || todo <= 0 || s.Candidates == 0 {
		return 0
	}
	if s.At() != study.SearchPhase {
		if done := s.Done(); done > 0 && !s.Begun.IsZero() {
			return now.Sub(s.Begun) / time.Duration(done) * time.Duration(todo)
		}
		return 0
	}
	var spent time.Duration
	n, together := 0, 0
	for i := range s.Trials {
		if s.Trials[i].State == results.Running {
			together++
		}
	}
	for i := len(s.Trials) - 1; i >= 0 && n < pace; i-- {
		t := &s.Trials[i]
		if t.State != results.Running && t.State != results.Cached && !t.Finished.IsZero() {
			spent += t.Finished.Sub(t.Started)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	// Workers have several in flight: by Little's law so many times as fast.
	return spent / time.Duration(n) * time.Duration(todo) / time.Duration(max(1, together))
}

// Progressed is when the study last recorded anything, as far as can be told.
func (s *Study) Progressed() time.Time {
	last := s.Created
	note := func(at time.Time) {
		if at.After(last) {
			last = at
		}
	}
	note(s.Latest)
	note(s.moved)
	for i := range s.Trials {
		note(s.Trials[i].Started)
		note(s.Trials[i].Finished)
	}
	return last
}
