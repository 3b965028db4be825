package study

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"soup/eval"
	"soup/merge"
	"soup/results"
)

// finalist is a candidate that is scored on the selection split.
type finalist struct {
	candidate
	trial  int
	search float64
}

// finish chooses the winner on the selection split, exports it, loads it again
// from the export and scores it, and what it is compared with, on test.
func (s *session) finish(ctx context.Context) error {
	finalists := s.finalists()
	if len(finalists) == 0 {
		return fmt.Errorf("no candidate could be scored")
	}
	s.progress.Phase("selection")
	s.progress.Expect(len(finalists))
	for _, f := range finalists {
		s.progress.Candidate(f.trial, f.strategy, f.label)
		if _, err := s.scoreSelection(ctx, f.trial, f.candidate, s.set.Selection); err != nil {
			return err
		}
	}
	winner, reason, err := s.choose(finalists)
	if err != nil {
		return err
	}
	if err := s.deliver(ctx, winner, reason); err != nil {
		return err
	}
	s.progress.Phase("test")
	rows := s.representatives()
	s.progress.Expect(len(rows) + 1)
	for _, f := range rows {
		if f.trial == winner.trial {
			continue
		}
		s.progress.Candidate(f.trial, f.strategy, f.label)
		load := func(ctx context.Context) (spent, error) { return s.load(ctx, f.candidate) }
		if _, err := s.scoreTest(ctx, f.trial, s.set.Test, load); err != nil {
			return err
		}
	}
	return nil
}

// complete are the trials that hold a search score, best first; of equal scores
// the earlier one comes first.
func (s *session) complete() []finalist {
	var all []finalist
	for _, t := range s.trials {
		if t.State == results.Complete {
			c := candidate{t.Strategy, t.Label, t.Weights, t.Key}
			all = append(all, finalist{c, t.Number, s.scores[t.Number]})
		}
	}
	slices.SortStableFunc(all, func(a, b finalist) int {
		switch {
		case a.search > b.search:
			return -1
		case a.search < b.search:
			return 1
		}
		return 0
	})
	return all
}

// representatives are the rows of the report: the best proposal, by search, of
// every strategy, and the base.
func (s *session) representatives() []finalist {
	byNumber := map[int]finalist{}
	for _, f := range s.complete() {
		byNumber[f.trial] = f
	}
	var rows []finalist
	for _, name := range strategiesIn(s.trials) {
		var best *finalist
		for _, t := range proposals(s.trials, name) {
			if f, ok := byNumber[t.Of]; ok && (best == nil || f.search > best.search) {
				best = &f
			}
		}
		if best != nil && !slices.ContainsFunc(rows, func(f finalist) bool { return f.trial == best.trial }) {
			rows = append(rows, *best)
		}
	}
	return rows
}

// finalists are the representatives and the best few on search.
func (s *session) finalists() []finalist {
	list := s.representatives()
	for i, f := range s.complete() {
		if i >= s.config.Finalists {
			break
		}
		if !slices.ContainsFunc(list, func(g finalist) bool { return g.trial == f.trial }) {
			list = append(list, f)
		}
	}
	return list
}

