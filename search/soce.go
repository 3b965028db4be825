package search

import (
	"slices"
)

// soce is Algorithm 1 of Souper-Model (https://arxiv.org/abs/2511.13254): score the
// parents, choose the distinct experts of the kept categories (Analyze) and try all
// weights 0.1 to 0.9 in steps of 0.1 that sum to 1, and equal weights. All groups
// have the same weights.
//
// The paper gives no tau; 0.5 is ours. What is larger than the budget is tried in
// part: equal weights and a random choice of the rest.
type soce struct {
	*stages
	space   Space
	lattice lattice // of steps; over so many experts once they are known
	seed    uint64
	options options
}

func newSoCE(space Space, seed uint64, o options) (Strategy, error) {
	l, err := space.newLattice(o["step"], 1)
	if err != nil {
		return nil, err
	}
	s := &soce{space: space, lattice: l, seed: seed, options: o}
	s.stages = newStages("soce", s.follow)
	return s, nil
}

func (s *soce) follow(done []Trial) []Point {
	if len(done) == 0 {
		return s.space.singles()
	}
	if len(done) > len(s.space.Parents) {
		return nil
	}
	experts := s.experts(s.space, done, s.options)
	if len(experts) < 2 {
		return nil
	}
	return s.mixtures(experts)
}

// experts analyses the trials of the parents and returns the distinct experts. It
// notes what was decided, and what to do where there are fewer than two.
func (s *stages) experts(space Space, singles []Trial, o options) []int {
	var models []Model
	for i, t := range singles {
		if t.State != StateComplete {
			s.note("skips parent %s: %s, no score", space.Parents[i], t.State)
			continue
		}
		models = append(models, Model{space.Parents[i], t.Categories})
	}
	a, err := Analyze(models, Criteria{Tau: o["tau"], MinN: o.whole("min_n")})
	if err != nil {
		s.note("no experts: %v", err)
		return nil
	}
	s.notes = append(s.notes, a.Notes()...)
	var experts []int
	for _, name := range a.Distinct() {
		experts = append(experts, slices.Index(space.Parents, name))
	}
	switch len(experts) {
	case 0:
		s.note("no category is kept, so there is no expert: nothing to mix; try a higher tau, a lower min_n, greedy or random")
	case 1:
		s.note("%s is the only expert: nothing to mix; greedy and random try the others too", space.Parents[experts[0]])
	}
	return experts
}

// mixtures are equal weights and the grid, or as much of it as the budget allows.
func (s *soce) mixtures(experts []int) []Point {
	equal := s.space.equal("soce: equal "+s.space.names(experts, " + "), experts)
	if !s.space.within(equal) {
		// Then the bounds leave out the whole grid: a weight is above Max, or that
		// of a parent that is no expert, 0, is below Min.
		s.note("%d experts: the bounds allow no soup of them alone", len(experts))
		return nil
	}
	l := s.lattice.over(len(experts))
	if l.size() < s.options["budget"] {
		return s.all(equal, experts, l)
	}
	return s.sample(equal, experts, l)
}

func (s *soce) all(equal Point, experts []int, l lattice) []Point {
	s.note("%d experts, step %v: equal weights and all %.0f points of the grid", len(experts), s.options["step"], l.size())
	points := []Point{equal}
	for row := range l.all() {
		points = append(points, s.mixture(experts, l, row))
	}
	return points
}

// sample fills the budget with different points of the grid, each drawn with its
// own random numbers.
func (s *soce) sample(equal Point, experts []int, l lattice) []Point {
	budget := s.options.whole("budget")
	s.note("%d experts, step %v: equal weights and %d of the %.6g points of the grid, at random, for a budget of %d",
		len(experts), s.options["step"], budget-1, l.size(), budget)
	points, seen := []Point{equal}, map[string]bool{Key(equal): true}
	for len(points) < budget {
		r := Rand(s.seed, "soce", len(s.space.Parents)+len(points))
		p := s.mixture(experts, l, l.draw(r))
		for seen[Key(p)] {
			p = s.mixture(experts, l, l.draw(r))
		}
		seen[Key(p)] = true
		points = append(points, p)
	}
	return points
}

// mixture is the point of a row of the grid.
func (s *soce) mixture(experts []int, l lattice, row []int) Point {
	weights := make([]float64, len(s.space.Parents))
	for i, w := range s.space.weigh(l, row) {
		weights[experts[i]] = w
	}
	return s.space.everywhere("soce "+s.space.mixture(weights), weights)
}
