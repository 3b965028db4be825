package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"soup/eval"
	"soup/internal/progress"
	"soup/internal/serve"
	"soup/internal/usage"
	"soup/results"
)

// Every format goes through a study; no file changes while a server has it, and
// nothing of the candidates is left.
func TestStudyThroughAServer(t *testing.T) {
	for name, format := range map[string]serve.Format{"gguf": serve.GGUF, "directories": serve.Directory} {
		t.Run(name, func(t *testing.T) {
			m := &machine{version: "1"}
			file := smallStudy(t, "strategies: [{random: {budget: 4}}]\n")
			if said, err := through(t, file, m, format, nil); err != nil || said != "" {
				t.Fatalf("%v, %s", err, said)
			}
			k := read(t, DefaultDir(file))
			if len(k.Trials) < 10 || len(k.Outcomes["0 "+results.Search]) != 36 {
				t.Errorf("%d trials, %d outcomes of the first", len(k.Trials), len(k.Outcomes["0 "+results.Search]))
			}
			left, err := filepath.Glob(filepath.Join(DefaultDir(file), "candidate*"))
			if err != nil || len(left) > 0 {
				t.Errorf("%v, left: %v", err, left)
			}
			r, err := BuildReport(t.Context(), DefaultDir(file))
			if err != nil {
				t.Fatal(err)
			}
			if r.ServerIdle == nil || *r.ServerIdle <= 0 || *r.ServerIdle >= 1 || r.Cost.Swap <= 0 || r.Cost.Eval <= r.Cost.FirstToken || r.Cost.FirstToken <= 0 {
				t.Errorf("idle %v, cost %+v", r.ServerIdle, r.Cost)
			}
			if r.Trials[0].Seconds.FirstToken <= 0 {
				t.Errorf("first trial: %+v", r.Trials[0].Seconds)
			}
		})
	}
}

// A server that ignores swaps is found out before one item is asked, in a new
// study and in one that goes on.
func TestStaleWeightsAreNeverScored(t *testing.T) {
	for name, format := range map[string]serve.Format{"gguf": serve.GGUF, "directories": serve.Directory} {
		t.Run(name, func(t *testing.T) {
			file := smallStudy(t, "")
			m := &machine{stale: true}
			stops := func() {
				t.Helper()
				_, err := through(t, file, m, format, nil)
				if err == nil || !strings.Contains(err.Error(), "stale weights") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v", err)
				}
				if m.questions > 0 {
					t.Errorf("%d items were asked", m.questions)
				}
			}
			stops()
			if _, err := through(t, file, &machine{}, format, nil); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			longer := strings.Replace(string(text), baselinesOnly, "strategies: [{random: {budget: 2}}]\n", 1)
			if err := os.WriteFile(file, []byte(longer), 0o600); err != nil {
				t.Fatal(err)
			}
			stops()
		})
	}
}

