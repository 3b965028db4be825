package search

import (
	"fmt"
	"slices"
)

// stages is the ask/tell half of every strategy here. The strategy itself is a
// function from the outcomes so far to the points that follow. It is called only
// when every point asked before has its outcome, and sees those in the order
// asked. So neither the size of an Ask nor the order of Tells can show.
type stages struct {
	name  string
	next  func(done []Trial) []Point // none: finished
	notes []string

	points   []Point
	trials   []Trial // of points; no State until told
	keys     map[string]bool
	asked    int
	told     int
	finished bool
}

func newStages(name string, next func(done []Trial) []Point) *stages {
	return &stages{name: name, next: next, keys: map[string]bool{}}
}

// once is a strategy of a single stage.
func once(name string, points []Point) *stages {
	return newStages(name, func(done []Trial) []Point {
		if len(done) > 0 {
			return nil
		}
		return points
	})
}

func (s *stages) Name() string { return s.name }

func (s *stages) Ask(n int) []Point {
	s.advance()
	var out []Point
	for ; len(out) < n && s.asked < len(s.points); s.asked++ {
		out = append(out, s.points[s.asked].clone())
	}
	return out
}

func (s *stages) Tell(trials []Trial) {
	for _, t := range trials {
		i := t.Point.Number
		if i < 0 || i >= s.asked || s.trials[i].State != "" {
			continue
		}
		t = t.settled()
		t.Point = s.points[i]
		s.trials[i] = t
		s.told++
	}
}

func (s *stages) Done() bool {
	s.advance()
	return s.finished
}

func (s *stages) Planned() int {
	s.advance()
	return len(s.points)
}

func (s *stages) Notes() []string { return slices.Clone(s.notes) }

func (s *stages) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// advance adds the next stage once the last one is told. A stage without a new
// point is the end.
func (s *stages) advance() {
	if s.finished || s.told < len(s.points) {
		return
	}
	s.add(s.next(s.trials))
	s.finished = s.told == len(s.points)
}

// add numbers points and leaves out those that were there before.
func (s *stages) add(points []Point) {
	for _, p := range points {
		key := Key(p)
		if s.keys[key] {
			continue
		}
		s.keys[key] = true
		p.Number = len(s.points)
		s.points = append(s.points, p)
		s.trials = append(s.trials, Trial{})
	}
}
