package study

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"soup/eval"
)

// entrant is a finalist with what it scores: right of every 100 items in each of
// two categories, the same items for all, but for some that only it has right.
type entrant struct {
	weights []float64
	right   int
	own     int // items that it has right in place of others
}

func newTestContest(t *testing.T, items int, entrants ...entrant) *contest {
	t.Helper()
	var finalists []finalist
	var outcomes [][]eval.Outcome
	for k, e := range entrants {
		finalists = append(finalists, finalist{candidate{"random", fmt.Sprint("soup ", k), [][]float64{e.weights}, ""}, 10 + k, 0})
		var list []eval.Outcome
		for c := range 2 {
			order := rand.New(rand.NewPCG(1, uint64(c))).Perm(items)
			mine := rand.New(rand.NewPCG(2, uint64(10*k+c))).Perm(items)
			right := slices.Clone(order[:e.right-e.own])
			for _, i := range mine {
				if len(right) < e.right && !slices.Contains(right, i) {
					right = append(right, i)
				}
			}
			for i := range items {
				o := eval.Outcome{ID: fmt.Sprint(c, " ", i), Category: fmt.Sprint("c", c), State: eval.StateOK}
				if slices.Contains(right, i) {
					o.Score = 1
				}
				list = append(list, o)
			}
		}
		outcomes = append(outcomes, list)
	}
	c, err := newContest(finalists, outcomes, nil, func(m string) { t.Error(m) })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDecide(t *testing.T) {
	one, other := []float64{1, 0, 0}, []float64{0, 1, 0}
	two, three, mixed := []float64{0.5, 0.5, 0}, []float64{1. / 3, 1. / 3, 1. / 3}, []float64{0.2, 0.3, 0.5}
	for name, test := range map[string]struct {
		entrants []entrant
		want     int // place of the winner
		reason   string
	}{
		"a real gain":                   {[]entrant{{one, 60, 0}, {mixed, 80, 5}}, 1, "none simpler"},
		"a gain below the noise":        {[]entrant{{one, 60, 20}, {mixed, 63, 20}}, 1, "none simpler"},
		"no gain":                       {[]entrant{{one, 60, 5}, {mixed, 60, 5}, {other, 55, 5}}, 0, "no soup of 3 finalists scores higher"},
		"weights do not matter":         {[]entrant{{one, 60, 5}, {mixed, 80, 5}, {three, 79, 5}}, 2, "trial 11 (soup 1)"},
		"fewer parents":                 {[]entrant{{one, 60, 5}, {mixed, 80, 5}, {three, 79, 5}, {two, 79, 5}}, 3, "trial 11 (soup 1)"},
		"simpler, but surely worse":     {[]entrant{{one, 20, 5}, {mixed, 80, 5}, {two, 70, 5}}, 1, "none simpler"},
		"simpler, but half of the gain": {[]entrant{{one, 60, 20}, {mixed, 64, 20}, {two, 62, 20}}, 1, "none simpler"},
		"parents only":                  {[]entrant{{one, 60, 0}, {other, 61, 0}}, 1, "no soup among them"},
		"soups only":                    {[]entrant{{mixed, 60, 20}, {two, 59, 20}}, 1, "simplest soup"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newTestContest(t, 100, test.entrants...)
			d := c.decide()
			if reason := d.reason(c); d.winner != test.want || !strings.Contains(reason, test.reason) {
				t.Errorf("winner %d, %s", d.winner, reason)
			}
			sum := 0.0
			for _, x := range d.top {
				sum += x
			}
			if d.halvings != halvings || sum < 0.999 || sum > 1.001 {
				t.Errorf("%d halvings, shares %v", d.halvings, d.top)
			}
		})
	}
}

