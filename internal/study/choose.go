package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"soup/eval"
	"soup/results"
)

// choiceEvent notes between whom the winner was chosen.
const choiceEvent = "choice"

type chosenFrom struct {
	Trials []int `json:"trials"` // finalists that could win
}

// choose returns the winner on the selection split; see [contest.decide]. The
// base is no candidate. Where categories must be kept, only the finalists count
// that keep them (see keeper.standing); where none does, those that do not surely
// lose one; and all, where each loses one.
func (s *session) choose(finalists []finalist) (finalist, string, error) {
	outcomes := map[int][]eval.Outcome{}
	for _, f := range finalists {
		o, err := s.outcomes(f.trial, results.Selection)
		if err != nil {
			return finalist{}, "", err
		}
		outcomes[f.trial] = o
	}
	c, note, err := s.contest(finalists, outcomes)
	if err != nil {
		return finalist{}, "", err
	}
	d := c.decide()
	return c.finalists[d.winner], d.reason(c) + note, s.noteChoice(c)
}

// contest is between the finalists that may win by the constraints.
func (s *session) contest(finalists []finalist, selection map[int][]eval.Outcome) (*contest, string, error) {
	eligible, note, err := s.eligible(finalists, selection)
	if err != nil {
		return nil, "", err
	}
	var outcomes [][]eval.Outcome
	for _, f := range eligible {
		outcomes = append(outcomes, selection[f.trial])
	}
	c, err := newContest(eligible, outcomes, s.config.Objective.Weights, s.warn)
	return c, note, err
}

// noteChoice leaves in the ledger what a report needs to judge the choice.
func (s *session) noteChoice(c *contest) error {
	var now chosenFrom
	for _, f := range c.finalists {
		now.Trials = append(now.Trials, f.trial)
	}
	before, err := lastChoice(s.ledger)
	if err != nil || slices.Equal(before.Trials, now.Trials) {
		return err
	}
	return s.ledger.Event(choiceEvent, now)
}

// eligible are the finalists that stand best by the constraints on selection.
func (s *session) eligible(finalists []finalist, selection map[int][]eval.Outcome) ([]finalist, string, error) {
	if s.keeper == nil || len(s.keep) == 0 {
		return finalists, "", nil
	}
	var best []finalist
	highest := -1
	reference := func(trial int) ([]eval.Outcome, error) { return selection[trial], nil }
	for _, f := range finalists {
		list, err := s.keeper.judge(selection[f.trial], reference)
		if err != nil {
			return nil, "", err
		}
		switch level := s.keeper.standing(list); {
		case f.isBase():
		case level > highest:
			best, highest = []finalist{f}, level
		case level == highest:
			best = append(best, f)
		}
	}
	says := []string{"every finalist loses a category that must be kept", "%d lose nothing surely, none keeps all that must be kept", "%d keep all that must be kept"}[max(0, highest)]
	if highest > 0 {
		says = fmt.Sprintf(says, len(best))
	}
	if highest < 2 {
		s.warn("keep: on the selection items, " + fmt.Sprintf("%d finalists: ", len(finalists)) + says)
	}
	return best, fmt.Sprintf("; of %d finalists, %s", len(finalists), says), nil
}

// contest is the choice between finalists by what they scored on the selection
// items.
type contest struct {
	finalists []finalist
	outcomes  [][]eval.Outcome
	panel     *eval.Panel
	soups     []int // places in finalists
	parents   []int
}

// newContest leaves out the base and, with a warning, who cannot be compared.
func newContest(finalists []finalist, outcomes [][]eval.Outcome, weights map[string]float64, warn func(string)) (*contest, error) {
	c := &contest{}
	for i, f := range finalists {
		if f.isBase() {
			continue
		}
		if _, err := eval.Summarize(outcomes[i]).Aggregate(weights); err != nil {
			warn(fmt.Sprintf("trial %d (%s) cannot win: selection: %s", f.trial, f.label, err))
			continue
		}
		c.finalists, c.outcomes = append(c.finalists, f), append(c.outcomes, outcomes[i])
	}
	var err error
	for len(c.finalists) > 0 {
		if c.panel, err = eval.NewPanel(c.outcomes, weights); err == nil {
			break
		}
		c.drop(fewest(c.outcomes), err, warn)
	}
	if len(c.finalists) == 0 {
		return nil, errors.New("no soup could be scored on the selection split")
	}
	for i, f := range c.finalists {
		if parentsUsed(f.weights) == 1 {
			c.parents = append(c.parents, i)
		} else {
			c.soups = append(c.soups, i)
		}
	}
	return c, nil
}

func (c *contest) drop(i int, why error, warn func(string)) {
	warn(fmt.Sprintf("trial %d (%s) cannot win: selection: %s", c.finalists[i].trial, c.finalists[i].label, why))
	c.finalists, c.outcomes = slices.Delete(c.finalists, i, i+1), slices.Delete(c.outcomes, i, i+1)
}

