package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"soup/merge"
	"soup/results"
	"soup/search"
)

// planeStrategy scores the plane through three of the parents: the points of a
// lattice, for the picture of the landscape in the report. It asks all search
// items of each point, whatever the racing, and once the winner has been chosen the
// test items too.
const planeStrategy = "plane"

// plane are the corners, by their places among the parents, and the distance
// between weights.
type plane struct {
	corners []int
	step    float64
}

// readPlane reads the options of the study file. Of a run whose corners are not
// named they are the first, the middle and the last checkpoint.
func readPlane(given map[string]any, parents []string, run bool) (p plane, err error) {
	p.step = 0.25
	for name, value := range given {
		ok := false
		switch name {
		case "parents":
			p.corners, ok = places(value, parents)
		case "step":
			p.step, ok = positive(value)
			ok = ok && p.step <= 0.5
		default:
			return p, fmt.Errorf("strategy plane: unknown option %q; it takes parents, step", name)
		}
		if !ok {
			return p, fmt.Errorf("strategy plane: option %s: %v is not possible; parents are three different names of %s, a step is at most 0.5", name, value, strings.Join(parents, ", "))
		}
	}
	n := len(parents)
	switch {
	case p.corners != nil:
	case n == 3:
		p.corners = []int{0, 1, 2}
	case n > 3 && run:
		p.corners = []int{0, (n - 1) / 2, n - 1}
	default:
		return p, fmt.Errorf("strategy plane: it lies through three of %d parents; name them as plane: {parents: [a, b, c]}", n)
	}
	return p, nil
}

// places are those of three different names.
func places(value any, parents []string) (list []int, ok bool) {
	names, ok := texts(value)
	for _, name := range names {
		at := slices.Index(parents, name)
		ok = ok && at >= 0 && !slices.Contains(list, at)
		list = append(list, at)
	}
	return list, ok && len(list) == 3
}

// newPlane makes the strategy: the grid of three parents, as far as the bounds of
// the weights go, and their mean.
func newPlane(p plane, space search.Space) (search.Strategy, error) {
	three := space
	three.Parents, three.Groups = nil, []string{"all"}
	for _, i := range p.corners {
		three.Parents = append(three.Parents, space.Parents[i])
	}
	var points []search.Point
	for _, part := range []StrategySpec{{Name: "uniform"}, {Name: "grid", Options: map[string]any{"step": p.step}}} {
		s, err := search.New(part.Name, part.Options, three, 0)
		if err != nil {
			return nil, fmt.Errorf("strategy plane: %w", err)
		}
		points = append(points, s.Ask(planned(s))...)
	}
	for i, point := range points {
		row := make([]float64, len(space.Parents))
		for k, place := range p.corners {
			row[place] = point.Weights[0][k]
		}
		points[i] = search.Point{Label: strings.Replace(point.Label, "grid", "plane", 1)}
		for range space.Groups {
			points[i].Weights = append(points[i].Weights, slices.Clone(row))
		}
	}
	return search.Listed(planeStrategy, points), nil
}

// planes are those that the study file asks for.
func (s *session) planes() (list []plane, err error) {
	for _, spec := range s.config.Strategies {
		if spec.Name == planeStrategy {
			p, err := readPlane(spec.Options, s.pantry.names, s.config.Run != "")
			if err != nil {
				return nil, err
			}
			list = append(list, p)
		}
	}
	return list, nil
}

// planeEvent notes where the corners of a plane lie.
const planeEvent = "plane"

// cornersApart are three parents and the Euclidean distances of their weights:
// first to second, first to third, second to third.
type cornersApart struct {
	Parents   []string  `json:"parents"`
	Distances []float64 `json:"distances"`
}

// notePlanes measures how far apart the corners of planes lie, unless an earlier
// session has. That reads them once; others are drawn without it.
func (s *session) notePlanes(ctx context.Context) error {
	list, err := s.planes()
	if err != nil {
		return err
	}
	known, err := readPlanes(s.ledger)
	if err != nil {
		return err
	}
	for _, p := range list {
		now := cornersApart{}
		var corners []*merge.Checkpoint
		for _, i := range p.corners {
			now.Parents, corners = append(now.Parents, s.pantry.names[i]), append(corners, s.pantry.source[i])
		}
		if slices.ContainsFunc(known, func(c cornersApart) bool { return slices.Equal(c.Parents, now.Parents) }) {
			continue
		}
		g, err := merge.Measure(ctx, corners, nil, merge.Grouping{})
		if err != nil {
			return err
		}
		all := g.Groups[0]
		now.Distances = []float64{all.Distance(0, 1), all.Distance(0, 2), all.Distance(1, 2)}
		if slices.ContainsFunc(now.Distances, func(d float64) bool { return math.IsNaN(d) || math.IsInf(d, 0) }) {
			continue // a parent holds NaN: no soup of it will be scored either
		}
		if err := s.ledger.Event(planeEvent, now); err != nil {
			return err
		}
	}
	return nil
}

func readPlanes(ledger *results.Ledger) (list []cornersApart, err error) {
	events, err := ledger.Events(planeEvent)
	for _, e := range events {
		var c cornersApart
		if json.Unmarshal(e.Detail, &c) != nil || len(c.Parents) != 3 || len(c.Distances) != 3 {
			return nil, errors.Join(err, fmt.Errorf("event %s: not three checkpoints with their distances", planeEvent))
		}
		list = append(list, c)
	}
	return list, err
}

// onPlane are the trials that hold the scores of planes' points.
func onPlane(trials []results.Trial) map[int]bool {
	on := map[int]bool{}
	for _, t := range trials {
		if t.Strategy == planeStrategy {
			on[t.Of] = true
		}
	}
	return on
}
