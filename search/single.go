package search

// newSingle asks for each parent itself.
func newSingle(space Space, _ uint64, _ options) (Strategy, error) {
	return once("single", space.singles()), nil
}
