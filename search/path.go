package search

import (
	"fmt"
	"math"
)

var (
	paramCoarse = Parameter{Name: "step", Default: 0.25, Low: 0.01, High: 1, Doc: "distance between weights at first"}
	paramFinest = Parameter{Name: "finest", Default: 0.05, Low: 0.001, High: 1, Doc: "distance between weights at last, halved step by step"}
)

// path looks along the line between two parents, or over the triangle of three,
// coarse first: all weights that are multiples of step, then the neighbours of the
// best at half the distance, and so on down to finest. It goes as far as the bounds
// of the weights do: between the parents, unless min is below 0.
//
// Along such lines scores rise and fall smoothly where the parents come from one
// base: WiSE-FT (https://arxiv.org/abs/2109.01903) goes from a base to its
// fine-tune, ExPO (https://arxiv.org/abs/2404.16792) beyond it. All groups have the
// same weights.
type path struct {
	*stages
	space   Space
	known   record
	options options
	step    float64 // of the points that are being told
}

func newPath(space Space, _ uint64, o options) (Strategy, error) {
	if n := len(space.Parents); n != 2 && n != 3 {
		return nil, fmt.Errorf("%w: a path leads between two parents, or over the triangle of three, not %d", ErrSpace, n)
	}
	if o["finest"] > o["step"] {
		return nil, fmt.Errorf("option finest: %v is above step, %v", o["finest"], o["step"])
	}
	p := &path{space: space, known: record{}, options: o, step: o["step"]}
	p.stages = newStages("path", p.follow)
	return p, nil
}

func (p *path) follow(done []Trial) []Point {
	p.known.add(done)
	left := p.options.whole("budget") - len(done)
	if len(done) == 0 {
		return p.cut(p.lattice(nil), left)
	}
	for left > 0 && p.step/2 >= p.options["finest"]-slack {
		top := best(p.trials)
		if top == nil {
			p.note("ends: no point has a score")
			return nil
		}
		p.step /= 2
		fresh := p.known.lacks(p.lattice(p.space.rows(top.Point)[0]))
		p.note("best at step %.4g: %s, %.4f", 2*p.step, p.space.mixture(top.Point.Weights[0]), top.Score)
		if len(fresh) > 0 {
			return p.cut(fresh, left)
		}
	}
	return nil
}

func (p *path) cut(points []Point, left int) []Point {
	if len(points) > left {
		p.note("the budget leaves out %d points of step %.4g", len(points)-left, p.step)
	}
	return points[:min(len(points), left)]
}

// lattice is all points whose weights are multiples of the step, or those no more
// than one step from a row of weights, the ends first.
func (p *path) lattice(around []float64) []Point {
	var points []Point
	low, high := int(math.Ceil(p.space.Min/p.step-slack)), int(math.Floor(p.space.Max/p.step+slack))
	add := func(row []float64) {
		for i, w := range row {
			if w < p.space.Min-slack || w > p.space.Max+slack || around != nil && math.Abs(w-around[i]) > p.step+slack {
				return
			}
		}
		points = append(points, p.space.spelled("path", p.space.everywhere("", row).Weights))
	}
	for a := high; a >= low; a-- {
		first := float64(a) * p.step
		if len(p.space.Parents) == 2 {
			add([]float64{first, p.space.Sum - first})
			continue
		}
		for b := high; b >= low; b-- {
			second := float64(b) * p.step
			add([]float64{first, second, p.space.Sum - first - second})
		}
	}
	return points
}
