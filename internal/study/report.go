package study

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"soup/eval"
	"soup/results"
	"soup/search"
)

// BuildReport reads the ledger of a study's folder, also while the study runs,
// and computes everything that is shown: means, intervals, verdicts.
func BuildReport(ctx context.Context, dir string) (results.Report, error) {
	ledger, err := openForReading(dir)
	if err != nil {
		return results.Report{}, err
	}
	defer ledger.Close()
	b, err := newReporter(dir, ledger)
	if err != nil {
		return results.Report{}, err
	}
	return b.build(ctx)
}

// reporter turns a ledger into a report.
type reporter struct {
	dir      string
	ledger   *results.Ledger
	study    results.Study
	parents  []string
	weights  map[string]float64 // of categories, as in the objective
	trials   []results.Trial
	byNumber map[int]results.TrialReport
	winner   *results.Winner
	keeper   *keeper // nil where nothing must be kept
	// penalties are by trial; see keeper.penalty.
	penalties map[int]float64
	stopped   map[int]stopped
	compared  map[[2]int]eval.Comparison // on test, by trials: several parts of a report show the same one
}

func newReporter(dir string, ledger *results.Ledger) (*reporter, error) {
	about, parents, err := ledger.Study()
	if err != nil {
		return nil, err
	}
	b := &reporter{dir: dir, ledger: ledger, study: about, byNumber: map[int]results.TrialReport{}, penalties: map[int]float64{}, compared: map[[2]int]eval.Comparison{}}
	for _, p := range parents {
		b.parents = append(b.parents, p.Name)
	}
	if b.weights, err = CategoryWeights(about); err != nil {
		return nil, fmt.Errorf("ledger %s: %w", dir, err)
	}
	if w, ok, err := ledger.Winner(); err != nil {
		return nil, err
	} else if ok {
		b.winner = &w
	}
	if b.trials, err = ledger.Trials(); err != nil {
		return nil, err
	}
	if b.stopped, err = readStopped(ledger); err != nil {
		return nil, err
	}
	return b, b.readKeep()
}

