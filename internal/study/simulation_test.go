package study

import (
	"context"
	"fmt"
	"io"
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
	return short
}

// world is a benchmark with three categories. Whether a soup solves an item is
// that a normal variable plus the soup's skill exceeds the item's difficulty. The
// variable is partly the item's, partly a mixture of what each parent makes of it,
// so that soups with similar weights answer alike, and every soup's has variance 1.
type world struct {
	seed     uint64
	parents  int
	skill    func(weights []float64, category int) float64
	clusters bool // items come in clusters of 1 to 9, which share half of each variance
}

// kind is how the studies of a simulation differ from the plainest.
type kind struct {
	name     string
	random   int // candidates of the random search
	clusters bool
	keep     bool // the last category must be kept
}

func kinds() []kind {
	return []kind{
		{name: "plain", random: 20},
		{name: "many candidates", random: 200},
		{name: "unequal clusters", random: 20, clusters: true},
		{name: "keep", random: 20, keep: true},
	}
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
	var list []eval.Outcome
	for c := range worldCategories {
		skill := w.skill(weights, c)
		r := rand.New(rand.NewPCG(w.seed, uint64(c)+uint64(len(split))*10))
		// draw is what an item has of a variable, half of it with its cluster.
		shared := make([]float64, 2+len(weights))
		draw := func(k int) float64 {
			x := r.NormFloat64()
			if w.clusters {
				return math.Sqrt(0.5) * (x + shared[k])
			}
			return x
		}
		cluster, left := 0, 0
		for i := range n {
			o := eval.Outcome{ID: fmt.Sprint(split, c, " ", i), Category: fmt.Sprint("c", c), State: eval.StateOK}
			if w.clusters {
				if left == 0 {
					cluster, left = cluster+1, 1+(cluster*cluster)%9
					for k := range shared {
						shared[k] = r.NormFloat64()
					}
				}
				left--
				o.Cluster = fmt.Sprint(split, c, "/", cluster)
			}
			difficulty, latent := spreadOfItems*draw(0), math.Sqrt(commonShare)*draw(1)
			for k, x := range weights {
				latent += math.Sqrt((1-commonShare)/length) * x * draw(2+k)
			}
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
	mean := 0.0
	for c := range worldCategories {
		mean += distuv.UnitNormal.CDF(w.skill(weights, c)/math.Sqrt(1+spreadOfItems*spreadOfItems)) / worldCategories
	}
	return mean
}

// simulated is what a study in a world comes to.
type simulated struct {
	comparison eval.Comparison // winner less best single, on test
	truth      float64         // of the difference
	same       bool            // the best single won
	choice     *results.Choice
	selection  float64 // the truth of what the choice's gain estimates
	regret     float64 // truth of the best finalist less that of the winner
}

// simulate runs the baselines and a random search, chooses on selection and
// compares on test, as a study does.
func simulate(t *testing.T, w world, k kind) simulated {
	t.Helper()
	space := search.Space{}
	for i := range w.parents {
		space.Parents = append(space.Parents, fmt.Sprint("p", i))
	}
	s := &session{scores: map[int]float64{}, config: &Config{Finalists: 5}, warnings: io.Discard, space: space}
	if k.keep {
		s.keep = []constraint{{Category: fmt.Sprint("c", worldCategories-1), Margin: 0.02}}
	}
	points, answers := map[int][]float64{}, map[int][]eval.Outcome{}
	for _, name := range []string{"single", "uniform", "greedy", "random"} {
		var options map[string]any
		if name == "random" {
			options = map[string]any{"budget": k.random}
		}
		strategy, err := search.New(name, options, space, w.seed)
		if err != nil {
			t.Fatal(err)
		}
		_, err = search.Run(t.Context(), strategy, func(_ context.Context, p search.Point) (search.Trial, error) {
			n := len(s.trials)
			points[n], answers[n] = p.Weights[0], w.outcomes(results.Search, 100, p.Weights[0])
			s.trials = append(s.trials, results.Trial{Number: n, Of: n, Strategy: name, Label: p.Label, State: results.Complete, Weights: p.Weights})
			s.scores[n] = eval.Summarize(answers[n]).Mean - s.keeper.penalty(answers[n])
			return search.Trial{State: search.StateComplete, Score: s.scores[n]}, nil
		}, search.Settings{})
		if err == nil && name == singleStrategy {
			s.keeper, err = newKeeper(s.keep, space.Parents, s.trials, func(trial int, _ string) ([]eval.Outcome, error) { return answers[trial], nil })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return conclude(t, w, s, points)
}

func conclude(t *testing.T, w world, s *session, points map[int][]float64) simulated {
	t.Helper()
	selection := map[int][]eval.Outcome{}
	finalists := s.finalists()
	for _, f := range finalists {
		selection[f.trial] = w.outcomes(results.Selection, 100, points[f.trial])
	}
	c, _, err := s.contest(finalists, selection)
	if err != nil {
		t.Fatal(err)
	}
	d := c.decide()
	winner := c.finalists[d.winner]
	single, _, _ := bestProposal(s.trials, singleStrategy, s.searchScore)
	out := simulated{
		comparison: eval.Compare(w.outcomes(results.Test, 200, points[winner.trial]), w.outcomes(results.Test, 200, points[single])),
		truth:      w.truth(points[winner.trial]) - w.truth(points[single]),
		same:       winner.trial == single,
		choice:     c.report(d, nil),
	}
	if g := out.choice.Gain; g != nil {
		out.selection = w.truth(points[g.Soup]) - w.truth(points[g.Parent])
	}
	for _, f := range c.finalists {
		out.regret = max(out.regret, w.truth(points[f.trial])-w.truth(points[winner.trial]))
	}
	return out
}

// atMost is the largest count of n that chance gives at a rate, with one in a
// thousand above it.
func atMost(n int, rate float64) float64 {
	return float64(n)*rate + 3.1*math.Sqrt(float64(n)*rate*(1-rate)) + 1
}

// tally counts over studies.
type tally struct {
	studies, better, soups, covered, plateaus int
	bias, regret                              float64
	gains                                     int
	estimates                                 [3]estimate // observed, repeated, shrunken
}

type estimate struct {
	bias, squares float64
	covered       int
}

func (y *tally) add(s simulated) {
	y.studies++
	y.regret += s.regret
	if s.comparison.Verdict == eval.Better {
		y.better++
	}
	if s.choice.Plateau != nil {
		y.plateaus++
	}
	if !s.same {
		y.soups++
		y.bias += s.comparison.Delta - s.truth
		if s.comparison.Low <= s.truth && s.truth <= s.comparison.High {
			y.covered++
		}
	}
	g := s.choice.Gain
	if g == nil {
		return
	}
	y.gains++
	for i, e := range []results.Estimate{{Delta: g.Observed.Delta, Low: g.Observed.Low, High: g.Observed.High}, *g.Repeated, g.Shrunken} {
		y.estimates[i].bias += e.Delta - s.selection
		y.estimates[i].squares += (e.Delta - s.selection) * (e.Delta - s.selection)
		if e.Low <= s.selection && s.selection <= e.High {
			y.estimates[i].covered++
		}
	}
}

func (y *tally) String() string {
	share := func(n, of int) float64 { return 100 * float64(n) / float64(of) }
	text := fmt.Sprintf("%d studies: better in %.1f %%, something other than the best single wins in %.1f %%, regret among finalists %.2f points, plateau %.1f %%; interval on test holds %.1f %%, bias %+.2f points",
		y.studies, share(y.better, y.studies), share(y.soups, y.studies), 100*y.regret/float64(y.studies), share(y.plateaus, y.studies), share(y.covered, y.soups), 100*y.bias/float64(y.soups))
	for i, name := range []string{"observed", "repeated", "shrunken"} {
		e := y.estimates[i]
		text += fmt.Sprintf("; selection %s bias %+.2f rms %.2f holds %.1f %%", name, 100*e.bias/float64(y.gains), 100*math.Sqrt(e.squares/float64(y.gains)), share(e.covered, y.gains))
	}
	return text
}

// In truth all parents, and all soups, are equally good: a gain may be claimed in
// 5 % of the studies at most.
func TestNoGainIsClaimedWhereThereIsNone(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			n, y := simulations(t, 5), tally{}
			for i := range n {
				s := simulate(t, world{seed: uint64(i + 1), parents: 4, skill: func([]float64, int) float64 { return 0.3 }, clusters: k.clusters}, k)
				if math.Abs(s.truth) > 1e-12 {
					t.Fatalf("the truth is %v", s.truth)
				}
				y.add(s)
			}
			t.Log(&y)
			if float64(y.better) > atMost(n, 0.05) {
				t.Errorf("better is claimed in %d of %d studies without a gain", y.better, n)
			}
		})
	}
}

// gaining is a world in which soups are better than parents.
func gaining(i int, k kind) world {
	r := rand.New(rand.NewPCG(uint64(i), 99))
	own := make([][worldCategories]float64, 4)
	for p := range own {
		skill := 0.4 * r.NormFloat64()
		for c := range own[p] {
			own[p][c] = skill + 0.15*r.NormFloat64()
		}
	}
	return world{seed: uint64(i + 1), parents: 4, clusters: k.clusters, skill: func(weights []float64, category int) float64 {
		sum, squares := 0.0, 0.0
		for p, x := range weights {
			sum += x * own[p][category]
			squares += x * x
		}
		return 0.2 + sum + 0.8*(1-squares)
	}}
}

// Soups are better than parents, and a search finds the best: the interval of the
// winner's gain on test holds the truth in 95 % of the studies, and the gain is not
// biased although the winner was chosen.
func TestTheReportedGainIsTrue(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			n, y := simulations(t, 5), tally{}
			for i := range n {
				y.add(simulate(t, gaining(i, k), k))
			}
			t.Log(&y)
			if y.soups < n*3/4 {
				t.Errorf("only %d of %d studies chose a soup", y.soups, n)
			}
			if missed := float64(y.soups - y.covered); missed > atMost(y.soups, 0.05) {
				t.Errorf("the interval misses the truth in %v of %d studies", missed, y.soups)
			}
			// The standard error of a gain is about 2 points, of clusters 3.
			if bias := 100 * y.bias / float64(y.soups); math.Abs(bias) > 0.2+3.3*3/math.Sqrt(float64(y.soups)) {
				t.Errorf("mean bias %+.2f points", bias)
			}
		})
	}
}
