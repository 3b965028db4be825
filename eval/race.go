package eval

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
)

// RaceOptions say how a candidate is raced.
type RaceOptions struct {
	First   int                  // items before the first look; default 50
	Eta     int                  // by how much the items grow from look to look; default 3
	Seed    uint64               // of the order
	Weights map[string]float64   // of the categories, as in Summary.Aggregate
	Settled func(id string) bool // items that are asked less at first; default none
}

const (
	defaultFirst = 50
	defaultEta   = 3
	// settledRate is how often settled items are asked at first, beside the others.
	settledRate = 0.25
)

// Race is the order in which a candidate is asked items, and where it is looked
// at. The order is drawn once from the seed: within a stratum, items of one
// category that are settled or not, it is a random permutation of units (clusters,
// or single items), which is the same whatever is settled. Strata take turns by
// their weight in the objective, settled ones a quarter of that, and each has
// its first unit at the very beginning. A unit is never cut by a rung.
type Race struct {
	Items []Item // in the order to ask
	Rungs []int  // how many of Items are answered at each look, ascending; the last is all of them

	units   []raceUnit
	strata  []raceStratum
	weights map[string]float64
}

// raceUnit is one unit, and where it lies in Items.
type raceUnit struct {
	first, end int
	stratum    int
}

type raceStratum struct {
	category string
	settled  bool
}

// NewRace lays out a race over items.
func NewRace(items []Item, o RaceOptions) Race {
	o = o.withDefaults()
	r := Race{weights: o.Weights}
	byStratum := map[raceStratum][]raceTurn{}
	for _, turn := range turns(items, o) {
		byStratum[turn.stratum] = append(byStratum[turn.stratum], turn)
	}
	r.strata = slices.SortedFunc(maps.Keys(byStratum), compareStrata)
	var all []raceTurn
	for _, s := range r.strata {
		all = append(all, schedule(byStratum[s], o.rate(s, items))...)
	}
	slices.SortStableFunc(all, func(a, b raceTurn) int { return cmp.Compare(a.at, b.at) })
	target, expected := float64(max(o.First, len(r.strata))), 0.0
	for i, turn := range all {
		first := len(r.Items)
		r.Items = append(r.Items, turn.items...)
		r.units = append(r.units, raceUnit{first, len(r.Items), slices.Index(r.strata, turn.stratum)})
		if expected += turn.size; expected < target-1e-9 && i < len(all)-1 {
			continue
		}
		r.Rungs = append(r.Rungs, len(r.Items))
		for target <= expected+1e-9 {
			target *= float64(o.Eta)
		}
	}
	return r
}

func (o RaceOptions) withDefaults() RaceOptions {
	o.First = cmp.Or(max(0, o.First), defaultFirst)
	if o.Eta < 2 {
		o.Eta = defaultEta
	}
	if o.Settled == nil {
		o.Settled = func(string) bool { return false }
	}
	return o
}

// raceTurn is a unit that waits for its turn.
type raceTurn struct {
	items   []Item
	stratum raceStratum
	draw    string  // its place within the stratum
	size    float64 // items that a unit of the stratum has on average
	at      float64 // its place among all
}

// turns are the units of items. A cluster with items of several categories
// belongs to the first of them; it is settled if all of its items are.
func turns(items []Item, o RaceOptions) []raceTurn {
	var list []raceTurn
	place := map[unit]int{}
	for _, it := range items {
		key := unscored(it, StateOK).unit()
		i, known := place[key]
		if !known {
			i = len(list)
			place[key] = i
			sum := sha256.Sum256(fmt.Appendf(nil, "race %d %q %q", o.Seed, key.cluster, key.id))
			list = append(list, raceTurn{stratum: raceStratum{it.Category, true}, draw: string(sum[:])})
		}
		list[i].items = append(list[i].items, it)
		list[i].stratum.settled = list[i].stratum.settled && o.Settled(it.ID)
	}
	return list
}

func compareStrata(a, b raceStratum) int {
	if a.category == b.category && a.settled != b.settled {
		if a.settled {
			return 1
		}
		return -1
	}
	return cmp.Compare(a.category, b.category)
}

// rate is how often an item of a stratum is asked in proportion to others: its
// share of the objective, so that all categories that count alike are asked alike.
// Those that do not count come as late as settled ones.
func (o RaceOptions) rate(s raceStratum, items []Item) float64 {
	within, categories := 0, map[string]bool{}
	in := 0
	for _, it := range items {
		categories[it.Category] = true
		if it.Category != s.category {
			continue
		}
		within++
		if o.Settled(it.ID) == s.settled {
			in++
		}
	}
	rate, total := WeightOf(o.Weights, s.category), 0.0
	for _, name := range slices.Sorted(maps.Keys(categories)) {
		total += WeightOf(o.Weights, name) / float64(len(categories))
	}
	if rate == 0 {
		rate = settledRate * total
	}
	if s.settled {
		rate *= settledRate
	}
	return rate * float64(max(1, in)) / float64(max(1, within))
}

// schedule draws the order of a stratum's units and spreads them evenly.
func schedule(units []raceTurn, rate float64) []raceTurn {
	slices.SortFunc(units, func(a, b raceTurn) int { return cmp.Compare(a.draw, b.draw) })
	items := 0
	for _, u := range units {
		items += len(u.items)
	}
	size := float64(items) / float64(len(units))
	for i := range units {
		units[i].size = size
		if i > 0 {
			units[i].at = (float64(i) + 0.5) * size / rate
		}
	}
	return units
}

// Estimate returns what the means of the categories over all items are expected
// to be from outcomes of some: in each category, the strata count by how many
// items they have. Counts are those of the outcomes. An SE counts the variance of a
// stratum as if one more item had the largest there can be, 1/4: a few items
// that are answered alike show none.
func (r Race) Estimate(outcomes []Outcome) map[string]Category {
	stratumOf, size := map[string]raceStratum{}, map[raceStratum]int{}
	for _, u := range r.units {
		for _, it := range r.Items[u.first:u.end] {
			s := raceStratum{it.Category, r.strata[u.stratum].settled}
			stratumOf[it.ID] = s
			size[s]++
		}
	}
	parts := map[raceStratum][]Outcome{}
	for _, o := range outcomes {
		s := stratumOf[o.ID]
		parts[s] = append(parts[s], o)
	}
	estimates := Summarize(outcomes).Categories
	for name, c := range estimates {
		c.Mean, c.SE = pool(parts, size, name)
		estimates[name] = c
	}
	return estimates
}

// pool is the mean of a category from those of its strata, with its standard error.
func pool(parts map[raceStratum][]Outcome, size map[raceStratum]int, category string) (mean, se float64) {
	total, variance := 0.0, 0.0
	for _, settled := range []bool{false, true} {
		s := raceStratum{category, settled}
		c := Summarize(parts[s]).Categories[category]
		if c.N == 0 {
			continue
		}
		n, share := float64(c.N), float64(size[s])
		total += share
		mean += share * c.Mean
		variance += share * share * (n*n*c.SE*c.SE + 0.25) / (n + 1) / n
	}
	if total == 0 {
		return 0, 0
	}
	return mean / total, math.Sqrt(variance) / total
}