// fewest is the place of who was scored on the fewest items, the last of equals.
func fewest(outcomes [][]eval.Outcome) int {
	place, least := 0, -1
	for i, list := range outcomes {
		n := 0
		for _, o := range list {
			if o.Scored() {
				n++
			}
		}
		if least < 0 || n <= least {
			place, least = i, n
		}
	}
	return place
}

// priceOfSimplicity is the share of the gain over the best parent that a simpler
// soup may cost.
const priceOfSimplicity = 0.2

// halvings is how often the selection items are divided into two halves.
const halvings = 1000

// decision is the outcome of a contest. Places are in its finalists; -1 is none.
type decision struct {
	winner int
	best   int // of the soups, by score
	soup   int // the simplest that is about as good; see decide
	parent int // the best
	// gain is what the soup chosen on one half of the items scores above the parent
	// chosen there, on the other half: the mean of so many halvings.
	gain     float64
	halvings int
	top      []float64 // share of the halves that each finalist is the best of
}

// decide chooses the best of the proven soups, or in its place a simpler one (see simpler) that
// is within one standard error of it, of the paired difference (Breiman et al.
// 1984, Classification and Regression Trees, section 3.4.3), and has at least four
// fifths of its gain over the best parent. A parent wins if no soup scores higher.
// Without the second condition a parent, the simplest of all, would win wherever
// the gain is below the noise; docs/statistics.md has figures of this rule and
// of others.
func (c *contest) decide() decision {
	var d decision
	all := c.panel.All()
	d.best, d.soup, d.parent = c.pick(all)
	d.winner = d.soup
	if d.soup < 0 || d.parent >= 0 && all.Mean(d.best) <= all.Mean(d.parent) {
		d.winner = d.parent
	}
	c.repeat(&d)
	return d
}

// pick chooses on some of the items.
func (c *contest) pick(on eval.Part) (best, soup, parent int) {
	best, soup, parent = -1, -1, -1
	if list := on.Best(c.parents); len(list) > 0 {
		parent = list[0]
	}
	soups := c.proven(on)
	list := on.Best(soups)
	if len(list) == 0 {
		return best, soup, parent
	}
	best, soup = list[0], list[0]
	price := math.Inf(1)
	if parent >= 0 {
		price = priceOfSimplicity * max(0, on.Mean(best)-on.Mean(parent))
	}
	for _, i := range soups {
		if i == soup || !c.simpler(i, soup, on) {
			continue
		}
		if delta, se := on.Gap(best, i); delta <= min(se, price) {
			soup = i
		}
	}
	return best, soup, parent
}

// repeat makes the choice on halves of the items and scores it on the others.
func (c *contest) repeat(d *decision) {
	d.top = make([]float64, len(c.finalists))
	everyone := slices.Concat(c.soups, c.parents)
	d.halvings = c.panel.Halves(halvings, func(first, second eval.Part) {
		if _, soup, parent := c.pick(first); soup >= 0 && parent >= 0 {
			d.gain += second.Mean(soup) - second.Mean(parent)
		}
		best := first.Best(everyone)
		for _, i := range best {
			d.top[i] += 1 / float64(len(best))
		}
	})
	if d.halvings == 0 { // too few items
		return
	}
	d.gain /= float64(d.halvings)
	for i := range d.top {
		d.top[i] /= float64(d.halvings)
	}
}

// reason says in a line why the winner won.
func (d decision) reason(c *contest) string {
	n := len(c.finalists)
	switch {
	case n == 1:
		return "the only finalist"
	case d.soup < 0:
		return fmt.Sprintf("best of %d finalists on selection, no soup among them", n)
	case d.winner == d.parent:
		return fmt.Sprintf("best parent: no soup of %d finalists scores higher on selection", n) + c.unproven(d.best)
	case d.soup == d.best:
		return fmt.Sprintf("best soup of %d finalists on selection; none simpler is as good", n) + c.unproven(d.best)
	}
	b := c.finalists[d.best]
	return fmt.Sprintf("simplest soup of %d finalists that is as good on selection as the best, trial %d (%s): within one standard error and %.0f %% of its gain", n, b.trial, b.label, 100*priceOfSimplicity) + c.unproven(d.best)
}

// lastChoice is between whom the winner was chosen last; nobody before that.
func lastChoice(ledger *results.Ledger) (c chosenFrom, err error) {
	events, err := ledger.Events(choiceEvent)
	if err != nil || len(events) == 0 {
		return c, err
	}
	detail := events[len(events)-1].Detail
	if err := json.Unmarshal(detail, &c); err != nil {
		return c, fmt.Errorf("event %s: %w", choiceEvent, err)
	}
	return c, nil
}
