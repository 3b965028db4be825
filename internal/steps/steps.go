// Package steps puts the checkpoints of one training run in order, by the step in
// their names or beside their weights.
//
// Start with Order.
package steps

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"soup/internal/usage"
)

// Moment is a checkpoint of a run.
type Moment struct {
	Path string
	Name string // the part of the path that tells the checkpoints apart
	Step int64
}

// clock is a way to tell a checkpoint's place in a run from its name. Clocks
// are tried in order, and all checkpoints are held against the first that any
// name has: in step-1000-8b, 8 is no step.
type clock struct {
	match *regexp.Regexp
	steps bool // counts what trainer_state.json counts
}

var clocks = []clock{
	{regexp.MustCompile(`(?i)(?:step|iter|iteration|checkpoint|ckpt|update)s?[-_=. ]?(\d+)`), true},
	{regexp.MustCompile(`(?i)epochs?[-_=. ]?(\d+)`), false},
	{regexp.MustCompile(`(\d+)`), false},
}

// step returns the last number of this clock in a name.
func (c clock) step(name string) (int64, bool) {
	all := c.match.FindAllStringSubmatch(name, -1)
	if all == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(all[len(all)-1][1], 10, 64)
	return n, err == nil
}

// Order finds the steps of a run's checkpoints and puts the oldest first.
// Steps are in the names or, where the names have none or count steps, in the
// trainer_state.json beside the weights. No step may be there twice.
func Order(paths []string) ([]Moment, error) {
	run := telling(paths)
	c, named := clockOf(run)
	for i, m := range run {
		n, ok := int64(0), false
		if named {
			n, ok = c.step(m.Name)
		}
		switch {
		case !ok && named && !c.steps:
			return nil, &usage.Error{Message: m.Path + ": no number in the name, where others have one", Advice: "name each checkpoint after its step, such as step-1000"}
		case !ok:
			var err error
			if n, err = trainerStep(m.Path); err != nil {
				return nil, err
			}
		}
		run[i].Step = n
	}
	slices.SortStableFunc(run, func(a, b Moment) int { return cmp.Compare(a.Step, b.Step) })
	for i := 1; i < len(run); i++ {
		if a, b := run[i-1], run[i]; a.Step == b.Step {
			return nil, &usage.Error{Message: fmt.Sprintf("%s and %s are both of step %d", a.Path, b.Path, a.Step), Advice: "give each checkpoint of one run once; checkpoints of several runs are averaged with soup merge"}
		}
	}
	return run, nil
}

// telling names checkpoints by the last element of their paths or, where that
// is the same in all (run/step-10/hf, run/step-20/hf), by the one before it.
func telling(paths []string) []Moment {
	run := make([]Moment, len(paths))
	parts := make([]string, len(paths))
	for i, p := range paths {
		parts[i] = filepath.Clean(p)
	}
	same := func() bool {
		return len(parts) > 1 && !slices.ContainsFunc(parts, func(p string) bool {
			return filepath.Base(p) != filepath.Base(parts[0]) || filepath.Dir(p) == p || filepath.Dir(p) == "."
		})
	}
	for same() {
		for i, p := range parts {
			parts[i] = filepath.Dir(p)
		}
	}
	for i, p := range parts {
		run[i] = Moment{Path: paths[i], Name: filepath.Base(p)}
	}
	return run
}

// clockOf returns the first clock that any name has.
func clockOf(run []Moment) (c clock, ok bool) {
	for _, c := range clocks {
		if slices.ContainsFunc(run, func(m Moment) bool { _, ok := c.step(m.Name); return ok }) {
			return c, true
		}
	}
	return c, false
}

// maxTrainerState is far above what transformers logs in a run.
const maxTrainerState = 256 << 20

// trainerStep reads global_step of the trainer_state.json that transformers
// keeps with a checkpoint.
func trainerStep(path string) (int64, error) {
	file := filepath.Join(path, "trainer_state.json")
	f, err := os.Open(file)
	if err != nil {
		return 0, &usage.Error{Message: path + ": no step in the name, and no trainer_state.json that has one", Advice: "name each checkpoint after its step, such as step-1000"}
	}
	defer f.Close()
	var state struct {
		Step *int64 `json:"global_step"`
	}
	if err := json.NewDecoder(io.LimitReader(f, maxTrainerState)).Decode(&state); err != nil {
		return 0, fmt.Errorf("%s: broken JSON: %w", file, err)
	}
	if state.Step == nil {
		return 0, fmt.Errorf("%s: no global_step", file)
	}
	return *state.Step, nil
}
