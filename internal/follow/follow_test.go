package follow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"soup/internal/fleet"
	"soup/internal/study"
	"soup/results"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writer is a run at work, as far as its ledger shows it.
type writer struct {
	*testing.T
	*results.Ledger
	score float64 // of the items that are recorded
}

// began begins a study of two parents in a new folder.
func began(t *testing.T, settings ...results.Setting) *writer {
	t.Helper()
	return beginIn(t, t.TempDir(), settings...)
}

func beginIn(t *testing.T, dir string, settings ...results.Setting) *writer {
	t.Helper()
	l, err := results.Open(dir)
	must(t, err)
	w := &writer{t, l, .5}
	t.Cleanup(func() { must(t, w.Close()) })
	parents := []results.Parent{{Name: "x", Path: "x", Hash: "1"}, {Name: "y", Path: "y", Hash: "2"}}
	must(t, l.Begin(results.Study{Name: "night", Seed: 3, Settings: settings}, parents))
	return w
}

func trial(number int, strategy string) results.Trial {
	return results.Trial{Number: number, Of: number, Strategy: strategy, Label: fmt.Sprint(strategy, " ", number), Key: fmt.Sprint("key", number), Weights: [][]float64{{.5, .5}}}
}

// record records n items of a split and category, all of one score.
func (w *writer) record(number int, split, category string, n int, score float64) {
	w.Helper()
	outcomes := make([]results.Outcome, n)
	for i := range outcomes {
		outcomes[i] = results.Outcome{Item: fmt.Sprint(split, category, i), Category: category, State: results.OK, Score: score}
	}
	must(w.T, w.Record(number, split, outcomes))
}

// complete records a whole trial: two items of category a, one of b.
func (w *writer) complete(number int, strategy string, a, b float64) {
	w.Helper()
	t := trial(number, strategy)
	must(w.T, w.Start(t))
	w.record(number, results.Search, "a", 2, a)
	w.record(number, results.Search, "b", 1, b)
	t.State, t.Eval = results.Complete, 1.5
	must(w.T, w.Finish(t))
}

func (w *writer) event(kind string, detail any) {
	w.Helper()
	must(w.T, w.Event(kind, detail))
}

func (w *writer) phase(name string, candidates int) {
	w.Helper()
	w.event("phase", map[string]any{"name": name, "candidates": candidates})
}

func follows(t *testing.T, dir string) *Follower {
	t.Helper()
	f, err := Open(dir, false)
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	poll(t, f)
	return f
}

// poll polls and returns what is known then.
func poll(t *testing.T, f *Follower) *Study {
	t.Helper()
	_, err := f.Poll(t.Context())
	must(t, err)
	return f.Study()
}

func TestStudyIsFollowedFromSearchToEnd(t *testing.T) {
	w := began(t, results.Setting{Name: "server", Value: "embedded v1"})
	f := follows(t, w.Dir())
	if s := f.Study(); s.Name != "night" || s.Seed != 3 || s.Server != "embedded v1" || s.Now() != study.SearchPhase || s.Best != nil {
		t.Fatalf("%+v", s)
	}
	w.phase("search", 0)
	w.phase("search", 3)
	w.complete(0, "single", 1, .5)
	w.complete(1, "random", .5, 0)
	must(t, w.Start(trial(2, "random")))
	w.record(2, results.Search, "a", 1, 1)
	s := poll(t, f)
	if got := *s.Trials[0].Search; got != .75 {
		t.Errorf("score %v, want the mean of the categories' means", got)
	}
	if s.Best.Number != 0 || s.Single.Number != 0 || s.Best.Score.N != 3 {
		t.Errorf("best %+v", s.Best)
	}
	if s.Done() != 2 || s.Candidates != 3 || s.Present == nil || s.Present.Number != 2 || s.Answered != 7 {
		t.Errorf("%d done of %d, present %+v, %d answered", s.Done(), s.Candidates, s.Present, s.Answered)
	}
	if asked, of := s.Asked(s.Present, results.Search); asked != 1 || of != 3 {
		t.Errorf("asked %d of %d", asked, of)
	}
	w.record(2, results.Search, "a", 2, 1)
	w.record(2, results.Search, "b", 1, 1)
	end := trial(2, "random")
	end.State = results.Complete
	must(t, w.Finish(end))
	cached := trial(3, "greedy")
	cached.State, cached.Of = results.Cached, 2
	must(t, w.Finish(cached))
	if s = poll(t, f); s.Best.Number != 2 || s.Single.Number != 0 || s.Present != nil || s.Done() != 4 {
		t.Errorf("best %+v, present %+v, %d done", s.Best, s.Present, s.Done())
	}
	w.phase("finished", 0)
	if now := poll(t, f).Now(); now != study.FinishedPhase {
		t.Errorf("phase %s", now)
	}
}

