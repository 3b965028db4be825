package eval

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

const resamples = 10_000 // of a comparison

// distribution is a mean difference and its bootstrap distribution.
type distribution struct {
	mean    float64
	samples []float64
	thin    bool // a category of it has one unit: its noise is unknown
}

// interval returns the percentile interval. Both ends are samples, as far from
// the one end as from the other, so that it mirrors exactly.
func (d distribution) interval() (low, high float64) {
	sorted := slices.Clone(d.samples)
	slices.Sort(sorted)
	skip := int(significance/2*float64(len(sorted))) - 1
	return sorted[skip], sorted[len(sorted)-1-skip]
}

// pValue takes the summed difference of each unit for its lower bound.
func (d distribution) pValue(sums map[unit]float64) float64 {
	extreme := 0
	far := math.Abs(d.mean) * (1 - 1e-9) // rounding must not decide on ties
	for _, s := range d.samples {
		if math.Abs(s-d.mean) >= far {
			extreme++
		}
	}
	differing := 0
	for _, s := range sums {
		if s != 0 {
			differing++
		}
	}
	p := float64(extreme+1) / float64(len(d.samples)+1)
	return min(1, max(p, math.Pow(2, float64(1-differing))))
}

// mix is the distribution of the weighted mean over one or more categories.
func mix(of map[string]distribution, weights map[string]float64) distribution {
	names := slices.Sorted(maps.Keys(of))
	total := 0.0
	for _, name := range names {
		total += WeightOf(weights, name)
	}
	out := distribution{samples: make([]float64, len(of[names[0]].samples))}
	for _, name := range names {
		d, share := of[name], WeightOf(weights, name)/total
		if share <= 0 {
			continue
		}
		out.mean += share * d.mean
		out.thin = out.thin || d.thin
		for i, s := range d.samples {
			out.samples[i] += share * s
		}
	}
	return out
}

// resampleAll returns the bootstrap distribution of each category's mean
// difference; equal places in their samples belong to one resample. Differences of
// the same items may share a memory: they are drawn alike.
func resampleAll(ds []difference, resamples int, drawn memory) map[string]distribution {
	out := map[string]distribution{}
	for _, s := range strata(ds) {
		maps.Copy(out, s.resample(drawn.source(s), resamples))
	}
	return out
}

// stratum is what is resampled together: one category, or several with common
// clusters. Values are rows of one column a category, a row a unit.
type stratum struct {
	categories []string
	units      int
	sum        []float64 // of differences, units x categories
	count      []float64 // of items, likewise
}

// strata groups differences that are sorted by id; categories and units come in
// the order of their names.
func strata(ds []difference) []stratum {
	ds = slices.Clone(ds)
	slices.SortStableFunc(ds, func(a, b difference) int {
		return cmp.Compare(a.unit.cluster, b.unit.cluster)
	})
	home := tie(ds)
	columns := map[string][]string{}
	for _, category := range slices.Sorted(maps.Keys(home)) {
		columns[home[category]] = append(columns[home[category]], category)
	}
	parts := map[string][]difference{}
	for _, d := range ds {
		parts[home[d.category]] = append(parts[home[d.category]], d)
	}
	var out []stratum
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		out = append(out, newStratum(columns[name], parts[name]))
	}
	return out
}

// tie maps each category to the first of those that clusters tie it to.
func tie(ds []difference) map[string]string {
	home := map[string]string{}
	byUnit := map[unit]string{}
	for _, d := range ds {
		if home[d.category] == "" {
			home[d.category] = d.category
		}
		other, seen := byUnit[d.unit]
		if !seen {
			byUnit[d.unit] = d.category
			continue
		}
		from, to := home[other], home[d.category]
		if from == to {
			continue
		}
		for category, h := range home {
			if h == from || h == to {
				home[category] = min(from, to)
			}
		}
	}
	return home
}

// newStratum takes differences sorted by unit.
func newStratum(categories []string, ds []difference) stratum {
	s := stratum{categories: categories}
	width := len(categories)
	column := map[string]int{}
	for i, name := range categories {
		column[name] = i
	}
	for i, d := range ds {
		if i == 0 || d.unit != ds[i-1].unit {
			s.units++
			s.sum = append(s.sum, make([]float64, width)...)
			s.count = append(s.count, make([]float64, width)...)
		}
		at := (s.units-1)*width + column[d.category]
		s.sum[at] += d.value
		s.count[at]++
	}
	return s
}

// resample draws units with replacement, n times, and returns what the means of
// the categories become.
func (s stratum) resample(from source, n int) map[string]distribution {
	means := s.means()
	out := make([]distribution, len(s.categories))
	for i := range out {
		out[i] = distribution{means[i], make([]float64, n), s.unitsOf(i) < 2}
	}
	if s.single() {
		s.resampleItems(from, out[0].samples)
	} else {
		s.resampleClusters(from, out)
	}
	byName := map[string]distribution{}
	for i, d := range out {
		widen := correction(s.unitsOf(i))
		for k, x := range d.samples {
			d.samples[k] = d.mean + widen*(x-d.mean)
		}
		byName[s.categories[i]] = d
	}
	return byName
}

// means returns the observed mean difference of each category.
func (s stratum) means() []float64 {
	width := len(s.categories)
	sum, count := make([]float64, width), make([]float64, width)
	for i := range s.sum {
		sum[i%width] += s.sum[i]
		count[i%width] += s.count[i]
	}
	for i := range sum {
		sum[i] /= count[i]
	}
	return sum
}

// unitsOf returns how many units have items in category i.
func (s stratum) unitsOf(i int) int {
	n := 0
	for at := i; at < len(s.count); at += len(s.categories) {
		if s.count[at] > 0 {
			n++
		}
	}
	return n
}

// single says that there is one category and every unit is one item.
func (s stratum) single() bool {
	return len(s.sum) == s.units && !slices.ContainsFunc(s.count, func(c float64) bool { return c != 1 })
}

// resampleItems is the fast case.
func (s stratum) resampleItems(from source, means []float64) {
	values := s.sum
	for k := range means {
		drawn, total := from(), 0.0
		for len(drawn) > 1 {
			total += values[drawn[0]] + values[drawn[1]]
			drawn = drawn[2:]
		}
		for _, i := range drawn {
			total += values[i]
		}
		means[k] = total / float64(len(values))
	}
}

// resampleClusters draws whole rows. A category that no drawn row has an item
// of keeps its observed mean in that resample.
func (s stratum) resampleClusters(from source, out []distribution) {
	width := len(s.categories)
	sum, count := make([]float64, width), make([]float64, width)
	for k := range out[0].samples {
		clear(sum)
		clear(count)
		for _, unit := range from() {
			row := int(unit) * width
			for i := range width {
				sum[i] += s.sum[row+i]
				count[i] += s.count[row+i]
			}
		}
		for i, d := range out {
			d.samples[k] = d.mean
			if count[i] > 0 {
				d.samples[k] = sum[i] / count[i]
			}
		}
	}
}
