package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// field has n items in each of the categories; every third of a category named "c"
// shares a passage with its neighbours.
func field(n int, categories ...string) []Item {
	var items []Item
	for _, c := range categories {
		for i := range n {
			it := Item{ID: fmt.Sprint(c, i), Category: c}
			if c == "c" {
				it.Cluster = fmt.Sprint("passage ", i/3)
			}
			items = append(items, it)
		}
	}
	return items
}

// answersOf gives every item the score that f has for it.
func answersOf(items []Item, f func(i int) float64) []Outcome {
	var list []Outcome
	for i, it := range items {
		o := unscored(it, StateOK)
		o.Score = f(i)
		list = append(list, o)
	}
	return list
}

// prefix are the outcomes of the first n items that the race asks.
func (r Race) prefix(outcomes []Outcome, n int) []Outcome {
	all := byID(outcomes)
	var list []Outcome
	for _, it := range r.Items[:n] {
		list = append(list, all[it.ID])
	}
	return list
}

// first is the first look at which the evidence reaches 1/alpha; -1 for none.
func (r Race) first(candidate, incumbent []Outcome, margin, alpha float64) int {
	for _, rung := range r.Rungs[:len(r.Rungs)-1] {
		if r.Look(r.prefix(candidate, rung), incumbent, margin).Evidence >= 1/alpha {
			return rung
		}
	}
	return -1
}

// A race asks every item once, keeps passages together, spreads the categories
// evenly and puts settled items back; the order within a stratum does not depend on
// what is settled.
func TestRaceOrder(t *testing.T) {
	items := field(150, "a", "b", "c")
	settled := func(id string) bool { return id[0] == 'a' && id[len(id)-1] < '6' } // 60 % of a
	plain, raced := NewRace(items, RaceOptions{Seed: 3}), NewRace(items, RaceOptions{Seed: 3, Settled: settled})
	if want := []int{50, 150, 450}; !slices.Equal(plain.Rungs, want) {
		// a passage is never cut, and counts as its mean size
		if d := plain.Rungs[0] - want[0]; d < 0 || d > 2 || len(plain.Rungs) != 3 {
			t.Errorf("rungs %v, want about %v", plain.Rungs, want)
		}
	}
	for k, r := range []Race{plain, raced} {
		seen, counts, putBack := map[string]bool{}, map[string]int{}, 0
		for i, it := range r.Items {
			seen[it.ID] = true
			if i < r.Rungs[0] {
				counts[it.Category]++
				if settled(it.ID) {
					putBack++
				}
			}
			if i > 0 && it.Category == "c" && it.ID[1:] != "0" && r.Items[i-1].Cluster != it.Cluster && i+2 < len(r.Items) && r.Items[i+2].Cluster != it.Cluster {
				t.Errorf("%s is apart from its passage", it.ID)
			}
		}
		if len(seen) != len(items) {
			t.Errorf("%d of %d items are asked", len(seen), len(items))
		}
		// 52 by turns of 1, 1 and 1; or of 0.4 + 0.6/4, 1 and 1.
		if want := []int{17, 11}[k]; counts["a"] != want || putBack != []int{10, 3}[k] || counts["b"]-counts["c"] > 1 || counts["c"]-counts["b"] > 2 {
			t.Errorf("the first rung has %v, of them %d settled", counts, putBack)
		}
	}
	within := func(r Race, late bool) (ids []string) {
		for _, it := range r.Items {
			if it.Category == "a" && settled(it.ID) == late {
				ids = append(ids, it.ID)
			}
		}
		return ids
	}
	for _, late := range []bool{false, true} {
		if !slices.Equal(within(plain, late), within(raced, late)) {
			t.Errorf("the order of items changes with what is settled")
		}
	}
	other := NewRace(items, RaceOptions{Seed: 4})
	if slices.EqualFunc(plain.Items, other.Items, func(a, b Item) bool { return a.ID == b.ID }) {
		t.Error("another seed gives the same order")
	}
}

