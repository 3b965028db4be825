package study

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"soup/eval"
	"soup/internal/fleet"
	"soup/internal/serve"
	"soup/results"
)

const fleetToken = "0123456789abcdef"

// log is a place for lines that several goroutines write.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await returns what stands between the two texts once it is there.
func (l *log) await(t *testing.T, before, after string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, rest, ok := strings.Cut(l.String(), before); ok {
			if found, _, ok := strings.Cut(rest, after); ok {
				return found
			}
		}
	}
	t.Fatalf("%q did not come: %s", before, l)
	return ""
}

// coordinator is a study with a fleet, running.
type coordinator struct {
	said, info log
	ended      chan error
}

func coordinate(t *testing.T, file string, m *machine) *coordinator {
	t.Helper()
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	fakeServer(c)
	r := &coordinator{ended: make(chan error, 1)}
	o := RunOptions{
		start: m.start, pause: time.Millisecond, Warnings: &r.said, Info: &r.info,
		Fleet: &Fleet{Listen: fleet.Listen{Address: "127.0.0.1:0", Token: fleetToken}, wait: time.Second, parts: 3},
	}
	go func() { r.ended <- Run(t.Context(), c, o) }()
	return r
}

func fakeServer(c *Config) {
	gguf := serve.GGUF
	c.Server.Kind, c.Server.format, c.Server.Parallel = "fake", &gguf, 8
}

// checkpoints are the copies of the small study's checkpoints.
func checkpoints(t *testing.T) (list []string) {
	t.Helper()
	for _, name := range []string{"hot", "base", "order", "call", "arith"} { // in an order of its own
		folder := "finetune/" + name
		if name == "base" {
			folder = name
		}
		list = append(list, filepath.Join(garden, folder))
	}
	return list
}

func (r *coordinator) help(t *testing.T, name string, m *machine, change func(*WorkOptions)) error {
	t.Helper()
	return r.helpUntil(t.Context(), t, name, m, change)
}

func (r *coordinator) helpUntil(ctx context.Context, t *testing.T, name string, m *machine, change func(*WorkOptions)) error {
	t.Helper()
	o := WorkOptions{
		Remote:  fleet.Remote{URL: r.info.await(t, "soup worker --join ", " "), Token: fleetToken},
		Parents: checkpoints(t), Name: name, Dir: t.TempDir(), Warnings: io.Discard,
		start: m.start, alter: fakeServer, wait: time.Second,
	}
	if change != nil {
		change(&o)
	}
	return Work(ctx, o)
}

// whoScored counts the tasks that each worker did.
func whoScored(t *testing.T, dir string) map[string]int {
	t.Helper()
	who := map[string]int{}
	for _, s := range scored(t, dir) {
		who[s.Worker]++
	}
	return who
}

// selectionTasks counts the tasks of each finalist.
func selectionTasks(t *testing.T, dir string) map[int]int {
	t.Helper()
	tasks := map[int]int{}
	for _, s := range scored(t, dir) {
		if s.Split == results.Selection {
			tasks[s.Trial]++
		}
	}
	if len(tasks) == 0 {
		t.Error("no finalist was scored by a worker")
	}
	return tasks
}

func scored(t *testing.T, dir string) (list []scoredBy) {
	t.Helper()
	l, err := results.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	events, err := l.Events(workerEvent)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		var s scoredBy
		mustUnmarshal(t, e.Detail, &s)
		list = append(list, s)
	}
	return list
}

const fleetStrategies = "strategies: [{random: {budget: 18}}, {grid: {step: 0.5}}]\nbudget: {trials: 18}\n"

// A study that several workers score, one of which leaves and one of which lies, ends
// with the ledger of a calm one.
func TestFleetEndsAsASingleMachine(t *testing.T) {
	want := undisturbed(t, fleetStrategies)
	file := smallStudy(t, fleetStrategies)
	r := coordinate(t, file, slow())
	leaving, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		all.Go(func() {
			if err := r.help(t, name, slow(), nil); err != nil {
				t.Errorf("worker %s: %v", name, err)
			}
		})
	}
	all.Go(func() {
		m := slow()
		m.asked = func(n int) error {
			if n == 60 { // in the middle of a candidate
				leave()
			}
			return nil
		}
		if err := r.helpUntil(leaving, t, "leaving", m, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("the leaving worker: %v", err)
		}
	})
	all.Go(func() {
		m := slow()
		m.lies = true
		if err := r.help(t, "liar", m, nil); err == nil || !strings.Contains(err.Error(), "quarantined: it scores ") {
			t.Errorf("the liar: %v", err)
		}
		r.said.await(t, "worker liar was turned away: quarantined", "\n")
	})
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if diff := cmp.Diff(want, read(t, DefaultDir(file))); diff != "" {
		t.Errorf("calm and fleet differ:\n%s", diff)
	}
	who := whoScored(t, DefaultDir(file))
	if who["a"] == 0 || who["b"] == 0 || who["liar"] != 0 {
		t.Errorf("who scored what: %v", who)
	}
	for trial, tasks := range selectionTasks(t, DefaultDir(file)) {
		if tasks != 3 {
			t.Errorf("the selection items of trial %d were %d tasks, want 3", trial, tasks)
		}
	}
	if liar := workersOf(t, DefaultDir(file))["liar"]; !strings.Contains(liar.Quarantined, "known items otherwise") {
		t.Errorf("the ledger says of the liar: %+v", liar)
	}
}

