package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat"

	"soup/internal/usage"
	"soup/search"
)

// SearchOptions say which strategies to compare, and on what. Zero values are
// the defaults.
type SearchOptions struct {
	Grid       string    // folder of a recorded grid (see readGrid); "" for none
	Problems   []string  // names; default all there are
	Strategies []string  // default all that search; see search.Names
	Marks      []int     // evaluations after which the soup to deliver is looked at; default 10, 15, 30, 60
	Seeds      int       // runs of each; default 20
	Items      int       // search items a category; default 150
	Info       io.Writer // a line on what is being measured; nil says nothing
}

// SearchReport is what soup bench search prints. The JSON keys are fixed.
type SearchReport struct {
	Seeds int            `json:"seeds"`
	Items int            `json:"items_a_category"`
	Rows  []SearchResult `json:"rows"`
}

// SearchResult is the regret of one strategy on one problem after so many
// evaluations: how far, in points, the true score of the soup that it would
// deliver lies below the best there is. Quartiles are over seeds.
type SearchResult struct {
	Problem     string    `json:"problem"`
	Strategy    string    `json:"strategy"`
	Evaluations int       `json:"evaluations"`
	Items       int       `json:"items_answered"` // by so many evaluations
	Median      float64   `json:"median"`
	Low         float64   `json:"lower_quartile"`
	High        float64   `json:"upper_quartile"`
	Regrets     []float64 `json:"regrets"` // by seed
}

// problem is a family of worlds, one a seed.
type problem struct {
	name    string
	parents int
	world   func(seed uint64, items int) world
}

// world answers points.
type world struct {
	space search.Space
	try   func(search.Point) search.Trial
	truth func(search.Point) float64 // true score, in parts of 1
	best  float64                    // of all points
}

func (o *SearchOptions) check() error {
	for i, n := range append([]int{o.Seeds, o.Items}, o.Marks...) {
		if n < 0 || n > 100_000 || i >= 2 && n == 0 {
			return &usage.Error{Message: fmt.Sprintf("seeds, items and evaluations cannot be %d", n), Advice: "give numbers from 1 to 100000"}
		}
	}
	for _, name := range o.Strategies {
		if !slices.Contains(search.Names(), name) {
			return &usage.Error{Message: fmt.Sprintf("unknown strategy %q", name), Advice: "there are " + strings.Join(search.Names(), ", ")}
		}
	}
	return nil
}

func (o *SearchOptions) fill() {
	if len(o.Marks) == 0 {
		o.Marks = []int{10, 15, 30, 60}
	}
	if o.Seeds == 0 {
		o.Seeds = 20
	}
	if o.Items == 0 {
		o.Items = 150
	}
	if o.Info == nil {
		o.Info = io.Discard
	}
	if len(o.Strategies) == 0 {
		o.Strategies = contenders()
	}
	slices.Sort(o.Marks)
}

// contenders are the strategies that search by themselves.
func contenders() []string {
	return slices.DeleteFunc(search.Names(), func(name string) bool {
		return slices.Contains([]string{"single", "uniform", "uniform-selected", "grid", "layerwise"}, name)
	})
}

// Search runs every strategy on every problem, for every seed. The parents and
// the uniform soup are asked first and count; what a strategy asks again costs
// nothing.
func Search(ctx context.Context, o SearchOptions) (SearchReport, error) {
	if err := o.check(); err != nil {
		return SearchReport{}, err
	}
	o.fill()
	report := SearchReport{Seeds: o.Seeds, Items: o.Items, Rows: []SearchResult{}}
	problems, err := o.problems()
	if err != nil {
		return report, err
	}
	for _, p := range problems {
		for _, name := range o.Strategies {
			fmt.Fprintf(o.Info, "soup: %s: %s\n", p.name, name)
			rows, err := o.measure(ctx, p, name)
			if err != nil {
				return report, err
			}
			report.Rows = append(report.Rows, rows...)
		}
	}
	return report, nil
}