// What the page says while a study runs is what the report says, number by number.
func TestScoresAreThoseOfTheReport(t *testing.T) {
	w := began(t, results.Setting{Name: "objective", Value: `{"b": 3}`})
	w.complete(0, "single", 1, .25)
	w.complete(1, "random", .125, .75)
	must(t, w.Record(1, results.Search, []results.Outcome{{Item: "lost", Category: "a", State: results.Timeout}}))
	w.record(1, results.Selection, "a", 4, .5)
	f := follows(t, w.Dir())
	report, err := study.BuildReport(t.Context(), w.Dir())
	must(t, err)
	s := f.Study()
	for i, r := range report.Trials {
		if got := *s.Trials[i].Search; math.Abs(got-*r.Scores.Search.Mean) > 1e-12 {
			t.Errorf("trial %d: %v, in the report %v", i, got, *r.Scores.Search.Mean)
		}
	}
	if s.Best.Number != 1 || *s.Best.Score.Mean != *report.Trials[1].Scores.Search.Mean || s.Answered != report.ItemsAnswered || s.Lost.Timeout != 1 {
		t.Errorf("best %+v, %d answered, lost %+v", s.Best, s.Answered, s.Lost)
	}
}

func TestCostAndIdleAreThoseOfTheReport(t *testing.T) {
	w := began(t)
	w.complete(0, "single", 1, 1)
	for _, canary := range []bool{false, true, false} {
		w.event("swap", map[string]any{"key": "key0", "canary": canary})
	}
	w.event("seconds", map[string]float64{"merge": 1, "swap": 2, "eval": 3})
	w.event("server-use", map[string]float64{"busy": 3, "wall": 4})
	s := follows(t, w.Dir()).Study()
	report, err := study.BuildReport(t.Context(), w.Dir())
	must(t, err)
	if s.Swaps != 2 || s.Swaps != report.Swaps || s.Cost != report.Cost || *s.Idle() != .25 || *s.Idle() != *report.ServerIdle {
		t.Errorf("%d swaps, cost %+v, idle %v; in the report %d, %+v, %v", s.Swaps, s.Cost, *s.Idle(), report.Swaps, report.Cost, *report.ServerIdle)
	}
}

// Outcomes on selection come without a change of the trial.
func TestFinalistsGrow(t *testing.T) {
	w := began(t)
	w.phase("search", 2)
	w.complete(0, "single", 1, 1)
	w.complete(1, "random", 0, 0)
	f := follows(t, w.Dir())
	w.phase("selection", 2)
	w.event("swap", map[string]any{"key": "key1"})
	w.record(1, results.Selection, "a", 2, 1)
	s := poll(t, f)
	if s.Now() != study.SelectionPhase || s.Present == nil || s.Present.Number != 1 || s.Trials[1].Splits[results.Selection].N != 2 {
		t.Fatalf("%s, present %+v, trial %+v", s.Now(), s.Present, s.Trials[1])
	}
	w.record(1, results.Selection, "a", 4, 1)
	w.event("swap", map[string]any{"key": "key0"})
	w.record(0, results.Selection, "a", 1, 1)
	s = poll(t, f)
	if s.Trials[1].Splits[results.Selection].N != 4 || s.Trials[0].Splits[results.Selection].N != 1 || s.Done() != 1 || s.Answered != 11 {
		t.Errorf("trials %+v, %d done, %d answered", s.Trials, s.Done(), s.Answered)
	}
}