// The chance that a candidate as good as the incumbent is ever stopped is at most
// alpha, over the order, whatever the answers are: ties mostly, or none; one big
// stratum or unequal ones; passages that are answered alike; weights.
func TestRaceKeepsItsError(t *testing.T) {
	const races, alpha = 100, 0.1
	random := rand.New(rand.NewPCG(1, 2))
	coin := func(p float64) float64 { return oneIf(random.Float64() < p) }
	equal := field(60, "a", "b", "c")
	uneven := append(field(150, "a"), field(12, "b")...)
	for name, c := range map[string]struct {
		items   []Item
		weights map[string]float64
		scores  func(i int) (candidate, incumbent float64)
	}{
		"few ties":    {equal, nil, func(int) (float64, float64) { return coin(0.5), coin(0.5) }},
		"most ties":   {equal, nil, func(int) (float64, float64) { return coin(0.97), coin(0.97) }},
		"gains apart": {equal, nil, func(i int) (float64, float64) { return oneIf(i < 60), oneIf(i >= 60 && i < 120) }},
		"passages":    {equal, nil, func(i int) (float64, float64) { return oneIf(i/3%2 == 0), oneIf(i/3%2 == 1) }},
		"uneven":      {uneven, nil, func(int) (float64, float64) { return coin(0.6), coin(0.6) }},
		"weights":     {equal, map[string]float64{"a": 5, "b": 0}, func(int) (float64, float64) { return coin(0.4), coin(0.4) }},
		"smooth":      {equal, nil, func(int) (float64, float64) { return random.Float64(), random.Float64() }},
	} {
		t.Run(name, func(t *testing.T) {
			stoppedEarly := 0
			for seed := range races {
				candidate, incumbent := make([]float64, len(c.items)), make([]float64, len(c.items))
				for i := range c.items {
					candidate[i], incumbent[i] = c.scores(i)
				}
				a, b := answersOf(c.items, func(i int) float64 { return candidate[i] }), answersOf(c.items, func(i int) float64 { return incumbent[i] })
				x, _ := Summarize(a).Aggregate(c.weights)
				y, _ := Summarize(b).Aggregate(c.weights)
				// The margin makes the hypothesis true, with nothing to spare.
				r := NewRace(c.items, RaceOptions{First: 20, Seed: uint64(seed), Weights: c.weights})
				if r.first(a, b, y-x, alpha) >= 0 {
					stoppedEarly++
				}
			}
			t.Logf("%d of %d are stopped", stoppedEarly, races)
			if most := races*alpha + 3.1*math.Sqrt(races*alpha*(1-alpha)); float64(stoppedEarly) > most {
				t.Errorf("%d of %d candidates that are not worse are stopped, more than %v", stoppedEarly, races, alpha)
			}
		})
	}
}

// More losses are more evidence.
func TestRaceIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := field(30, "a", "b", "c")
		score := rapid.SampledFrom([]float64{0, 0.25, 1})
		incumbent := answersOf(items, func(int) float64 { return score.Draw(t, "incumbent") })
		candidate := answersOf(items, func(int) float64 { return score.Draw(t, "candidate") })
		r := NewRace(items, RaceOptions{First: 20, Seed: rapid.Uint64().Draw(t, "seed")})
		n := r.Rungs[rapid.IntRange(0, len(r.Rungs)-1).Draw(t, "rung")]
		better := r.Look(r.prefix(candidate, n), incumbent, 0)
		i := rapid.IntRange(0, len(items)-1).Draw(t, "item")
		candidate[i].Score = 0
		worse := r.Look(r.prefix(candidate, n), incumbent, 0)
		if worse.Evidence < better.Evidence*(1-1e-9) || worse.Delta > better.Delta+1e-12 {
			t.Fatalf("a lost item gives %+v, before %+v", worse, better)
		}
	})
}

