package search

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/c-bata/goptuna/cmaes"
	"gonum.org/v1/gonum/floats"
)

var (
	paramPopulation = Parameter{Name: "population", Low: 0, High: 1000, Whole: true, Doc: "points a generation, 4 or more; 0: as suits the number of weights"}
	paramSigma      = Parameter{Name: "sigma", Default: 1.0 / 6, Low: 0.001, High: 2, Doc: "standard deviation of the first generation, as a part of what a weight can move"}
	paramRestarts   = Parameter{Name: "restarts", Default: 5, Low: 0, High: 20, Whole: true, Doc: "begin again elsewhere at most so often"}
)

// evolution is CMA-ES (Hansen, "The CMA Evolution Strategy: A Tutorial",
// https://arxiv.org/abs/1604.00772) as github.com/c-bata/goptuna v0.9.0 has it,
// through its Ask and Tell: a generation of points around a centre, the better
// half of which is where the next is drawn.
//
// It moves in the plane of weights with the right sum, one direction less in each
// group than there are parents. What lands outside the bounds is tried at the
// nearest point within and told to the optimizer as having landed half way to it:
// told as it landed, the centre drifts off; told as tried, the deviation across a
// face dies there. The best soups often leave parents out, and nearest points have
// weights of exactly 0, which a softmax never has. Measured on quadratics of 4 to 20
// parents with 100 points: where the optimum leaves parents out, at most half the
// regret of a softmax, and about that of mergekit-evolve's free weights, scaled to
// their sum, which have one direction more. It begins at equal weights with a
// deviation of 1/6, as mergekit-evolve does.
//
// A generation is asked as a whole: more workers than it has points would wait.
// Once converged it begins again elsewhere with twice as many points (IPOP, Auger
// and Hansen 2005). Points without a score are the worst. Equal weights answer
// alike, so no point is asked again: noise is averaged out by the centre, which is
// therefore asked at the end and recommended, unless another point is clearly
// better.
type evolution struct {
	*stages
	space   Space
	plane   plane
	seed    uint64
	options options
	known   record

	run        int  // counts restarts
	settled    bool // the run is at an end
	number     int  // of the generation, over all runs
	optimizer  *cmaes.Optimizer
	centre     []float64
	generation []individual
	centres    []Point // where each run came to rest
}

// individual is a point of a generation.
type individual struct {
	at    []float64 // in the plane, as told
	off   float64   // how far from the point it landed
	point Point
}

// converged is how far from its centre a generation still is when there is nothing
// more to find: weights closer than this make the same soup.
const converged = 2e-3

// mostDirections is how many there may be: the covariance has the square of it.
const mostDirections = 1000

// idle is how many generations in a row may be without a new point.
const idle = 50

func newEvolution(space Space, seed uint64, o options) (Strategy, error) {
	if p := o["population"]; p > 0 && p < 4 {
		return nil, fmt.Errorf("option population: want at least 4, or 0 for what suits the number of weights, not %v", p)
	}
	if d := (len(space.Parents) - 1) * len(space.Groups); d > mostDirections {
		return nil, fmt.Errorf("%d parents and %d groups have %d directions, more than %d; take fewer groups", len(space.Parents), len(space.Groups), d, mostDirections)
	}
	e := &evolution{space: space, plane: newPlane(space), seed: seed, options: o, known: record{}}
	e.stages = newStages("cmaes", e.follow)
	return e, e.begin()
}

// begin starts a run: the first at equal weights, others anywhere.
func (e *evolution) begin() error {
	r := Rand(e.seed, "cmaes", e.run)
	start := e.space.rows(e.space.equal("", e.space.all()))
	for g := range start {
		if e.run > 0 {
			start[g] = e.space.draw(r, 1)
		}
	}
	e.centre = e.plane.coordinates(start)
	if len(e.centre) == 0 || e.space.span() < slack {
		return nil // there is only one point
	}
	size := e.options.whole("population")
	if size == 0 {
		size = 4 + int(3*math.Log(float64(len(e.centre)))) // table 1 of the tutorial
	}
	size <<= e.run
	o, err := cmaes.NewOptimizer(slices.Clone(e.centre), e.options["sigma"]*e.space.span(),
		cmaes.OptimizerOptionPopulationSize(size), cmaes.OptimizerOptionSeed(r.Int64()))
	e.optimizer = o
	return err
}

