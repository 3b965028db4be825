package searchtest_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"soup/search"
	"soup/search/searchtest"
)

// faulty is a good strategy that one thing is done to.
type faulty struct {
	search.Strategy
	told   int
	asked  int
	change func(f *faulty, p *search.Point)
	done   func(f *faulty) bool
	greed  int // points more than asked for
	keep   int // points kept back of each Ask
}

func (f *faulty) Ask(n int) []search.Point {
	if n > f.keep {
		n -= f.keep
	}
	points := f.Strategy.Ask(n + f.greed)
	for i := range points {
		f.asked++
		if f.change != nil {
			f.change(f, &points[i])
		}
	}
	return points
}

func (f *faulty) Tell(trials []search.Trial) {
	f.told += len(trials)
	f.Strategy.Tell(trials)
}

func (f *faulty) Done() bool {
	if f.done != nil {
		return f.done(f)
	}
	return f.Strategy.Done()
}

func test(f faulty) error {
	return searchtest.Test(func(space search.Space, seed uint64) (search.Strategy, error) {
		s, err := search.New("random", map[string]any{"budget": 12}, space, seed)
		made := f
		made.Strategy = s
		return &made, err
	})
}

func TestGoodStrategyPasses(t *testing.T) {
	if err := test(faulty{}); err != nil {
		t.Error(err)
	}
	if err := test(faulty{keep: 1}); err != nil {
		t.Errorf("fewer points than asked for: %v", err)
	}
}

func TestFaultsAreFound(t *testing.T) {
	calls := 0
	for name, c := range map[string]struct {
		faulty
		want string
	}{
		"sum":          {faulty{change: func(_ *faulty, p *search.Point) { p.Weights[0][0] += 0.01 }}, "not those that take effect"},
		"bounds":       {faulty{change: func(_ *faulty, p *search.Point) { stretch(p.Weights) }}, "is outside"},
		"not a number": {faulty{change: func(_ *faulty, p *search.Point) { p.Weights[0][0] = math.NaN() }}, "not a number"},
		"groups":       {faulty{change: func(_ *faulty, p *search.Point) { p.Weights = p.Weights[1:] }}, "0 rows of weights for 1 groups"},
		"parents":      {faulty{change: func(_ *faulty, p *search.Point) { p.Weights[0] = p.Weights[0][1:] }}, "0 weights for 1 parents"},
		"label":        {faulty{change: func(_ *faulty, p *search.Point) { p.Label = "" }}, "want one line"},
		"number":       {faulty{change: func(_ *faulty, p *search.Point) { p.Number++ }}, "not done after"},
		"repeats":      {faulty{change: func(_ *faulty, p *search.Point) { one(p.Weights) }}, "repeats point 0"},
		"greed":        {faulty{greed: 1}, "asked for 1 points, gives 2"},
		"endless":      {faulty{done: func(*faulty) bool { return false }}, "not done after"},
		"done early":   {faulty{done: func(*faulty) bool { return true }}, "done while 1 points have no outcome"},
		"hidden state": {faulty{change: func(_ *faulty, p *search.Point) { calls++; p.Label = fmt.Sprint(calls) }}, "if asked one by one"},
		"tells count":  {faulty{change: func(f *faulty, p *search.Point) { p.Label = fmt.Sprint(f.told) }}, "all at once, told backwards: point 1"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test(c.faulty); err == nil {
				t.Error("passes")
			} else if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant something with %q", err, c.want)
			}
		})
	}
}

// one puts all weight on the first parent.
func one(rows [][]float64) {
	for _, row := range rows {
		clear(row)
		row[0] = 1
	}
}

// stretch keeps the sum and leaves the bounds.
func stretch(rows [][]float64) {
	for _, row := range rows {
		if len(row) > 1 {
			row[0] += 3
			row[1] -= 3
		}
	}
}
