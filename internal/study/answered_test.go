package study

import (
	"context"
	"testing"

	"soup/results"
)

// What a pruned trial has answered is counted, though it has no score.
func TestAnswered(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	l, err := results.Open(dir)
	must(err)
	must(l.Begin(results.Study{Name: "x"}, []results.Parent{{Name: "a", Hash: "1"}, {Name: "b", Hash: "2"}}))
	for i, state := range []string{results.Complete, results.Pruned} {
		trial := results.Trial{Number: i, Strategy: "random", Key: string(rune('p' + i)), Weights: [][]float64{{1, float64(i)}}}
		must(l.Start(trial))
		must(l.Record(i, results.Search, []results.Outcome{{Item: "1", Category: "c", State: results.OK, Score: 1}, {Item: "2", Category: "c", State: results.Failed}}))
		trial.State = state
		must(l.Finish(trial))
	}
	must(l.Finish(results.Trial{Number: 2, Strategy: "grid", Key: "p", Weights: [][]float64{{1, 0}}, State: results.Cached, Of: 0}))
	must(l.Close())
	r, err := BuildReport(context.Background(), dir)
	must(err)
	for i, want := range []int{1, 1, 0} {
		if got := r.Trials[i].Answered; got != want {
			t.Errorf("trial %d: %d answered, want %d", i, got, want)
		}
	}
	if r.Trials[1].Scores.Search != nil {
		t.Error("a pruned trial has a score")
	}
}
