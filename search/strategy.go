package search

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Strategy proposes points and learns from their outcomes. The points of equal
// outcomes are equal: they do not depend on how many were asked at once nor on the
// order of the outcomes. Package searchtest checks that, and more.
type Strategy interface {
	// Name is the name that New knows it by.
	Name() string
	// Ask returns up to n new points, numbered in order from 0. None means that
	// the strategy is done or waits for the outcome of points asked before.
	Ask(n int) []Point
	// Tell reports outcomes, in any order, once each. It knows the points by their
	// Number; outcomes of points that were not asked are ignored.
	Tell(trials []Trial)
	// Done says that no point will be asked any more.
	Done() bool
}

// Explainer is a Strategy that says what it decided and why. All of this package
// are.
type Explainer interface {
	// Notes are the decisions so far, a line each, in the order they were made.
	Notes() []string
}

// Planner is a Strategy that knows how many points it is going to ask, at least:
// for telling people how long it takes. All of this package are.
type Planner interface {
	// Planned is the number of points asked and certain to be asked.
	Planned() int
}

// Recommender is a Strategy with an opinion of its own about the best point:
// one that models what it was told trusts its model above the luckiest
// outcome.
type Recommender interface {
	// Recommended is the point, among those asked and told, that the strategy
	// would deliver; false before there is one.
	Recommended() (Point, bool)
}

// Parameter describes an option of a strategy. All options are numbers.
type Parameter struct {
	Name      string
	Default   float64
	Low, High float64 // what is allowed, both included
	Whole     bool    // only whole numbers
	Doc       string
}

// maxPoints bounds what one strategy asks: more than any study can score.
const maxPoints = 100_000

var (
	paramTau    = Parameter{Name: "tau", Default: 0.5, Low: 0.001, High: 1, Doc: "keep a category if |correlation| with another is below this"}
	paramMinN   = Parameter{Name: "min_n", Default: 30, Low: 1, High: 1e9, Whole: true, Doc: "leave out categories with fewer items"}
	paramAlpha  = Parameter{Name: "alpha", Default: 1, Low: 0.01, High: 1000, Doc: "concentration of the Dirichlet distribution: below 1 near few parents, above 1 near equal weights"}
	paramStep   = Parameter{Name: "step", Default: 0.1, Low: 0.001, High: 1, Doc: "distance between weights"}
	paramBudget = Parameter{Name: "budget", Low: 1, High: maxPoints, Whole: true, Doc: "at most so many points"}
)

func (p Parameter) defaulting(value float64) Parameter {
	p.Default = value
	return p
}

// entry is a strategy that New can make.
type entry struct {
	name       string
	parameters []Parameter
	make       func(Space, uint64, options) (Strategy, error)
}

func entries() []entry {
	return []entry{
		{"single", nil, newSingle},
		{"uniform", nil, newUniform},
		{"uniform-selected", []Parameter{paramTau, paramMinN}, newUniformSelected},
		{"greedy", nil, newGreedy},
		{"random", []Parameter{paramBudget.defaulting(60), paramAlpha}, newRandom},
		{"grid", []Parameter{paramStep, paramBudget.defaulting(maxPoints)}, newGrid},
		{"subsets", []Parameter{paramBudget.defaulting(255)}, newSubsets},
		{"soce", []Parameter{paramTau, paramMinN, paramStep, paramBudget.defaulting(200)}, newSoCE},
		{"coordinate", []Parameter{paramBudget.defaulting(60), paramMargin}, newCoordinate},
		{"midpoints", []Parameter{paramBudget.defaulting(210)}, newMidpoints},
		{"path", []Parameter{paramCoarse, paramFinest, paramBudget.defaulting(60)}, newPath},
		{"hillclimb", []Parameter{paramSteps, paramPatience, paramBudget.defaulting(200)}, newHillclimb},
		{"layerwise", []Parameter{paramBudget.defaulting(60), paramStart, paramMargin}, newLayerwise},
		{"cmaes", []Parameter{paramBudget.defaulting(100), paramPopulation, paramSigma, paramRestarts}, newEvolution},
		{"sobol", []Parameter{paramBudget.defaulting(60)}, newSobol},
		{"gp", []Parameter{paramBudget.defaulting(60), paramBatch}, newGP},
		{"itemwise", []Parameter{paramBudget.defaulting(60), paramBatch}, newItemwise},
		{"auto", []Parameter{paramBudget.defaulting(60), paramBatch, paramStop}, newAuto},
		{"tpe", []Parameter{paramBudget.defaulting(60), paramStartup}, newParzen},
	}
}

// Names lists the strategies that New can make.
func Names() []string {
	var names []string
	for _, e := range entries() {
		names = append(names, e.name)
	}
	return names
}

// Baselines lists the strategies whose results every other one is compared with.
func Baselines() []string { return []string{"single", "uniform", "greedy"} }

// Parameters lists the options of a strategy; there are none for a name that New
// does not know.
func Parameters(strategy string) []Parameter {
	e, _ := find(strategy)
	return slices.Clone(e.parameters)
}

// Listed is a strategy that asks the given points, whatever comes of them: soups that
// are worth trying for reasons that are not in the space.
func Listed(name string, points []Point) Strategy { return once(name, points) }

// ErrSpace is why New refuses a space that is sound but not one for the strategy.
var ErrSpace = errors.New("not for this space")

// New makes a strategy. Options are numbers of any of Go's types under the names
// that Parameters lists; those not given have their defaults. The seed decides all
// that is random about it.
func New(name string, given map[string]any, space Space, seed uint64) (Strategy, error) {
	e, ok := find(name)
	if !ok {
		return nil, fmt.Errorf("unknown strategy %q; there are %s", name, strings.Join(Names(), ", "))
	}
	o, err := read(e.parameters, given)
	if err != nil {
		return nil, fmt.Errorf("strategy %s: %w", name, err)
	}
	space, err = space.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("strategy %s: %w", name, err)
	}
	s, err := e.make(space, seed, o)
	if err != nil {
		return nil, fmt.Errorf("strategy %s: %w", name, err)
	}
	return s, nil
}

func find(name string) (entry, bool) {
	for _, e := range entries() {
		if e.name == name {
			return e, true
		}
	}
	return entry{}, false
}