func (o *SearchOptions) problems() ([]problem, error) {
	all := landscapes()
	if o.Grid != "" {
		g, err := readGrid(o.Grid)
		if err != nil {
			return nil, err
		}
		all = append(g.problems(), all...)
	}
	if len(o.Problems) == 0 {
		return all, nil
	}
	var names []string
	for _, p := range all {
		names = append(names, p.name)
	}
	var chosen []problem
	for _, name := range o.Problems {
		i := slices.Index(names, name)
		if i < 0 {
			return nil, &usage.Error{Message: fmt.Sprintf("no problem is named %q", name), Advice: "there are " + strings.Join(names, ", ")}
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func (o *SearchOptions) measure(ctx context.Context, p problem, strategy string) ([]SearchResult, error) {
	regrets := make([][]float64, o.Seeds)
	each := 0 // items of a candidate
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for seed := range o.Seeds {
		g.Go(func() error {
			t, err := o.run(ctx, p.world(uint64(seed), o.Items), strategy, uint64(seed))
			if err != nil {
				return err
			}
			regrets[seed] = t.regrets
			if seed == 0 {
				each = len(t.trials[0].Items)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	var rows []SearchResult
	for m, mark := range o.Marks {
		r := SearchResult{Problem: p.name, Strategy: strategy, Evaluations: mark, Items: mark * each}
		for _, run := range regrets {
			r.Regrets = append(r.Regrets, run[m])
		}
		r.Median, r.Low, r.High = quantile(r.Regrets, 0.5), quantile(r.Regrets, 0.25), quantile(r.Regrets, 0.75)
		rows = append(rows, r)
	}
	return rows, nil
}

func quantile(values []float64, p float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return stat.Quantile(p, stat.LinInterp, sorted, nil)
}

// tasting is one run: what was asked so far, and the regret at the marks.
type tasting struct {
	world    world
	marks    []int
	strategy search.Strategy
	trials   []search.Trial
	known    map[string]int
	regrets  []float64
}

// run tastes until there is a regret at every mark. A strategy that is done early
// stays at what it would deliver.
func (o *SearchOptions) run(ctx context.Context, w world, name string, seed uint64) (*tasting, error) {
	options := map[string]any{}
	for _, p := range search.Parameters(name) {
		if p.Name == "budget" {
			options["budget"] = o.Marks[len(o.Marks)-1]
		}
	}
	s, err := search.New(name, options, w.space, seed)
	if err != nil {
		return nil, err
	}
	t := &tasting{world: w, marks: o.Marks, strategy: s, known: map[string]int{}}
	for _, baseline := range search.Baselines()[:2] {
		b, err := search.New(baseline, nil, w.space, seed)
		if err != nil {
			return nil, err
		}
		t.follow(ctx, b)
	}
	t.follow(ctx, s)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for len(t.regrets) < len(t.marks) {
		t.regrets = append(t.regrets, t.regret())
	}
	return t, nil
}

func (t *tasting) follow(ctx context.Context, s search.Strategy) {
	for ctx.Err() == nil && len(t.regrets) < len(t.marks) {
		asked := s.Ask(1)
		if len(asked) == 0 {
			return
		}
		trial, fresh := t.answer(asked[0])
		s.Tell([]search.Trial{trial})
		if fresh && len(t.trials) == t.marks[len(t.regrets)] {
			t.regrets = append(t.regrets, t.regret())
		}
	}
}

// answer tries a point unless it was tried before.
func (t *tasting) answer(p search.Point) (trial search.Trial, fresh bool) {
	key := search.Key(p)
	i, ok := t.known[key]
	if !ok {
		i = len(t.trials)
		t.known[key] = i
		trial := t.world.try(p)
		trial.Point = p
		t.trials = append(t.trials, trial)
	}
	trial = t.trials[i]
	trial.Point = p
	return trial, !ok
}

// regret is that of the soup to deliver: what the strategy recommends, or else
// the best score.
func (t *tasting) regret() float64 {
	if r, ok := t.strategy.(search.Recommender); ok {
		if p, ok := r.Recommended(); ok {
			return 100 * (t.world.best - t.world.truth(p))
		}
	}
	top := t.trials[0]
	for _, trial := range t.trials {
		if trial.Score > top.Score {
			top = trial
		}
	}
	return 100 * (t.world.best - t.world.truth(top.Point))
}