// A server that dies now and then is started again, or waited for, and the
// study ends as without that.
func TestServerThatDies(t *testing.T) {
	const more = "strategies: [{random: {budget: 3}}]\n"
	want := undisturbed(t, more)
	dies := func(m *machine) {
		m.asked = func(n int) error {
			if n%100 == 50 { // a candidate has 36 items
				return m.die()
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		sleeps int
		change func(*Config, *RunOptions)
	}{"started by soup": {0, started}, "comes back": {4, nil}} {
		t.Run(name, func(t *testing.T) {
			m := &machine{sleeps: c.sleeps}
			dies(m)
			file := smallStudy(t, more)
			var told bytes.Buffer
			said, err := through(t, file, m, serve.GGUF, func(config *Config, o *RunOptions) {
				o.Progress = progress.New(&told, false)
				if c.change != nil {
					c.change(config, o)
				}
			})
			if err != nil || strings.Count(said, "the server is down") < 5 {
				t.Fatalf("%v, %s", err, said)
			}
			if diff := cmp.Diff(want, read(t, DefaultDir(file))); diff != "" {
				t.Errorf("the ledger differs (-undisturbed +dying):\n%s", diff)
			}
			if c.sleeps == 0 && m.starts < 5 {
				t.Errorf("%d starts", m.starts)
			}
			if c.sleeps > 0 && (m.starts != 1 || !strings.Contains(told.String(), "soup: waiting for the server at")) {
				t.Errorf("%d starts, told: %s", m.starts, told.String())
			}
		})
	}
}

// Somebody else starts the server again, with other weights: what it answered
// meanwhile does not count.
func TestServerThatLosesTheCandidate(t *testing.T) {
	want := undisturbed(t, "")
	m := &machine{swapped: func(n int) bool { return n%200 == 20 }}
	file := smallStudy(t, "")
	said, err := through(t, file, m, serve.GGUF, nil)
	if err != nil || !strings.Contains(said, "cut off") {
		t.Fatalf("%v, %s", err, said)
	}
	if diff := cmp.Diff(want, read(t, DefaultDir(file))); diff != "" {
		t.Errorf("the ledger differs (-undisturbed +other weights):\n%s", diff)
	}
}

// A server that does not come back stops the study, which goes on later.
func TestServerThatStaysAway(t *testing.T) {
	want := undisturbed(t, "")
	m := &machine{}
	m.asked = func(n int) error {
		if n == 80 {
			return m.die()
		}
		return nil
	}
	file := smallStudy(t, "")
	_, err := through(t, file, m, serve.GGUF, func(c *Config, _ *RunOptions) {
		c.Server.Wait, c.Server.URL = 30*time.Millisecond, "http://127.0.0.1:9"
	})
	if err == nil || !strings.Contains(err.Error(), "waited 30ms for the server at http://127.0.0.1:9") {
		t.Fatalf("%v", err)
	}
	if _, err := through(t, file, &machine{}, serve.GGUF, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read(t, DefaultDir(file))); diff != "" {
		t.Errorf("the ledger differs (-undisturbed +gone on):\n%s", diff)
	}
}

// A server that is not there when the study begins is no reason to wait.
func TestNoServer(t *testing.T) {
	m := &machine{}
	start := m.start
	_, err := through(t, smallStudy(t, ""), m, serve.GGUF, func(_ *Config, o *RunOptions) {
		o.start = func(ctx context.Context, so serve.Options) (eval.Server, error) {
			s, err := start(ctx, so)
			m.down = true
			return s, err
		}
	})
	if !errors.Is(err, eval.ErrUnreachable) || !strings.HasPrefix(err.Error(), "server: ") {
		t.Errorf("%v", err)
	}
}

// One candidate that cannot be scored, whatever the reason, is failed; the
// reason is told, and the others are scored as without it.
func TestCandidateAtFault(t *testing.T) {
	const more = "strategies: [{random: {budget: 4}}]\n"
	want := undisturbed(t, more)
	// Loaded are, in this order: 2 for the canary, the others of the parents, ...
	for name, c := range map[string]struct {
		trouble func(m *machine) error
		failure string
		says    string
	}{
		"kills the server": {func(m *machine) error { return m.die() }, eval.FailureUnreachable, "went down twice"},
		"out of memory":    {func(*machine) error { return fmt.Errorf("load: %w: cudaMalloc", eval.ErrOutOfMemory) }, eval.FailureMemory, "cudaMalloc"},
		"5xx":              {func(*machine) error { return fmt.Errorf("load: %w: status 500", eval.ErrServer) }, eval.FailureServer, "status 500"},
		"not numbers":      {func(*machine) error { return eval.ErrNotNumbers }, eval.FailureNotNumbers, "not numbers"},
		"hangs":            {func(*machine) error { time.Sleep(1200 * time.Millisecond); return errors.New("too late") }, eval.FailureTimeout, "not scored in time, 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &machine{}
			bad := nth(7)
			m.load = func(digest string) error {
				if bad(digest) {
					return c.trouble(m)
				}
				return nil
			}
			file := smallStudy(t, more)
			said, err := through(t, file, m, serve.GGUF, func(config *Config, _ *RunOptions) {
				config.Server.Start, config.Server.CandidateTimeout = true, time.Second
			})
			if err != nil || !strings.Contains(said, c.says) {
				t.Fatalf("%v, %s", err, said)
			}
			oneFailed(t, want, read(t, DefaultDir(file)), c.failure, c.says)
		})
	}
}

func oneFailed(t *testing.T, want, got kept, failure, says string) {
	t.Helper()
	failed := 0
	for i, trial := range got.Trials {
		switch {
		case trial.State == results.Failed:
			failed++
			if trial.Failure != failure || !strings.Contains(trial.Reason, says) {
				t.Errorf("failed as %q: %s", trial.Failure, trial.Reason)
			}
		case i < len(want.Trials) && want.Trials[i].Key == trial.Key:
			if diff := cmp.Diff(want.Outcomes[fmt.Sprint(i, " search")], got.Outcomes[fmt.Sprint(i, " search")]); diff != "" {
				t.Errorf("trial %d differs:\n%s", i, diff)
			}
		}
	}
	if failed != 1 {
		t.Errorf("%d failed trials", failed)
	}
}

// Items that the server has no memory for, or fails at, are told apart.
func TestFailedItemsAreToldApart(t *testing.T) {
	m := &machine{}
	m.asked = func(n int) error {
		switch n {
		case 3:
			return fmt.Errorf("x: %w", eval.ErrOutOfMemory)
		case 5, 37, 38: // the item is asked again, after all others
			return fmt.Errorf("x: %w", eval.ErrServer)
		}
		return nil
	}
	file := smallStudy(t, "")
	if _, err := through(t, file, m, serve.GGUF, nil); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, o := range read(t, DefaultDir(file)).Outcomes["0 search"] {
		counts[o.Failure]++
	}
	if diff := cmp.Diff(map[string]int{"": 34, eval.FailureMemory: 1, eval.FailureServer: 1}, counts); diff != "" {
		t.Error(diff)
	}
}

// A study goes on with a server of the same kind and version wherever it is, and
// with no other.
func TestAnotherServer(t *testing.T) {
	file := smallStudy(t, "")
	run := func(version string, change func(*Config, *RunOptions)) error {
		_, err := through(t, file, &machine{version: version}, serve.GGUF, change)
		return err
	}
	if err := run("0.17.4", func(c *Config, _ *RunOptions) { c.Server.URL = "http://127.0.0.1:1" }); err != nil {
		t.Fatal(err)
	}
	if err := run("0.17.4", func(c *Config, _ *RunOptions) { c.Server.URL = "http://127.0.0.1:2" }); err != nil {
		t.Errorf("another address: %v", err)
	}
	for says, change := range map[string]func(*Config, *RunOptions){
		"fake 0.18.0, context the server's own": nil,
		"fake 0.18.0, context 99":               func(c *Config, _ *RunOptions) { c.Server.Context = 99 },
		"is embedded ":                          func(c *Config, o *RunOptions) { c.Server.Kind, c.Server.format, o.start = embeddedKind, nil, nil },
	} {
		err := run("0.18.0", change)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "fake 0.17.4, context the server's own, greedy") {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// A server that comes back as another program is not asked.
func TestServerComesBackAsAnother(t *testing.T) {
	m := &machine{version: "1", sleeps: 2}
	m.asked = func(n int) error {
		if n == 50 {
			m.version = "2"
			return m.die()
		}
		return nil
	}
	_, err := through(t, smallStudy(t, ""), m, serve.GGUF, nil)
	if err == nil || !strings.Contains(err.Error(), "came back as fake 2") || m.questions != 50 {
		t.Errorf("%v, %d questions", err, m.questions)
	}
}

// GGUF parents, and single files, do not go to servers of directories.
func TestDirectoriesOnly(t *testing.T) {
	root, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(t.TempDir(), "base.gguf")
	first := withParents(t, "", root+"/finetune/arith", root+"/finetune/order")
	if _, err := through(t, first, &machine{}, serve.GGUF, nil); err != nil {
		t.Fatal(err)
	}
	made, err := filepath.Glob(filepath.Join(DefaultDir(first), cacheName, "*.gguf"))
	if err != nil || len(made) < 2 {
		t.Fatalf("%v, %v", made, err)
	}
	if err := os.Rename(made[0], base); err != nil {
		t.Fatal(err)
	}
	for says, file := range map[string]string{
		"parents: " + made[1] + ": a GGUF file": withParents(t, "", made[1], root+"/finetune/order"),
		"base: " + base + ": a GGUF file":       withParents(t, "base: "+base+"\n", root+"/finetune/arith", root+"/finetune/order"),
		"model.safetensors: a single file":      withParents(t, "", root+"/finetune/arith/model.safetensors", root+"/finetune/order"),
	} {
		_, err := through(t, file, &machine{}, serve.Directory, nil)
		var wrong *usage.Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
		if exists(DefaultDir(file)) {
			t.Errorf("%s was made", DefaultDir(file))
		}
	}
}

// Where the study file does not say how many requests the server gets at a time,
// that is found out; no answer of it is recorded.
func TestParallelIsFound(t *testing.T) {
	want := undisturbed(t, "")
	file := smallStudy(t, "")
	m := &machine{}
	if _, err := through(t, file, m, serve.GGUF, func(c *Config, _ *RunOptions) { c.Server.Parallel = 0 }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read(t, DefaultDir(file))); diff != "" {
		t.Errorf("the ledger differs (-told +found):\n%s", diff)
	}
	ledger, err := results.OpenReadOnly(DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	if ramps, err := ledger.Events(rampEvent); err != nil || len(ramps) != 1 {
		t.Errorf("%d ramps, %v", len(ramps), err)
	}
}

// With verify, each item is asked twice at least, and scores are the same.
func TestVerifyAsksTwice(t *testing.T) {
	file := smallStudy(t, "")
	once, twice := &machine{}, &machine{}
	if _, err := through(t, file, once, serve.GGUF, nil); err != nil {
		t.Fatal(err)
	}
	again := smallStudy(t, "")
	if _, err := through(t, again, twice, serve.GGUF, func(c *Config, _ *RunOptions) { c.Server.Verify = true }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read(t, DefaultDir(file)), read(t, DefaultDir(again))); diff != "" {
		t.Errorf("the ledger differs (-once +twice):\n%s", diff)
	}
	if twice.questions != 2*once.questions {
		t.Errorf("%d questions, %d without verify", twice.questions, once.questions)
	}
}
