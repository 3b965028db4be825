package search

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"soup/search/internal/gauss"
)

// newItemwise is Bayesian optimisation as gp does it, with what items tell beyond
// whether their answers are right: how near each of them is to being right.
func newItemwise(space Space, seed uint64, o options) (Strategy, error) {
	return newModelled("itemwise", space, seed, o, fitItems), nil
}

// A bias of chances is believed to be about five points, more or less by a factor
// of 1.6. Between good soups of one base it is smaller, but the observations of a
// search cannot tell that from luck.
const (
	usualBias  = 0.05
	biasFactor = 0.5
)

var biases = []float64{0.025, 0.05, 0.1, 0.2, 0.4}

// fitItems is the fitter of means that are corrected by what items tell. What the
// chance of a right answer to an item is follows from its smooth score (link): it
// changes little by little where answers jump. The mean of chances is a second source
// of the mean of scores, with a bias of its own that is smooth over the weights
// (Kennedy and O'Hagan 2000). Nothing of how good a soup is is in the difference of
// both: only that bias, and luck, some of which is in the mean of scores too. That
// much is taken off it (control variates, Lavenberg and Welch 1981).
//
// Items need no process each. With one kernel for all of them, the mean of what would
// be predicted of their chances is what is predicted of the mean (Bonilla, Chai and
// Williams 2008, section 2.3).
//
// It is fitMeans where smooth scores tell nothing: where there are none, or where
// chances are likelier to be another function than that of scores with a bias.
func fitItems(o gauss.Observations, done []Trial, category string) *gauss.Process {
	top := fitMeans(o, done, category)
	c, ok := newControl(o, done, category)
	if top == nil || !ok {
		return top
	}
	other, err := gauss.Fit(categoryPrior, c.observations(c.chances, c.chanceNoise))
	if err != nil {
		return top
	}
	highest := top.Evidence + other.Evidence
	for _, bias := range biases {
		p, density := c.fit(bias)
		unusual := math.Log(bias/usualBias) / biasFactor
		if density -= unusual * unusual / 2; density > highest {
			top, highest = p, density
		}
	}
	return top
}

// control is what chances tell of the means of scores, of the trials that have some.
type control struct {
	o                       gauss.Observations // of the scores
	seen                    []int              // the trials
	scores, chances         []float64          // means
	scoreNoise, chanceNoise *mat.SymDense
	across                  *mat.Dense    // covariances of the luck of scores with that of scores less chances
	luck                    *mat.SymDense // covariance of scores less chances, but for the bias
}

// newControl adds to the means of scores what chances are above them: that of a pruned
// trial is not the plain mean of the items answered. False if there is no link, or
// something has no items or an unknown noise.
func newControl(o gauss.Observations, done []Trial, category string) (*control, bool) {
	c := &control{o: o}
	var items [][]Item
	for i, v := range o.Values {
		if math.IsNaN(v) {
			continue
		}
		row := done[i].of(category)
		if len(row) == 0 || math.IsNaN(o.Noise[i]) {
			return nil, false
		}
		c.seen, c.scores, items = append(c.seen, i), append(c.scores, v), append(items, row)
	}
	l, ok := newLink(slices.Concat(items...))
	if ok {
		c.compare(items, l.chances(items), category)
	}
	return c, ok
}

// of are the items of a category.
func (t Trial) of(category string) (items []Item) {
	for _, it := range t.Items {
		if it.Category == category {
			items = append(items, it)
		}
	}
	return items
}

// compare works out the means of chances, and all covariances.
func (c *control) compare(scored, likely [][]Item, category string) {
	n := len(c.seen)
	var both []Trial
	for _, row := range slices.Concat(scored, likely) {
		both = append(both, Trial{Items: row})
	}
	noise := make([]float64, 2*n)
	for k, i := range c.seen {
		scores, chances := spread(scored[k]), spread(likely[k])
		c.chances = append(c.chances, c.scores[k]+chances.mean-scores.mean)
		noise[k], noise[n+k] = c.o.Noise[i], c.o.Noise[i]*chances.variance/scores.variance
	}
	all := covariances(layOut(both).correlation(category), noise)
	c.scoreNoise, c.chanceNoise = mat.NewSymDense(n, nil), mat.NewSymDense(n, nil)
	c.across, c.luck = mat.NewDense(n, n, nil), mat.NewSymDense(n, nil)
	for i := range n {
		for j := range n {
			c.scoreNoise.SetSym(i, j, all.At(i, j))
			c.chanceNoise.SetSym(i, j, all.At(n+i, n+j))
			c.across.Set(i, j, all.At(i, j)-all.At(i, n+j))
		}
	}
	for i := range n {
		for j := range i + 1 {
			c.luck.SetSym(i, j, c.across.At(i, j)-all.At(n+i, j)+all.At(n+i, n+j))
		}
	}
}