// A race stops more candidates, and earlier, than correcting each of its looks for
// their number would: the first block's wealth alone, and Hoeffding's bound with an
// equal part of alpha for each look.
func TestRaceHasPower(t *testing.T) {
	const alpha = 0.05
	items := field(150, "a", "b", "d", "e", "f", "g")
	random := rand.New(rand.NewPCG(5, 6))
	raced, hoeffding, asked := 0, 0, 0
	for seed := range 60 {
		incumbent := answersOf(items, func(int) float64 { return oneIf(random.Float64() < 0.8) })
		candidate := answersOf(items, func(i int) float64 {
			if random.Float64() < 0.6 { // of the items both answer alike
				return incumbent[i].Score
			}
			return oneIf(random.Float64() < 0.6)
		})
		r := NewRace(items, RaceOptions{Seed: uint64(seed)})
		if at := r.first(candidate, incumbent, 0, alpha); at >= 0 {
			raced++
			asked += at
		} else {
			asked += len(items)
		}
		looks := r.Rungs[:len(r.Rungs)-1]
		for _, n := range looks {
			delta := r.Look(r.prefix(candidate, n), incumbent, 0).Delta
			if -delta > math.Sqrt(2*math.Log(float64(len(looks))/alpha)/float64(n)) { // of values within an interval of 2
				hoeffding++
				break
			}
		}
	}
	t.Logf("8 points worse: %d of 60 are stopped after %d items of %d, %d by Hoeffding's bound", raced, asked, 60*len(items), hoeffding)
	if raced < 54 || raced <= hoeffding {
		t.Errorf("8 points worse: %d of 60 are stopped, %d by Hoeffding's bound at each look", raced, hoeffding)
	}
}

// What a candidate has no answer for is no reason to stop it, what the incumbent
// has none for does not count, and one that cannot catch up is stopped for sure.
func TestRaceLooks(t *testing.T) {
	items := field(60, "a", "b")
	right, wrong := answersOf(items, func(int) float64 { return 1 }), answersOf(items, func(int) float64 { return 0 })
	failing := slices.Clone(wrong)
	for i := range failing {
		failing[i].State = StateTimeout
	}
	r := NewRace(items, RaceOptions{First: 30, Seed: 1})
	if n := r.Rungs[1]; r.Look(r.prefix(failing, n), right, 0).Evidence > 1 {
		t.Errorf("a candidate without answers: %+v", r.Look(r.prefix(failing, n), right, 0))
	}
	if look := r.Look(r.prefix(wrong, 30), failing, 0); look.Evidence != 1 || look.Delta != 0 {
		t.Errorf("an incumbent without answers: %+v", look)
	}
	if look := r.Look(r.prefix(wrong, 30), right, 0); !math.IsInf(look.Evidence, 1) || math.Abs(look.Delta+1) > 1e-9 || look.Answered != 30 {
		t.Errorf("all wrong against all right: %+v", look)
	}
	if look := r.Look(r.prefix(wrong, 29), right, 0); look.Answered != 0 || look.Evidence != 1 {
		t.Errorf("before the first look: %+v", look)
	}
	if look := r.Look(r.prefix(wrong, 30), right, 1); look.Evidence > 1 {
		t.Errorf("a margin of everything: %+v", look)
	}
	if empty := NewRace(nil, RaceOptions{}); len(empty.Rungs) != 0 {
		t.Errorf("no items: rungs %v", empty.Rungs)
	}
}

// What a race has asked so far is more of what is not settled; the estimate weighs
// that.
func TestRaceEstimate(t *testing.T) {
	items := field(400, "a", "b")
	settled := func(id string) bool { return id[0] == 'a' && id[len(id)-1] < '7' }
	outcomes := answersOf(items, func(i int) float64 { return oneIf(settled(items[i].ID)) }) // 70 % of a, none of b
	r := NewRace(items, RaceOptions{Seed: 2, Settled: settled})
	asked := r.prefix(outcomes, r.Rungs[0])
	bare, got := Summarize(asked).Categories["a"], r.Estimate(asked)
	if near := math.Abs(got["a"].Mean - 0.7); near > 1e-9 || math.Abs(bare.Mean-0.7) < 0.1 {
		t.Errorf("estimate %v, bare mean %v, in truth 0.7", got["a"].Mean, bare.Mean)
	}
	if got["b"].Mean != 0 || got["b"].SE <= 0.01 || got["a"].N != bare.N {
		t.Errorf("estimates %+v", got)
	}
	all := r.Estimate(outcomes)
	if math.Abs(all["a"].Mean-0.7) > 1e-9 || all["a"].N != 400 {
		t.Errorf("of all items %+v", all["a"])
	}
	if len(r.Estimate(nil)) != 0 {
		t.Error("an estimate of nothing")
	}
}
