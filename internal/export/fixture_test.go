package export

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"soup/benchmarks"
	"soup/eval"
	"soup/merge"
	"soup/results"
)

// garden is where the checkpoints lie.
func garden(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("../../examples/garden")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// parents of the study, in its order.
var parentNames = []string{"arith", "order", "quiz"}

// plan is a trial of the study and what becomes of it.
type plan struct {
	strategy, label string
	weights         []float64
	state           string
	of              int
}

// row are the weights in a group: what is random has others in each.
func (p plan) row(group int) []float64 {
	if p.strategy != "random" {
		return p.weights
	}
	n := len(p.weights)
	return append(slices.Clone(p.weights[n-group%n:]), p.weights[:n-group%n]...)
}

// night has a trial in every state.
var night = []plan{
	{"base", "base", []float64{0, 0, 0}, results.Complete, 0},
	{"single", "arith", []float64{1, 0, 0}, results.Complete, 1},
	{"single", "order", []float64{0, 1, 0}, results.Complete, 2},
	{"single", "quiz", []float64{0, 0, 1}, results.Complete, 3},
	{"uniform", "uniform", []float64{1. / 3, 1. / 3, 1. / 3}, results.Complete, 4},
	{"random", "random 1", []float64{0.25, 0.75, 0}, results.Complete, 5},
	{"random", "random 2", []float64{0.5, 0.25, 0.25}, results.Pruned, 6},
	{"random", "random 3", []float64{0, 0.5, 0.5}, results.Failed, 7},
	{"greedy", "order", []float64{0, 1, 0}, results.Cached, 2},
	{"random", "random 4", []float64{0.125, 0.5, 0.375}, results.Running, 9},
}

const winnerTrial = 5

// studied writes the ledger of a study of three garden checkpoints and a few of
// their items, without a model: the scores are made up, each different. The
// winner is trial 5. more is added to the study file; where it makes groups,
// their names are given.
func studied(t testing.TB, more string, groups ...string) (dir string) {
	t.Helper()
	folder := t.TempDir()
	text := "study: night\nseed: 3\nparents:\n"
	for _, p := range parentNames {
		text += fmt.Sprintf("  - {name: %s, path: %s/finetune/%s}\n", p, garden(t), p)
	}
	text += "benchmarks: [{name: arith, file: arith.jsonl}, {name: choice, file: choice.jsonl}]\n" + more
	var items []eval.Item
	for _, name := range []string{"arith", "choice"} {
		firstItems(t, name, filepath.Join(folder, name+".jsonl"), 8)
		list, err := benchmarks.LoadJSONL(name, filepath.Join(folder, name+".jsonl"))
		must(t, err)
		items = append(items, list...)
	}
	set, err := eval.NewSet(items)
	must(t, err)
	dir = filepath.Join(folder, "night")
	record(t, dir, text, set, groups)
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// firstItems copies the first n items of every split.
func firstItems(t testing.TB, name, to string, n int) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(garden(t), "data", name+".jsonl"))
	must(t, err)
	var out strings.Builder
	taken := map[string]int{}
	for line := range strings.Lines(string(raw)) {
		for _, split := range []string{"search", "selection", "test"} {
			if strings.Contains(line, `"split": "`+split+`"`) && taken[split] < n {
				taken[split]++
				out.WriteString(line)
			}
		}
	}
	must(t, os.WriteFile(to, []byte(out.String()), 0o600))
}

// start is when the study was begun.
var start = time.Date(2026, 11, 23, 22, 0, 0, 0, time.UTC)

func record(t testing.TB, dir, text string, set eval.Set, groups []string) {
	t.Helper()
	l, err := results.Open(dir)
	must(t, err)
	defer l.Close()
	var parents []results.Parent
	for _, p := range parentNames {
		path := filepath.Join(garden(t), "finetune", p)
		c, err := merge.Open(path)
		must(t, err)
		hash, err := c.Hash(t.Context())
		must(t, err)
		must(t, c.Close())
		parents = append(parents, results.Parent{Name: p, Path: path, Hash: hash})
	}
	must(t, l.Begin(results.Study{Name: "night", Seed: 3, Created: start, Config: text, Settings: []results.Setting{
		{Name: "items", Value: set.Hash()[:12]}, {Name: "objective", Value: "null"}, {Name: "server", Value: "embedded | v1"},
	}}, parents))
	for number, p := range night {
		recordTrial(t, l, number, p, set, groups)
	}
	must(t, l.SetWinner(results.Winner{Trial: winnerTrial, Path: "winner", SHA256: "aa", Reason: []byte(`"best of all"`)}))
}

func recordTrial(t testing.TB, l *results.Ledger, number int, p plan, set eval.Set, groups []string) {
	t.Helper()
	trial := results.Trial{
		Number: number, Strategy: p.strategy, Label: p.label, Key: fmt.Sprint("key ", p.of), Weights: [][]float64{p.weights}, Of: p.of,
		Started: start.Add(time.Duration(number) * time.Minute), Finished: start.Add(time.Duration(number)*time.Minute + 1500*time.Millisecond),
	}
	if groups != nil {
		trial.Groups, trial.Weights = groups, nil
		for g := range groups {
			trial.Weights = append(trial.Weights, p.row(g))
		}
	}
	must(t, l.Start(trial))
	trial.State = p.state
	switch p.state {
	case results.Complete:
		must(t, l.Record(number, results.Search, answers(number, set.Search)))
		must(t, l.Record(number, results.Selection, answers(number, set.Selection)))
		must(t, l.Record(number, results.Test, answers(number, set.Test)))
	case results.Pruned:
		must(t, l.Record(number, results.Search, answers(number, set.Search[:6])))
		trial.Reason = "cannot win"
	case results.Failed:
		trial.Reason, trial.Failure = "no memory", "out of memory"
	case results.Running:
		must(t, l.Record(number, results.Search, answers(number, set.Search[:3])))
		return
	}
	must(t, l.Finish(trial))
}

// answers are outcomes that no two trials share; the test split of trial 1 lacks
// the score of its first item.
func answers(trial int, items []eval.Item) (list []results.Outcome) {
	for i, it := range items {
		o := results.Outcome{
			Item: it.ID, Category: it.Category, State: results.OK, Score: float64((i*7+trial*5)%11) / 10, Answer: it.Answer, Finish: "stop",
			Latency: time.Duration(i+1) * time.Millisecond,
		}
		if trial == 1 && i == 0 && it.Assigned() == eval.InTest {
			o.State, o.Score, o.Answer, o.Finish, o.Error = results.Timeout, 0, "", "error", "no answer in 5m"
		}
		list = append(list, o)
	}
	return list
}
