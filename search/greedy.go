package search

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// greedy is the greedy soup of Wortsman et al. 2022
// (https://arxiv.org/abs/2203.05482, recipe 1): parents sorted by their own score,
// best first, are added to a soup of equal shares if that makes it better. It
// takes one evaluation less than there are parents, after the parents themselves.
//
// Better is strictly better, as in the authors' code; the paper also takes a
// parent that changes nothing. Parents of equal score are tried in their order,
// those without a score last.
type greedy struct {
	*stages
	space   Space
	untried []int
	members []int // of the soup so far
	trying  []int // members and one more
	score   float64
}

func newGreedy(space Space, _ uint64, _ options) (Strategy, error) {
	g := &greedy{space: space}
	g.stages = newStages("greedy", g.follow)
	return g, nil
}

func (g *greedy) follow(done []Trial) []Point {
	switch {
	case len(done) == 0:
		return g.space.singles()
	case g.members == nil:
		g.sort(done)
	default:
		g.judge(done[len(done)-1])
	}
	return g.propose()
}

// sort takes the best parent and leaves the rest to try.
func (g *greedy) sort(singles []Trial) {
	order := g.space.all()
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(singles[b].rank(), singles[a].rank()) })
	g.notes = append(g.notes, "tries parents in the order "+g.space.names(order, ", "))
	g.members, g.untried = order[:1:1], order[1:]
	g.score = singles[order[0]].rank()
}

// propose adds the next parent that can be added within the bounds.
func (g *greedy) propose() []Point {
	for len(g.untried) > 0 {
		g.trying = append(slices.Clone(g.members), g.untried[0])
		g.untried = g.untried[1:]
		p := g.space.equal("greedy: "+g.space.names(g.trying, "+"), g.trying)
		if g.space.within(p) {
			return []Point{p}
		}
		g.explain("does not try %s: equal shares of %d are outside the bounds", len(g.trying))
	}
	return nil
}

func (g *greedy) judge(t Trial) {
	switch rank := t.rank(); {
	case t.State != StateComplete:
		g.explain("leaves out %s: the soup with it has no score, it is %s", t.State)
	case rank > g.score && math.IsInf(g.score, -1):
		g.explain("adds %s: %.4f, the first score", rank)
		g.members, g.score = g.trying, rank
	case rank > g.score:
		g.explain("adds %s: %.4f is above %.4f", rank, g.score)
		g.members, g.score = g.trying, rank
	default:
		g.explain("leaves out %s: %.4f is not above %.4f", rank, g.score)
	}
}

// explain puts the parent that is being tried before the other arguments.
func (g *greedy) explain(format string, args ...any) {
	parent := g.space.Parents[g.trying[len(g.trying)-1]]
	g.notes = append(g.notes, fmt.Sprintf(format, append([]any{parent}, args...)...))
}