// choose returns the winner on the selection split: of all finalists that are
// within one standard error of the best (of the paired difference), the
// simplest, which is the one with the fewest parents, then with equal shares,
// then with the higher score. The base is no candidate.
func (s *session) choose(finalists []finalist) (finalist, string, error) {
	outcomes := map[int][]eval.Outcome{}
	score := map[int]float64{}
	best := -1
	for i, f := range finalists {
		o, err := s.outcomes(f.trial, results.Selection)
		if err != nil {
			return finalist{}, "", err
		}
		outcomes[f.trial] = o
		if score[f.trial], err = eval.Summarize(o).Aggregate(s.config.Objective.Weights); err != nil {
			return finalist{}, "", err
		}
		if !f.isBase() && (best < 0 || score[f.trial] > score[finalists[best].trial]) {
			best = i
		}
	}
	if best < 0 {
		return finalist{}, "", fmt.Errorf("no soup could be scored on the selection split")
	}
	winner := finalists[best]
	for _, f := range finalists {
		if f.isBase() || f.trial == winner.trial {
			continue
		}
		gap := score[finalists[best].trial] - score[f.trial]
		c := eval.CompareWeighted(outcomes[finalists[best].trial], outcomes[f.trial], s.config.Objective.Weights)
		if gap <= (c.High-c.Low)/(2*1.96) && simpler(f, winner, score) {
			winner = f
		}
	}
	reason := fmt.Sprintf("the best of %d finalists on selection", len(finalists))
	if winner.trial != finalists[best].trial {
		reason = fmt.Sprintf("the simplest of those within one standard error of the best of %d finalists on selection, trial %d (%s)",
			len(finalists), finalists[best].trial, finalists[best].label)
	}
	return winner, reason, nil
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

// deliver exports the winner and scores the export on test. What was scored
// and what is delivered must answer alike, bit for bit.
func (s *session) deliver(ctx context.Context, w finalist, reason string) error {
	out := filepath.Join(s.dir, "winner"+exportSuffix(s.pantry.source[0]))
	known, had, err := s.ledger.Winner()
	if err != nil {
		return err
	}
	if had && known.Trial != w.trial {
		s.warn(fmt.Sprintf("the test split was read before, for trial %d; now the winner is trial %d: its test score is no longer unseen", known.Trial, w.trial))
		if err := s.ledger.Event("test-again", map[string]any{"before": known.Trial, "now": w.trial}); err != nil {
			return err
		}
	}
	if !had || known.Trial != w.trial || !exists(out) {
		if err := os.RemoveAll(out); err != nil {
			return err
		}
		if err := s.export(ctx, w.candidate, out); err != nil {
			return err
		}
		sum, err := contentHash(ctx, out)
		if err != nil {
			return err
		}
		why, err := json.Marshal(reason)
		if err != nil {
			return err
		}
		if err := s.ledger.SetWinner(results.Winner{Trial: w.trial, Path: filepath.Base(out), SHA256: sum, Reason: why}); err != nil {
			return err
		}
	}
	s.progress.Phase("test")
	s.progress.Candidate(w.trial, w.strategy, w.label)
	_, err = s.scoreTest(ctx, w.trial, s.set.Test, func(ctx context.Context) (spent, error) { return s.loadExport(ctx, w.candidate, out) })
	return err
}

// loadExport swaps in the exported checkpoint and checks that it is the one
// that was scored.
func (s *session) loadExport(ctx context.Context, c candidate, out string) (spent, error) {
	if _, err := s.load(ctx, c); err != nil {
		return spent{}, err
	}
	want := s.versions[c.key]
	sum, err := contentHash(ctx, out)
	if err != nil {
		return spent{}, err
	}
	version, err := s.server.Load(ctx, eval.Model{Path: out, Digest: sum})
	if err != nil {
		return spent{}, err
	}
	s.last = served{}
	if version != want && !s.pantry.lossy {
		return spent{}, fatal(fmt.Errorf("%s: the exported winner answers differently from the candidate that was scored (versions %s and %s)", out, version, want))
	}
	return spent{}, s.ledger.Event("swap", map[string]any{"key": c.key, "version": string(version), "export": filepath.Base(out)})
}

func (s *session) export(ctx context.Context, c candidate, out string) error {
	recipe := merge.Recipe{Groups: s.pantry.groups, Weights: c.weights}
	_, err := merge.Write(ctx, out, s.pantry.source, s.pantry.names, recipe, merge.WriteOptions{Store: s.pantry.store, Method: c.strategy})
	return err
}

// contentHash identifies a checkpoint on disk.
func contentHash(ctx context.Context, path string) (string, error) {
	c, err := merge.Open(path)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.Hash(ctx)
}

func exportSuffix(like *merge.Checkpoint) string {
	if like.Format() == merge.GGUF {
		return ".gguf"
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
