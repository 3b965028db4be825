package study

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
	"soup/eval/server/embedded"
	"soup/internal/serve"
	"soup/internal/usage"
	"soup/merge"
	"soup/results"
)

// tryRun runs a study that may fail and returns its warnings.
func tryRun(t *testing.T, file string, o RunOptions) (string, error) {
	t.Helper()
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	var warnings bytes.Buffer
	o.Warnings = &warnings
	err = Run(t.Context(), c, o)
	return warnings.String(), err
}

// withParents writes a small study of other parents.
func withParents(t *testing.T, more string, paths ...string) string {
	t.Helper()
	file := smallStudy(t, more)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "benchmarks:")
	study := "seed: 7\nparents:\n"
	for _, p := range paths {
		study += "  - {path: " + p + "}\n"
	}
	if err := os.WriteFile(file, []byte(study+"benchmarks:"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func copyOf(t *testing.T, name, to string) string {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(filepath.Join(garden, name))); err != nil {
		t.Fatal(err)
	}
	return to
}

// A study never writes over what is not its own.
func TestStudyKeepsOffOtherFiles(t *testing.T) {
	dir := t.TempDir()
	parent := copyOf(t, "finetune/arith", filepath.Join(dir, "winner"))
	other := copyOf(t, "finetune/order", filepath.Join(dir, "order"))
	file := withParents(t, "", parent, other)
	for name, into := range map[string]string{
		"a parent is where the winner goes": dir,
		"the folder is a parent":            other,
		"the folder lies in a parent":       filepath.Join(other, "study"),
	} {
		_, err := tryRun(t, file, RunOptions{Dir: into})
		var wrong *usage.Error
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
		if exists(filepath.Join(into, results.File)) {
			t.Errorf("%s: a ledger was made", name)
		}
	}
	notes := filepath.Join(t.TempDir(), "winner", "notes.txt")
	if err := os.MkdirAll(filepath.Dir(notes), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(notes, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tryRun(t, file, RunOptions{Dir: filepath.Dir(filepath.Dir(notes))}); err == nil || !strings.Contains(err.Error(), "winner") {
		t.Errorf("somebody's folder: %v", err)
	}
	for _, kept := range []string{notes, filepath.Join(parent, "model.safetensors"), filepath.Join(other, "model.safetensors")} {
		if !exists(kept) {
			t.Errorf("%s is gone", kept)
		}
	}
}

// moody is the engine with loads that fail while it is down.
type moody struct {
	*embedded.Engine
	down func() bool
}

func (m moody) Load(ctx context.Context, model eval.Model) (eval.Version, error) {
	if m.down() {
		return "", errors.New("the server is down")
	}
	return m.Engine.Load(ctx, model)
}

func moodyStart(down func() bool) func(context.Context, serve.Options) (eval.Server, error) {
	return func(ctx context.Context, o serve.Options) (eval.Server, error) {
		e, err := serve.Open(ctx, o)
		if err != nil {
			return nil, err
		}
		return moody{e.(*embedded.Engine), down}, nil
	}
}

// A server that was down does not make good candidates failed ones.
func TestServerDownIsTriedAgain(t *testing.T) {
	file := smallStudy(t, "")
	loads := 0
	_, err := tryRun(t, file, RunOptions{start: moodyStart(func() bool { loads++; return loads > 2 })})
	if err == nil || !strings.Contains(err.Error(), "3 candidates in a row") || !strings.Contains(err.Error(), "server is down") {
		t.Fatalf("three failures: %v", err)
	}
	if _, err := tryRun(t, file, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	again, want := read(t, DefaultDir(file)), read(t, DefaultDir(finishedStudy(t)))
	for i, trial := range again.Trials {
		if trial.State != want.Trials[i].State || trial.Key != want.Trials[i].Key {
			t.Errorf("trial %d is %s, without the trouble %s", i, trial.State, want.Trials[i].State)
		}
	}
}

// One failure among successes is the candidate's own: it is recorded and the
// search goes on.
func TestOneFailureIsRecorded(t *testing.T) {
	file := smallStudy(t, "")
	loads := 0
	warnings, err := tryRun(t, file, RunOptions{start: moodyStart(func() bool { loads++; return loads == 4 })})
	if err != nil || !strings.Contains(warnings, "failed: the server is down") {
		t.Fatalf("%v, warnings %q", err, warnings)
	}
	failed := 0
	for _, trial := range read(t, DefaultDir(file)).Trials {
		if trial.State == results.Failed {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d failed trials", failed)
	}
}

// nanParent is a checkpoint whose final norm is not a number.
func nanParent(t *testing.T) string {
	t.Helper()
	dir := copyOf(t, "finetune/arith", filepath.Join(t.TempDir(), "nan"))
	path := filepath.Join(dir, "model.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) - 256; i < len(data); i += 2 {
		binary.LittleEndian.PutUint16(data[i:], 0x7fc0)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A parent with NaN is named at the start; its soups fail and the rest goes on.
func TestNaNParent(t *testing.T) {
	root, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	file := withParents(t, "strategies: [{random: {budget: 2}}, {plane: {step: 0.5}}]\n", nanParent(t), root+"/finetune/order", root+"/finetune/call")
	warnings, err := tryRun(t, file, RunOptions{})
	if err != nil || !strings.Contains(warnings, "model.norm.weight") || !strings.Contains(warnings, "not numbers") {
		t.Fatalf("%v, warnings:\n%s", err, warnings)
	}
	states := map[string]int{}
	for _, trial := range read(t, DefaultDir(file)).Trials {
		states[trial.State]++
	}
	if states[results.Failed] < 3 || states[results.Complete] < 2 {
		t.Errorf("states %v", states)
	}
	if _, err := BuildReport(t.Context(), DefaultDir(file)); err != nil {
		t.Error(err)
	}
}

// Parents of several dtypes can be searched to the end.
func TestMixedDTypes(t *testing.T) {
	root, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	wide := filepath.Join(t.TempDir(), "wide")
	parent, err := merge.Open(root + "/finetune/order")
	if err != nil {
		t.Fatal(err)
	}
	defer parent.Close()
	recipe := merge.Recipe{Weights: [][]float64{{1}}}
	if _, err := merge.Write(t.Context(), wide, []*merge.Checkpoint{parent}, nil, recipe, merge.WriteOptions{Store: merge.F32}); err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]string{{root + "/finetune/arith", wide}, {wide, root + "/finetune/arith"}} {
		mustRun(t, withParents(t, "", order...), RunOptions{})
	}
}

// A winner that was changed or removed is written again.
func TestDamagedWinnerIsRepaired(t *testing.T) {
	file := finishedStudy(t)
	weights := filepath.Join(DefaultDir(file), "winner", "model.safetensors")
	good, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	bad[len(bad)-1]++
	for name, damage := range map[string]func() error{
		"changed": func() error { return os.WriteFile(weights, bad, 0o600) },
		"cut":     func() error { return os.WriteFile(weights, good[:100], 0o600) },
		"removed": func() error { return os.RemoveAll(filepath.Dir(weights)) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		warnings, err := tryRun(t, file, RunOptions{})
		if err != nil || !strings.Contains(warnings, "written again") {
			t.Errorf("%s: %v, warnings %q", name, err, warnings)
		}
		if now, err := os.ReadFile(weights); err != nil || !bytes.Equal(now, good) {
			t.Errorf("%s: not repaired (%v)", name, err)
		}
	}
}

// Items that cannot be asked are named before the search.
func TestItemsThatCannotBeAsked(t *testing.T) {
	file := smallStudy(t, "")
	data := filepath.Join(filepath.Dir(file), "arith.jsonl")
	good, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	long := `{"id":"long","category":"arith","split":"test","metric":"number","prompt":"` + strings.Repeat("A", 5000) + `","answer":"1"}` + "\n"
	if err := os.WriteFile(data, append(good, long...), 0o600); err != nil {
		t.Fatal(err)
	}
	warnings, err := tryRun(t, file, RunOptions{})
	if err != nil || !strings.Contains(warnings, `1 of 37 test items cannot be asked`) || !strings.Contains(warnings, `"long"`) {
		t.Errorf("%v, warnings %q", err, warnings)
	}
	only := `{"id":"x","category":"odd","split":"selection","metric":"letter","prompt":"?","answer":"Xa","choices":["1","2"],"labels":["Xa","Xb"]}` + "\n"
	if err := os.WriteFile(data, append(good, only...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = tryRun(t, file, RunOptions{Dir: filepath.Join(t.TempDir(), "other")})
	var wrong *usage.Error
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), `item "x"`) {
		t.Errorf("a category that cannot be asked: %v", err)
	}
}

// What a killed process left half-written is removed by the next run.
func TestSweep(t *testing.T) {
	file := finishedStudy(t)
	dir := DefaultDir(file)
	left := []string{filepath.Join(dir, ".winner.1-0.partial"), filepath.Join(dir, "cache", "as-stored-1"), filepath.Join(dir, "cache", ".abc-v1.gguf123")}
	for _, l := range left {
		if err := os.MkdirAll(l, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, file, RunOptions{})
	for _, l := range left {
		if exists(l) {
			t.Errorf("%s is still there", filepath.Base(l))
		}
	}
}
