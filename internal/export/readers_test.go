//go:build export

package export

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"soup/internal/study"
	"soup/results"
)

// These tests hand exports to the programs that they are for: `make
// agree-optuna` and `make agree-mergekit` prepare them. An interpreter that is
// not named fails, never skips.

func python(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s names no Python: run make agree-optuna or make agree-mergekit", variable)
	}
	return path
}

// run runs a script of tools/export and reads what it prints.
func run(t *testing.T, interpreter, script, path string, into any) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), interpreter, "../../tools/export/"+script, path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	must(t, json.Unmarshal(out, into))
}

// optunaTrial is a trial as tools/export/journal.py prints it.
type optunaTrial struct {
	Number          int
	State           string
	Value           *float64
	Params          map[string]float64
	Intermediate    map[string]float64
	User            map[string]any
	Start, Complete *string
}

type optunaStudy struct {
	Version, Study string
	Directions     []string
	Metrics        []string
	Best           optunaTrial
	Trials         []optunaTrial
	PrunesWorse    bool `json:"prunes_worse"`
	PrunesEqual    bool `json:"prunes_equal"`
}

// both are the versions of Optuna.
var both = []string{"SOUP_OPTUNA5", "SOUP_OPTUNA4"}

// Python's Optuna has the values, parameters, states, times and item scores that
// the ledger has, with every digit.
func TestOptunaAgrees(t *testing.T) {
	for _, groups := range [][]string{nil, {"attention", "mlp", "other"}} {
		more := map[bool]string{true: "", false: "groups: {kind: [attention, mlp]}\n"}[groups == nil]
		dir := studied(t, more, groups...)
		for _, variable := range both {
			journal := filepath.Join(t.TempDir(), "journal.log")
			_, err := Export(t.Context(), dir, Options{Optuna: journal, Trial: -1})
			must(t, err)
			var got optunaStudy
			run(t, python(t, variable), "journal.py", journal, &got)
			t.Log(variable, got.Version)
			compareJournal(t, dir, got)
		}
	}
}

func compareJournal(t *testing.T, dir string, got optunaStudy) {
	t.Helper()
	s, err := study.OpenRecorded(dir)
	must(t, err)
	defer s.Close()
	report, err := s.Report(t.Context())
	must(t, err)
	trials, err := s.Ledger.Trials()
	must(t, err)
	if got.Study != "night" || got.Directions[0] != "MAXIMIZE" || got.Metrics[0] != "search" || len(got.Trials) != len(trials) {
		t.Errorf("%+v", got)
	}
	best := 0
	for i, x := range trials {
		want := expectedTrial(t, s, x, report.Trials[i])
		is := got.Trials[i]
		is.User = nil
		if diff := cmp.Diff(want, is); diff != "" {
			t.Errorf("trial %d: %s", i, diff)
		}
		if want.Value != nil && (*want.Value > *got.Trials[best].Value) {
			best = i
		}
	}
	if got.Best.Number != best || *got.Best.Value != *got.Trials[best].Value {
		t.Errorf("the best is trial %d, not %d", got.Best.Number, best)
	}
	if !got.PrunesWorse || got.PrunesEqual {
		t.Errorf("WilcoxonPruner stops one with scores 0: %t; one with equal scores: %t", got.PrunesWorse, got.PrunesEqual)
	}
}

func expectedTrial(t *testing.T, s *study.Recorded, x results.Trial, shown results.TrialReport) optunaTrial {
	t.Helper()
	stamp := func(at time.Time) *string {
		text := at.Local().Format("2006-01-02T15:04:05.000000")
		return &text
	}
	states := map[string]string{results.Complete: "COMPLETE", results.Cached: "COMPLETE", results.Pruned: "PRUNED", results.Failed: "FAIL", results.Running: "RUNNING"}
	want := optunaTrial{
		Number: x.Number, State: states[x.State], Params: map[string]float64{}, Intermediate: map[string]float64{}, Start: stamp(x.Started),
	}
	if x.State != results.Running {
		want.Complete = stamp(x.Finished)
	}
	if shown.Scores.Search != nil {
		want.Value = shown.Scores.Search.Mean
	}
	for g, row := range x.Weights {
		for i, w := range row {
			name := parentNames[i]
			if x.Groups != nil {
				name = x.Groups[g] + "/" + name
			}
			want.Params[name] = w
		}
	}
	outcomes, err := s.Ledger.Outcomes(x.Number, results.Search)
	must(t, err)
	for i, o := range outcomes { // search items are the first that were answered
		want.Intermediate[fmt.Sprint(i+1)] = o.Score
	}
	return want
}

