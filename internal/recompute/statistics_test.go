package recompute

import (
	"crypto/sha256"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"sort"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// scored is a row of outcomes that has a score.
type scored struct {
	item, category, cluster string
	score                   float64
}

// inOrder adds one after the other: gonum's floats.Sum adds four sums, which
// have other last bits.
func inOrder(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

// unit is what is independent: the cluster, or the item.
func (s scored) unit() string {
	if s.cluster != "" {
		return "cluster " + s.cluster
	}
	return "item " + s.item
}

// meanOf adds in the order of the rows.
func meanOf(rows []scored) float64 {
	var x []float64
	for _, r := range rows {
		x = append(x, r.score)
	}
	return inOrder(x) / float64(len(x))
}

// shares are by how much each unit moves a mean: the sum of its items' distances
// from it, over the number of all items, widened by sqrt(U/(U-1)).
func shares(rows []scored) map[string]float64 {
	mean, n := meanOf(rows), float64(len(rows))
	by := map[string]float64{}
	for _, r := range rows {
		by[r.unit()] += (r.score - mean) / n
	}
	u := float64(len(by))
	for name := range by {
		if u < 2 {
			by[name] = 0
		} else {
			by[name] *= math.Sqrt(u / (u - 1))
		}
	}
	return by
}

// spread is the root of the sum of squares, the smallest first.
func spread(by map[string]float64) float64 {
	var squares []float64
	for _, x := range by {
		squares = append(squares, x*x)
	}
	slices.Sort(squares)
	return math.Sqrt(inOrder(squares))
}

// pairs are the differences of rows of two trials, by item; and whether all
// scores are 0 or 1.
func pairs(a, b []scored) (list []scored, binary bool) {
	other := map[string]scored{}
	for _, r := range b {
		other[r.item] = r
	}
	binary = true
	for _, r := range a {
		if o, ok := other[r.item]; ok {
			binary = binary && (r.score == 0 || r.score == 1) && (o.score == 0 || o.score == 1)
			r.score -= o.score
			list = append(list, r)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].item < list[j].item })
	return list, binary
}

// resampled is the bootstrap of a category's mean difference: draws of as many
// units as there are, some thousand times, from ChaCha8 with the category's seed.
type resampled struct {
	mean float64
	at   []float64
	one  bool // a single unit
}

const draws = 10_000 // of a comparison

func bootstrap(category string, rows []scored, times int) resampled {
	source := rand.NewChaCha8(sha256.Sum256([]byte("soup bootstrap 1\n" + category)))
	sums, sizes := unitsOf(rows)
	n := uint64(len(sums))
	r := resampled{mean: inOrder(sums) / inOrder(sizes), one: n < 2, at: make([]float64, times)}
	single := floats.Max(sizes) == 1
	for k := range r.at {
		var drawn []uint64
		for uint64(len(drawn)) < n {
			bits := source.Uint64()
			drawn = append(drawn, (bits>>32)*n>>32)
			if single && uint64(len(drawn)) < n { // both halves are used where units are items
				drawn = append(drawn, (bits&math.MaxUint32)*n>>32)
			}
		}
		r.at[k] = r.mean + widening(n)*(r.meanOf(drawn, sums, sizes, single)-r.mean)
	}
	return r
}

// meanOf adds two by two where units are items, as the draws come.
func (r resampled) meanOf(drawn []uint64, sums, sizes []float64, single bool) float64 {
	total, size := 0.0, 0.0
	for i := 0; i < len(drawn); i++ {
		x := sums[drawn[i]]
		size += sizes[drawn[i]]
		if single && i+1 < len(drawn) {
			i++
			x += sums[drawn[i]]
			size += sizes[drawn[i]]
		}
		total += x
	}
	return total / size
}

func widening(units uint64) float64 {
	if units < 2 {
		return 0
	}
	return math.Sqrt(float64(units) / float64(units-1))
}

// unitsOf adds up the differences of each unit: items first, by id, then clusters,
// by name.
func unitsOf(rows []scored) (sums, sizes []float64) {
	rows = slices.Clone(rows)
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].cluster < rows[j].cluster })
	for i, r := range rows {
		if i == 0 || r.unit() != rows[i-1].unit() {
			sums, sizes = append(sums, 0), append(sizes, 0)
		}
		sums[len(sums)-1] += r.score
		sizes[len(sizes)-1]++
	}
	return sums, sizes
}

