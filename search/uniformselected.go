package search

// uniformSelected asks for equal weights of the experts that SoCE would choose:
// the "uniform, SoCE selection" rows of Souper-Model
// (https://arxiv.org/abs/2511.13254), which show what searching the weights adds.
type uniformSelected struct {
	*stages
	space   Space
	options options
}

func newUniformSelected(space Space, _ uint64, o options) (Strategy, error) {
	u := &uniformSelected{space: space, options: o}
	u.stages = newStages("uniform-selected", u.follow)
	return u, nil
}

func (u *uniformSelected) follow(done []Trial) []Point {
	if len(done) == 0 {
		return u.space.singles()
	}
	if len(done) > len(u.space.Parents) {
		return nil
	}
	experts := u.experts(u.space, done, u.options)
	if len(experts) < 2 {
		return nil
	}
	p := u.space.equal("uniform: "+u.space.names(experts, "+"), experts)
	if !u.space.within(p) {
		u.note("does not try %s: equal shares of %d are outside the bounds", p.Label, len(experts))
		return nil
	}
	return []Point{p}
}
