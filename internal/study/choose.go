package study

import (
	"errors"
	"fmt"
	"math"

	"soup/eval"
	"soup/results"
)

// choose returns the winner on the selection split: of all finalists that are
// within one standard error of the best (of the paired difference), the
// simplest, which is the one with the fewest parents, then with equal shares,
// then with the higher score. The base is no candidate. Where categories must be
// kept, only the finalists count that keep them (see keeper.standing); where none
// does, those that do not surely lose one; and all, where each loses one.
func (s *session) choose(finalists []finalist) (finalist, string, error) {
	eligible, note, err := s.eligible(finalists)
	if err != nil {
		return finalist{}, "", err
	}
	winner, reason, err := s.chooseAmong(eligible)
	return winner, reason + note, err
}

// eligible are the finalists that stand best by the constraints on selection.
func (s *session) eligible(finalists []finalist) ([]finalist, string, error) {
	if s.keeper == nil || len(s.keep) == 0 {
		return finalists, "", nil
	}
	var best []finalist
	highest := -1
	reference := func(trial int) ([]eval.Outcome, error) { return s.outcomes(trial, results.Selection) }
	for _, f := range finalists {
		o, err := reference(f.trial)
		if err != nil {
			return nil, "", err
		}
		list, err := s.keeper.judge(o, reference)
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

// chooseAmong reads what the choice rests on.
func (s *session) chooseAmong(finalists []finalist) (finalist, string, error) {
	outcomes := map[int][]eval.Outcome{}
	for _, f := range finalists {
		o, err := s.outcomes(f.trial, results.Selection)
		if err != nil {
			return finalist{}, "", err
		}
		outcomes[f.trial] = o
	}
	winner, best, err := pick(finalists, outcomes, s.config.Objective.Weights, s.warn)
	if err != nil {
		return finalist{}, "", err
	}
	reason := fmt.Sprintf("best of %d finalists on selection; none simpler is within one standard error", len(finalists))
	if winner.trial != best.trial {
		reason = fmt.Sprintf("simplest of %d finalists within one standard error of the best on selection, trial %d (%s)",
			len(finalists), best.trial, best.label)
	}
	return winner, reason, nil
}

// pick chooses by score and simplicity from the outcomes of one split, and also
// returns the finalist with the highest score.
func pick(finalists []finalist, outcomes map[int][]eval.Outcome, weights map[string]float64, warn func(string)) (winner, best finalist, err error) {
	score := map[int]float64{}
	top := -1
	for i, f := range finalists {
		mean, err := eval.Summarize(outcomes[f.trial]).Aggregate(weights)
		if err != nil {
			warn(fmt.Sprintf("trial %d (%s) cannot win: selection: %s", f.trial, f.label, err))
			continue
		}
		score[f.trial] = mean
		if !f.isBase() && (top < 0 || score[f.trial] > score[finalists[top].trial]) {
			top = i
		}
	}
	if top < 0 {
		return winner, best, errors.New("no soup could be scored on the selection split")
	}
	best = finalists[top]
	winner = best
	for _, f := range finalists {
		if _, scored := score[f.trial]; !scored || f.isBase() || f.trial == winner.trial {
			continue
		}
		c := eval.CompareWeighted(outcomes[best.trial], outcomes[f.trial], weights)
		standardError := (c.High - c.Low) / (2 * 1.96) // of the paired difference
		if c.Delta <= standardError && simpler(f, winner, score) {
			winner = f
		}
	}
	return winner, best, nil
}

// simpler orders soups by how much there is to explain about them.
func simpler(a, b finalist, score map[int]float64) bool {
	na, nb := parentsUsed(a.weights), parentsUsed(b.weights)
	if na != nb {
		return na < nb
	}
	if ea, eb := equalShares(a.weights), equalShares(b.weights); ea != eb {
		return ea
	}
	if score[a.trial] != score[b.trial] {
		return score[a.trial] > score[b.trial]
	}
	return a.trial < b.trial
}

func parentsUsed(weights [][]float64) int {
	used := map[int]bool{}
	for _, row := range weights {
		for i, w := range row {
			if w != 0 {
				used[i] = true
			}
		}
	}
	return len(used)
}

func equalShares(weights [][]float64) bool {
	share := 0.0
	for _, row := range weights {
		for _, w := range row {
			if w == 0 {
				continue
			}
			if share == 0 {
				share = w
			}
			if math.Abs(w-share) > 1e-9 {
				return false
			}
		}
	}
	return true
}
