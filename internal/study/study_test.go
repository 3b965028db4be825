package study

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"soup/internal/usage"
	"soup/results"
)

const garden = "../../examples/garden"

// childEnv names the study file that a child of the test runs.
const childEnv = "SOUP_TEST_STUDY"

// TestMain turns the test binary into soup run for the tests that kill it.
func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelError)
	debug.SetGCPercent(400) // the heaps of small studies are small: collecting them took a tenth of the time
	// Each check of a property writes a checkpoint or two. -rapid.checks asks for more.
	if err := flag.Set("rapid.checks", "4"); err != nil {
		panic(err)
	}
	if file := os.Getenv(childEnv); file != "" {
		c, err := ReadConfig(file)
		if err == nil {
			err = Run(context.Background(), c, RunOptions{Warnings: os.Stderr})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if err := os.RemoveAll(finishedOnce.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// baselinesOnly keeps small studies small: without it they run auto.
const baselinesOnly = "strategies: []\n"

// smallStudy writes a study of four garden checkpoints and a few items of
// three categories into a new folder and returns the study file. Unless more
// names strategies it runs the baselines only.
func smallStudy(t *testing.T, more string) string {
	t.Helper()
	return smallStudyIn(t, t.TempDir(), more)
}

func smallStudyIn(t *testing.T, dir, more string) string {
	t.Helper()
	root, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	text := "study: small\nseed: 7\nbase: " + root + "/base\nparents:\n"
	for _, p := range []string{"arith", "call", "order", "hot"} {
		text += "  - {name: " + p + ", path: " + root + "/finetune/" + p + "}\n"
	}
	text += "benchmarks:\n"
	for _, c := range []string{"arith", "choice", "sort"} {
		takeItems(t, filepath.Join(root, "data", c+".jsonl"), filepath.Join(dir, c+".jsonl"), 12, brief)
		text += "  - {name: " + c + ", file: " + c + ".jsonl}\n"
	}
	if !strings.Contains(more, "strategies:") {
		text += baselinesOnly
	}
	file := filepath.Join(dir, "small.yaml")
	if err := os.WriteFile(file, []byte(text+more), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// finishedOnce is the small study of the baselines that finishedStudy copies.
var finishedOnce struct {
	sync.Once
	dir string
}

// finishedStudy returns the file of a small study that is finished, for tests of
// what comes after: a copy of one that the engine scored once for all of them.
func finishedStudy(t *testing.T) (file string) {
	t.Helper()
	finishedOnce.Do(func() {
		var err error
		if finishedOnce.dir, err = os.MkdirTemp("", "soup-study-"); err != nil {
			t.Fatal(err)
		}
		mustRun(t, smallStudyIn(t, finishedOnce.dir, ""), RunOptions{})
	})
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(finishedOnce.dir)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "small.yaml")
}

// brief is the most bytes of an answer, and tokens: the garden's have at least one byte.
const brief = 6

// takeItems copies the first n items of every split whose answers have up to most
// bytes, and lets no answer be longer: a parent that babbles costs as many steps as it
// may take. With most 0 items are copied as they are.
func takeItems(t *testing.T, from, to string, n, most int) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out strings.Builder
	taken := map[string]int{}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var item struct{ Split, Answer string }
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			t.Fatal(err)
		}
		line := lines.Text()
		if most > 0 {
			if len(item.Answer) > most {
				continue
			}
			line = fmt.Sprintf(`{"max_tokens": %d, %s`, most, line[1:])
		}
		if taken[item.Split]++; taken[item.Split] <= n {
			out.WriteString(line + "\n")
		}
	}
	if err := os.WriteFile(to, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustRun(t *testing.T, file string, o RunOptions) {
	t.Helper()
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), c, o); err != nil {
		t.Fatal(err)
	}
}

// kept is everything in a ledger that does not depend on the clock.
type kept struct {
	Trials   []results.Trial
	Outcomes map[string][]results.Outcome
	Winner   results.Winner
	Notes    []results.Note
}

func read(t *testing.T, dir string) kept {
	t.Helper()
	l, err := results.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Check(); err != nil {
		t.Errorf("%s: %v", dir, err)
	}
	k := kept{Outcomes: map[string][]results.Outcome{}}
	if k.Trials, err = l.Trials(); err != nil {
		t.Fatal(err)
	}
	for i := range k.Trials {
		trial := &k.Trials[i]
		for _, split := range []string{results.Search, results.Selection, results.Test} {
			outcomes, err := l.Outcomes(trial.Number, split)
			if err != nil {
				t.Fatal(err)
			}
			labels, err := l.Labels(trial.Number, split)
			if err != nil {
				t.Fatal(err)
			}
			for j := range outcomes {
				outcomes[j].Latency = 0
				if s, ok := labels[outcomes[j].Item]; ok {
					outcomes[j].Labels = &s
				}
			}
			k.Outcomes[fmt.Sprint(trial.Number, " ", split)] = outcomes
		}
		trial.Merge, trial.Swap, trial.Eval, trial.First, trial.Attempt = 0, 0, 0, 0, 0
		trial.Started, trial.Finished = time.Time{}, time.Time{}
	}
	var ok bool
	if k.Winner, ok, err = l.Winner(); err != nil || !ok {
		t.Fatalf("winner: %v %v", ok, err)
	}
	if k.Notes, err = l.Notes(); err != nil {
		t.Fatal(err)
	}
	return k
}

// One seed gives one result, kill -9 or not: a study that is killed five
// times at random moments ends with the ledger of an unbroken one.
func TestKilledStudyEndsAsAnUnbrokenOne(t *testing.T) {
	for name, more := range map[string]string{
		"all items": "strategies: [uniform-selected, {random: {budget: 6}}, {soce: {min_n: 5}}]\n",
		"racing":    "strategies: [{random: {budget: 9}}, {soce: {min_n: 5}}]\n" + hasty,
	} {
		t.Run(name, func(t *testing.T) { killOften(t, more) })
	}
}

func killOften(t *testing.T, strategies string) {
	unbroken := smallStudy(t, strategies)
	start := time.Now()
	mustRun(t, unbroken, RunOptions{})
	whole := time.Since(start)
	want := read(t, DefaultDir(unbroken))

	killed := smallStudy(t, strategies)
	random := rand.New(rand.NewPCG(1, 2))
	kills := 0
	for range 5 {
		if kill(t, killed, whole/20+time.Duration(random.Int64N(int64(whole/10)))) {
			kills++
		}
	}
	mustRun(t, killed, RunOptions{})
	got := read(t, DefaultDir(killed))
	if kills < 4 {
		t.Errorf("the study ended before it could be killed often: %d times", kills)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("killed %d times, the ledger differs (-unbroken +killed):\n%s", kills, diff)
	}
}

// kill runs the study in a child, kills it after a while and reports whether
// it was still running.
func kill(t *testing.T, file string, after time.Duration) bool {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	_ = cmd.Process.Kill() // fails if it has ended
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 {
		return true
	}
	if err != nil {
		t.Fatalf("the study failed by itself: %v", err)
	}
	return false
}

// Another seed gives other random candidates.
func TestSeedMatters(t *testing.T) {
	labels := func(seed string) (weights [][][]float64) {
		file := smallStudy(t, "strategies: [{random: {budget: 3}}]\n")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), "seed: 7", "seed: "+seed, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		calmly(t, file)
		for _, trial := range read(t, DefaultDir(file)).Trials {
			if trial.Strategy == "random" {
				weights = append(weights, trial.Weights)
			}
		}
		return weights
	}
	one, two := labels("1"), labels("2")
	if len(one) != 3 || cmp.Equal(one, two) {
		t.Errorf("seeds 1 and 2 give %v and %v", one, two)
	}
}

