package study

import (
	"cmp"
	"slices"

	"soup/eval"
	"soup/results"
)

// z95 is half of a 95 % interval in standard errors.
const z95 = 1.96

// addChoice judges the choice of the winner by the selection items, and the
// comparison on test by exchanging who is compared.
func (b *reporter) addChoice(r *results.Report) error {
	if b.winner == nil {
		return nil
	}
	c, err := b.contest()
	if err != nil || c == nil {
		return err
	}
	r.Choice = c.report(c.decide(), b.weights)
	for i := range r.Choice.Finalists {
		f := &r.Choice.Finalists[i]
		f.Label = b.byNumber[f.Trial].Label
	}
	if p := r.Choice.Plateau; p != nil {
		p.Label = b.byNumber[p.Equal].Label
		p.Of = b.parentsOf(p.Equal)
	}
	return b.addExchanges(r)
}

// contest is that which chose the winner; nil where the ledger does not know it,
// being of an earlier version.
func (b *reporter) contest() (*contest, error) {
	between, err := lastChoice(b.ledger)
	if err != nil || !slices.Contains(between.Trials, b.winner.Trial) {
		return nil, err
	}
	var finalists []finalist
	var outcomes [][]eval.Outcome
	for _, t := range b.trials {
		if !slices.Contains(between.Trials, t.Number) {
			continue
		}
		o, err := b.outcomes(t.Number, results.Selection)
		if err != nil {
			return nil, err
		}
		finalists = append(finalists, finalist{candidate: candidate{t.Strategy, t.Label, t.Weights, t.Key}, trial: t.Number})
		outcomes = append(outcomes, o)
	}
	return newContest(finalists, outcomes, b.weights, func(string) {})
}

// parentsOf names the parents that a trial mixes, in the study's order.
func (b *reporter) parentsOf(trial int) []string {
	var names []string
	for i, name := range b.parents {
		for _, t := range b.trials {
			if t.Number == trial && slices.ContainsFunc(t.Weights, func(row []float64) bool { return row[i] != 0 }) {
				names = append(names, name)
			}
		}
	}
	return names
}

// report is the choice in figures, without labels.
func (c *contest) report(d decision, weights map[string]float64) *results.Choice {
	out := &results.Choice{N: c.panel.Items(), Halvings: d.halvings}
	all := c.panel.All()
	for i, f := range c.finalists {
		out.Finalists = append(out.Finalists, results.Finalist{Trial: f.trial, Score: all.Mean(i), Best: d.top[i]})
	}
	slices.SortStableFunc(out.Finalists, func(x, y results.Finalist) int {
		return cmp.Or(cmp.Compare(y.Best, x.Best), cmp.Compare(y.Score, x.Score))
	})
	if d.soup >= 0 && d.parent >= 0 {
		out.Gain = c.gain(d, weights)
	}
	out.Plateau = c.plateau(d, weights)
	return out
}

// gain sees the difference between soup and parent three ways. The interval of
// the repeated one is that of the observed one, moved: both rest on the same
// items, the one by halves.
func (c *contest) gain(d decision, weights map[string]float64) *results.Gain {
	observed := eval.CompareWeighted(c.outcomes[d.soup], c.outcomes[d.parent], weights)
	shrunken := c.panel.All().ShrunkenGap(c.rivals(d.soup), d.soup, d.parent)
	g := &results.Gain{
		Soup: c.finalists[d.soup].trial, Parent: c.finalists[d.parent].trial,
		Observed: difference(observed),
		Shrunken: results.Estimate{Delta: shrunken.Delta, Low: shrunken.Delta - z95*shrunken.SE, High: shrunken.Delta + z95*shrunken.SE},
		Factor:   shrunken.Factor,
	}
	if d.halvings > 0 {
		moved := d.gain - observed.Delta
		g.Repeated = &results.Estimate{Delta: d.gain, Low: observed.Low + moved, High: observed.High + moved}
	}
	return g
}

// rivals are the soups that the items do not surely tell from one, itself among
// them: those whose luck it competed with. A soup far behind says nothing about
// how far apart those in front are.
func (c *contest) rivals(soup int) []int {
	var list []int
	for _, i := range c.soups {
		if delta, se := c.panel.All().Gap(soup, i); i == soup || delta <= 2*se && -delta <= 2*se {
			list = append(list, i)
		}
	}
	return list
}

// plateau finds that weights hardly matter: equal shares are within one standard
// error of the best of the other soups, and better than the best parent.
func (c *contest) plateau(d decision, weights map[string]float64) *results.Plateau {
	all := c.panel.All()
	var equal, other []int
	for _, i := range c.soups {
		if equalShares(c.finalists[i].weights) {
			equal = append(equal, i)
		} else {
			other = append(other, i)
		}
	}
	if len(equal) == 0 || len(other) == 0 {
		return nil
	}
	e, o := all.Best(equal)[0], all.Best(other)[0]
	if delta, se := all.Gap(o, e); delta > se || d.parent >= 0 && all.Mean(e) <= all.Mean(d.parent) {
		return nil
	}
	return &results.Plateau{
		Equal: c.finalists[e].trial, Other: c.finalists[o].trial,
		Difference: difference(eval.CompareWeighted(c.outcomes[e], c.outcomes[o], weights)),
	}
}

// exchanges is how often the A/A check compares.
const exchanges = 200

// addExchanges checks the comparison of the winner with the best single
// checkpoint, where there is one.
func (b *reporter) addExchanges(r *results.Report) error {
	for _, c := range r.Comparisons {
		if c.Of != results.OfWinner || c.Against != results.OfBestSingle {
			continue
		}
		single, _ := b.bestOf(singleStrategy)
		x, err := b.outcomes(b.winner.Trial, results.Test)
		if err != nil {
			return err
		}
		y, err := b.outcomes(single.Number, results.Test)
		if err != nil {
			return err
		}
		e := eval.Exchange(x, y, b.weights, exchanges)
		r.Exchanges = &results.Exchanges{N: e.N, Items: c.N, Better: e.Better, Worse: e.Worse}
	}
	return nil
}