// workersOf are the workers that a reader of the ledger is told of.
func workersOf(t *testing.T, dir string) map[string]Worker {
	t.Helper()
	l, err := results.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	events, err := l.EventsAfter(0)
	if err != nil {
		t.Fatal(err)
	}
	var tally Tally
	for _, e := range events {
		if err := tally.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	return tally.Workers
}

// slow is a machine whose answers take a moment, so that there is work for others.
func slow() *machine {
	return &machine{asked: func(int) error {
		time.Sleep(100 * time.Microsecond)
		return nil
	}}
}

// Candidates are raced by workers too.
func TestFleetRaces(t *testing.T) {
	file := smallStudy(t, "strategies: [{random: {budget: 20}}]\n"+hasty)
	r := coordinate(t, file, slow())
	done := make(chan error, 1)
	go func() { done <- r.help(t, "a", slow(), nil) }()
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	k := read(t, DefaultDir(file))
	pruned := 0
	for _, trial := range k.Trials {
		if trial.State == results.Pruned {
			pruned++
		}
	}
	if pruned == 0 || len(whoScored(t, DefaultDir(file))) != 2 {
		t.Errorf("%d stopped early, scored by %v", pruned, whoScored(t, DefaultDir(file)))
	}
}

// Who cannot help is told why in one line, and so is the coordinator.
func TestWhoMayNotHelp(t *testing.T) {
	file := smallStudy(t, "strategies: [{random: {budget: 5}}]\n")
	gate := make(chan struct{})
	m := &machine{asked: func(int) error { <-gate; return nil }}
	r := coordinate(t, file, m)
	for what, c := range map[string]struct {
		change func(*WorkOptions)
		want   string
	}{
		"a changed parent": {func(o *WorkOptions) { o.Parents[0] = changed(t, o.Parents[0]) }, "parent hot (content "},
		"no base":          {func(o *WorkOptions) { o.Parents = append(o.Parents[:1], o.Parents[2:]...) }, "the base (content "},
		"another server": {func(o *WorkOptions) {
			o.start = (&machine{version: "2"}).start
		}, "this worker would score otherwise: server: fake , context the server's own, greedy at the coordinator, fake 2, "},
		"another token": {func(o *WorkOptions) { o.Token = "no" }, "the token is missing or wrong"},
		"no file":       {func(o *WorkOptions) { o.Parents[0] = "nowhere" }, "nowhere"},
	} {
		err := r.help(t, strings.ReplaceAll(what, " ", "-"), &machine{}, c.change)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
		if what != "another token" {
			r.said.await(t, "worker "+strings.ReplaceAll(what, " ", "-")+" does not join: ", "\n")
		}
	}
	r.said.await(t, "a worker was turned away: ", "\n")
	close(gate)
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	if who := whoScored(t, DefaultDir(file)); len(who) != 1 {
		t.Errorf("who scored: %v", who)
	}
}

// changed is a copy of a checkpoint with one byte of its weights changed.
func changed(t *testing.T, path string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "changed")
	if err := os.CopyFS(dir, os.DirFS(path)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "model.safetensors")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-4] ^= 1
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWorkersRunNoPrograms(t *testing.T) {
	c := &Config{}
	c.Server.Swap = []string{"/bin/true"}
	for _, about := range []struct {
		card studyCard
		c    *Config
		want string
	}{
		{studyCard{}, c, "server: swap"},
		{studyCard{Items: eval.Set{Test: eval.Test{{ID: "x", Metric: "command"}}}}, &Config{}, "metric command of item x"},
	} {
		if err := about.card.harmless(about.c, false); err == nil || !strings.Contains(err.Error(), about.want) {
			t.Errorf("%v, want %s", err, about.want)
		}
		if err := about.card.harmless(about.c, true); err != nil {
			t.Error(err)
		}
	}
}

