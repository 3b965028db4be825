// Package searchtest checks that a search.Strategy keeps its promises. Every
// strategy of soup runs it; so can one that lives elsewhere.
//
// Start with [Test], which takes a [Maker].
//
// # Caveats
//
// The suite says nothing about how good the points are, only that they are sound
// and reproducible. Strategies whose next point depends on which outcomes came
// first do not pass: a search with several calls at once could not be repeated.
package searchtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"soup/search"
)

// limit is how many points a strategy may ask in the small spaces of this suite.
const limit = 20_000

// Maker makes a strategy for a space. It may choose options that suit the space,
// the same ones each time.
type Maker func(space search.Space, seed uint64) (search.Strategy, error)

// Test tries every promise in every space. Its error has a line for each that is
// broken; nil means that the strategy passes.
func Test(m Maker) error {
	var faults []error
	tested := 0
	for _, s := range spaces() {
		if _, err := m(s.space, 1); errors.Is(err, search.ErrSpace) {
			continue
		}
		tested++
		if err := (suite{m, s.space}).test(worlds(s.space)); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	if tested == 0 {
		faults = append(faults, errors.New("the strategy refuses every space"))
	}
	return errors.Join(faults...)
}

type namedSpace struct {
	name  string
	space search.Space
}

func spaces() []namedSpace {
	groups := []string{"attention", "mlp", "other"}
	return []namedSpace{
		{"1 parent", search.Space{Parents: parents(1)}},
		{"1 parent, 3 groups", search.Space{Parents: parents(1), Groups: groups}},
		{"2 parents", search.Space{Parents: parents(2)}},
		{"3 parents, 3 groups", search.Space{Parents: parents(3), Groups: groups}},
		{"3 parents, extrapolating", search.Space{Parents: parents(3), Min: -0.5, Max: 1.5}},
		{"4 parents, at most 0.4", search.Space{Parents: parents(4), Max: 0.4}},
		{"4 parents, at least 0.1", search.Space{Parents: parents(4), Min: 0.1}},
		{"3 parents, sum 2", search.Space{Parents: parents(3), Max: 1, Sum: 2}},
		{"12 parents", search.Space{Parents: parents(12)}},
		{"12 parents, 3 groups", search.Space{Parents: parents(12), Groups: groups}},
	}
}

func parents(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	return names
}

// suite is a strategy in a space.
type suite struct {
	make  Maker
	space search.Space
}

// test stops at the first fault in each world: what follows would be its echo.
func (c suite) test(worlds []world) error {
	var faults []error
	for _, w := range worlds {
		if err := c.inWorld(w.try); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", w.name, err))
		}
	}
	if err := c.careless(); err != nil {
		faults = append(faults, fmt.Errorf("careless caller: %w", err))
	}
	return errors.Join(faults...)
}

func (c suite) inWorld(try tryer) error {
	trials, err := c.sound(try)
	if err != nil {
		return err
	}
	if err := c.reproducible(try, trials); err != nil {
		return err
	}
	return c.loop(try, trials)
}

// follow makes the strategy and drives it to its end.
func (c suite) follow(p pace, try tryer) ([]search.Trial, error) {
	s, err := c.make(c.space, 1)
	if err != nil {
		return nil, fmt.Errorf("make: %w", err)
	}
	return drive(s, p, try)
}

// sound checks each point, and that the strategy ends. It returns the trials.
func (c suite) sound(try tryer) ([]search.Trial, error) {
	s, err := c.make(c.space, 1)
	if err != nil {
		return nil, fmt.Errorf("make: %w", err)
	}
	trials, err := drive(s, oneByOne(), try)
	if err != nil {
		return nil, err
	}
	if len(trials) == 0 {
		return nil, errors.New("asks for nothing at all")
	}
	seen := map[string]int{}
	for i, trial := range trials {
		if err := c.checkPoint(i, trial.Point); err != nil {
			return nil, fmt.Errorf("point %d (%s): %w", i, trial.Point.Label, err)
		}
		key := search.Key(trial.Point)
		if before, ok := seen[key]; ok {
			return nil, fmt.Errorf("point %d (%s) repeats point %d", i, trial.Point.Label, before)
		}
		seen[key] = i
	}
	return trials, checkNotes(s)
}

