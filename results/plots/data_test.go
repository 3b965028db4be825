package plots

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/plot/plotter"

	"soup/results"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// trial is one of parents a, b and c with a search score on 100 items.
func trial(number int, strategy, state string, mean float64, weights map[string]float64) results.TrialReport {
	t := results.TrialReport{Number: number, Strategy: strategy, State: state, Of: number, Weights: results.Weights{ByParent: weights}}
	if state == results.Complete || state == results.Cached {
		se := 0.02
		t.Scores.Search = &results.Score{Mean: &mean, SE: &se, Counts: results.Counts{N: 100}}
	}
	return t
}

func small() results.Report {
	r := results.Report{Parents: []string{"a", "b", "c"}, Trials: []results.TrialReport{
		trial(0, "single", results.Complete, 0.5, map[string]float64{"a": 1}),
		trial(1, "single", results.Complete, 0.6, map[string]float64{"b": 1}),
		trial(2, "base", results.Complete, 0.1, nil),
		trial(3, "random", results.Failed, 0, map[string]float64{"a": 1, "c": 1}),
		trial(4, "random", results.Pruned, 0, map[string]float64{"a": 0.5, "c": 0.5}),
		trial(5, "random", results.Complete, 0.7, map[string]float64{"a": 2, "b": 6}), // weights need not sum to 1
		trial(6, "greedy", results.Cached, 0.7, map[string]float64{"a": 0.25, "b": 0.75}),
		trial(7, "random", results.Complete, 0.55, map[string]float64{"a": 0.4, "b": 0.4, "c": 0.2}),
	}}
	r.Trials[4].Answered = 30
	selected := *r.Trials[5].Scores.Search
	r.Trials[5].Scores.Selection = &selected
	return r
}

func TestProgressOf(t *testing.T) {
	p := progressOf(small())
	var items []float64
	for _, a := range p.search {
		items = append(items, a.items)
	}
	if want := []float64{100, 200, 300, 300, 330, 430, 530}; !slices.Equal(items, want) {
		t.Errorf("items %v, want %v", items, want)
	}
	if p.end != 530 || len(p.selection) != 1 || p.selection[0].items != 630 {
		t.Errorf("%+v", p)
	}
	line := best(p.search, p.end)
	want := plotter.XYs{{X: 100, Y: 50}, {X: 200, Y: 60}, {X: 430, Y: 70}, {X: 530, Y: 70}}
	for i := range want {
		if len(line) != len(want) || !near(line[i].X, want[i].X) || !near(line[i].Y, want[i].Y) {
			t.Fatalf("best %v, want %v", line, want)
		}
	}
}

// The base is shown, but is never the best so far: it is no soup.
func TestBestIsASoup(t *testing.T) {
	r := small()
	base := 0.9
	r.Trials[2].Scores.Search.Mean = &base
	p := progressOf(r)
	if line := best(p.search, p.end); line[len(line)-1].Y > 71 {
		t.Errorf("best %v", line)
	}
}

func TestCandidates(t *testing.T) {
	var numbers []int
	for _, c := range candidates(small()) {
		numbers = append(numbers, c.Number)
		if c.single != (c.Number < 2) {
			t.Errorf("trial %d: a parent: %v", c.Number, c.single)
		}
	}
	if !slices.Equal(numbers, []int{0, 1, 5, 7}) {
		t.Errorf("candidates %v", numbers)
	}
}

func TestEdges(t *testing.T) {
	list := edges(small())
	if len(list) != 1 || list[0].ends != [2]int{0, 1} || len(list[0].points) != 3 {
		t.Fatalf("%+v", list)
	}
	if x := list[0].points[1]; !near(x.at, 0.75) || !near(x.score, 70) || !near(list[0].rise(), 10) {
		t.Errorf("at %v: %v, rise %v", x.at, x.score, list[0].rise())
	}
	// Other weights in another group are no point of the line.
	r := small()
	r.Trials[5].Groups = []results.GroupWeights{{Name: "x", ByParent: map[string]float64{"a": 1}}, {Name: "y", ByParent: map[string]float64{"b": 1}}}
	if list := edges(r); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	for i := range 20 { // more panels than there is room for
		r.Parents = append(r.Parents, string(rune('f'+i)))
	}
	var trials []results.TrialReport
	for i := range r.Parents {
		trials = append(trials, trial(len(trials), "single", results.Complete, 0.5, map[string]float64{r.Parents[i]: 1}))
		trials = append(trials, trial(len(trials), "random", results.Complete, 0.5, map[string]float64{r.Parents[0]: 1, r.Parents[i]: 1}))
	}
	r.Trials = trials
	if f, reason := drawEdges(r); f == nil {
		t.Error(reason)
	} else {
		svgOf(t, f)
	}
}