// Several finalists may be scored between two polls.
func TestFinalistsBetweenPolls(t *testing.T) {
	w := began(t)
	w.phase("search", 3)
	for number := range 3 {
		w.complete(number, "single", 1, 1)
	}
	f := follows(t, w.Dir())
	w.phase("selection", 3)
	for number := range 3 {
		w.event("swap", map[string]any{"key": fmt.Sprint("key", number)})
		w.record(number, results.Selection, "a", 2, 1)
	}
	s := poll(t, f)
	for _, x := range s.Trials {
		if x.Splits[results.Selection].N != 2 {
			t.Errorf("trial %d: %+v", x.Number, x.Splits)
		}
	}
	if s.Answered != 15 {
		t.Errorf("%d items answered", s.Answered)
	}
}

func TestFailedTrialIsTriedAgain(t *testing.T) {
	w := began(t)
	w.complete(0, "single", .5, .5)
	c := trial(1, "random")
	c.State, c.Reason, c.Failure = results.Failed, "server gone", "gone"
	must(t, w.Finish(c))
	f := follows(t, w.Dir())
	if got := f.Study().Trials[1]; got.State != results.Failed || got.Reason != "server gone" || got.Search != nil {
		t.Fatalf("%+v", got)
	}
	c.Attempt, c.State, c.Reason, c.Failure = 2, "", "", ""
	must(t, w.Start(c))
	if got := poll(t, f).Trials[1]; got.State != results.Running {
		t.Errorf("it is %s", got.State)
	}
	w.record(1, results.Search, "a", 2, 1)
	w.record(1, results.Search, "b", 1, 1)
	c.State = results.Complete
	must(t, w.Finish(c))
	if s := poll(t, f); s.Best.Number != 1 || *s.Best.Search != 1 {
		t.Errorf("best %+v", s.Best)
	}
}

func TestRunIsAliveOrStopped(t *testing.T) {
	dir := t.TempDir()
	l, err := results.Open(dir)
	must(t, err)
	must(t, l.Begin(results.Study{Name: "n"}, []results.Parent{{Name: "x", Hash: "1"}}))
	must(t, l.Event("phase", map[string]any{"name": "search", "candidates": 9}))
	f := follows(t, dir)
	if s := f.Study(); !s.Running || s.Now() != study.SearchPhase {
		t.Errorf("running %t, %s", s.Running, s.Now())
	}
	must(t, l.Close())
	changed, err := f.Poll(t.Context())
	if s := f.Study(); err != nil || !changed || s.Running || s.Now() != Stopped || s.At() != study.SearchPhase {
		t.Errorf("changed %t (%v), running %t, %s in %s", changed, err, s.Running, s.Now(), s.At())
	}
	if changed, err = f.Poll(t.Context()); changed || err != nil {
		t.Errorf("nothing happened: changed %t, %v", changed, err)
	}
}

// Workers that are there are no progress, and those of an earlier run are not there.
func TestWorkersAreFollowed(t *testing.T) {
	w := began(t)
	w.phase("search", 0)
	w.complete(0, "single", 1, 1)
	f := follows(t, w.Dir())
	w.event("fleet", []study.Worker{{Presence: fleet.Presence{Worker: "a", State: "waiting"}}, {Presence: fleet.Presence{Worker: "b"}}})
	before := f.Study().Progressed()
	s := poll(t, f)
	if !s.Progressed().Equal(before) {
		t.Errorf("a heartbeat is progress: %v, %v", before, s.Progressed())
	}
	w.event("fleet", []study.Worker{{Presence: fleet.Presence{Worker: "a", Items: 7}}})
	if s = poll(t, f); len(s.Workers) != 2 || s.Workers["a"].Items != 7 {
		t.Errorf("workers %+v", s.Workers)
	}
	w.phase("search", 9)
	if s = poll(t, f); len(s.Workers) != 2 || !s.Progressed().After(before) {
		t.Errorf("more candidates are expected: %d workers, progress %v", len(s.Workers), s.Progressed())
	}
	w.phase("search", 0)
	if s = poll(t, f); len(s.Workers) != 0 {
		t.Errorf("of the run before: %+v", s.Workers)
	}
}