// A cancelled study stops at once and goes on later.
func TestCancel(t *testing.T) {
	file := smallStudy(t, "strategies: [{random: {budget: 500}}]\n")
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	if err := Run(ctx, c, RunOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("run returned %v", err)
	}
	if late := time.Since(deadline(ctx, t)); late > 2*time.Second {
		t.Errorf("stopped %v after it was told to", late)
	}
	l, err := results.Open(DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Check(), l.Close()); err != nil {
		t.Error(err)
	}
}

func deadline(ctx context.Context, t *testing.T) time.Time {
	t.Helper()
	d, ok := ctx.Deadline()
	if !ok {
		t.Fatal("no deadline")
	}
	return d
}

// What a score depends on must not change under a study.
func TestChangedStudyIsRefused(t *testing.T) {
	file := finishedStudy(t)
	before := read(t, DefaultDir(file))
	change := func(old, replacement string) error {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := filepath.Join(filepath.Dir(file), "changed.yaml")
		if err := os.WriteFile(changed, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := ReadConfig(changed)
		if err != nil {
			t.Fatal(err)
		}
		return Run(t.Context(), c, RunOptions{Dir: DefaultDir(file)})
	}
	for _, c := range []struct{ old, replacement, want string }{
		{"seed: 7", "seed: 8", "seed was 7, is 8"},
		{"finetune/hot", "finetune/quiz", "hot"},
		{"benchmarks:", "objective: {weights: {sort: 2}}\nbenchmarks:", "objective"},
		{"benchmarks:", "store: float32\nbenchmarks:", "store was as the parents, is float32"},
		{"benchmarks:", "groups: {layers: 3}\nbenchmarks:", "groups was global, is"},
	} {
		if err := change(c.old, c.replacement); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: error %v does not say %q", c.replacement, c.old, err, c.want)
		}
	}
	if err := change(baselinesOnly, "strategies: [{random: {budget: 2}}]\n"); err != nil {
		t.Errorf("one more strategy: %v", err)
	}
	after := read(t, DefaultDir(file))
	if len(after.Trials) != len(before.Trials)+2 {
		t.Errorf("%d trials, then %d", len(before.Trials), len(after.Trials))
	}
}