func (c suite) checkPoint(i int, p search.Point) error {
	if p.Number != i {
		return fmt.Errorf("has number %d", p.Number)
	}
	if p.Label == "" || strings.ContainsAny(p.Label, "\n\r") {
		return fmt.Errorf("label %q; want one line", p.Label)
	}
	e, err := c.space.Effective(p)
	if err != nil {
		return err
	}
	if search.Key(e) != search.Key(p) {
		return fmt.Errorf("weights %v are not those that take effect, %v", p.Weights, e.Weights)
	}
	return nil
}

func checkNotes(s search.Strategy) error {
	e, ok := s.(search.Explainer)
	if !ok {
		return nil
	}
	for _, note := range e.Notes() {
		if note == "" || strings.ContainsAny(note, "\n\r") || strings.Contains(note, "%!") {
			return fmt.Errorf("note %q; want one line of text", note)
		}
	}
	return nil
}

// reproducible checks that the points depend on the seed and the outcomes only. The
// loop asks one by one once more.
func (c suite) reproducible(try tryer, want []search.Trial) error {
	for _, p := range []pace{allAtOnce(), ragged(1)} {
		got, err := c.follow(p, try)
		if err == nil {
			err = compare(got, want)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return c.restarted(try, want)
}

// restarted checks that a strategy made anew and told what is known of the first
// points goes on as if it had never stopped, wherever it stopped.
func (c suite) restarted(try tryer, want []search.Trial) error {
	for cut := 1; cut < len(want); cut += 1 + len(want)/restarts {
		got, err := c.follow(replayed(want[:cut]), try)
		if err == nil {
			err = compare(got, want)
		}
		if err != nil {
			return fmt.Errorf("restarted after %d points: %w", cut, err)
		}
	}
	return nil
}

// restarts is about how many places to stop at are tried.
const restarts = 3

// compare says where trials differ from those of asking and telling one by one.
func compare(got, want []search.Trial) error {
	for i := range min(len(got), len(want)) {
		g, w := got[i].Point, want[i].Point
		if g.Label != w.Label || search.Key(g) != search.Key(w) {
			return fmt.Errorf("point %d is %s %v, but %s %v if asked one by one", i, g.Label, g.Weights, w.Label, w.Weights)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d points, but %d if asked one by one", len(got), len(want))
	}
	return nil
}

// loop checks that search.Run tries the same points, one or four at a time.
func (c suite) loop(try tryer, want []search.Trial) error {
	for _, ahead := range []int{1, 4} {
		s, err := c.make(c.space, 1)
		if err != nil {
			return fmt.Errorf("make: %w", err)
		}
		r, err := search.Run(context.Background(), s, try.objective, search.Settings{Ahead: ahead})
		if err == nil && r.Status != search.StatusDone {
			err = fmt.Errorf("ends as %s", r.Status)
		}
		if err == nil {
			err = compare(r.Trials, want)
		}
		if err != nil {
			return fmt.Errorf("run with %d ahead: %w", ahead, err)
		}
	}
	return nil
}

// careless checks what a caller may do wrong without harm.
func (c suite) careless() error {
	want, err := c.follow(oneByOne(), plain)
	if err != nil {
		return err
	}
	s, err := c.make(c.space, 1)
	if err != nil {
		return fmt.Errorf("make: %w", err)
	}
	if n := len(s.Ask(0)) + len(s.Ask(-1)); n != 0 {
		return fmt.Errorf("asked for nothing, gives %d points", n)
	}
	s.Tell(nil)
	s.Tell([]search.Trial{{}, {Point: search.Point{Number: 1 << 40}}, {Point: search.Point{Number: -1}}})
	got, err := drive(s, twice(), spoiling(plain))
	if err != nil {
		return err
	}
	if err := compare(relabelled(got, want)); err != nil {
		return err
	}
	if s.Name() == "" {
		return errors.New("has no name")
	}
	if len(s.Ask(1)) != 0 || !s.Done() {
		return errors.New("does not stay done")
	}
	return nil
}

// spoiling writes over the weights that it was given.
func spoiling(try tryer) tryer {
	return func(p search.Point) search.Trial {
		t := try(p)
		for _, row := range p.Weights {
			clear(row)
		}
		return t
	}
}

// relabelled leaves of points what a caller that spoils weights has not touched.
func relabelled(got, want []search.Trial) (g, w []search.Trial) {
	strip := func(trials []search.Trial) []search.Trial {
		trials = slices.Clone(trials)
		for i := range trials {
			trials[i].Point.Weights = nil
		}
		return trials
	}
	return strip(got), strip(want)
}
