package study

import (
	"math"
	"testing"

	"soup/results"
)

func TestRow(t *testing.T) {
	for _, c := range []struct {
		weights [][]float64
		last, n int
	}{
		{[][]float64{{0, 0, 1}}, 2, 1},
		{[][]float64{{0, .5, .5, 0}}, 2, 2},
		{[][]float64{{1. / 3, 1. / 3, 1 - 2./3}}, 2, 3},
		{[][]float64{{.5, 0, .5}}, 0, 0},
		{[][]float64{{.4, .6}}, 0, 0},
		{[][]float64{{.5, .5}, {0, 1}}, 0, 0},
		{[][]float64{{.5, .5}, {.5, .5}}, 1, 2},
		{[][]float64{{0, 0}}, 0, 0},
	} {
		if last, n := row(c.weights); last != c.last || n != c.n {
			t.Errorf("%v: %d, %d", c.weights, last, n)
		}
	}
}

func TestCommonWindow(t *testing.T) {
	at := func(pairs ...[2]int) map[[2]int]int {
		m := map[[2]int]int{}
		for _, p := range pairs {
			m[p] = 1
		}
		return m
	}
	for want, means := range map[int]map[[2]int]int{
		0: at([2]int{3, 2}, [2]int{3, 4}), // of the last step only
		2: at([2]int{1, 2}, [2]int{2, 2}, [2]int{3, 2}, [2]int{3, 4}),
		3: at([2]int{1, 2}, [2]int{2, 3}, [2]int{3, 3}, [2]int{3, 2}),
	} {
		if got := commonWindow(means, 4); got != want {
			t.Errorf("%v: %d, want %d", means, got, want)
		}
	}
}

func TestSteady(t *testing.T) {
	soft := -0.5
	at := func(score float64) *results.RunScore { return &results.RunScore{Score: score, Soft: &soft} }
	c := &results.Curve{}
	for i, raw := range []float64{0.2, 0.5, 0.4, 0.6} {
		p := results.CurveStep{Raw: at(raw)}
		if i > 0 {
			p.Averaged = at(0.5 + float64(i)/20)
		}
		c.Points = append(c.Points, p)
	}
	steady(c)
	// changes of -0.1 and +0.2; of 0.05 twice
	if c.Raw == nil || c.Raw.Steps != 2 || math.Abs(c.Raw.Score-0.3/math.Sqrt2) > 1e-12 || math.Abs(c.Averaged.Score) > 1e-12 || *c.Raw.Soft != 0 {
		t.Errorf("%+v %+v", c.Raw, c.Averaged)
	}
	if n := earlier(c.Points); n == nil || *n != 1 {
		t.Errorf("%v", n)
	}
	c.Points[3].Raw = at(0.9)
	if n := earlier(c.Points); n != nil {
		t.Errorf("%d", *n)
	}
	c.Points, c.Raw = c.Points[:3], nil
	if steady(c); c.Raw != nil {
		t.Error("one change has no spread")
	}
}
