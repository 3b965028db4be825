package search_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"

	"soup/search"
)

// The functions here have known optima: the strategies' own benchmark.

// bowl is best at the given weights, in every group, with score 1.
func bowl(optimum ...float64) search.Objective {
	return func(_ context.Context, p search.Point) (search.Trial, error) {
		score := 1.0
		for _, row := range p.Weights {
			for i, w := range row {
				score -= (w - optimum[i]) * (w - optimum[i]) / float64(len(p.Weights))
			}
		}
		return scored(score), nil
	}
}

// corner is best at one parent: every mixture is worse than its best parent.
func corner(parent int) search.Objective {
	return func(_ context.Context, p search.Point) (search.Trial, error) {
		return scored(p.Weights[0][parent]), nil
	}
}

// plateau is the same everywhere.
func plateau(context.Context, search.Point) (search.Trial, error) { return scored(0.5), nil }

// noisy adds what another draw of items would change; equal points, equal noise.
func noisy(f search.Objective, sd float64) search.Objective {
	return func(ctx context.Context, p search.Point) (search.Trial, error) {
		t, err := f(ctx, p)
		h := fnv.New64a()
		fmt.Fprint(h, search.Key(p))
		t.Score += sd * search.Rand(h.Sum64(), "noise", 0).NormFloat64()
		return t, err
	}
}

// skills is a world of specialists: parent i is good at category i, a soup has
// some of each of its parents' skills and is better the more evenly mixed it is.
// Weights that sum to 1 score best where they are proportional to worth.
func skills(worth ...float64) search.Objective {
	return func(_ context.Context, p search.Point) (search.Trial, error) {
		t := search.Trial{State: search.StateComplete, Categories: map[string]search.Category{}}
		for i, w := range p.Weights[0] {
			mean := worth[i] * math.Sqrt(max(0, w))
			t.Categories[fmt.Sprintf("skill %d", i)] = search.Category{Mean: mean, N: 100}
			t.Score += mean
		}
		return t, nil
	}
}