// Scores of 40, 50, 60 and 70 have a variance of 500/3; noise of 10 leaves
// 1 - 100/(500/3) = 0.4 of it.
func TestCurseOf(t *testing.T) {
	r := results.Report{Parents: []string{"a", "b"}}
	for i, mean := range []float64{0.4, 0.5, 0.6, 0.7} {
		x := trial(i, "random", results.Complete, mean, map[string]float64{"a": 0.5, "b": 0.5})
		se, test := 0.1, mean-0.02*float64(i)
		x.Scores.Search.SE = &se
		x.Scores.Test = &results.Score{Mean: &test, SE: &se, Counts: results.Counts{N: 100}}
		r.Trials = append(r.Trials, x)
	}
	d := curseOf(r)
	if !d.shrinks || !near(d.mean, 55) || !near(d.keep, 0.4) {
		t.Errorf("%+v", d)
	}
	if best, mean := d.falls(); !near(best, 6) || !near(mean, 3) {
		t.Errorf("falls by %v and %v", best, mean)
	}
	r.Trials[1].Scores.Search.SE = nil
	if curseOf(r).shrinks {
		t.Error("shrinks without knowing the noise")
	}
}

func TestCosts(t *testing.T) {
	r := small()
	r.Trials[0].Seconds = results.Seconds{Merge: 1, Swap: 2, FirstToken: 1, Eval: 4}
	r.Trials[5].Seconds = results.Seconds{Merge: 3, Eval: 10}
	r.Trials[6].Seconds = results.Seconds{Eval: 99} // cached: another trial's
	list := costs(r)
	if len(list) != 3 || list[0].name != "single checkpoints" || list[1].name != "random" || list[2].name != "all" {
		t.Fatalf("%+v", list)
	}
	if all := list[2]; all.trials != 2 || all.Total() != 20 || all.FirstToken != 1 {
		t.Errorf("%+v", all)
	}
	if name, size := unit(7200); name != "minutes" || size != 60 {
		t.Errorf("%s of %v", name, size)
	}
}

func TestGains(t *testing.T) {
	r := made(3, 12)
	r.Inheritance = &results.Inheritance{Specialists: []results.Specialist{{Category: "arith", Parent: "parent-a", Difference: results.Difference{Delta: -0.02, Low: -0.05, High: 0.01, N: 7, Verdict: results.Noise}}}}
	single, specialists := gains(r)
	if len(single) != 5 || !single[4].overall || !near(single[1].delta, -7) || single[1].verdict != results.Worse {
		t.Errorf("%+v", single)
	}
	if len(specialists) != 1 || specialists[0].label != "arith: parent-a" || !near(specialists[0].low, -5) {
		t.Errorf("%+v", specialists)
	}
	if f, reason := drawCategories(r); f == nil {
		t.Error(reason)
	} else {
		svgOf(t, f)
	}
}

func TestStack(t *testing.T) {
	got := stack([]float64{0.5, 0, -0.25, 0.75, -0.5}, make([]string, 5))
	want := []segment{{0, 0.5, 0, ""}, {0, -0.25, 2, ""}, {0.5, 1.25, 3, ""}, {-0.25, -0.75, 4, ""}}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestCorrelations(t *testing.T) {
	r := results.Report{Parents: []string{"a", "b"}}
	for i, x := range [][3]float64{{0.1, 0.6, 0.5}, {0.2, 0.4, 0.5}, {0.3, 0.2, 0.5}} {
		c := trial(i, "random", results.Complete, 0.5, map[string]float64{"a": 0.5, "b": 0.5})
		c.Scores.Search.Categories = map[string]results.CategoryScore{"x": {Mean: &x[0]}, "y": {Mean: &x[1]}, "flat": {Mean: &x[2]}, "lost": {}}
		r.Trials = append(r.Trials, c)
	}
	names, m := correlations(candidates(r))
	if !slices.Equal(names, []string{"flat", "lost", "x", "y"}) || !near(m[2][3], -1) || m[2][2] != 1 || !math.IsNaN(m[0][2]) || !math.IsNaN(m[1][2]) {
		t.Errorf("%v %v", names, m)
	}
}

func TestShort(t *testing.T) {
	got := short([]string{"short", "a-very-long-name-of-a-model", "a-very-long-name-of-b-model", "a-very-short-game-of-a-model"}, 12)
	want := []string{"short", "a-ver…-model", "a-v…model…2", "a-v…model…3"}
	for i, name := range got {
		if len([]rune(name)) > 13 || slices.Contains(got[:i], name) {
			t.Errorf("%q, want about %q", got, want)
		}
	}
	if got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestPlainTicks(t *testing.T) {
	check := func(low, high float64, want ...string) {
		t.Helper()
		var got []string
		for _, x := range plainTicks(low, high) {
			got = append(got, x.Label)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v to %v: %v, want %v", low, high, got, want)
		}
	}
	check(0, 1, "0", "0.2", "0.4", "0.6", "0.8", "1")
	check(41.3, 68.9, "45", "50", "55", "60", "65")
	check(0, 207000, "0", "50k", "100k", "150k", "200k")
	check(-3, 3, "-3", "-2", "-1", "0", "1", "2", "3")
	check(5, 5, "5")
}

// Darker means better, so that grey print says the same.
func TestRampDarkens(t *testing.T) {
	light := func(share float64) float64 {
		c := ramp(share)
		return 0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)
	}
	for i := range 100 {
		if light(float64(i+1)/100) > light(float64(i)/100) {
			t.Fatalf("at %d %% it gets lighter", i)
		}
	}
}
