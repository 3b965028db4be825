package eval

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Panel holds what several candidates scored on the same items of one split, so
// that they can be compared on any part of them.
type Panel struct {
	candidates int
	categories []string
	share      []float64 // of each category in the mean; sums to 1
	rows       []row
	strata     [][]int // rows that a split of the items divides evenly
	items      int
}

// row is one unit: a cluster, or an item without one.
type row struct {
	count []float64   // items by category
	sum   [][]float64 // of their scores, by category and candidate; nil without items
}

// NewPanel joins the outcomes of candidates. Items that some candidate has no
// score for are left out, and so is what weights (as of Summary.Aggregate) gives
// no weight. A category without an item that all were scored on is an error.
func NewPanel(candidates [][]Outcome, weights map[string]float64) (*Panel, error) {
	p := &Panel{candidates: len(candidates)}
	scores := map[string][]float64{}
	about := map[string]Outcome{}
	counted := map[string]bool{}
	for i, outcomes := range candidates {
		for _, o := range outcomes {
			if WeightOf(weights, o.Category) <= 0 {
				continue
			}
			counted[o.Category] = true
			if s := scores[o.ID]; len(s) == i && o.Scored() {
				scores[o.ID] = append(s, o.Score)
				about[o.ID] = o
			}
		}
	}
	p.categories = slices.Sorted(maps.Keys(counted))
	if len(p.categories) == 0 {
		return nil, fmt.Errorf("no category with a weight above 0")
	}
	maps.DeleteFunc(scores, func(_ string, s []float64) bool { return len(s) < len(candidates) })
	p.weigh(weights)
	p.fill(scores, about)
	p.stratify()
	return p, p.check()
}

func (p *Panel) weigh(weights map[string]float64) {
	total := 0.0
	for _, name := range p.categories {
		p.share = append(p.share, WeightOf(weights, name))
		total += WeightOf(weights, name)
	}
	for i := range p.share {
		p.share[i] /= total
	}
}

// fill adds the items by id, so that their order does not matter.
func (p *Panel) fill(scores map[string][]float64, about map[string]Outcome) {
	at := map[unit]int{}
	for _, id := range slices.Sorted(maps.Keys(scores)) {
		u := about[id].unit()
		k, known := at[u]
		if !known {
			k = len(p.rows)
			at[u] = k
			p.rows = append(p.rows, row{make([]float64, len(p.categories)), make([][]float64, len(p.categories))})
		}
		c, _ := slices.BinarySearch(p.categories, about[id].Category)
		r := p.rows[k]
		if r.sum[c] == nil {
			r.sum[c] = make([]float64, p.candidates)
		}
		r.count[c]++
		for i, s := range scores[id] {
			r.sum[c][i] += s
		}
		p.items++
	}
}

// stratify groups the units that have items in the same categories: these are
// divided evenly together.
func (p *Panel) stratify() {
	home := map[string]int{}
	for k, r := range p.rows {
		pattern := make([]byte, len(r.count))
		for c, n := range r.count {
			if n > 0 {
				pattern[c] = 1
			}
		}
		s, known := home[string(pattern)]
		if !known {
			s = len(p.strata)
			home[string(pattern)] = s
			p.strata = append(p.strata, nil)
		}
		p.strata[s] = append(p.strata[s], k)
	}
}

func (p *Panel) check() error {
	all := p.All()
	for c, n := range all.count {
		if n == 0 {
			return fmt.Errorf("category %q has no item that all %d were scored on", p.categories[c], p.candidates)
		}
	}
	return nil
}

// Items is how many items all candidates were scored on.
func (p *Panel) Items() int { return p.items }

// All are the scores on all items.
func (p *Panel) All() Part {
	rows := make([]int, len(p.rows))
	for i := range rows {
		rows[i] = i
	}
	return p.part(rows)
}

// Part is a panel on some of its units.
type Part struct {
	panel *Panel
	rows  []int
	count []float64   // items by category
	units []int       // by category
	mean  [][]float64 // by category and candidate
}

func (p *Panel) part(rows []int) Part {
	s := Part{p, rows, make([]float64, len(p.categories)), make([]int, len(p.categories)), make([][]float64, len(p.categories))}
	for c := range s.mean {
		s.mean[c] = make([]float64, p.candidates)
	}
	for _, k := range rows {
		for c, n := range p.rows[k].count {
			if n == 0 {
				continue
			}
			s.count[c] += n
			s.units[c]++
			for i, x := range p.rows[k].sum[c] {
				s.mean[c][i] += x
			}
		}
	}
	for c, n := range s.count {
		for i := range s.mean[c] {
			s.mean[c][i] /= n
		}
	}
	return s
}

// complete says that every category has an item.
func (s Part) complete() bool { return !slices.Contains(s.count, 0) }

// Mean is a candidate's score: the weighted mean over categories.
func (s Part) Mean(candidate int) float64 {
	total := 0.0
	for c, share := range s.panel.share {
		total += share * s.mean[c][candidate]
	}
	return total
}

// Gap is how much higher candidate a scores than b, with the standard error of
// the paired difference.
func (s Part) Gap(a, b int) (delta, se float64) {
	contrast := make([]float64, s.panel.candidates)
	contrast[a]++
	contrast[b]--
	return s.Contrast(contrast)
}

// Contrast is the sum of the candidates' scores, each times its coefficient, with
// the standard error of [Summarize] for values that differ item by item: of units,
// and 0 where a category has one only.
func (s Part) Contrast(coefficients []float64) (value, se float64) {
	means := make([]float64, len(s.mean))
	for c := range s.mean {
		means[c] = dot(coefficients, s.mean[c])
		value += s.panel.share[c] * means[c]
	}
	variance := 0.0
	for _, k := range s.rows {
		r, influence := s.panel.rows[k], 0.0
		for c, n := range r.count {
			if n > 0 {
				influence += s.panel.share[c] * correction(s.units[c]) * (dot(coefficients, r.sum[c]) - n*means[c]) / s.count[c]
			}
		}
		variance += influence * influence
	}
	return value, math.Sqrt(variance)
}

func dot(a, b []float64) float64 {
	total := 0.0
	for i, x := range a {
		if x != 0 {
			total += x * b[i]
		}
	}
	return total
}

// Best lists the candidates with the highest score, more than one if they are
// equal, of those given.
func (s Part) Best(candidates []int) []int {
	var best []int
	for _, i := range candidates {
		switch {
		case len(best) == 0 || s.Mean(i) == s.Mean(best[0]):
			best = append(best, i)
		case s.Mean(i) > s.Mean(best[0]):
			best = []int{i}
		}
	}
	return best
}