// Groups of tensors have weights of their own, in the candidate and in the
// export; the canary in deliver proves that both are the same model.
func TestGroups(t *testing.T) {
	file := smallStudy(t, "groups: {kind: [attention, mlp, other]}\nstrategies: [{random: {budget: 4}}]\nfinalists: 40\n")
	mustRun(t, file, RunOptions{})
	k := read(t, DefaultDir(file))
	for _, trial := range k.Trials {
		if trial.Strategy == "random" && (len(trial.Weights) != 3 || cmp.Equal(trial.Weights[0], trial.Weights[1])) {
			t.Errorf("trial %d has weights %v", trial.Number, trial.Weights)
		}
	}
	r, err := BuildReport(t.Context(), DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	if r.Winner == nil || len(r.Winner.Groups) != 3 {
		t.Errorf("winner %+v", r.Winner)
	}
}

// A disk that cannot hold the study is refused before the weights are read,
// and nothing is left behind.
func TestDiskTooSmall(t *testing.T) {
	dir := t.TempDir()
	parent := filepath.Join(dir, "huge")
	if err := os.Mkdir(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	const elements = 1 << 42 // 8 TB of holes
	header := fmt.Sprintf(`{"w":{"dtype":"BF16","shape":[%d],"data_offsets":[0,%d]}}`, elements, 2*elements)
	f, err := os.Create(filepath.Join(parent, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...))
	if err := errors.Join(err, f.Truncate(int64(8+len(header))+2*elements), f.Close()); err != nil {
		t.Fatal(err)
	}
	takeItems(t, filepath.Join(garden, "data", "arith.jsonl"), filepath.Join(dir, "arith.jsonl"), 3, brief)
	file := filepath.Join(dir, "study.yaml")
	if err := os.WriteFile(file, []byte("parents: [{path: huge}]\nbenchmarks: [{file: arith.jsonl}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	var wrong *usage.Error
	if err := Run(t.Context(), c, RunOptions{}); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "disk too small") || !strings.Contains(wrong.Advice, "--dir") {
		t.Errorf("error %v", err)
	}
	if exists(DefaultDir(file)) {
		t.Error("the study's folder was made")
	}
}
