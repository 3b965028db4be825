package search

// newUniform asks for equal weights of all parents.
func newUniform(space Space, _ uint64, _ options) (Strategy, error) {
	return once("uniform", []Point{space.equal("uniform", space.all())}), nil
}

// all numbers the parents.
func (s Space) all() []int {
	members := make([]int, len(s.Parents))
	for i := range members {
		members[i] = i
	}
	return members
}
