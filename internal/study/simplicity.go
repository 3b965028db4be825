package study

import (
	"math"

	"soup/eval"
)

// simpler orders soups by how much there is to explain about them: fewer
// parents, then equal shares, then the higher score, then the earlier.
func (c *contest) simpler(a, b int, on eval.Part) bool {
	x, y := c.finalists[a], c.finalists[b]
	nx, ny := parentsUsed(x.weights), parentsUsed(y.weights)
	if nx != ny {
		return nx < ny
	}
	if ex, ey := equalShares(x.weights), equalShares(y.weights); ex != ey {
		return ex
	}
	if sx, sy := on.Mean(a), on.Mean(b); sx != sy {
		return sx > sy
	}
	return x.trial < y.trial
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