func (e *evolution) follow(done []Trial) []Point {
	e.known.add(done)
	left := e.options.whole("budget") - len(done)
	for range idle {
		if e.optimizer == nil || left <= 1 || e.settled && !e.restart(left) {
			break
		}
		if e.generation == nil {
			e.draw()
		}
		if fresh := e.known.lacks(append(e.points(), e.centres...)); len(fresh) > 0 {
			return fresh[:min(len(fresh), left-1)]
		}
		e.learn()
	}
	if !e.settled {
		e.rest()
	}
	fresh := e.known.lacks(e.centres)
	return fresh[:min(len(fresh), left)]
}

// restart begins again with more points, if a generation of them can be tried.
func (e *evolution) restart(left int) bool {
	if e.run == e.options.whole("restarts") || 2*e.optimizer.PopulationSize() > left {
		return false
	}
	e.run++
	e.note("generation %d: converged; begins again elsewhere with %d points a generation", e.number, 2*e.optimizer.PopulationSize())
	e.settled = e.begin() != nil
	return !e.settled
}

// draw leaves the generation empty if the optimizer broke down.
func (e *evolution) draw() {
	for i := range e.optimizer.PopulationSize() {
		at, err := e.optimizer.Ask()
		if err != nil || !allFinite(at) {
			e.generation = nil
			return
		}
		e.generation = append(e.generation, e.individual(at, fmt.Sprintf("cmaes %d.%d", e.number, i)))
	}
	e.number++
}

// individual is what becomes of where the optimizer landed.
func (e *evolution) individual(at []float64, label string) individual {
	p := e.space.tidy(label, e.plane.nearest(at))
	tried := e.plane.coordinates(e.space.rows(p))
	off := floats.Distance(at, tried, 2)
	floats.AddScaled(at, 0.5, floats.SubTo(make([]float64, len(at)), tried, at))
	return individual{at, off, p}
}

func (e *evolution) points() []Point {
	var points []Point
	for _, i := range e.generation {
		points = append(points, i.point)
	}
	return points
}

// learn tells the optimizer ranks instead of scores: they have no ties whose order
// the optimizer would choose, and nothing infinite.
func (e *evolution) learn() {
	g := e.generation
	e.generation = nil
	if len(g) == 0 {
		e.rest()
		return
	}
	slices.SortStableFunc(g, func(a, b individual) int {
		return cmp.Or(cmp.Compare(e.known.rank(b.point), e.known.rank(a.point)), cmp.Compare(a.off, b.off))
	})
	var solutions []*cmaes.Solution
	for rank, i := range g {
		solutions = append(solutions, &cmaes.Solution{Params: i.at, Value: float64(rank)})
	}
	e.centre = recombined(g)
	if err := e.optimizer.Tell(solutions); err != nil || e.optimizer.ShouldStop() || near(g) {
		e.rest()
	}
}

// near says whether all points of a generation are about the same.
func near(g []individual) bool {
	for _, i := range g {
		for k, row := range i.point.Weights {
			if floats.Distance(row, g[0].point.Weights[k], math.Inf(1)) > converged {
				return false
			}
		}
	}
	return true
}

// recombined is the new centre, equations 41 and 49 of the tutorial: the optimizer
// keeps its own to itself.
func recombined(g []individual) []float64 {
	centre, total := make([]float64, len(g[0].at)), 0.0
	for i := range g[:len(g)/2] {
		weight := math.Log(float64(len(g)+1)/2) - math.Log(float64(i+1))
		total += weight
		for k, x := range g[i].at {
			centre[k] += weight * x
		}
	}
	for k := range centre {
		centre[k] /= total
	}
	return centre
}

// rest ends the run at the point nearest to its centre.
func (e *evolution) rest() {
	p := e.space.tidy(fmt.Sprintf("cmaes centre %d", e.run), e.plane.nearest(e.centre))
	e.centres, e.settled = append(e.centres, p), true
}

