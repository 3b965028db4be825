package single

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

// moment is a checkpoint of a run.
type moment struct {
	path string
	name string
	step int64
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

// inOrder finds the steps of a run's checkpoints and puts the oldest first.
// Steps are in the names or, where the names have none or count steps, in the
// trainer_state.json beside the weights. No step may be there twice.
func inOrder(paths []string) ([]moment, error) {
	run := telling(paths)
	c, named := clockOf(run)
	for i, m := range run {
		n, ok := int64(0), false
		if named {
			n, ok = c.step(m.name)
		}
		switch {
		case !ok && named && !c.steps:
			return nil, &usage.Error{Message: m.path + ": no number in the name, where others have one", Advice: "name each checkpoint after its step, such as step-1000"}
		case !ok:
			var err error
			if n, err = trainerStep(m.path); err != nil {
				return nil, err
			}
		}
		run[i].step = n
	}
	slices.SortStableFunc(run, func(a, b moment) int { return cmp.Compare(a.step, b.step) })
	for i := 1; i < len(run); i++ {
		if a, b := run[i-1], run[i]; a.step == b.step {
			return nil, &usage.Error{Message: fmt.Sprintf("%s and %s are both of step %d", a.path, b.path, a.step), Advice: "give each checkpoint of one run once; checkpoints of several runs are averaged with soup merge"}
		}
	}
	return run, nil
}

// telling names checkpoints by the last element of their paths or, where that
// is the same in all (run/step-10/hf, run/step-20/hf), by the one before it.
func telling(paths []string) []moment {
	run := make([]moment, len(paths))
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
		run[i] = moment{path: paths[i], name: filepath.Base(p)}
	}
	return run
}

// clockOf returns the first clock that any name has.
func clockOf(run []moment) (c clock, ok bool) {
	for _, c := range clocks {
		if slices.ContainsFunc(run, func(m moment) bool { _, ok := c.step(m.name); return ok }) {
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
