package eval

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Counts says how many items became what.
type Counts struct {
	N         int `json:"n"`                 // scored, truncated ones included
	Failed    int `json:"failed"`            // not measured: no answer
	Timeout   int `json:"timeout,omitempty"` // not measured: no answer in time
	Missing   int `json:"missing,omitempty"` // not measured: no recorded answer
	Truncated int `json:"truncated"`         // of N: cut off at the token limit
}

func (c *Counts) add(s State) {
	switch s {
	case StateFailed:
		c.Failed++
	case StateTimeout:
		c.Timeout++
	case StateMissing:
		c.Missing++
	case StateTruncated:
		c.Truncated++
		c.N++
	default:
		c.N++
	}
}

// Category is the result of the items of one category.
type Category struct {
	Mean float64  `json:"mean"`           // mean score, 0 to 1; null in JSON if N is 0
	SE   float64  `json:"se"`             // standard error of Mean; null in JSON if Units is below 2
	Soft *float64 `json:"soft,omitempty"` // mean smooth score; nil unless every scored item has one
	Counts
	Units int `json:"units"` // independent units among the N items: clusters and single items
}

// Summary is the result of a list of outcomes.
type Summary struct {
	// Mean is the unweighted mean of the category means. It is null in JSON if
	// Unmeasured is not empty.
	Mean float64 `json:"mean"`
	// SE is the standard error of Mean; null in JSON if that of any category is.
	SE float64 `json:"se"`
	Counts
	Categories map[string]Category `json:"categories"`
	Unmeasured []string            `json:"unmeasured,omitempty"` // categories without a scored item
}

// Summarize returns means and standard errors.
//
// A category's standard error is that of the mean of independent units:
// sqrt(U/(U-1) * sum_u (sum_{i in u} (s_i - mean)/N)^2) over its U units. For
// single items that is the sample standard deviation over sqrt(N); for clusters
// it is the clustered standard error of Miller (https://arxiv.org/abs/2411.00640)
// with the usual correction for few clusters. A cluster that has
// items in several categories ties their means, which the standard error of the
// mean over categories takes into account.
func Summarize(outcomes []Outcome) Summary {
	s := Summary{Categories: map[string]Category{}}
	scored := map[string][]Outcome{}
	for _, o := range outcomes {
		c := s.Categories[o.Category]
		c.add(o.State)
		s.add(o.State)
		s.Categories[o.Category] = c
		if o.Scored() {
			scored[o.Category] = append(scored[o.Category], o)
		}
	}
	total := map[unit]float64{}
	for _, name := range slices.Sorted(maps.Keys(s.Categories)) {
		c := s.Categories[name]
		if c.N == 0 {
			s.Unmeasured = append(s.Unmeasured, name)
			continue
		}
		influence := c.measure(scored[name])
		for u, x := range influence {
			total[u] += x / float64(len(s.Categories))
		}
		s.Categories[name] = c
		s.Mean += c.Mean / float64(len(s.Categories))
	}
	s.SE = rootOfSquares(total)
	if len(s.Unmeasured) > 0 {
		s.Mean, s.SE = 0, 0
	}
	return s
}

// unit is what is independent of the rest: a cluster, or an item without one.
type unit struct{ cluster, id string }

func (o Outcome) unit() unit {
	if o.Cluster != "" {
		return unit{cluster: o.Cluster}
	}
	return unit{id: o.ID}
}

// measure sets the means and the standard error from scored outcomes and returns
// by how much each unit moves the mean.
func (c *Category) measure(scored []Outcome) map[unit]float64 {
	n, soft, softs := float64(len(scored)), 0.0, 0
	sum := 0.0
	for _, o := range scored {
		sum += o.Score
		if o.Soft != nil {
			soft += *o.Soft
			softs++
		}
	}
	c.Mean = sum / n
	if softs == len(scored) {
		mean := soft / n
		c.Soft = &mean
	}
	influence := map[unit]float64{}
	for _, o := range scored {
		influence[o.unit()] += (o.Score - c.Mean) / n
	}
	c.Units = len(influence)
	for u := range influence {
		influence[u] *= correction(c.Units)
	}
	c.SE = rootOfSquares(influence)
	return influence
}

