package search

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

var paramStart = Parameter{Name: "start", Default: 30, Low: 1, High: maxPoints, Whole: true, Doc: "at most so many points with the same weights in all groups, to begin with"}

// layerwise gives groups of tensors weights of their own. It looks for the best
// soup with the same weights in all groups first, as the strategy coordinate does
// but with no more than start points, and then moves the weights of one group after
// the other towards each parent: step of the way, further or less far where a
// parabola through the scores promises more. It keeps what gains more than margin
// standard errors. When no group has moved the step is halved; it ends with steps
// below a tenth.
//
// Weights by layer are more than a few hundred items can tell apart: in the garden's
// results layer-wise weights did not beat global ones. Hence the guard against noise
// and the good point to start from.
type layerwise struct {
	*stages
	climb   climb
	known   record
	options options

	moving bool    // the start has been found
	group  int     // to move next
	step   float64 // part of the way
	moved  bool    // a group has, with this step
}

const (
	firstStep = 0.3
	lastStep  = 0.1
)

func newLayerwise(space Space, _ uint64, o options) (Strategy, error) {
	l := &layerwise{climb: climb{space: space, margin: o["margin"]}, known: record{}, options: o, step: firstStep}
	l.stages = newStages("layerwise", l.follow)
	return l, nil
}

func (l *layerwise) follow(done []Trial) []Point {
	l.known.add(done)
	left := l.options.whole("budget") - len(done)
	fresh := l.next(done, left)
	l.notes = l.climb.notes
	return fresh[:min(len(fresh), left)]
}

func (l *layerwise) next(done []Trial, left int) []Point {
	space := l.climb.space
	if len(done) == 0 {
		return append(space.singles(), space.equal("uniform", space.all()))
	}
	if !l.moving {
		fresh := l.climb.next(l.known)
		if len(fresh) > 0 && l.starting(len(done)+len(fresh)) {
			return fresh
		}
		l.begin()
	}
	if l.climb.soup == nil || len(space.Groups) == 1 || left == 0 {
		return nil
	}
	return l.move()
}

// starting says whether the search for a start may ask so many points: any number
// where there is nothing else to do.
func (l *layerwise) starting(points int) bool {
	return points <= l.options.whole("start") || len(l.climb.space.Groups) == 1
}

// begin settles on where to start.
func (l *layerwise) begin() {
	l.moving = true
	p, ok := l.climb.recommended(l.trials)
	if ok && l.climb.space.inside(p) {
		l.climb.soup = l.known.trial(p)
	}
	switch {
	case l.climb.soup == nil:
	case len(l.climb.space.Groups) == 1:
		l.climb.note("there is one group: the same as coordinate")
	default:
		l.climb.note("moves groups from %s", l.climb.soup.Point.Label)
	}
}

// move goes through the groups until it lacks points or the steps are too small.
func (l *layerwise) move() []Point {
	for l.step >= lastStep {
		lacking, found := explore(l.known, l.lines())
		if len(lacking) > 0 {
			return lacking
		}
		if found != nil && l.climb.gains(found) {
			l.climb.goOn(found)
			l.moved = true
		}
		l.turn()
	}
	return nil
}

// turn goes to the next group, and to smaller steps when none has moved.
func (l *layerwise) turn() {
	if l.group++; l.group < len(l.climb.space.Groups) {
		return
	}
	if !l.moved {
		l.step /= 2
		l.climb.note("no group gains more than noise: steps of %v", l.step)
	}
	l.group, l.moved = 0, false
}

// lines lead from the soup to each parent's corner in the group alone.
func (l *layerwise) lines() []*line {
	space, soup := l.climb.space, l.climb.soup.Point
	var lines []*line
	for parent := range space.Parents {
		to := space.rows(soup)
		to[l.group] = space.corner(parent)
		lines = append(lines, &line{"layerwise", space, soup, to, []float64{l.step}})
	}
	return somewhere(lines)
}

// Recommended is the soup that it came to, or a point that is clearly better.
func (l *layerwise) Recommended() (Point, bool) { return l.climb.recommended(l.trials) }

// inside says whether a point keeps to bounds and sum, which a parent need not.
func (s Space) inside(p Point) bool {
	rows := s.rows(p)
	return s.checkWithin(Point{Weights: rows}) == nil && !slices.ContainsFunc(rows, func(row []float64) bool {
		return math.Abs(floats.Sum(row)-s.Sum) > slack
	})
}
