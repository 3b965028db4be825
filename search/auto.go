package search

import (
	"fmt"
	"math"
)

var paramStop = Parameter{Name: "stop", Default: 0.2, Low: 0, High: 10, Doc: "end when no point is expected to gain so many standard errors"}

// patient is how many proposals in a row have to promise too little.
const patient = 3

// auto does what is cheap and sure first: the parents, equal weights, the soup that
// the parents' categories vote for, and steps of greedy, which show bad parents; then,
// from all that, it asks for the centre of what may be best. It ends with the budget,
// or when three proposals in a row are expected to gain less than the noise: stop
// standard errors of the difference between the best and the uniform soup.
type auto struct {
	*modelled
	known record
	low   int // proposals in a row that promised too little
}

func newAuto(space Space, seed uint64, o options) (Strategy, error) {
	a := &auto{modelled: &modelled{space: space, seed: seed, options: o, fit: fitMeans}, known: record{}}
	a.stages = newStages("auto", a.follow)
	return a, nil
}

func (a *auto) follow(done []Trial) []Point {
	a.known.add(done)
	left := a.options.whole("budget") - len(done)
	if left <= 0 {
		a.note("ends: %d points are the budget", len(done))
		return nil
	}
	if fresh := a.first(); len(fresh) > 0 {
		return fresh[:min(len(fresh), left)]
	}
	s := newSurrogate(a.space, done, a.fit)
	if s == nil || len(a.space.Parents) == 1 {
		a.note("ends: there is nothing to learn from")
		return nil
	}
	points, gain := a.propose(s, done, min(left, a.options.whole("batch")), true)
	if len(points) == 0 {
		a.note("ends: there is no point left that was not tried")
		return nil
	}
	if a.enough(s, gain) {
		return nil
	}
	for i := range points {
		points[i].Label = fmt.Sprintf("auto %d: %s", len(done)+i, a.space.describe(points[i]))
	}
	return points
}

// vote is the soup that the parents' categories vote for, if they have any.
func (a *auto) vote() []Point {
	var singles []Trial
	for _, p := range a.space.singles() {
		singles = append(singles, *a.known.trial(p))
	}
	p, ok := a.space.vote(singles)
	if !ok {
		return nil
	}
	p.Label = "auto vote: " + a.space.describe(p)
	return []Point{p}
}

// first are the parents, equal weights, the vote and greedy's steps, as far as they
// were not tried yet.
func (a *auto) first() []Point {
	if fresh := a.known.lacks(a.space.singles()); len(fresh) > 0 {
		return append(fresh, a.space.equal("uniform", a.space.all()))
	}
	if fresh := a.known.lacks(a.vote()); len(fresh) > 0 {
		return fresh
	}
	return a.steps()
}

// steps are those of greedy that are worth an evaluation. Equal shares say little
// about parents that the vote gives weight: these are added only until one of them
// makes the soup worse. All others are tried: a soup of good parents and one of them
// is what shows how much damage it does.
func (a *auto) steps() []Point {
	s, err := newGreedy(a.space, a.seed, nil)
	if err != nil {
		return nil
	}
	g, vote, worse := s.(*greedy), a.vote(), false
	for !g.Done() {
		asked := g.Ask(maxPoints)
		if worse && len(vote) > 0 && vote[0].Weights[0][g.trying[len(g.trying)-1]] > 0 {
			g.Tell([]Trial{{Point: asked[0], State: StateFailed}})
			continue
		}
		if fresh := a.known.lacks(asked); len(fresh) > 0 {
			return fresh
		}
		for _, p := range asked {
			t := *a.known.trial(p)
			t.Point = p
			worse = worse || g.members != nil && t.rank() <= g.score
			g.Tell([]Trial{t})
		}
	}
	return nil
}

// enough says whether what may be gained has been below the noise for a while.
func (a *auto) enough(s *surrogate, gain float64) bool {
	chosen := a.known.trial(s.steady(s.top).Point)
	noise := a.options["stop"] * a.space.doubt(*chosen, *a.known.trial(a.space.equal("", a.space.all())))
	if gain >= noise || math.IsNaN(noise) {
		a.low = 0
		return false
	}
	if a.low++; a.low < patient {
		return false
	}
	a.note("ends: no point is expected to gain more than %.4f, below the noise of %.4f", gain, noise)
	return true
}
