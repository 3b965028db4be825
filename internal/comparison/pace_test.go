package comparison

import (
	"math"
	"testing"

	"soup/results"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// A strategy pays for a candidate that another had tried before; the study does
// not pay twice.
func TestSteps(t *testing.T) {
	r := night(1, 0.6, 0.5, 0.7)
	list := steps(r, "cmaes")
	if len(list) != 3 || list[2].items != 300 || list[2].seconds != 6 || !near(list[2].score, 0.52) {
		t.Errorf("%+v", list)
	}
	if whole := steps(r, Whole); len(whole) != 5 || whole[4].items != 500 {
		t.Errorf("%+v", whole)
	}
	r.Trials[3].State, r.Trials[3].Scores, r.Trials[3].Answered = results.Pruned, results.Scores{}, 40
	if list := steps(r, "cmaes"); len(list) != 2 || list[0].items != 140 {
		t.Errorf("what was pruned costs as well: %+v", list)
	}
}

func TestBestWithin(t *testing.T) {
	list := []step{{100, 2, 0.5}, {200, 4, 0.7}, {300, 6, 0.6}}
	check := func(budget, want float64, wantOK bool) {
		t.Helper()
		if got, ok := bestWithin(list, budget, byItems); ok != wantOK || ok && got != want {
			t.Errorf("within %v: %v %v", budget, got, ok)
		}
	}
	check(99, 0, false)
	check(100, 0.5, true)
	check(300, 0.7, true)
	if got, ok := bestWithin(list, 3, bySeconds); !ok || got != 0.5 {
		t.Errorf("within 3 s: %v %v", got, ok)
	}
}

func TestPaces(t *testing.T) {
	c := nights()
	if got := c.Budgets.Items; len(got) != 4 || got[0] != 63 || got[3] != 500 {
		t.Errorf("budgets %v", got)
	}
	for _, p := range c.Paces {
		if p.Strategy == "cmaes" && (p.Items[0] != nil || !near(*p.Items[1], 0.56) || !near(*p.Items[2], 0.58)) {
			t.Errorf("%+v", p)
		}
	}
	(&Comparison{}).addPaces([]results.Report{{}}) // nothing was scored
}

func TestSeeds(t *testing.T) {
	c := nights()
	if len(c.Seeds) != 1 {
		t.Fatalf("%+v", c.Seeds)
	}
	s := c.Seeds[0]
	if s.Name != "night" || len(s.Seeds) != 4 || !near(s.Test.Median, 0.63) || s.Better != 2 || s.Noise != 1 || s.Worse != 1 {
		t.Errorf("%+v %+v", s, s.Test)
	}
}

func TestQuartiles(t *testing.T) {
	if q := quartiles([]float64{4, 1, 3, 2}); *q != (Quartiles{1.75, 2.5, 3.25}) { // as numpy.quantile and R have it
		t.Errorf("%+v", q)
	}
	if q := quartiles([]float64{3}); *q != (Quartiles{3, 3, 3}) {
		t.Errorf("%+v", q)
	}
	if quartiles(nil) != nil {
		t.Error("quartiles of nothing")
	}
}

// A duel counts alike from both sides.
func TestDuels(t *testing.T) {
	c := nights()
	if len(c.Duels) != 2 || c.Duels[1] != (Duel{"single", "cmaes", 1, 1, 1}) {
		t.Errorf("%+v", c.Duels)
	}
	for _, s := range c.Strategies {
		want := map[string][3]int{"single": {2, 1, 1}, "uniform": {0, 0, 1}, "cmaes": {1, 1, 1}}[s.Name]
		if got := [3]int{s.Wins, s.Ties, s.Losses}; got != want {
			t.Errorf("%s: %v, want %v", s.Name, got, want)
		}
	}
}