// covariances are those of errors with these correlations and variances.
func covariances(shared gauss.Pairs, variances []float64) *mat.SymDense {
	all := mat.NewSymDense(len(variances), nil)
	for i, v := range variances {
		all.SetSym(i, i, v)
		for j := range i {
			all.SetSym(i, j, shared[i][j]*math.Sqrt(v*variances[j]))
		}
	}
	return all
}

// fit is the process that follows from scores and chances with a bias, and the
// logarithm of the density of both; that of nothing is below any other.
func (c *control) fit(bias float64) (*gauss.Process, float64) {
	corrected, density, err := c.correct(bias)
	if err != nil {
		return nil, math.Inf(-1)
	}
	p, err := gauss.Fit(categoryPrior, corrected)
	if err != nil {
		return nil, math.Inf(-1)
	}
	return p, p.Evidence + density
}

// correct are the means of scores without the luck that shows in how far chances are
// from them, and the logarithm of the density of that.
func (c *control) correct(bias float64) (gauss.Observations, float64, error) {
	n := len(c.seen)
	apart := mat.NewVecDense(n, floats.SubTo(make([]float64, n), c.scores, c.chances))
	var factor mat.Cholesky
	var weights, shift mat.VecDense
	var gain, known mat.Dense
	if !factor.Factorize(c.difference(bias)) {
		return c.o, 0, errors.New("covariance of scores less chances is not positive definite")
	}
	if err := errors.Join(factor.SolveVecTo(&weights, apart), factor.SolveTo(&gain, c.across.T())); err != nil {
		return c.o, 0, err
	}
	shift.MulVec(c.across, &weights)
	known.Mul(c.across, &gain)
	noise := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			noise.SetSym(i, j, c.scoreNoise.At(i, j)-known.At(i, j))
		}
	}
	values := floats.SubTo(make([]float64, n), c.scores, shift.RawVector().Data)
	density := -mat.Dot(apart, &weights)/2 - factor.LogDet()/2 - float64(n)/2*math.Log(2*math.Pi)
	return c.observations(values, noise), density, nil
}

// difference is the covariance of scores less chances. Biases are the more alike the
// nearer their places are.
func (c *control) difference(bias float64) *mat.SymDense {
	k := gauss.Kernel{Level: bias * bias, Signal: bias * bias, Length: categoryPrior.Length}
	difference := mat.NewSymDense(len(c.seen), nil)
	for i, x := range c.seen {
		difference.SetSym(i, i, c.luck.At(i, i)+k.At(0))
		for j, y := range c.seen[:i] {
			difference.SetSym(i, j, c.luck.At(i, j)+k.At(c.o.Apart[x][y]))
		}
	}
	return difference
}

// observations are values of the trials seen, with the covariance of their noise.
func (c *control) observations(values []float64, noise *mat.SymDense) gauss.Observations {
	n := len(c.o.Values)
	o := gauss.Observations{Apart: c.o.Apart, Values: make([]float64, n), Noise: make([]float64, n), Shared: make(gauss.Pairs, n)}
	floats.AddConst(math.NaN(), o.Values)
	for i := range n {
		o.Shared[i] = make([]float64, i)
	}
	for k, i := range c.seen {
		o.Values[i], o.Noise[i] = values[k], noise.At(k, k)
		for l, j := range c.seen[:k] {
			o.Shared[i][j] = noise.At(k, l) / math.Sqrt(noise.At(k, k)*noise.At(l, l))
		}
	}
	return o
}

// moments are the mean of items' scores and their variance, shrunk.
type moments struct{ mean, variance float64 }

func spread(items []Item) moments {
	n, sum, squares := float64(len(items)), 0.0, 0.0
	for _, it := range items {
		sum, squares = sum+it.Score, squares+it.Score*it.Score
	}
	mean := sum / n
	return moments{mean, shrunk(squares-n*mean*mean, mixed(sum, n), n)}
}