func (b *reporter) build(ctx context.Context) (results.Report, error) {
	r := results.Report{Study: b.study.Name, Seed: b.study.Seed, Parents: b.parents}
	scores, err := b.ledger.Scores(ctx, scoring(b.weights))
	if err != nil {
		return r, err
	}
	for _, t := range b.trials {
		tr := b.trial(t, scores[t.Of])
		b.byNumber[t.Number] = tr
		r.Trials = append(r.Trials, tr)
		r.Cost.Add(tr.Seconds)
		if (t.State == results.Complete || t.State == results.Pruned) && t.Strategy != baseStrategy {
			r.Candidates++
		}
	}
	for _, step := range []func(*results.Report) error{b.addCounts, b.addStrategies, b.addWinner, b.addCurve, b.addPath, b.addLandscape, b.addMidpoints, b.addComparisons, b.addChoice, b.addConstraints, b.addInheritance, b.addFindings, b.addCalibration, b.addOptimism} {
		if err := step(&r); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (b *reporter) addCounts(r *results.Report) (err error) {
	if r.ItemsAnswered, err = b.ledger.Answered(); err != nil {
		return err
	}
	if r.Notes, err = b.ledger.Notes(); err != nil {
		return err
	}
	if b.winner == nil {
		r.Warnings = append(r.Warnings, "the study is not finished: soup run goes on with it")
	}
	return b.addEvents(r)
}

func (b *reporter) trial(t results.Trial, scores results.Scores) results.TrialReport {
	answered := 0
	if t.State != results.Cached && scores.Search != nil {
		answered = scores.Search.N
	}
	if b.trials[t.Of].State != results.Complete {
		scores = results.Scores{} // part of the items is no score
	}
	tr := results.TrialReport{
		Number: t.Number, Strategy: t.Strategy, Label: t.Label, Weights: b.named(t), State: t.State, Of: t.Of, Reason: t.Reason,
		Failure: t.Failure, Scores: scores, Answered: answered,
		Seconds: results.Seconds{Merge: t.Merge, Swap: t.Swap, FirstToken: t.First, Eval: t.Eval},
	}
	if t.State == results.Pruned {
		tr.Partial = b.partial(b.stopped[t.Number])
	}
	return tr
}

func (b *reporter) outcomes(trial int, split string) ([]eval.Outcome, error) {
	if o, read := b.keeper.read(trial, split); read {
		return o, nil
	}
	o, err := b.ledger.Outcomes(trial, split)
	return fromLedger(o), err
}

// named gives the weights their parents' names.
func (b *reporter) named(t results.Trial) results.Weights {
	byParent := func(row []float64) map[string]float64 {
		m := map[string]float64{}
		for i, w := range row {
			if w != 0 {
				m[b.parents[i]] = w
			}
		}
		return m
	}
	if t.Groups == nil {
		return results.Weights{ByParent: byParent(t.Weights[0])}
	}
	var groups []results.GroupWeights
	for g, name := range t.Groups {
		groups = append(groups, results.GroupWeights{Name: name, ByParent: byParent(t.Weights[g])})
	}
	return results.Weights{Groups: groups}
}

// strategyOrder is the order of the rows: baselines, then the others as run.
func (b *reporter) strategyOrder() []string {
	order := append(slices.Clone(search.Baselines()), baseStrategy)
	for _, name := range strategiesIn(b.trials) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	return order
}

// bestOf is a strategy's best proposal by search score, nil if none is scored,
// and how many there are.
func (b *reporter) bestOf(strategy string) (*results.TrialReport, int) {
	number, tried, ok := bestProposal(b.trials, strategy, func(trial int) (float64, bool) {
		t := b.byNumber[trial]
		if mean := searchMean(t); mean != nil && t.State == results.Complete {
			return *mean - b.penalties[trial], true
		}
		return 0, false
	})
	if !ok {
		return nil, tried
	}
	best := b.byNumber[number]
	return &best, tried
}

func searchMean(t results.TrialReport) *float64 {
	if t.Scores.Search == nil {
		return nil
	}
	return t.Scores.Search.Mean
}

func (b *reporter) addStrategies(r *results.Report) error {
	for _, name := range b.strategyOrder() {
		if best, tried := b.bestOf(name); best != nil {
			if err := b.addRow(r, name, *best, tried); err != nil {
				return err
			}
		}
	}
	if b.winner == nil || slices.ContainsFunc(r.Strategies, func(s results.StrategyReport) bool { return s.Trial == b.winner.Trial }) {
		return nil
	}
	// The winner on selection need not be what its strategy had best on search.
	return b.addRow(r, results.OfWinner, b.byNumber[b.winner.Trial], 1)
}

// addRow adds a candidate to the table of strategies.
func (b *reporter) addRow(r *results.Report, name string, t results.TrialReport, tried int) error {
	row := results.StrategyReport{
		Strategy: name, Label: t.Label, Trial: t.Number, Weights: t.Weights, Candidates: tried, Scores: t.Scores,
	}
	if single, _ := b.bestOf("single"); single != nil && t.Number != single.Number {
		c, err := b.compare(name, t.Number, results.OfBestSingle, single.Number)
		if err != nil {
			return err
		}
		row.AgainstBestSingle = c
	}
	r.Strategies = append(r.Strategies, row)
	return nil
}

// compare sets two trials against each other on test; nil where one was not
// scored there.
func (b *reporter) compare(of string, first int, against string, second int) (*results.Comparison, error) {
	c, ok, err := b.onTest(first, second)
	if err != nil || !ok {
		return nil, err
	}
	out := &results.Comparison{Of: of, Against: against, Split: results.Test, Difference: difference(c)}
	for _, name := range slices.Sorted(maps.Keys(c.Categories)) {
		out.Categories = append(out.Categories, results.CategoryDifference{Category: name, Difference: difference(c.Categories[name])})
	}
	return out, nil
}

// onTest compares two trials on test; not ok where one was not scored there.
func (b *reporter) onTest(first, second int) (c eval.Comparison, ok bool, err error) {
	if c, known := b.compared[[2]int{first, second}]; known {
		return c, true, nil
	}
	x, err := b.outcomes(first, results.Test)
	if err != nil {
		return c, false, err
	}
	y, err := b.outcomes(second, results.Test)
	if err != nil || len(x) == 0 || len(y) == 0 {
		return c, false, err
	}
	c = eval.CompareWeighted(x, y, b.weights)
	b.compared[[2]int{first, second}] = c
	return c, true, nil
}

func difference(c eval.Comparison) results.Difference {
	return results.Difference{
		Delta: c.Delta, Low: c.Low, High: c.High, P: c.P, N: c.N, Wins: c.Wins, Losses: c.Losses, Ties: c.Ties,
		Verdict: string(c.Verdict), Method: c.Method,
	}
}

func (b *reporter) addWinner(r *results.Report) error {
	if b.winner == nil {
		return nil
	}
	t, ok := b.byNumber[b.winner.Trial]
	if !ok {
		return fmt.Errorf("ledger %s: winner is trial %d, which is not there", b.dir, b.winner.Trial)
	}
	r.Winner = &results.WinnerReport{
		Trial: t.Number, Strategy: t.Strategy, Label: t.Label, Weights: t.Weights,
		Path: filepath.Join(b.dir, b.winner.Path), SHA256: b.winner.SHA256, Reason: b.winner.Reason,
	}
	var why string
	if json.Unmarshal(b.winner.Reason, &why) == nil && why != "" {
		r.Notes = append([]results.Note{{Strategy: results.OfWinner, Lines: []string{why}}}, r.Notes...)
	}
	return nil
}

// addComparisons sets the winner against the baselines on test.
func (b *reporter) addComparisons(r *results.Report) error {
	if b.winner == nil {
		return nil
	}
	for _, name := range append(slices.Clone(search.Baselines()), baseStrategy) {
		best, _ := b.bestOf(name)
		if best == nil || best.Number == b.winner.Trial {
			continue
		}
		against := name
		if name == "single" {
			against = results.OfBestSingle
		}
		c, err := b.compare(results.OfWinner, b.winner.Trial, against, best.Number)
		if err != nil {
			return err
		}
		if c != nil {
			r.Comparisons = append(r.Comparisons, *c)
		}
	}
	return nil
}

// optimismPeers are the best candidates whose disagreement with the winner
// stands for that of all that could have won.
const optimismPeers = 8

// addOptimism estimates how much the best search score owes to luck: see
// eval.ExpectedOptimism.
func (b *reporter) addOptimism(r *results.Report) error {
	var best []results.TrialReport
	for _, t := range r.Trials {
		if t.State == results.Complete && t.Strategy != baseStrategy && searchMean(t) != nil {
			best = append(best, t)
		}
	}
	if len(best) < 2 {
		return nil
	}
	slices.SortStableFunc(best, func(x, y results.TrialReport) int {
		if *searchMean(x) > *searchMean(y) {
			return -1
		}
		return 1
	})
	top, err := b.outcomes(best[0].Number, results.Search)
	if err != nil {
		return err
	}
	peers := best[1:min(len(best), 1+optimismPeers)]
	total := 0.0
	for _, p := range peers {
		other, err := b.outcomes(p.Number, results.Search)
		if err != nil {
			return err
		}
		total += eval.Disagreement(top, other)
	}
	expected := eval.ExpectedOptimism(len(best), total/float64(len(peers)), len(top))
	r.Optimism = &expected
	return nil
}
