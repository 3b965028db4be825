package study

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"soup/eval"
	"soup/internal/probe"
	"soup/internal/usage"
	"soup/results"
)

// checkItems finds, before the search, items that cannot be asked: longer than
// the context, with labels that the tokenizer does not tell apart, or with
// choices whose likelihood the server cannot tell. They
// count as failed for every candidate; a category with no other is refused.
func (s *session) checkItems(ctx context.Context) error {
	_, err := s.give(ctx, eval.Model{Path: s.pantry.served[0].Path(), Digest: s.pantry.hashes[0]})
	if errors.Is(err, eval.ErrNotNumbers) {
		return nil // a parent's own trouble; it will fail as a candidate
	}
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	if err := s.checkTokens(ctx); err != nil {
		return err
	}
	var notes []string
	for _, check := range []func() (string, error){
		func() (string, error) { return s.checkSplit(results.Search, s.set.Search) },
		func() (string, error) { return s.checkSplit(results.Selection, s.set.Selection) },
		func() (string, error) { return s.checkSplit(results.Test, s.set.Test) },
	} {
		note, err := check()
		if err != nil {
			return err
		}
		if note != "" {
			s.warn(note)
			notes = append(notes, note)
		}
	}
	return s.ledger.Note("items", notes)
}

// checkTokens compares the server's token ids with the first parent's
// tokenizer; merge.Check makes sure that the others have the same.
func (s *session) checkTokens(ctx context.Context) error {
	note, err := probe.Tokens(ctx, s.server, s.pantry.source[0].Path())
	if note != "" {
		s.warn(note)
	}
	return err
}

// checkSplit returns what there is to say about the items of one split.
func (s *session) checkSplit(split string, items []eval.Item) (string, error) {
	askable, first := map[string]int{}, map[string]string{}
	lost, example := 0, ""
	for _, it := range items {
		metric, err := eval.MetricNamed(it.Metric)
		if err != nil {
			return "", err
		}
		if err := eval.Askable(s.server, metric.Ask(it)); err != nil {
			lost++
			what := fmt.Sprintf("item %q: %s", it.ID, err)
			if first[it.Category] == "" {
				first[it.Category] = what
			}
			if example == "" {
				example = what
			}
			continue
		}
		askable[it.Category]++
	}
	for _, category := range slices.Sorted(maps.Keys(first)) {
		if askable[category] == 0 {
			return "", usage.Errorf("%s: benchmarks: no %s item of category %s can be asked: %s", s.config.File, split, category, first[category])
		}
	}
	if lost == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d of %d %s items cannot be asked and count as failed, the first: %s", lost, len(items), split, example), nil
}