// verdict is a comparison: the observed difference, its interval, and the
// two-sided p-value.
type verdict struct {
	delta, low, high, p   float64
	wins, losses, ties, n int
	says, method          string
}

// judge takes the rows that count and the distribution of their mean.
func judge(rows []scored, binary bool, boot resampled) verdict {
	v := verdict{delta: boot.mean, n: len(rows), method: "none", says: "~", p: 1}
	units, categories := map[string]float64{}, map[string]bool{}
	for _, r := range rows {
		switch {
		case r.score > 0:
			v.wins++
		case r.score < 0:
			v.losses++
		default:
			v.ties++
		}
		units[r.unit()] += r.score
		categories[r.category] = true
	}
	sorted := slices.Sorted(slices.Values(boot.at))
	skip := len(sorted) * 25 / 1000
	v.low, v.high = sorted[skip-1], sorted[len(sorted)-skip]
	switch single := len(units) == len(rows); {
	case single && binary && len(categories) == 1:
		v.p, v.method = signTest(v.wins, v.losses), "mcnemar exact"
	case single:
		v.p, v.method = tail(boot, units), "paired bootstrap"
	default:
		v.p, v.method = tail(boot, units), "paired bootstrap by cluster"
	}
	switch {
	case boot.one || v.p >= 0.05:
	case v.low > 0:
		v.says = "better"
	case v.high < 0:
		v.says = "worse"
	}
	return v
}

// signTest is twice the binomial tail, by whole numbers.
func signTest(wins, losses int) float64 {
	n := int64(wins + losses)
	sum := new(big.Int)
	for k := range int64(min(wins, losses)) + 1 {
		sum.Add(sum, new(big.Int).Binomial(n, k))
	}
	p, _ := new(big.Rat).SetFrac(sum.Lsh(sum, 1), new(big.Int).Lsh(big.NewInt(1), uint(n))).Float64()
	return min(1, p)
}

// tail is the share of resamples that lie as far from the mean as the mean from
// 0, bounded by what a sign test of the differing units can give.
func tail(boot resampled, units map[string]float64) float64 {
	far := 0
	for _, x := range boot.at {
		if math.Abs(x-boot.mean) >= math.Abs(boot.mean)*(1-1e-9) {
			far++
		}
	}
	differ := 0
	for _, x := range units {
		if x != 0 {
			differ++
		}
	}
	return min(1, max(float64(far+1)/float64(len(boot.at)+1), math.Pow(2, float64(1-differ))))
}

// mix is the weighted mean of categories' distributions, in the order of names.
func mix(names []string, of map[string]resampled, weight func(string) float64) resampled {
	total := 0.0
	for _, name := range names {
		total += weight(name)
	}
	out := resampled{at: make([]float64, len(of[names[0]].at))}
	for _, name := range names {
		share := weight(name) / total
		if share == 0 {
			continue
		}
		out.mean += share * of[name].mean
		out.one = out.one || of[name].one
		floats.AddScaled(out.at, share, of[name].at)
	}
	return out
}

// expectedMaximum is that of k standard normal variables, by Simpson's rule over
// the quantile function's tails: the integral of 1 - F^k above 0 less that of F^k
// below.
func expectedMaximum(k int) float64 {
	const steps, end = 40_000, 12.0
	h := end / steps
	f := func(x float64) float64 {
		return 1 - math.Pow(distuv.UnitNormal.CDF(x), float64(k)) - math.Pow(distuv.UnitNormal.CDF(-x), float64(k))
	}
	sum := f(0) + f(end)
	for i := 1; i < steps; i++ {
		sum += f(float64(i)*h) * float64(2+2*(i%2))
	}
	return sum * h / 3
}

// meanOfValues is gonum's.
func meanOfValues(x []float64) float64 { return stat.Mean(x, nil) }