// Recommended is the best of the centres where the runs came to rest, or the best
// point where that is better by more than luck: the best of k points without a
// difference lies about sqrt(2 ln k) standard errors above them.
func (e *evolution) Recommended() (Point, bool) {
	var centres []Trial
	for _, p := range e.centres {
		centres = append(centres, e.known[Key(p)])
	}
	chosen, luckiest := best(centres), best(e.trials)
	switch {
	case chosen == nil:
		return Point{}, false
	case luckiest.Score-chosen.Score > math.Sqrt(2*math.Log(float64(len(e.trials))))*e.space.doubt(*luckiest, *chosen):
		chosen = luckiest
	}
	return chosen.Point.clone(), true
}

// plane has orthonormal coordinates of the weights with the right sum: Helmert's
// contrasts, of each group after the other, from equal weights as the origin.
type plane struct {
	space Space
	basis [][]float64 // of one group
}

func newPlane(s Space) plane {
	p := plane{space: s}
	for k := 1; k < len(s.Parents); k++ {
		row, length := make([]float64, len(s.Parents)), math.Sqrt(float64(k*(k+1)))
		for i := range k {
			row[i] = 1 / length
		}
		row[k] = -float64(k) / length
		p.basis = append(p.basis, row)
	}
	return p
}

func (p plane) coordinates(weights [][]float64) []float64 {
	var x []float64
	for _, row := range weights {
		for _, b := range p.basis {
			x = append(x, floats.Dot(b, row))
		}
	}
	return x
}

// nearest are the weights of the space nearest to coordinates.
func (p plane) nearest(x []float64) [][]float64 {
	n := len(p.basis)
	var weights [][]float64
	for g := range p.space.Groups {
		row := make([]float64, n+1)
		for i := range row {
			row[i] = p.space.Sum / float64(n+1)
			for k, b := range p.basis {
				row[i] += b[i] * x[g*n+k]
			}
		}
		weights = append(weights, p.space.project(row))
	}
	return weights
}

// project returns the row of the space that is nearest to a row: all weights are
// lowered by the same amount, but to no less than Min and no more than Max, so that
// they have the right sum. The amount is found by bisection.
func (s Space) project(row []float64) []float64 {
	low, high := slices.Min(row)-s.Max, slices.Max(row)-s.Min
	for range 100 {
		if middle := (low + high) / 2; floats.Sum(s.lowered(row, middle)) > s.Sum {
			low = middle
		} else {
			high = middle
		}
	}
	return s.lowered(row, (low+high)/2)
}

func (s Space) lowered(row []float64, amount float64) []float64 {
	out := make([]float64, len(row))
	for i, w := range row {
		out[i] = max(s.Min, min(s.Max, w-amount))
	}
	return out
}

// span is how far a weight can move within the bounds.
func (s Space) span() float64 {
	n := float64(len(s.Parents) - 1)
	return min(s.Max, s.Sum-n*s.Min) - max(s.Min, s.Sum-n*s.Max)
}

// tidy is the point of weights rounded to six decimals: fewer than make another
// soup, and rounding hides what processors compute differently. Where the bounds
// leave no room for that the weights stay as they are.
func (s Space) tidy(label string, weights [][]float64) Point {
	p := Point{Label: label}
	for _, row := range weights {
		p.Weights = append(p.Weights, s.tidyRow(row))
	}
	return p.alone()
}

// alone gives a parent itself the weight 1 that it has in every space.
func (p Point) alone() Point {
	if parent := p.parent(); parent >= 0 {
		for _, row := range p.Weights {
			row[parent] = 1
		}
	}
	return p
}

func (s Space) tidyRow(row []float64) []float64 {
	out, largest, rest := slices.Clone(row), 0, s.Sum
	for i, w := range row {
		out[i] = math.Round(w*1e6)/1e6 + 0
		if w > row[largest] {
			largest = i
		}
	}
	for i, w := range out {
		if i != largest {
			rest -= w
		}
	}
	out[largest] = math.Round(rest*1e12) / 1e12
	for _, w := range out {
		if w < s.Min || w > s.Max {
			return slices.Clone(row)
		}
	}
	return out
}

func allFinite(row []float64) bool {
	return !slices.ContainsFunc(row, func(x float64) bool { return !finite(x) })
}