// A worker is asked the best candidate so far, and judged by that one though another
// has become the best meanwhile.
func TestProbeIsTheIncumbent(t *testing.T) {
	l, err := results.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Begin(results.Study{Name: "x"}, []results.Parent{{Name: "x", Hash: "1"}}); err != nil {
		t.Fatal(err)
	}
	s := &session{ledger: l, info: io.Discard, scores: map[int]float64{}}
	for i := range 4 {
		s.set.Search = append(s.set.Search, eval.Item{ID: fmt.Sprint(i), Category: "a"})
	}
	complete := func(number, right int) json.RawMessage {
		trial := results.Trial{Number: number, Of: number, Key: fmt.Sprint("key", number), Weights: [][]float64{{1}}, State: results.Complete}
		var a answers
		for i := range 4 {
			a.Outcomes = append(a.Outcomes, results.Outcome{Item: fmt.Sprint(i), Category: "a", State: results.OK, Score: float64(min(1, max(0, right-i)))})
		}
		s.trials, s.scores[number] = append(s.trials, trial), float64(right)/4
		raw, err := json.Marshal(a)
		if err = errors.Join(err, l.Start(trial), l.Record(number, results.Search, a.Outcomes)); err != nil {
			t.Fatal(err)
		}
		return raw
	}
	c := &crew{session: s, roster: newRoster(l), probes: map[string]results.Trial{}}
	if v := c.admit("w", nil); v.Probe != nil || v.Admitted || v.Refused != "" {
		t.Errorf("nothing is known yet: %+v", v)
	}
	complete(0, 0)
	first := complete(1, 2)
	complete(2, 1)
	asked := func(v fleet.Verdict) string {
		var a assignment
		if v.Probe != nil {
			mustUnmarshal(t, v.Probe.Payload, &a)
		}
		return a.Key
	}
	if v := c.admit("w", nil); asked(v) != "key1" {
		t.Errorf("%s is asked: %+v", asked(v), v)
	}
	best := complete(3, 4)
	if v := c.admit("w", first); !v.Admitted {
		t.Errorf("it answered what it was asked: %+v", v)
	}
	if v := c.admit("late", first); asked(v) != "key3" {
		t.Errorf("an answer to another coordinator: %+v", v)
	}
	if v := c.admit("late", first); !strings.HasPrefix(v.Refused, "quarantined: it scores 2 of 4 known items otherwise") {
		t.Errorf("%+v", v)
	}
	if c.admit("late", nil); !c.admit("late", best).Admitted {
		t.Error("one that answers right is not admitted")
	}
}

func TestDisagreement(t *testing.T) {
	known := []eval.Outcome{{ID: "a", State: eval.StateOK, Score: 1}, {ID: "b", State: eval.StateOK}, {ID: "c", State: eval.StateFailed}}
	given := toLedger(known)
	if n := disagreement(known, given); n != 0 {
		t.Errorf("%d of equal outcomes differ", n)
	}
	given[0].Score, given[2].State = 0, results.OK
	if n := disagreement(known, given[:1]); n != 3 {
		t.Errorf("%d differ, want 3: one score and two that are missing", n)
	}
	if n := disagreement(known, given); n != 2 {
		t.Errorf("%d differ, want 2", n)
	}
}

func mustUnmarshal(t *testing.T, raw []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

func TestParts(t *testing.T) {
	for _, c := range []struct{ finalists, workers, most, want int }{
		{6, 1, 10, 1},  // one worker does one after the other
		{6, 0, 10, 1},  // none is known of
		{1, 8, 10, 7},  // all but one at it
		{1, 8, 3, 3},   // few items
		{1, 8, 0, 1},   // fewer than a part has
		{6, 8, 10, 4},  // 24 parts in three rounds; two would do no better than one
		{10, 8, 10, 2}, // 20 parts in three rounds of a half, not two of a whole
		{20, 8, 10, 1}, // two and a half rounds are three
		{3, 2, 1, 1},
	} {
		if n := parts(c.finalists, c.workers, c.most); n != c.want {
			t.Errorf("%d finalists, %d workers, at most %d parts: %d, want %d", c.finalists, c.workers, c.most, n, c.want)
		}
	}
}

// The parts of an assignment are all of its items, each once, and tasks of their own.
func TestDividedAssignment(t *testing.T) {
	whole := assignment{Trial: 3, Split: results.Test}
	at := 0
	ids := map[string]bool{}
	for _, a := range whole.divide(4, 37) {
		if a.From != at || a.To <= a.From || a.Trial != 3 {
			t.Errorf("%+v after item %d", a, at)
		}
		at = a.To
		task, err := a.task()
		if err != nil {
			t.Fatal(err)
		}
		ids[task.ID] = true
	}
	if at != 37 || len(ids) != 4 {
		t.Errorf("ends at item %d of 37, %d tasks", at, len(ids))
	}
	if list := whole.divide(1, 37); len(list) != 1 || list[0].To != 0 {
		t.Errorf("one part: %+v", list)
	}
}
