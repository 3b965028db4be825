package searchtest

import (
	"fmt"
	"slices"

	"soup/search"
)

// pace is a way to ask and tell.
type pace struct {
	name string
	ask  func() int // how many
	// tell splits the trials that wait into those to tell now and the rest.
	tell func(waiting []search.Trial) (now, later []search.Trial)
}

func oneByOne() pace {
	return pace{"one by one", func() int { return 1 }, func(waiting []search.Trial) (now, later []search.Trial) {
		return waiting, nil
	}}
}

func allAtOnce() pace {
	return pace{"all at once, told backwards", func() int { return limit }, func(waiting []search.Trial) (now, later []search.Trial) {
		slices.Reverse(waiting)
		return waiting, nil
	}}
}

// ragged asks for any number of points and tells any of them, in any order.
func ragged(seed uint64) pace {
	r := search.Rand(seed, "ragged", 0)
	return pace{fmt.Sprintf("ragged %d", seed), func() int { return r.IntN(40) }, func(waiting []search.Trial) (now, later []search.Trial) {
		r.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
		n := r.IntN(len(waiting) + 1)
		return waiting[:n], waiting[n:]
	}}
}

// replayed tells first what was known before the strategy was made anew, one by
// one, and then asks for several at once, as a study does that goes on.
func replayed(before []search.Trial) pace {
	told := 0
	return pace{"replayed", func() int {
		if told < len(before) {
			return 1
		}
		return 4
	}, func(waiting []search.Trial) (now, later []search.Trial) {
		told += len(waiting)
		return waiting, nil
	}}
}

// twice tells every outcome again, with another score.
func twice() pace {
	return pace{"told twice", func() int { return 3 }, func(waiting []search.Trial) (now, later []search.Trial) {
		now = slices.Clone(waiting)
		for _, t := range waiting {
			t.Score = -t.Score
			now = append(now, t)
		}
		return now, nil
	}}
}

// drive asks and tells until the strategy is done. It returns the trials in the
// order asked.
func drive(s search.Strategy, p pace, try tryer) ([]search.Trial, error) {
	var all, waiting []search.Trial
	for turns := 0; ; turns++ {
		if turns > limit || len(all) > limit {
			return nil, fmt.Errorf("not done after %d turns and %d points", turns, len(all))
		}
		n := p.ask()
		points := s.Ask(n)
		if len(points) > n {
			return nil, fmt.Errorf("asked for %d points, gives %d", n, len(points))
		}
		for _, point := range points {
			t := try(point)
			t.Point = point
			all, waiting = append(all, t), append(waiting, t)
		}
		if s.Done() {
			if len(waiting) > 0 {
				return nil, fmt.Errorf("done while %d points have no outcome", len(waiting))
			}
			return all, nil
		}
		now, later := p.tell(waiting)
		s.Tell(now)
		waiting = slices.Clone(later)
	}
}
