package eval

import (
	"cmp"
	"slices"
)

// Verdict is the one-word result of a comparison.
type Verdict string

// The verdicts.
const (
	Better Verdict = "better"
	Worse  Verdict = "worse"
	Noise  Verdict = "~"
)

// The ways a p-value comes about; see Compare.
const (
	methodNone      = "none"
	methodMcNemar   = "mcnemar exact"
	methodItems     = "paired bootstrap"
	methodClustered = "paired bootstrap by cluster"
)

const significance = 0.05 // of the verdict; intervals hold 1 - significance

// Comparison says how much better a is than b on the items that both answered.
type Comparison struct {
	N        int     `json:"n"`        // items scored on both sides
	Delta    float64 `json:"delta"`    // mean score of a minus that of b; 0 if N is 0
	Low      float64 `json:"low"`      // 95 % interval of Delta
	High     float64 `json:"high"`     //
	P        float64 `json:"p"`        // two-sided, of the hypothesis that the true difference is 0
	Wins     int     `json:"wins"`     // items that a has the higher score on
	Losses   int     `json:"losses"`   // items that b has
	Ties     int     `json:"ties"`     //
	Verdict  Verdict `json:"verdict"`  // see Compare
	Method   string  `json:"method"`   // how P was computed: "mcnemar exact", "paired bootstrap", "paired bootstrap by cluster" or "none"
	Unpaired int     `json:"unpaired"` // items with an outcome on either side that are not scored on both

	LeftOut    []string              `json:"left_out,omitempty"`   // categories that Delta lacks: no item is scored on both sides
	Categories map[string]Comparison `json:"categories,omitempty"` // each category by itself; nil within one
}

// Disagreement is the share of the items scored on both sides on which the scores
// differ, the d of ExpectedOptimism; 0 where there are no such items.
func Disagreement(a, b []Outcome) float64 {
	pairs, _ := pair(a, b)
	differ := 0
	for _, d := range pairs {
		if d.value != 0 {
			differ++
		}
	}
	return float64(differ) / float64(max(1, len(pairs)))
}

// Compare sets a against b item by item; items that are not scored on both
// sides are left out and counted. Delta is the unweighted mean over categories
// of the mean difference, as Summary.Mean is.
//
// The interval is a percentile interval of the paired bootstrap with 10,000
// resamples (Efron & Tibshirani 1993, chapter 13): units (clusters, or items
// without one) are drawn with replacement within their category; where clusters
// have items in several categories, these are drawn together. The spread of m
// units is widened by sqrt(m/(m-1)) (Rao & Wu 1988,
// https://doi.org/10.1080/01621459.1988.10478591). The seed is fixed: equal
// outcomes give equal numbers, and Compare(b, a) is the mirror image.
//
// P is that of McNemar's exact test if all is within one category, every score
// is 0 or 1 and no cluster has two items: min(1, 2 P(X <= min(wins, losses))),
// X binomial with wins+losses draws of probability 1/2. Otherwise it is
// (r+1)/(10,000+1), r the resamples that lie at least |Delta| away from Delta,
// but at least 2^(1-k), k the units that differ: no sign test of k units can
// give less.
//
// The verdict is Better if the interval lies above 0 and P is below 0.05, Worse
// if it lies below 0 likewise, else Noise. It is Noise too where the noise is
// unknown (a category of one unit) or a category could not be compared at all.
func Compare(a, b []Outcome) Comparison { return CompareWeighted(a, b, nil) }

// CompareWeighted is Compare with the weights of Summary.Aggregate in Delta.
// Weights of other categories do not matter.
func CompareWeighted(a, b []Outcome, weights map[string]float64) Comparison {
	pairs, left := pair(a, b)
	boots := resampleAll(pairs, resamples, nil)
	c := Comparison{P: 1, Verdict: Noise, Method: methodNone}
	if counted := weighing(pairs, weights); len(counted) > 0 {
		c = judgeDifferences(counted, mix(boots, weights))
	}
	c.Categories = eachCategory(pairs, boots, left)
	for name, n := range left {
		c.Unpaired += n
		if _, paired := boots[name]; !paired && WeightOf(weights, name) > 0 {
			c.LeftOut = append(c.LeftOut, name)
		}
	}
	if len(c.LeftOut) > 0 {
		slices.Sort(c.LeftOut)
		c.Verdict = Noise
	}
	return c
}

// weighing returns the differences that count.
func weighing(pairs []difference, weights map[string]float64) []difference {
	var out []difference
	for _, d := range pairs {
		if WeightOf(weights, d.category) > 0 {
			out = append(out, d)
		}
	}
	return out
}

func eachCategory(pairs []difference, boots map[string]distribution, left map[string]int) map[string]Comparison {
	in := map[string][]difference{}
	for _, d := range pairs {
		in[d.category] = append(in[d.category], d)
	}
	out := map[string]Comparison{}
	for name, ds := range in {
		c := judgeDifferences(ds, boots[name])
		c.Unpaired = left[name]
		out[name] = c
	}
	return out
}

// difference is one item scored on both sides.
type difference struct {
	id       string
	category string
	unit     unit
	value    float64 // score of a minus that of b
	binary   bool    // both scores are 0 or 1
}

// pair joins outcomes by id and sorts by it, so that the order of a and b does
// not matter. It also counts, by category, the items without a pair.
func pair(a, b []Outcome) (pairs []difference, left map[string]int) {
	left = map[string]int{}
	other := make(map[string]Outcome, len(b))
	for _, o := range b {
		other[o.ID] = o
		left[o.Category]++
	}
	for _, x := range a {
		y, both := other[x.ID]
		if !both {
			left[x.Category]++
			continue
		}
		delete(other, x.ID)
		if x.Scored() && y.Scored() {
			left[y.Category]--
			pairs = append(pairs, difference{x.ID, x.Category, x.unit(), x.Score - y.Score, isBinary(x.Score) && isBinary(y.Score)})
		}
	}
	slices.SortFunc(pairs, func(x, y difference) int { return cmp.Compare(x.id, y.id) })
	return pairs, left
}

func isBinary(score float64) bool { return score == 0 || score == 1 }

// judgeDifferences fills a Comparison, save what was left out, from the
// differences and the bootstrap distribution of their mean.
func judgeDifferences(ds []difference, boot distribution) Comparison {
	c := Comparison{N: len(ds), Delta: boot.mean}
	for _, d := range ds {
		switch {
		case d.value > 0:
			c.Wins++
		case d.value < 0:
			c.Losses++
		default:
			c.Ties++
		}
	}
	c.Low, c.High = boot.interval()
	c.P, c.Method = pValue(ds, boot, c.Wins, c.Losses)
	switch {
	case boot.thin || c.P >= significance:
		c.Verdict = Noise
	case c.Low > 0:
		c.Verdict = Better
	case c.High < 0:
		c.Verdict = Worse
	default:
		c.Verdict = Noise
	}
	return c
}

// pValue chooses the test; see Compare.
func pValue(ds []difference, boot distribution, wins, losses int) (float64, string) {
	sums := map[unit]float64{}
	binary := true
	for _, d := range ds {
		sums[d.unit] += d.value
		binary = binary && d.binary && d.category == ds[0].category
	}
	if single := len(sums) == len(ds); binary && single {
		return McNemar(wins, losses), methodMcNemar
	} else if single {
		return boot.pValue(sums), methodItems
	}
	return boot.pValue(sums), methodClustered
}