// Weights by group win only where the paired interval on selection says so.
func TestWeightsByGroupMustProveThemselves(t *testing.T) {
	one, mixed := []float64{1, 0, 0}, []float64{0.2, 0.3, 0.5}
	groups := [][]float64{{0.2, 0.3, 0.5}, {0.5, 0.5, 0}}
	for _, test := range []struct {
		right, own int // of the soup with weights by group
		global     bool
		want       int
		reason     string
	}{
		{82, 10, true, 1, "trial 12 (soup 2), with weights by group, scores 2.0 points more, which a paired test cannot tell"},
		{95, 5, true, 2, "none simpler is as good"},
		{82, 10, false, 1, "none simpler is as good"},
	} {
		entrants := []entrant{{one, 60, 5}, {mixed, 80, 5}, {mixed, test.right, test.own}}
		if !test.global {
			entrants = slices.Delete(entrants, 1, 2)
		}
		c := newTestContest(t, 100, entrants...)
		c.finalists[len(entrants)-1].weights = groups
		d := c.decide()
		if reason := d.reason(c); d.winner != test.want || !strings.Contains(reason, test.reason) || strings.Contains(reason, "paired") != strings.Contains(test.reason, "paired") {
			t.Errorf("%+v: winner %d, %s", test, d.winner, reason)
		}
	}
}

// What the report says of a choice.
func TestChoiceReport(t *testing.T) {
	mixed, three := []float64{0.2, 0.3, 0.5}, []float64{1. / 3, 1. / 3, 1. / 3}
	c := newTestContest(t, 100, entrant{[]float64{1, 0, 0}, 60, 5}, entrant{mixed, 80, 5}, entrant{three, 79, 5}, entrant{[]float64{0.4, 0.3, 0.3}, 79, 5})
	r := c.report(c.decide(), nil)
	g, p := r.Gain, r.Plateau
	if r.N != 200 || g == nil || g.Soup != 12 || g.Parent != 10 || p == nil || p.Equal != 12 || p.Other != 11 || p.N != 200 {
		t.Fatalf("%+v, gain %+v, plateau %+v", r, g, p)
	}
	if near := func(a, b float64) bool { return a-b < 0.02 && b-a < 0.02 }; !near(g.Observed.Delta, 0.19) || !near(g.Repeated.Delta, 0.19) ||
		!near(g.Shrunken.Delta, 0.19) || !(g.Repeated.Low < g.Repeated.Delta && g.Repeated.Delta < g.Repeated.High) || !(g.Factor >= 0 && g.Factor < 1) {
		t.Errorf("%+v", g)
	}
	if r.Finalists[len(r.Finalists)-1].Trial != 10 || r.Finalists[0].Best < 0.3 {
		t.Errorf("%+v", r.Finalists)
	}
	// Where shares matter there is no plateau.
	c = newTestContest(t, 100, entrant{[]float64{1, 0, 0}, 60, 5}, entrant{mixed, 80, 5}, entrant{three, 70, 5})
	if r := c.report(c.decide(), nil); r.Plateau != nil {
		t.Errorf("plateau %+v", r.Plateau)
	}
	// Nor where equal shares are no better than a parent.
	c = newTestContest(t, 100, entrant{[]float64{1, 0, 0}, 60, 5}, entrant{mixed, 60, 5}, entrant{three, 60, 5})
	if r := c.report(c.decide(), nil); r.Plateau != nil {
		t.Errorf("plateau %+v", r.Plateau)
	}
}

func TestContestLeavesOut(t *testing.T) {
	var warned []string
	warn := func(m string) { warned = append(warned, m) }
	soup := func(trial int) finalist {
		return finalist{candidate{"random", "s", [][]float64{{0.5, 0.5}}, ""}, trial, 0}
	}
	answers := func() (list []eval.Outcome) {
		for i := range 20 {
			list = append(list, eval.Outcome{ID: fmt.Sprint(i), Category: "call", State: eval.StateOK, Score: float64(i % 2)})
		}
		return list
	}
	failed := answers()
	for i := range failed {
		failed[i].State = eval.StateFailed
	}
	part := answers()
	for i := range part[:19] {
		part[i].State = eval.StateFailed
	}
	rest := answers()
	rest[19].State = eval.StateFailed
	base := finalist{candidate{baseStrategy, "base", [][]float64{{0, 0}}, ""}, 9, 0}
	c, err := newContest([]finalist{base, soup(1), soup(2), soup(3)}, [][]eval.Outcome{answers(), failed, part, rest}, nil, warn)
	if err != nil || len(c.finalists) != 1 || c.finalists[0].trial != 3 || len(warned) != 2 {
		t.Fatalf("%+v %v %q", c, err, warned)
	}
	if d := c.decide(); d.winner != 0 {
		t.Errorf("%+v", d)
	}
	if _, err := newContest([]finalist{soup(1)}, [][]eval.Outcome{failed}, nil, warn); err == nil {
		t.Error("a contest of nobody is no error")
	}
}
