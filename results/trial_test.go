package results

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestTrialLife(t *testing.T) {
	l := begun(t)
	c := candidate(0)
	c.Weights, c.Groups = [][]float64{{0.25, 0.75}, {-0.5, 1.5}}, []string{"early", "late"}
	c.Started = time.Date(2026, 11, 23, 20, 0, 0, 1, time.UTC)
	must(t, l.Start(c))
	want := c
	want.State, want.Attempt = Running, 1
	isTrial(t, l, want)

	c.State, c.Merge, c.Swap, c.Eval, c.First = Complete, 0.5, 0.25, 1.75, 0.125
	c.Finished = c.Started.Add(time.Minute)
	must(t, l.Finish(c))
	c.Attempt = 1
	isTrial(t, l, c)

	again := c
	again.Merge, again.Finished = 9, c.Finished.Add(time.Hour)
	must(t, l.Finish(again))
	must(t, l.Start(again))
	again.Attempt = 5
	must(t, l.Start(again))
	isTrial(t, l, c)
}

func isTrial(t *testing.T, l *Ledger, want Trial) {
	t.Helper()
	got, err := l.Trial(want.Number)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTimesAreFilledIn(t *testing.T) {
	l := begun(t)
	c := completed(t, l, 0)
	if c.Started.IsZero() || c.Finished.IsZero() {
		t.Errorf("started %v, finished %v", c.Started, c.Finished)
	}
}

func TestReopen(t *testing.T) {
	l := begun(t)
	for number, state := range []string{Running, Failed, Pruned, Complete} {
		c := candidate(number)
		must(t, l.Start(c))
		if state != Running {
			c.State, c.Reason = state, "why"
			must(t, l.Finish(c))
		}
		c.Attempt = 2
		must(t, l.Start(c))
		got, err := l.Trial(number)
		must(t, err)
		reopened := state == Running || state == Failed
		if reopened != (got.State == Running && got.Attempt == 2 && got.Reason == "" && got.Finished.IsZero()) {
			t.Errorf("%s trial, second attempt: %+v", state, got)
		}
	}
}

func TestCached(t *testing.T) {
	l := begun(t)
	completed(t, l, 0)
	must(t, l.Record(0, Search, []Outcome{{Item: "i", Category: "c", State: OK, Score: 1}}))
	c := candidate(1)
	c.State, c.Of = Cached, 0
	must(t, l.Finish(c))
	must(t, l.Finish(c))
	got, err := l.Trial(1)
	must(t, err)
	if got.State != Cached || got.Of != 0 {
		t.Errorf("got %+v", got)
	}
	outcomes, err := l.Outcomes(1, "")
	must(t, err)
	if len(outcomes) != 1 || outcomes[0].Item != "i" {
		t.Errorf("outcomes of the cached trial: %v", outcomes)
	}
	refuses(t, l, l.Record(1, Search, nil), "trial 1 is cached: trial 0 holds its outcomes")
}

func TestTrialRefused(t *testing.T) {
	check := func(name string, want string, call func(l *Ledger) error) {
		t.Run(name, func(t *testing.T) {
			l := begun(t)
			completed(t, l, 0)
			refuses(t, l, call(l), want)
			trials, err := l.Trials()
			must(t, err)
			if len(trials) != 1 {
				t.Errorf("%d trials", len(trials))
			}
		})
	}
	with := func(change func(c *Trial)) Trial {
		c := candidate(1)
		change(&c)
		return c
	}
	startWith := func(change func(c *Trial)) func(l *Ledger) error {
		return func(l *Ledger) error { return l.Start(with(change)) }
	}
	finishWith := func(change func(c *Trial)) func(l *Ledger) error {
		return func(l *Ledger) error { return l.Finish(with(change)) }
	}
	check("gap", "trial 2 cannot start: trial 1 is next", startWith(func(c *Trial) { c.Number = 2 }))
	check("negative", "trial -1 cannot start: trial 1 is next", startWith(func(c *Trial) { c.Number = -1 }))
	check("no weights", "trial 1: no weights", startWith(func(c *Trial) { c.Weights = nil }))
	check("NaN", "trial 1: weight NaN", startWith(func(c *Trial) { c.Weights[0][1] = math.NaN() }))
	check("Inf", "trial 1: weight +Inf", startWith(func(c *Trial) { c.Weights[0][0] = math.Inf(1) }))
	check("ragged", "trial 1: rows of weights differ in length or are empty", startWith(func(c *Trial) {
		c.Weights, c.Groups = [][]float64{{1, 0}, {1}}, []string{"a", "b"}
	}))
	check("rows", "trial 1: 1 rows of weights for 2 groups", startWith(func(c *Trial) { c.Groups = []string{"a", "b"} }))
	check("no groups", "trial 1: 2 rows of weights for 0 groups", startWith(func(c *Trial) { c.Weights = [][]float64{{1, 0}, {1, 0}} }))
	check("parents", "trial 1: 3 weights for 2 parents", startWith(func(c *Trial) { c.Weights = [][]float64{{1, 0, 0}} }))
	check("other weights", `trial 0 is random's "random 1", not random's "random 1"`, startWith(func(c *Trial) { c.Number, c.Key = 0, "a"; c.Weights[0][0] = 0.2 }))
	check("other key", `trial 0 is random's "random 1", not random's "x"`, startWith(func(c *Trial) { c.Number, c.Label = 0, "x" }))
	check("other strategy", `trial 0 is random's "random 1", not soce's "random 1"`, finishWith(func(c *Trial) { c.Number, c.Key, c.Strategy, c.State = 0, "a", "soce", Complete }))
	check("running", "trial 1 cannot finish as running", finishWith(func(c *Trial) { c.State = Running }))
	check("of itself", "trial 1 cannot finish as cached", finishWith(func(c *Trial) { c.State, c.Of = Cached, 1 }))
	check("of nothing", "trial 1 cannot be cached: trial 7 is neither complete nor pruned", finishWith(func(c *Trial) { c.State, c.Of = Cached, 7 }))
	check("finished", "trial 0 cannot finish as failed: it is complete", finishWith(func(c *Trial) { c.Number, c.Key, c.State = 0, "a", Failed }))
	check("unknown", "no trial 1", func(l *Ledger) error { _, err := l.Trial(1); return err })
}

func TestTrialBadNumbers(t *testing.T) {
	l := begun(t)
	for _, change := range []func(c *Trial){
		func(c *Trial) { c.State = "done" },
		func(c *Trial) { c.State, c.Eval = Complete, math.NaN() },
		func(c *Trial) { c.State, c.Merge = Complete, math.Inf(1) },
		func(c *Trial) { c.State, c.Swap = Complete, -1 },
	} {
		c := candidate(0)
		change(&c)
		if l.Finish(c) == nil {
			t.Errorf("finished as %+v", c)
		}
	}
	if trials, err := l.Trials(); err != nil || len(trials) > 0 {
		t.Errorf("trials %v, error %v", trials, err)
	}
}

func TestCachedOfIncomplete(t *testing.T) {
	l := begun(t)
	must(t, l.Start(candidate(0)))
	c := candidate(1)
	c.State, c.Of = Cached, 0
	refuses(t, l, l.Finish(c), "trial 1 cannot be cached: trial 0 is neither complete nor pruned")
}

// A candidate that was stopped early stays stopped for whoever asks it again.
func TestCachedOfPruned(t *testing.T) {
	l := begun(t)
	p := candidate(0)
	p.State, p.Reason = Pruned, "9 points behind"
	must(t, l.Finish(p))
	c := candidate(1)
	c.State, c.Of = Cached, 0
	must(t, l.Finish(c))
	must(t, l.Check())
}

func TestCachedWithOutcomes(t *testing.T) {
	l := begun(t)
	completed(t, l, 0)
	c := candidate(1)
	must(t, l.Start(c))
	must(t, l.Record(1, Search, []Outcome{{Item: "i", Category: "c", State: OK}}))
	c.State, c.Of = Cached, 0
	refuses(t, l, l.Finish(c), "trial 1 cannot be cached: it has outcomes of its own")
}

func TestByKey(t *testing.T) {
	l := begun(t)
	for number, state := range []string{Failed, Complete, Complete, Pruned} {
		c := candidate(number)
		c.Key, c.State = "same", state
		must(t, l.Finish(c))
	}
	must(t, l.Start(candidate(4)))
	got, found, err := l.ByKey("same")
	if err != nil || !found || got.Number != 1 {
		t.Errorf("trial %d, found %v, error %v", got.Number, found, err)
	}
	for _, key := range []string{candidate(4).Key, "unheard of"} {
		if _, found, err := l.ByKey(key); err != nil || found {
			t.Errorf("key %q: found %v, error %v", key, found, err)
		}
	}
}

// Weights come back bit for bit.
func TestWeightsRoundTrip(t *testing.T) {
	l := begun(t)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		c := candidate(0)
		c.Number = number
		rows := rapid.IntRange(1, 4).Draw(t, "rows")
		c.Weights = nil
		for range rows {
			c.Weights = append(c.Weights, rapid.SliceOfN(rapid.Float64(), 2, 2).Draw(t, "row"))
		}
		if rows > 1 {
			c.Groups = rapid.SliceOfN(rapid.String(), rows, rows).Draw(t, "groups")
		}
		if err := l.Start(c); err != nil {
			if c.shape() == nil {
				t.Fatal(err)
			}
			return // NaN and Inf are refused
		}
		number++
		got, err := l.Trial(c.Number)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.Weights, got.Weights, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		for r, row := range c.Weights {
			for i, w := range row {
				if math.Float64bits(w) != math.Float64bits(got.Weights[r][i]) {
					t.Fatalf("%v came back as %v", w, got.Weights[r][i])
				}
			}
		}
	})
}