// optuna-dashboard serves the journal: its own interface has the study, its
// trials and their values.
func TestOptunaDashboardServes(t *testing.T) {
	dir := studied(t, "")
	for _, variable := range both {
		journal := filepath.Join(t.TempDir(), "journal.log")
		_, err := Export(t.Context(), dir, Options{Optuna: journal, Trial: -1})
		must(t, err)
		address := free(t)
		_, port, err := net.SplitHostPort(address)
		must(t, err)
		cmd := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(python(t, variable)), "optuna-dashboard"), "--host", "127.0.0.1", "--port", port, journal)
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		must(t, cmd.Start())
		served := fetched(t, "http://"+address)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
		if served.Name != "night" || len(served.Trials) != len(night) || served.Best[0].Number != served.best() || !strings.HasPrefix(served.Note.Body, "Written by soup.") {
			t.Errorf("%s: %+v", variable, served)
		}
		for i, x := range served.Trials {
			if scores := map[string]int{results.Complete: 16, results.Cached: 16, results.Pruned: 6, results.Running: 3}[night[i].state]; len(x.Scores) != scores {
				t.Errorf("%s: trial %d: %d item scores, not %d", variable, i, len(x.Scores), scores)
			}
			if len(x.Params) != 3 || x.State == "Complete" && len(x.Values) != 1 || (x.State == "Pruned") != (night[i].state == results.Pruned) {
				t.Errorf("%s: trial %d: %+v", variable, i, x)
			}
		}
	}
}

// dashboardStudy is what /api/studies/0 says.
type dashboardStudy struct {
	Name   string
	Trials []struct {
		State  string
		Values []float64
		Params []map[string]any
		Scores []map[string]any `json:"intermediate_values"`
	}
	Best []struct{ Number int } `json:"best_trials"`
	Note struct{ Body string }
}

func (s dashboardStudy) best() (number int) {
	top := math.Inf(-1)
	for i, x := range s.Trials {
		if len(x.Values) == 1 && x.Values[0] > top {
			number, top = i, x.Values[0]
		}
	}
	return number
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// fetched waits until the dashboard is up and asks it.
func fetched(t *testing.T, address string) (s dashboardStudy) {
	t.Helper()
	var last error
	for range 600 { // Python's start takes seconds
		var list struct {
			Studies []map[string]any `json:"study_summaries"`
		}
		if last = get(address+"/api/studies", &list); last != nil {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		must(t, get(address+"/api/studies/0?after=0", &s))
		if len(list.Studies) != 1 {
			t.Errorf("studies %v", list.Studies)
		}
		return s
	}
	t.Fatal(last)
	return s
}

func get(url string, into any) error {
	r, err := http.Get(url) //nolint:noctx // in a test, on this machine
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, r.Status)
	}
	return json.NewDecoder(r.Body).Decode(into)
}

