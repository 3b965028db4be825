package searchtest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"

	"soup/search"
)

// tryer says what becomes of a point: always the same for the same weights.
type tryer func(search.Point) search.Trial

func (f tryer) objective(_ context.Context, p search.Point) (search.Trial, error) { return f(p), nil }

type world struct {
	name string
	try  tryer
}

// large is how many parents make a space in which a suite takes long.
const large = 12

// worlds are what candidates may be like. What no number of parents changes is
// left out of large spaces.
func worlds(s search.Space) []world {
	all := []world{
		{"plain", plain},
		{"some fail", someFail},
		{"plateau", plateau},
		{"few items", fewItems},
		{"no categories", noCategories},
		{"all fail", allFail},
		{"all pruned", allPruned},
		{"raced", raced},
		{"items", withItems},
		{"not numbers", notNumbers},
		{"unknown state", unknownState},
	}
	if len(s.Parents) >= large {
		return all[:2]
	}
	return all
}

const items = 100

// plain is a world of four skills. Each parent has its own mixture of them, soups
// are a little better than the average of their parents.
func plain(p search.Point) search.Trial {
	t := search.Trial{State: search.StateComplete, Categories: map[string]search.Category{}}
	for skill := range 4 {
		talent, spread := 0.0, 0.0
		for g, row := range p.Weights {
			for parent, w := range row {
				talent += w * gift(skill, g, parent) / float64(len(p.Weights))
				spread += w * w / float64(len(p.Weights))
			}
		}
		mean := min(1, max(0, talent+0.1*(1-spread)))
		t.Categories[fmt.Sprintf("skill%d", skill)] = search.Category{Mean: mean, SE: 0.02, N: items}
		t.Score += mean / 4
	}
	return t
}

// gift is how good a parent is at a skill: fractions of multiples of the golden
// ratio, which are spread evenly.
func gift(skill, group, parent int) float64 {
	_, fraction := math.Modf(float64(1+skill+4*group+12*parent) * math.Phi)
	return fraction
}

func plateau(search.Point) search.Trial {
	same := search.Category{Mean: 0.5, SE: 0.05, N: items}
	return search.Trial{
		State: search.StateComplete, Score: 0.5,
		Categories: map[string]search.Category{"a": same, "b": same, "c": same},
	}
}

func fewItems(p search.Point) search.Trial {
	t := plain(p)
	for name, c := range t.Categories {
		c.N = 2
		t.Categories[name] = c
	}
	return t
}

func noCategories(p search.Point) search.Trial {
	t := plain(p)
	t.Categories = nil
	return t
}

func someFail(p search.Point) search.Trial {
	if chance(search.Key(p)) < 0.4 {
		return allFail(p)
	}
	return plain(p)
}

func allFail(search.Point) search.Trial {
	return search.Trial{State: search.StateFailed, Err: errors.New("out of memory")}
}

func allPruned(p search.Point) search.Trial {
	t := plain(p)
	t.State, t.Score = search.StatePruned, 0
	return t
}

// raced prunes what is worse than about the average, on a quarter of the items, and a few
// that are better.
func raced(p search.Point) search.Trial {
	t := plain(p)
	if t.Score > 0.5 && chance(search.Key(p)) > 0.1 {
		return t
	}
	for name, c := range t.Categories {
		t.Categories[name] = search.Category{Mean: c.Mean, SE: 2 * c.SE, N: items / 4}
	}
	t.State, t.Score = search.StatePruned, 0
	return t
}

// asked is how many items of each skill withItems has.
const asked = 12

// withItems has items: right or wrong in most skills, graded in one, with smooth
// scores of which some are not known. Some trials are pruned after half of the items.
func withItems(p search.Point) search.Trial {
	t := raced(p)
	for skill := range 4 {
		name := fmt.Sprintf("skill%d", skill)
		c, sum := t.Categories[name], 0.0
		c.N = asked
		if t.State == search.StatePruned {
			c.N = asked / 2
		}
		for i := range c.N {
			it := search.Item{ID: fmt.Sprint(name, i), Category: name, Soft: c.Mean - chance(fmt.Sprint(name, i))}
			switch {
			case skill == 0:
				it.Score = min(1, max(0, 0.5+it.Soft))
			case it.Soft > 0:
				it.Score = 1
			}
			if i == skill {
				it.Soft = math.NaN()
			}
			sum += it.Score
			t.Items = append(t.Items, it)
		}
		t.Categories[name] = search.Category{Mean: sum / float64(c.N), SE: 0.1, N: c.N}
	}
	return t
}

// notNumbers calls complete what is not.
func notNumbers(p search.Point) search.Trial {
	t := plain(p)
	switch c := chance(search.Key(p)); {
	case c < 0.3:
		t.Score = math.NaN()
	case c < 0.6:
		t.Score = math.Inf(1)
	default:
		t.Categories["skill0"] = search.Category{Mean: math.NaN(), SE: math.NaN(), N: items}
	}
	return t
}

func unknownState(search.Point) search.Trial { return search.Trial{Score: 1} }

// chance is a number from 0 to 1 that depends on the text alone.
func chance(text string) float64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	x := h.Sum64()
	x ^= x >> 32
	x *= 0x9e3779b97f4a7c15
	return float64(x>>11) / (1 << 53)
}
