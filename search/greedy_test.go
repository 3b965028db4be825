package search_test

import (
	"context"
	"strings"
	"testing"

	"soup/search"
)

var five = search.Space{Parents: []string{"a", "b", "c", "d", "e"}}

func labels(trials []search.Trial) string {
	var out []string
	for _, t := range trials {
		out = append(out, t.Point.Label)
	}
	return strings.Join(out, ", ")
}

func notes(s search.Strategy) string {
	return strings.Join(s.(search.Explainer).Notes(), "\n")
}

// table answers by label and fails what it does not know.
func table(scores map[string]float64) search.Objective {
	return func(_ context.Context, p search.Point) (search.Trial, error) {
		if score, ok := scores[p.Label]; ok {
			return scored(score), nil
		}
		return search.Trial{State: search.StateFailed}, nil
	}
}

func greedy(t *testing.T, space search.Space, f search.Objective) (search.Strategy, search.Result) {
	t.Helper()
	s := mustNew(t, "greedy", nil, space)
	r, err := search.Run(t.Context(), s, f, search.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// A soup that is as good is no reason to add a parent: see the type's comment.
func TestGreedyTries(t *testing.T) {
	s, r := greedy(t, five, table(map[string]float64{
		"a": 0.2, "b": 0.7, "c": 0.5, "d": 0.7, "e": 0.1,
		"greedy: b+d":     0.8,
		"greedy: b+d+c":   0.8,
		"greedy: b+d+a":   0.81,
		"greedy: b+d+a+e": 0.6,
	}))
	want := "a, b, c, d, e, greedy: b+d, greedy: b+d+c, greedy: b+d+a, greedy: b+d+a+e"
	if got := labels(r.Trials); got != want {
		t.Errorf("tried %s\nwant  %s", got, want)
	}
	if r.Best.Point.Label != "greedy: b+d+a" || search.Key(r.Best.Point) != "0.333333333333,0.333333333333,0,0.333333333333,0" {
		t.Errorf("best is %s %v", r.Best.Point.Label, r.Best.Point.Weights)
	}
	wantNotes := `tries parents in the order b, d, c, a, e
adds d: 0.8000 is above 0.7000
leaves out c: 0.8000 is not above 0.8000
adds a: 0.8100 is above 0.8000
leaves out e: 0.6000 is not above 0.8100`
	if got := notes(s); got != wantNotes {
		t.Errorf("notes\n%s\nwant\n%s", got, wantNotes)
	}
}

func TestGreedyFailures(t *testing.T) {
	s, r := greedy(t, five, table(map[string]float64{
		"c": 0.5, "e": 0.6, "greedy: e+b": 0.7,
	}))
	want := "a, b, c, d, e, greedy: e+c, greedy: e+a, greedy: e+b, greedy: e+b+d"
	if got := labels(r.Trials); got != want {
		t.Errorf("tried %s\nwant  %s", got, want)
	}
	if !strings.Contains(notes(s), "leaves out c: the soup with it has no score, it is failed") {
		t.Errorf("notes %s", notes(s))
	}
	s, r = greedy(t, three, table(map[string]float64{"greedy: a+b": -3}))
	if r.Best == nil || r.Best.Score != -3 || !strings.Contains(notes(s), "adds b: -3.0000, the first score") {
		t.Errorf("no parent has a score: best %+v, notes %s", r.Best, notes(s))
	}
}

func TestGreedyNeverWorseThanBestSingle(t *testing.T) {
	for name, f := range map[string]search.Objective{
		"bowl": bowl(0.5, 0.3, 0.2), "corner": corner(2), "plateau": plateau, "noisy": noisy(bowl(0, 0.5, 0.5), 0.1),
	} {
		_, r := greedy(t, three, f)
		if len(r.Trials) != 5 {
			t.Errorf("%s: %d trials; want 3 parents and 2 soups", name, len(r.Trials))
		}
		for _, trial := range r.Trials[:3] {
			if trial.Score > r.Best.Score {
				t.Errorf("%s: %s has %v, the best %v", name, trial.Point.Label, trial.Score, r.Best.Score)
			}
		}
	}
	if _, r := greedy(t, three, plateau); r.Best.Point.Label != "a" {
		t.Errorf("plateau: best is %s; want the first parent", r.Best.Point.Label)
	}
}

func TestGreedyBounds(t *testing.T) {
	s, r := greedy(t, search.Space{Parents: three.Parents, Max: 0.4}, plateau)
	if len(r.Trials) != 3 || !strings.Contains(notes(s), "does not try b: equal shares of 2 are outside the bounds") {
		t.Errorf("%d trials, notes %s", len(r.Trials), notes(s))
	}
}