// lm-evaluation-harness' own functions find the files, their tasks and times, and
// print its table.
func TestHarnessReads(t *testing.T) {
	to := filepath.Join(t.TempDir(), "lm")
	_, err := Export(t.Context(), studied(t, ""), Options{LMEval: to, Trial: -1})
	must(t, err)
	var got struct {
		Table string
		Tasks map[string]struct {
			Time           string
			N              int
			Mean, Reported float64
			Hash           bool
		}
	}
	run(t, python(t, "SOUP_OPTUNA5"), "harness.py", to, &got)
	t.Log("\n" + got.Table)
	if names := slices.Sorted(maps.Keys(got.Tasks)); !slices.Equal(names, []string{"arith", "choice"}) || !strings.Contains(got.Table, "|arith ") {
		t.Errorf("%v, %s", names, got.Table)
	}
	for name, x := range got.Tasks {
		if x.N != 8 || math.Abs(x.Mean-x.Reported) > 1e-15 || !x.Hash || x.Time != "2026-11-23T22-05-01.500000" {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

// huggingface_hub reads the header of the card.
func TestCardIsRead(t *testing.T) {
	out := filepath.Join(t.TempDir(), "soup")
	_, err := Export(t.Context(), studied(t, ""), Options{Out: out, Trial: -1})
	must(t, err)
	var got struct {
		Library, Name string
		Base          []string `json:"base_model"`
		Tags          []string
		Results       map[string]float64
	}
	run(t, python(t, "SOUP_OPTUNA5"), "card.py", filepath.Join(out, "README.md"), &got)
	if got.Library != "transformers" || got.Name != "soup" || !slices.Equal(got.Base, []string{"arith", "order"}) || len(got.Results) != 2 || !slices.Contains(got.Tags, "merge") {
		t.Errorf("%+v", got)
	}
}

// mergekit carries the recipe out, and its soup is ours to within one unit in the
// last place of bfloat16; with weights by group too. Where the terms of a sum cancel,
// so that the result is below the rounding of float32, neither has a digit that
// means something: there the two may differ by that rounding, and few are there.
func TestMergekitAgrees(t *testing.T) {
	whole := studied(t, "")
	for _, c := range []struct {
		name, dir string
		trial     int
	}{
		{"halves", whole, winnerTrial},
		{"thirds", whole, 4},
		{"groups", studied(t, "groups: {kind: [attention, mlp]}\n", "attention", "mlp", "other"), winnerTrial},
	} {
		t.Run(c.name, func(t *testing.T) {
			to := t.TempDir()
			o := Options{Out: filepath.Join(to, "ours"), Mergekit: filepath.Join(to, "recipe.yaml"), Trial: c.trial}
			_, err := Export(t.Context(), c.dir, o)
			must(t, err)
			theirs := filepath.Join(to, "theirs")
			cmd := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(python(t, "SOUP_MERGEKIT")), "mergekit-yaml"), o.Mergekit, theirs)
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			rows := [][]float64{night[c.trial].row(0), night[c.trial].row(1), night[c.trial].row(2)}
			if c.name != "groups" {
				rows = [][]float64{rows[0], rows[0], rows[0]}
			}
			n, differ, cancelled := withinOne(t, tensors(t, o.Out), tensors(t, theirs), rows)
			t.Logf("of %d elements %d differ by one unit, %d where the terms cancel", n, differ, cancelled)
			if n != 574336 || cancelled > n/10_000 {
				t.Errorf("%d elements, %d of them cancelled", n, cancelled)
			}
		})
	}
}

// kindOf is the row of weights of a tensor.
func kindOf(tensor string) int {
	switch {
	case strings.Contains(tensor, ".self_attn."):
		return 0
	case strings.Contains(tensor, ".mlp."):
		return 1
	}
	return 2
}

// withinOne compares two checkpoints element by element.
func withinOne(t *testing.T, ours, theirs map[string][]byte, rows [][]float64) (n, differ, cancelled int) {
	t.Helper()
	if !slices.Equal(slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs))) {
		t.Fatalf("tensors %v and %v", slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs)))
	}
	var parents []map[string][]byte
	for _, p := range parentNames {
		parents = append(parents, tensors(t, filepath.Join(garden(t), "finetune", p)))
	}
	for name, x := range ours {
		y := theirs[name]
		if len(x) != len(y) {
			t.Fatalf("%s: %d and %d bytes", name, len(x), len(y))
		}
		for i := 0; i < len(x); i += 2 {
			d := ordered(x[i:]) - ordered(y[i:])
			terms := 0.0 // sum of their sizes
			for k, w := range rows[kindOf(name)] {
				terms += math.Abs(w * value(parents[k][name][i:]))
			}
			// Three products and two sums in float32, on each side.
			noise := 10 * math.Pow(2, -24) * terms
			switch {
			case d == 0:
			case d == 1 || d == -1:
				differ++
			case math.Abs(value(x[i:])-value(y[i:])) <= noise && math.Abs(value(x[i:])) <= noise:
				cancelled++
			default:
				t.Fatalf("%s, element %d: %v and %v, %d units apart", name, i/2, value(x[i:]), value(y[i:]), d)
			}
			n++
		}
	}
	return n, differ, cancelled
}

// value is a bfloat16's.
func value(raw []byte) float64 {
	return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw)) << 16))
}

// ordered maps a bfloat16 to whole numbers in the order of the values: neighbours
// are one apart.
func ordered(raw []byte) int {
	bits := int(binary.LittleEndian.Uint16(raw))
	if bits >= 0x8000 {
		return 0x8000 - bits
	}
	return bits
}

// tensors reads the safetensors files of a directory: 8 bytes of header length,
// JSON, data.
func tensors(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	must(t, err)
	all := map[string][]byte{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		must(t, err)
		n := binary.LittleEndian.Uint64(raw)
		var header map[string]struct {
			DType string   `json:"dtype"`
			At    [2]int64 `json:"data_offsets"`
		}
		must(t, json.Unmarshal(raw[8:8+n], &header))
		delete(header, "__metadata__")
		for name, h := range header {
			if h.DType != "BF16" {
				t.Fatalf("%s: %s is %s", path, name, h.DType)
			}
			all[name] = raw[8+n:][h.At[0]:h.At[1]]
		}
	}
	return all
}
