package study

import (
	"context"
	"errors"
	"slices"

	"soup/eval"
)

// canaryStrategy is the strategy name of parents that are loaded for the
// canary's sake.
const canaryStrategy = "canary"

// prove makes sure, before the first item of a session is asked and after a
// server was down, that loading other weights changes what the server answers
// with: it loads a parent, another one and, in a new study, the first again. All
// that is wrong with that is found by swap.
func (s *session) prove(ctx context.Context) error {
	if s.proven {
		return nil
	}
	s.proving = true
	defer func() { s.proving = false }()
	list := s.parents()
	first, err := s.loadFirst(ctx, list, func(candidate) bool { return true })
	if err != nil || first < 0 {
		return err
	}
	second, err := s.loadFirst(ctx, list, func(c candidate) bool { return !s.alike(c, list[first]) })
	if err != nil {
		return err
	}
	if second >= 0 && len(s.past) == 0 && !s.provenBefore {
		if _, err := s.load(ctx, list[first]); err != nil {
			return err
		}
	}
	s.proven, s.provenBefore = true, true
	return nil
}

// loadFirst loads the first of the candidates that will do and has no broken
// weights, and returns which; -1 for none.
func (s *session) loadFirst(ctx context.Context, list []candidate, will func(candidate) bool) (int, error) {
	for i, c := range list {
		if !will(c) {
			continue
		}
		_, err := s.load(ctx, c)
		if err == nil {
			return i, nil
		}
		if !errors.Is(err, eval.ErrNotNumbers) {
			return -1, err
		}
	}
	return -1, nil
}

// parents are the single checkpoints as candidates, and the base.
func (s *session) parents() []candidate {
	var list []candidate
	for i, name := range s.space.Parents {
		weights := make([][]float64, len(s.space.Groups))
		for g := range weights {
			weights[g] = make([]float64, len(s.space.Parents))
			weights[g][i] = 1
		}
		list = append(list, candidate{canaryStrategy, name, weights, s.key(weights)})
	}
	if s.pantry.base != "" {
		list = append(list, s.baseCandidate())
	}
	return list
}

// alike says whether two of parents are one checkpoint.
func (s *session) alike(a, b candidate) bool {
	return s.hashOf(a) == s.hashOf(b)
}

func (s *session) hashOf(c candidate) string {
	if c.isBase() {
		return s.pantry.baseID
	}
	return s.pantry.hashes[slices.Index(s.pantry.names, c.label)]
}
