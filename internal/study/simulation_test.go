package study

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"soup/eval"
	"soup/results"
	"soup/search"
)

// These tests run whole studies, their statistics included, in a world where the
// truth is known: how often is a gain claimed that is not there, and does the
// interval that is reported hold what it promises? SOUP_SIMULATIONS=1000 runs as
// many as docs/statistics.md reports; the default keeps the tests short.

func simulations(t *testing.T, short int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("SOUP_SIMULATIONS")); err == nil {
		return n
	}
	if testing.Short() {
		return short / 2
	}
	return short
}

// world is a benchmark with three categories. Whether a soup solves an item is
// that a normal variable plus the soup's skill exceeds the item's difficulty. The
// variable is partly the item's, partly a mixture of what each parent makes of it,
// so that soups with similar weights answer alike, and every soup's has variance 1.
type world struct {
	seed    uint64
	parents int
	skill   func(weights []float64) float64
}

const (
	worldCategories = 3
	commonShare     = 0.6 // of the variance that is the item's own
	spreadOfItems   = 1.0 // standard deviation of the difficulties
)

// outcomes are a soup's answers to n items a category of one split.
func (w world) outcomes(split string, n int, weights []float64) []eval.Outcome {
	length := 0.0
	for _, x := range weights {
		length += x * x
	}
	skill := w.skill(weights)
	var list []eval.Outcome
	for c := range worldCategories {
		r := rand.New(rand.NewPCG(w.seed, uint64(c)+uint64(len(split))*10))
		for i := range n {
			difficulty, latent := spreadOfItems*r.NormFloat64(), math.Sqrt(commonShare)*r.NormFloat64()
			for _, x := range weights {
				latent += math.Sqrt((1-commonShare)/length) * x * r.NormFloat64()
			}
			o := eval.Outcome{ID: fmt.Sprint(split, c, " ", i), Category: fmt.Sprint("c", c), State: eval.StateOK}
			if latent+skill > difficulty {
				o.Score = 1
			}
			list = append(list, o)
		}
	}
	return list
}

// truth is the mean score over all items that there could be.
func (w world) truth(weights []float64) float64 {
	return distuv.UnitNormal.CDF(w.skill(weights) / math.Sqrt(1+spreadOfItems*spreadOfItems))
}

// simulated is what a study in a world comes to.
type simulated struct {
	comparison eval.Comparison // winner less best single, on test
	truth      float64         // of the difference
	same       bool            // the best single won
}

// simulate runs the baselines and a random search, chooses on selection and
// compares on test, as a study does.
func simulate(t *testing.T, w world) simulated {
	t.Helper()
	space := search.Space{}
	for i := range w.parents {
		space.Parents = append(space.Parents, fmt.Sprint("p", i))
	}
	var trials []results.Trial
	scores, points := map[int]float64{}, map[int][]float64{}
	for _, name := range []string{"single", "uniform", "greedy", "random"} {
		var options map[string]any
		if name == "random" {
			options = map[string]any{"budget": 20}
		}
		strategy, err := search.New(name, options, space, w.seed)
		if err != nil {
			t.Fatal(err)
		}
		_, err = search.Run(t.Context(), strategy, func(_ context.Context, p search.Point) (search.Trial, error) {
			outcomes := w.outcomes(results.Search, 100, p.Weights[0])
			summary := eval.Summarize(outcomes)
			n := len(trials)
			trials = append(trials, results.Trial{Number: n, Of: n, Strategy: name, Label: p.Label, State: results.Complete, Weights: p.Weights})
			scores[n], points[n] = summary.Mean, p.Weights[0]
			return search.Trial{State: search.StateComplete, Score: summary.Mean}, nil
		}, search.Settings{})
		if err != nil {
			t.Fatal(err)
		}
	}
	return conclude(t, w, &session{trials: trials, scores: scores, config: &Config{Finalists: 5}}, points)
}

func conclude(t *testing.T, w world, s *session, points map[int][]float64) simulated {
	t.Helper()
	selection := map[int][]eval.Outcome{}
	finalists := s.finalists()
	for _, f := range finalists {
		selection[f.trial] = w.outcomes(results.Selection, 100, points[f.trial])
	}
	winner, _, err := pick(finalists, selection, nil, func(m string) { t.Error(m) })
	if err != nil {
		t.Fatal(err)
	}
	single, _, _ := bestProposal(s.trials, singleStrategy, s.searchScore)
	return simulated{
		comparison: eval.Compare(w.outcomes(results.Test, 200, points[winner.trial]), w.outcomes(results.Test, 200, points[single])),
		truth:      w.truth(points[winner.trial]) - w.truth(points[single]),
		same:       parentsUsed(winner.weights) == 1 && onlyParent(winner.weights) == onlyParent([][]float64{points[single]}),
	}
}

// atMost is the largest count of n that chance gives at a rate, with one in a
// thousand above it.
func atMost(n int, rate float64) float64 {
	return float64(n)*rate + 3.1*math.Sqrt(float64(n)*rate*(1-rate)) + 1
}

// In truth all parents, and all soups, are equally good: a gain may be claimed in
// 5 % of the studies at most.
func TestNoGainIsClaimedWhereThereIsNone(t *testing.T) {
	n := simulations(t, 40)
	better := 0
	for i := range n {
		s := simulate(t, world{seed: uint64(i + 1), parents: 4, skill: func([]float64) float64 { return 0.3 }})
		if s.comparison.Verdict == eval.Better {
			better++
		}
		if s.truth != 0 {
			t.Fatalf("the truth is %v", s.truth)
		}
	}
	t.Logf("better is claimed in %d of %d studies without a gain", better, n)
	if float64(better) > atMost(n, 0.05) {
		t.Errorf("better is claimed in %d of %d studies without a gain", better, n)
	}
}

// Soups are better than parents, and a search finds the best: the interval of the
// winner's gain on test holds the truth in 95 % of the studies, and the gain is not
// biased although the winner was chosen.
func TestTheReportedGainIsTrue(t *testing.T) {
	n := simulations(t, 40)
	covered, bias, soups := 0, 0.0, 0
	for i := range n {
		r := rand.New(rand.NewPCG(uint64(i), 99))
		own := make([]float64, 4)
		for k := range own {
			own[k] = 0.4 * r.NormFloat64()
		}
		w := world{seed: uint64(i + 1), parents: 4, skill: func(weights []float64) float64 {
			sum, squares := 0.0, 0.0
			for k, x := range weights {
				sum += x * own[k]
				squares += x * x
			}
			return 0.2 + sum + 0.8*(1-squares)
		}}
		s := simulate(t, w)
		if s.same {
			continue
		}
		soups++
		bias += s.comparison.Delta - s.truth
		if s.comparison.Low <= s.truth && s.truth <= s.comparison.High {
			covered++
		}
	}
	bias *= 100 / float64(soups)
	t.Logf("%d studies, %d with a soup: the interval holds the truth in %.1f %%, mean bias %+.2f points", n, soups, 100*float64(covered)/float64(soups), bias)
	if soups < n*3/4 {
		t.Errorf("only %d of %d studies chose a soup", soups, n)
	}
	if missed := float64(soups - covered); missed > atMost(soups, 0.05) {
		t.Errorf("the interval misses the truth in %v of %d studies", missed, soups)
	}
	// The standard error of a gain is about 2 points.
	if math.Abs(bias) > 0.2+3.3*2/math.Sqrt(float64(soups)) {
		t.Errorf("mean bias %+.2f points", bias)
	}
}