// correction is the factor sqrt(n/(n-1)) that makes the spread of n units
// around their own mean a fair estimate of their spread. One unit shows none.
func correction(n int) float64 {
	if n < 2 {
		return 0
	}
	return math.Sqrt(float64(n) / float64(n-1))
}

// rootOfSquares adds in the order of size, so that equal data give equal bits.
func rootOfSquares(values map[unit]float64) float64 {
	squares := make([]float64, 0, len(values))
	for _, v := range values {
		squares = append(squares, v*v)
	}
	slices.Sort(squares)
	sum := 0.0
	for _, v := range squares {
		sum += v
	}
	return math.Sqrt(sum)
}

// Aggregate returns the weighted mean of the category means. A category that
// weights does not name weighs 1, so Aggregate(nil) is Mean; weight 0 leaves one
// out. It is an error if weights names an unknown category, has a negative
// weight or no positive one, or if a category that counts was not measured.
func (s Summary) Aggregate(weights map[string]float64) (float64, error) {
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		if _, known := s.Categories[name]; !known {
			return 0, fmt.Errorf("weight for unknown category %q", name)
		}
		if w := weights[name]; !(w >= 0) || math.IsInf(w, 0) {
			return 0, fmt.Errorf("weight %v of category %q is not a number from 0 up", w, name)
		}
	}
	sum, total := 0.0, 0.0
	for _, name := range slices.Sorted(maps.Keys(s.Categories)) {
		c, w := s.Categories[name], WeightOf(weights, name)
		if w > 0 && c.N == 0 {
			return 0, fmt.Errorf("category %q was not measured: %d items failed, %d timed out, %d have no answer",
				name, c.Failed, c.Timeout, c.Missing)
		}
		sum += w * c.Mean
		total += w
	}
	if total == 0 {
		return 0, fmt.Errorf("no category with a weight above 0")
	}
	return sum / total, nil
}

// ErrorKnown reports whether SE means something: every category has two
// independent units or more.
func (s Summary) ErrorKnown() bool {
	for _, c := range s.Categories {
		if c.Units < 2 {
			return false
		}
	}
	return s.N > 0
}

// MeanSoft is the mean smooth score over categories by their weights, as of Aggregate,
// in nats; not known where none counts, or one that does has none.
func (s Summary) MeanSoft(weights map[string]float64) (mean float64, known bool) {
	sum, total := 0.0, 0.0
	for _, name := range slices.Sorted(maps.Keys(s.Categories)) { // equal outcomes, equal sums
		c, w := s.Categories[name], WeightOf(weights, name)
		if w == 0 {
			continue
		}
		if c.Soft == nil {
			return 0, false
		}
		sum, total = sum+w**c.Soft, total+w
	}
	if total == 0 {
		return 0, false
	}
	return sum / total, true
}

// WeightOf is the weight of a category in a mean over categories: 1 unless given.
func WeightOf(weights map[string]float64, category string) float64 {
	if w, given := weights[category]; given {
		return w
	}
	return 1
}

// MarshalJSON writes what is not known as null.
func (c Category) MarshalJSON() ([]byte, error) {
	type plain Category
	return json.Marshal(struct {
		Mean *float64 `json:"mean"`
		SE   *float64 `json:"se"`
		plain
	}{known(c.Mean, c.N > 0), known(c.SE, c.Units > 1), plain(c)})
}

// MarshalJSON writes what is not known as null.
func (s Summary) MarshalJSON() ([]byte, error) {
	type plain Summary
	measured := s.N > 0 && len(s.Unmeasured) == 0
	return json.Marshal(struct {
		Mean *float64 `json:"mean"`
		SE   *float64 `json:"se"`
		plain
	}{known(s.Mean, measured), known(s.SE, measured && s.ErrorKnown()), plain(s)})
}

func known(v float64, is bool) *float64 {
	if !is {
		return nil
	}
	return &v
}
