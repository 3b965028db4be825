package study

import (
	"fmt"
	"math"
	"slices"

	"soup/eval"
)

// proven are the soups that may win: those with the same weights in all groups, and
// of the others those that score above the best of these beyond noise, by the paired
// 95 % interval. Weights by group are many numbers fitted to the search items, and
// the best of several such soups looks better on selection than it is. All soups,
// where none has the same weights in all groups.
func (c *contest) proven(on eval.Part) []int {
	grouped := func(i int) bool { return !alike(c.finalists[i].weights) }
	global := on.Best(slices.DeleteFunc(slices.Clone(c.soups), grouped))
	if len(global) == 0 {
		return c.soups
	}
	return slices.DeleteFunc(slices.Clone(c.soups), func(i int) bool {
		delta, se := on.Gap(i, global[0])
		return grouped(i) && delta <= z95*se
	})
}

// unproven says which soup would have won without [contest.proven]; nothing if none.
func (c *contest) unproven(best int) string {
	all := c.panel.All()
	top := all.Best(c.soups)[0]
	if slices.Contains(c.proven(all), top) {
		return ""
	}
	delta, _ := all.Gap(top, best)
	f := c.finalists[top]
	return fmt.Sprintf("; trial %d (%s), with weights by group, scores %.1f points more, which a paired test cannot tell from noise", f.trial, f.label, 100*delta)
}

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
