package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// panelOutcomes are those of candidates that solve an item with a probability of
// their own, in three categories of different sizes; clustered ones have clusters
// that reach over two categories.
func panelOutcomes(seed uint64, clustered bool, skills ...float64) [][]Outcome {
	var all [][]Outcome
	random := rand.New(rand.NewPCG(seed, 0))
	for range skills {
		all = append(all, nil)
	}
	for c, n := range []int{155, 100, 45} {
		for i := range n {
			common := random.Float64()
			for k, skill := range skills {
				o := Outcome{ID: fmt.Sprint(c, "-", i), Category: fmt.Sprint("c", c), State: StateOK}
				if clustered {
					o.Cluster = fmt.Sprint(i / 3)
				}
				if 0.7*common+0.3*random.Float64() < skill {
					o.Score = 1
				}
				all[k] = append(all[k], o)
			}
		}
	}
	return all
}

// On all items a panel says what Compare and Summarize say.
func TestPanelAgrees(t *testing.T) {
	for _, clustered := range []bool{false, true} {
		for _, weights := range []map[string]float64{nil, {"c0": 3, "c2": 0.5}, {"c1": 0}} {
			all := panelOutcomes(1, clustered, 0.5, 0.6, 0.55)
			p, err := NewPanel(all, weights)
			if err != nil {
				t.Fatal(err)
			}
			for i, outcomes := range all {
				want, err := Summarize(outcomes).Aggregate(weights)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "mean", p.All().Mean(i), want, 1e-12)
			}
			c := CompareWeighted(all[1], all[0], weights)
			delta, se := p.All().Gap(1, 0)
			near(t, "delta", delta, c.Delta, 1e-12)
			near(t, "standard error", se, (c.High-c.Low)/(2*1.96), 0.1*se)
			if weights == nil && !clustered && p.Items() != 300 {
				t.Errorf("%d items", p.Items())
			}
		}
	}
}

func TestPanelLeavesOutWhatSomebodyLacks(t *testing.T) {
	all := panelOutcomes(2, false, 0.5, 0.6)
	all[0][0].State = StateFailed
	all[1] = slices.Delete(all[1], 1, 2)
	p, err := NewPanel(all, nil)
	if err != nil || p.Items() != 298 {
		t.Fatalf("%d items, %v", p.Items(), err)
	}
	for i := range all[0] {
		if all[0][i].Category == "c2" {
			all[0][i].State = StateTimeout
		}
	}
	if _, err := NewPanel(all, nil); err == nil {
		t.Error("a category without common items is no error")
	}
	if _, err := NewPanel(all, map[string]float64{"c2": 0}); err != nil {
		t.Errorf("a category without weight: %v", err)
	}
	if _, err := NewPanel(nil, nil); err == nil {
		t.Error("a panel of nobody is no error")
	}
}

func TestHalves(t *testing.T) {
	for _, clustered := range []bool{false, true} {
		all := panelOutcomes(3, clustered, 0.5, 0.6)
		p, err := NewPanel(all, nil)
		if err != nil {
			t.Fatal(err)
		}
		sum, squares, n := 0.0, 0.0, 2000
		whole, se := p.All().Gap(1, 0)
		done := p.Halves(n, func(first, second Part) {
			if len(first.rows)+len(second.rows) != len(p.rows) {
				t.Fatal("units are lost")
			}
			for _, k := range first.rows {
				if slices.Contains(second.rows, k) {
					t.Fatal("a unit is in both halves")
				}
			}
			if d := len(first.rows) - len(second.rows); d < -6 || d > 6 {
				t.Fatalf("halves of %d and %d units", len(first.rows), len(second.rows))
			}
			gap, _ := first.Gap(1, 0)
			sum, squares = sum+gap, squares+(gap-whole)*(gap-whole)
		})
		if done != n && !clustered {
			t.Errorf("%d of %d halvings", done, n)
		}
		near(t, "mean of halves", sum/float64(done), whole, 0.01)
		// A half spreads around the whole as the whole does around the truth.
		near(t, "spread of halves", math.Sqrt(squares/float64(done)), se, 0.15*se)
	}
}

func TestHalvesNeedItems(t *testing.T) {
	all := panelOutcomes(4, false, 0.5, 0.6)
	for i := range all {
		all[i] = slices.DeleteFunc(all[i], func(o Outcome) bool { return o.Category == "c1" && o.ID != "1-0" })
	}
	p, err := NewPanel(all, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := p.Halves(50, func(Part, Part) { t.Error("a half lacks a category") }); n != 0 {
		t.Errorf("%d halvings", n)
	}
}

// The order of the outcomes does not matter.
func TestPanelOrder(t *testing.T) {
	all := panelOutcomes(5, true, 0.5, 0.6)
	share := func() (first float64) {
		p, err := NewPanel(all, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Halves(20, func(a, _ Part) { first += a.Mean(0) })
		return first
	}
	want := share()
	slices.Reverse(all[0])
	slices.Reverse(all[1])
	if got := share(); got != want {
		t.Errorf("%v, in another order %v", want, got)
	}
}

func TestShrunkenGap(t *testing.T) {
	all := panelOutcomes(6, false, 0.5, 0.5, 0.5, 0.5, 0.9, 0.1)
	p, err := NewPanel(all, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := p.All()
	raw, se := s.Gap(4, 5)
	if got := s.ShrunkenGap([]int{4}, 4, 5); got != (Shrunken{raw, se, 1}) {
		t.Errorf("alone: %+v", got)
	}
	if got := s.ShrunkenGap([]int{0, 1, 2, 3, 4}, 4, 5); !(got.Factor > 0.7 && got.Factor < 1 && got.Delta < raw && got.Delta > raw-0.2) {
		t.Errorf("far ahead: %+v of %v", got, raw)
	}
	raw, _ = s.Gap(0, 5)
	equal := s.ShrunkenGap([]int{0, 1, 2, 3}, 0, 5)
	mean := 0.0
	for i := range 4 {
		mean += (s.Mean(i) - s.Mean(5)) / 4
	}
	if math.Abs(equal.Delta-mean) > math.Abs(raw-mean) || equal.Factor > 0.7 || !(equal.SE > 0) {
		t.Errorf("equals: %+v of %v, mean %v", equal, raw, mean)
	}
}

// Exchanged at random, a difference of 30 points is none.
func TestExchange(t *testing.T) {
	for _, clustered := range []bool{false, true} {
		all := panelOutcomes(7, clustered, 0.8, 0.5)
		if v := Compare(all[0], all[1]).Verdict; v != Better {
			t.Fatalf("verdict %s", v)
		}
		before := slices.Clone(all[0])
		e := Exchange(all[0], all[1], nil, 200)
		if e.N != 200 || e.Better+e.Worse > 20 || e.Better+e.Worse == 0 {
			t.Errorf("clustered %v: %+v", clustered, e)
		}
		if e != Exchange(all[0], all[1], nil, 200) || !slices.EqualFunc(before, all[0], func(a, b Outcome) bool { return a.Score == b.Score }) {
			t.Error("not repeated, or the outcomes changed")
		}
	}
	if e := Exchange(nil, nil, nil, 200); e != (Exchanges{}) {
		t.Errorf("of nothing: %+v", e)
	}
}