// Ledgers of before runs wrote their phases.
func TestPhasesOfOlderLedgers(t *testing.T) {
	s := &Study{Name: "n", Running: true}
	for _, c := range []struct {
		running, won bool
		now          string
	}{{true, false, study.SearchPhase}, {true, true, study.TestPhase}, {false, false, Stopped}, {false, true, study.FinishedPhase}} {
		s.Running, s.Winner = c.running, nil
		if c.won {
			s.Winner = &results.Winner{}
		}
		if s.Now() != c.now {
			t.Errorf("%+v: %s", c, s.Now())
		}
	}
}

func TestStudyThatHasNotBegunIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir, false); err == nil || !strings.Contains(err.Error(), "no study in "+dir) {
		t.Errorf("without waiting: %v", err)
	}
	f, err := Open(dir, true)
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	if s := poll(t, f); s.Now() != Starting {
		t.Errorf("phase %s", s.Now())
	}
	l, err := results.Open(dir)
	must(t, err)
	if s := poll(t, f); s.Now() != Starting {
		t.Errorf("with an empty ledger: phase %s", s.Now())
	}
	must(t, l.Close())
	beginIn(t, dir)
	if s := poll(t, f); s.Name != "night" {
		t.Errorf("%+v", s)
	}
}

// A folder that is removed, and begun again with another study.
func TestReplacedLedgerIsReadAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "study")
	l, err := results.Open(dir)
	must(t, err)
	must(t, l.Begin(results.Study{Name: "old"}, []results.Parent{{Name: "x", Hash: "1"}}))
	f := follows(t, dir)
	must(t, l.Close())
	must(t, os.RemoveAll(dir))
	if _, err := f.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), "the study is gone") {
		t.Errorf("removed: %v", err)
	}
	w := beginIn(t, dir)
	w.complete(0, "single", 1, 1)
	if s := poll(t, f); s.Name != "night" || len(s.Trials) != 1 {
		t.Errorf("%+v", s)
	}
}

// A large ledger is shown before its outcomes are read.
func TestLedgerIsTakenInOverManyPolls(t *testing.T) {
	w := began(t)
	const n = 25
	for number := range n {
		w.complete(number, "random", float64(number)/n, 0)
	}
	f, err := Open(w.Dir(), false)
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Poll(ctx)
	must(t, err)
	if s := f.Study(); len(s.Trials) != n || s.Unread != n-foremost || !s.Trials[n-foremost-1].Unread() || s.Trials[n-foremost].Unread() {
		t.Errorf("%d trials, %d unread", len(s.Trials), s.Unread)
	}
	for f.Study().Unread > 0 {
		if changed, err := f.Poll(t.Context()); err != nil || !changed {
			t.Fatalf("changed %t, %v", changed, err)
		}
	}
	if s := f.Study(); s.Best.Number != n-1 || s.Answered != 3*n {
		t.Errorf("best %+v, %d answered", s.Best, s.Answered)
	}
}

func TestTimeLeft(t *testing.T) {
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	s := &Study{Running: true, Tally: study.Tally{Phase: study.SearchPhase, Candidates: 14}}
	for i := range 4 {
		x := trial(i, "random")
		x.State, x.Started, x.Finished = results.Complete, now, now.Add(time.Minute)
		if i == 3 {
			x.State, x.Finished = results.Cached, now
		}
		s.Trials = append(s.Trials, Trial{Trial: x})
	}
	if got := s.Left(now); got != 10*time.Minute {
		t.Errorf("ten candidates of a minute take %v", got)
	}
	for i := range 5 {
		x := trial(4+i, "random")
		x.State, x.Started = results.Running, now
		s.Trials = append(s.Trials, Trial{Trial: x})
	}
	if got := s.Left(now); got != 2*time.Minute {
		t.Errorf("ten candidates of a minute, five at a time, take %v", got)
	}
	if s.Running = false; s.Left(now) != 0 {
		t.Errorf("a study that has stopped ends in %v", s.Left(now))
	}
	s.Running, s.Candidates = true, 4
	if s.Left(now) != 0 {
		t.Errorf("a phase that is done ends in %v", s.Left(now))
	}
}

func TestBrokenLedgerIsAnError(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, results.File), []byte(strings.Repeat("no ledger", 1000)), 0o600))
	_, err := Open(dir, false)
	var hinted interface{ Hint() string }
	if err == nil || !errors.As(err, &hinted) {
		t.Errorf("error %v", err)
	}
}
