package search

import (
	"fmt"
)

var (
	paramSteps    = Parameter{Name: "steps", Default: 20, Low: 1, High: 1000, Whole: true, Doc: "weights are multiples of one part in so many"}
	paramPatience = Parameter{Name: "patience", Default: 3, Low: 1, High: 1000, Whole: true, Doc: "end after so many steps without a better soup"}
)

// hillclimb is ensemble selection with replacement (Caruana et al., "Ensemble
// selection from libraries of models", ICML 2004), with weights instead of votes: a
// bag begins with the best parent, and at each step the parent that makes its soup
// best goes in once more. After T steps weights are multiples of 1/T; equal shares
// are among them, so that it does what greedy does and goes on.
//
// As in the paper a step is taken even if it makes the soup worse, since a later one
// may make up for it; the best soup of all is the result. It ends after so many
// steps or when patience steps in a row have brought nothing better. A step costs
// as many points as there are parents, less those that were asked before. Where the
// bounds forbid a parent alone, the bag holds corners: as much of it as they allow.
// All groups have the same weights.
type hillclimb struct {
	*stages
	space   Space
	options options
	known   record

	corners [][]float64
	bag     []float64 // how often each parent is in
	size    int
	top     float64 // the best score of a bag
	since   int     // steps since then
}

func newHillclimb(space Space, _ uint64, o options) (Strategy, error) {
	h := &hillclimb{space: space, options: o, known: record{}}
	for parent := range space.Parents {
		h.corners = append(h.corners, space.corner(parent))
	}
	h.bag = make([]float64, len(h.corners))
	h.stages = newStages("hillclimb", h.follow)
	return h, nil
}

func (h *hillclimb) follow(done []Trial) []Point {
	h.known.add(done)
	left := h.options.whole("budget") - len(done)
	if fresh := h.known.lacks(h.space.singles()); len(fresh) > 0 {
		return fresh[:min(len(fresh), left)]
	}
	for left > 0 && !h.ended() {
		next := h.next()
		if fresh := h.known.lacks(next); len(fresh) > 0 {
			return fresh[:min(len(fresh), left)]
		}
		h.step(next)
	}
	return nil
}

func (h *hillclimb) ended() bool {
	return h.size == h.options.whole("steps") || h.since == h.options.whole("patience")
}

// next are the bags with one more of each parent.
func (h *hillclimb) next() []Point {
	var points []Point
	for parent := range h.corners {
		h.bag[parent]++
		points = append(points, h.soup())
		h.bag[parent]--
	}
	return points
}

// soup is the mean of the corners in the bag and one more. Its weights are not
// rounded: equal shares are those that greedy and uniform ask for.
func (h *hillclimb) soup() Point {
	total := float64(h.size + 1)
	row := make([]float64, len(h.bag))
	for parent, count := range h.bag {
		for i, w := range h.corners[parent] {
			row[i] += count * w / total
		}
	}
	p := h.space.everywhere("", row).alone()
	p.Label = fmt.Sprintf("hillclimb %d: %s", h.size+1, h.space.describe(p))
	return p
}

// step puts in the parent that is best, the first of equals.
func (h *hillclimb) step(next []Point) {
	chosen := 0
	for parent, p := range next {
		if h.known.rank(p) > h.known.rank(next[chosen]) {
			chosen = parent
		}
	}
	h.bag[chosen]++
	h.size++
	h.since++
	rank := h.known.rank(next[chosen])
	verdict := "not better"
	if h.size == 1 || rank > h.top {
		h.top, h.since, verdict = rank, 0, "better"
	}
	h.note("step %d adds %s: %.4f, %s", h.size, h.space.Parents[chosen], rank, verdict)
}
