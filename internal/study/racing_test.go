package study

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"soup/internal/serve"
	"soup/results"
)

// hasty races with looks at 10 and 20 of 36 items, and stops on little evidence.
const hasty = "racing: {first: 10, eta: 2, alpha: 0.5}\n"

// states counts the trials of a state.
func (k kept) states(state string) (n int) {
	for _, t := range k.Trials {
		if t.State == state {
			n++
		}
	}
	return n
}

// Racing asks the same candidates fewer items: what is scored fully is scored as
// without it, what is stopped keeps its answers and cannot win, and baselines are
// not stopped.
func TestRacedStudy(t *testing.T) {
	const strategies = "strategies: [{random: {budget: 18}}]\n"
	plain, raced := smallStudy(t, strategies), smallStudy(t, strategies+hasty)
	calmly(t, plain)
	calmly(t, raced)
	want, got := read(t, DefaultDir(plain)), read(t, DefaultDir(raced))
	if len(want.Trials) != len(got.Trials) {
		t.Fatalf("%d trials, without racing %d", len(got.Trials), len(want.Trials))
	}
	for i, trial := range got.Trials {
		if trial.Key != want.Trials[i].Key {
			t.Errorf("trial %d is another candidate", i)
		}
		answered := len(got.Outcomes[keyOf(trial)])
		switch {
		case trial.State == results.Complete && answered != 36:
			t.Errorf("trial %d is complete with %d items", i, answered)
		case trial.State == results.Pruned && (trial.Strategy != "random" || trial.Reason == "" || answered != 10 && answered != 20):
			t.Errorf("trial %d of %s is stopped after %d items: %q", i, trial.Strategy, answered, trial.Reason)
		case trial.State == results.Pruned && trial.Number == got.Winner.Trial:
			t.Error("a stopped trial won")
		}
		for _, o := range got.Outcomes[keyOf(trial)] {
			same := slices.ContainsFunc(want.Outcomes[keyOf(trial)], func(w results.Outcome) bool { return w.Item == o.Item && w.Score == o.Score })
			if !same {
				t.Errorf("trial %d: item %s is scored otherwise", i, o.Item)
			}
		}
	}
	if n := got.states(results.Pruned); n < 5 {
		t.Errorf("only %d candidates are stopped", n)
	}
	checkRacedReport(t, DefaultDir(raced), got)
}

func keyOf(t results.Trial) string { return fmt.Sprint(t.Number, " ", results.Search) }

func checkRacedReport(t *testing.T, dir string, k kept) {
	t.Helper()
	r, err := BuildReport(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if all := k.states(results.Complete) + k.states(results.Pruned); r.Candidates != all-1 { // the base is none
		t.Errorf("%d candidates of %d trials", r.Candidates, all)
	}
	for _, trial := range r.Trials {
		if (trial.State == results.Pruned) != (trial.Partial != nil) || (trial.State == results.Pruned) != (trial.Scores.Search == nil) {
			t.Errorf("trial %d (%s): partial %v, search %v", trial.Number, trial.State, trial.Partial, trial.Scores.Search)
		}
		if p := trial.Partial; p != nil && (p.N != len(k.Outcomes[keyOf(k.Trials[trial.Number])]) || p.Of != 36 || p.Mean == nil || *p.Mean < 0 || *p.Mean > 1 || len(p.Categories) != 3) {
			t.Errorf("trial %d: partial %+v", trial.Number, p)
		}
	}
	var text strings.Builder
	if err := results.WriteText(&text, r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "racing: ") || !strings.Contains(text.String(), "pruned") {
		t.Errorf("the report does not speak of racing:\n%s", text.String())
	}
}

// Who asks again for a candidate that was stopped hears that, at no cost; a
// baseline gets all of its items.
func TestStoppedCandidatesAskedAgain(t *testing.T) {
	file := smallStudy(t, "strategies: [{random: {budget: 20}}, {random: {budget: 22}}]\n"+hasty)
	calmly(t, file)
	k := read(t, DefaultDir(file))
	again, stopped := 0, 0
	for _, trial := range k.Trials {
		if trial.State == results.Cached && k.Trials[trial.Of].State == results.Pruned {
			again++
		}
		if trial.State == results.Pruned && trial.Number < len(k.Trials)-22 {
			stopped++
		}
	}
	if again == 0 || again != stopped {
		t.Errorf("%d of the first 20 candidates are stopped, %d of them cached", stopped, again)
	}
	s := &session{config: &Config{Racing: &Racing{}}, byKey: map[string]int{"a": 1}, stoppedByKey: map[string]int{"b": 2}}
	check := func(strategy, key string, want int, has bool) {
		t.Helper()
		if trial, ok := s.twin(candidate{strategy: strategy, key: key}); ok != has || ok && trial != want {
			t.Errorf("%s asks for %s: trial %d, %v", strategy, key, trial, ok)
		}
	}
	check("random", "a", 1, true)
	check("random", "b", 2, true)
	check("greedy", "a", 1, true)
	check("greedy", "b", 0, false)
	check("random", "c", 0, false)
}

// Strategies that learn go on with candidates that were stopped, and ask the same
// points in a study that was stopped by its budget.
func TestRacedStudyAsksTheSamePoints(t *testing.T) {
	const strategies = "strategies: [{hillclimb: {budget: 6, steps: 2}}, {cmaes: {budget: 8, population: 4}}, {gp: {budget: 8}}, {auto: {budget: 8}}, {tpe: {budget: 5, startup: 3}}]\n" + hasty
	unbroken := smallStudy(t, strategies)
	calmly(t, unbroken)
	stopped := smallStudy(t, strategies+"budget: {trials: 9}\n")
	for _, budget := range []int{9, 16, 25, 1000} {
		setBudget(t, stopped, budget)
		calmly(t, stopped)
	}
	want, got := read(t, DefaultDir(unbroken)), read(t, DefaultDir(stopped))
	if want.states(results.Pruned) < 3 {
		t.Errorf("only %d candidates are stopped", want.states(results.Pruned))
	}
	if diff := cmp.Diff(want.Trials, got.Trials); diff != "" {
		t.Errorf("(-unbroken +stopped):\n%s", diff)
	}
}

// A stopped candidate was loaded once, also where the server died meanwhile.
func TestRacedThroughAServer(t *testing.T) {
	const more = "strategies: [{random: {budget: 12}}]\n" + hasty
	want := undisturbed(t, more)
	file := smallStudy(t, more)
	dies := &machine{sleeps: 1}
	dies.asked = func(n int) error {
		if n == 36*9+15 || n == 36*12 {
			return dies.die()
		}
		return nil
	}
	if _, err := through(t, file, dies, serve.GGUF, nil); err != nil {
		t.Fatal(err)
	}
	got := read(t, DefaultDir(file))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-undisturbed +died):\n%s", diff)
	}
	r, err := BuildReport(t.Context(), DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	if got.states(results.Pruned) == 0 || r.Swaps < r.Candidates {
		t.Errorf("%d stopped, %d swaps", got.states(results.Pruned), r.Swaps)
	}
}

// How a study races is one of the things that do not change.
func TestRacingDoesNotChange(t *testing.T) {
	file := smallStudy(t, hasty)
	calmly(t, file)
	_, err := through(t, file, &machine{}, serve.GGUF, func(c *Config, _ *RunOptions) { c.Racing.Alpha = 0.1 })
	if err == nil || !strings.Contains(err.Error(), "racing was first 10 eta 2 alpha 0.5, is") {
		t.Errorf("error %v", err)
	}
}
