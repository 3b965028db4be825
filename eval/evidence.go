package eval

import (
	"maps"
	"math"
	"slices"
)

// Look is how a candidate stands in a race.
type Look struct {
	Answered int     // items of the rungs that were answered as a whole
	Delta    float64 // how far it is expected to lie above the incumbent over all items, in the objective
	Evidence float64 // against being as good as the incumbent: see Race.Look; +Inf if it cannot catch up any more
}

// bets are the parts of the most that may be staked: a mixture, because the best
// one depends on a difference that nobody knows.
var bets = [...]float64{0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9}

// rounding is less than any difference of scores and more than errors of sums.
const rounding = 1e-12

// Look compares the answers of a candidate so far with those of an incumbent that
// has answered all items, on the objective: the mean over categories with the
// race's weights. The hypothesis is that the candidate, asked all of the items,
// would lie no lower than margin below the incumbent. Evidence is a measure
// against it that is 1 at the start. If the hypothesis is true, the chance over
// the order of the items that it ever, at any of the looks, reaches 1/alpha is at
// most alpha (Ville's inequality), whatever the answers are: nothing is assumed
// of their distribution but that scores lie between 0 and 1. So who stops at
// 1/alpha loses at most alpha of the candidates that would not have been worse.
//
// It is the wealth of a gambler who bets that the candidate is worse
// (Waudby-Smith & Ramdas 2024, https://doi.org/10.1093/jrsssb/qkad009, sections 4
// and 5, for sampling without replacement), averaged over fixed bets (method
// of mixtures, Robbins 1970). In a block of L units, m_h of the M_h that stratum h
// has left, a unit with the part z of the whole difference multiplies it by
//
//	1 - theta*(L*M_h/m_h*z + a)/(c + a),  c = max over h of L*M_h/m_h*b_h
//
// where a is margin and the parts of all units before the block, and b_h the most
// that a unit in h can be. Under the hypothesis the parts left sum to -a or more,
// so the mean of these factors over strata and units is at most 1; the mean of
// products without replacement is at most the product of the means within a
// stratum (Maclaurin's inequality; compare Hoeffding 1963, section 6), and the
// product over strata is at most the power of their mean (arithmetic and geometric
// means). A block is a rung, or several, where one lacks a stratum in which the
// candidate could gain.
//
// An item that the incumbent has no score for does not count. One that the
// candidate has none for counts as if it were right: it is no reason to stop.
func (r Race) Look(candidate, incumbent []Outcome, margin float64) Look {
	units, look := r.pairUp(candidate, incumbent)
	left := make([]int, len(r.strata))
	for _, u := range units {
		left[u.stratum]++
	}
	g := gambler{ahead: margin, left: left}
	from := 0
	for _, rung := range r.Rungs {
		to := from
		for to < len(units) && units[to].end <= rung {
			to++
		}
		if rung > look.Answered {
			break
		}
		if g.play(units[from:to], units[from:]) {
			from = to
		}
	}
	look.Delta = extrapolate(units, look.Answered, len(r.strata))
	look.Evidence = g.wealth()
	if outOfReach(units, look.Answered, margin) {
		look.Evidence = math.Inf(1)
	}
	return look
}

// pairedUnit is a unit's part of the whole difference.
type pairedUnit struct {
	raceUnit
	part float64 // if it was answered
	most float64 // that it can be
}

// pairUp sets the candidate against the incumbent, unit by unit. Units that do not
// count are left out.
func (r Race) pairUp(candidate, incumbent []Outcome) ([]pairedUnit, Look) {
	before, now := byID(incumbent), byID(candidate)
	size, total := map[string]float64{}, 0.0
	for _, it := range r.Items {
		if before[it.ID].Scored() {
			size[it.Category]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(size)) {
		total += WeightOf(r.weights, name)
	}
	var units []pairedUnit
	for _, u := range r.units {
		p, counts := pairedUnit{raceUnit: u}, false
		for _, it := range r.Items[u.first:u.end] {
			o := before[it.ID]
			share := WeightOf(r.weights, it.Category) / total
			if !o.Scored() || share == 0 {
				continue
			}
			share /= size[it.Category]
			counts = true
			p.most += share * (1 - o.Score)
			gain := 1 - o.Score
			if x := now[it.ID]; x.Scored() {
				gain = x.Score - o.Score
			}
			p.part += share * gain
		}
		if counts {
			units = append(units, p)
		}
	}
	return units, Look{Answered: r.answered(now)}
}

func byID(outcomes []Outcome) map[string]Outcome {
	m := make(map[string]Outcome, len(outcomes))
	for _, o := range outcomes {
		m[o.ID] = o
	}
	return m
}

// answered is the highest rung whose items all have an outcome.
func (r Race) answered(now map[string]Outcome) int {
	done := 0
	for done < len(r.Items) {
		if _, ok := now[r.Items[done].ID]; !ok {
			break
		}
		done++
	}
	top := 0
	for _, rung := range r.Rungs {
		if rung <= done {
			top = rung
		}
	}
	return top
}

// gambler bets block by block; see Race.Look.
type gambler struct {
	ahead float64 // a
	left  []int   // M_h
	log   [len(bets)]float64
}

// play takes in a block, the first of the units that are left; false if it lacks a
// stratum that counts.
func (g *gambler) play(block, rest []pairedUnit) bool {
	drawn, most := make([]int, len(g.left)), make([]float64, len(g.left))
	for _, u := range block {
		drawn[u.stratum]++
	}
	for _, u := range rest {
		most[u.stratum] = max(most[u.stratum], u.most)
	}
	scale, limit := make([]float64, len(g.left)), 0.0
	for h := range g.left {
		if drawn[h] == 0 && most[h] > 0 {
			return false
		}
		if drawn[h] > 0 {
			scale[h] = float64(len(block)) * float64(g.left[h]) / float64(drawn[h])
			limit = max(limit, scale[h]*most[h])
		}
	}
	limit += g.ahead
	a := g.ahead
	for _, u := range block {
		for j, theta := range bets {
			if limit > rounding { // else nothing can be gained any more: see outOfReach
				g.log[j] += math.Log1p(-theta * (scale[u.stratum]*u.part + a) / limit)
			}
		}
		g.ahead += u.part
	}
	for h := range g.left {
		g.left[h] -= drawn[h]
	}
	return true
}

func (g *gambler) wealth() float64 {
	sum := 0.0
	for _, l := range g.log {
		sum += math.Exp(l)
	}
	return sum / float64(len(g.log))
}

// extrapolate is the whole difference, each stratum as its units so far.
func extrapolate(units []pairedUnit, answered, strata int) float64 {
	all, drawn, sum := make([]float64, strata), make([]float64, strata), make([]float64, strata)
	for _, u := range units {
		all[u.stratum]++
		if u.end <= answered {
			drawn[u.stratum]++
			sum[u.stratum] += u.part
		}
	}
	delta := 0.0
	for h := range all {
		if drawn[h] > 0 {
			delta += all[h] / drawn[h] * sum[h]
		}
	}
	return delta
}

// outOfReach says that the candidate would be worse even if all that is left were
// right.
func outOfReach(units []pairedUnit, answered int, margin float64) bool {
	best := margin
	for _, u := range units {
		if u.end <= answered {
			best += u.part
		} else {
			best += u.most
		}
	}
	return best < -rounding
}
