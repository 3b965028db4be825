package eval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOutcomeJSON(t *testing.T) {
	check := func(o Outcome, want string) {
		t.Helper()
		got, err := json.Marshal(o)
		if err != nil || string(got) != want {
			t.Errorf("got  %s %v\nwant %s", got, err, want)
		}
	}
	soft := -0.02
	check(Outcome{ID: "a", Category: "c", State: StateOK, Score: 1, Soft: &soft, Answer: "1663", Finish: FinishStop, Latency: 5},
		`{"id":"a","category":"c","state":"ok","soft":-0.02,"answer":"1663","finish":"stop","score":1}`)
	check(Outcome{ID: "a", Category: "c", State: StateTruncated, Finish: FinishLength},
		`{"id":"a","category":"c","state":"truncated","answer":"","finish":"length","score":0}`)
	check(Outcome{ID: "a", Category: "c", State: StateFailed, Finish: FinishError, Error: "gone"},
		`{"id":"a","category":"c","state":"failed","answer":"","finish":"error","error":"gone","score":null}`)
}

func TestJudge(t *testing.T) {
	half := -0.5
	check := func(a Answer, want Outcome) {
		t.Helper()
		it := sum("x")
		want.ID, want.Category = it.ID, it.Category
		if diff := cmp.Diff(want, judge(t.Context(), it, number{}, number{}.Ask(it), a)); diff != "" {
			t.Error(diff)
		}
	}
	check(Answer{Reply: Reply{Text: "2", Finish: FinishStop, Latency: 7}, Reference: &half},
		Outcome{State: StateOK, Score: 1, Soft: &half, Answer: "2", Finish: FinishStop, Latency: 7})
	check(Answer{Reply: Reply{Text: "2", Finish: FinishLength}},
		Outcome{State: StateTruncated, Score: 1, Answer: "2", Finish: FinishLength})
	check(Answer{Reply: Reply{Text: "2", Finish: FinishStop}, Err: errors.New("no likelihood")},
		Outcome{State: StateOK, Score: 1, Answer: "2", Finish: FinishStop, Error: "no likelihood"})
	check(Answer{Reply: Reply{Text: "2", Finish: FinishError}, Err: errors.New("out of\nmemory")},
		Outcome{State: StateFailed, Finish: FinishError, Error: "out of memory"})
	check(Answer{Reply: Reply{Finish: FinishError}, Err: fmt.Errorf("late: %w", context.DeadlineExceeded)},
		Outcome{State: StateTimeout, Finish: FinishError, Error: "late: context deadline exceeded", Failure: FailureTimeout})
	check(Answer{}, Outcome{State: StateFailed, Finish: FinishError, Error: "the server gave no answer and no reason"})
	for _, v := range []float64{math.NaN(), math.Inf(-1)} {
		check(Answer{Reply: Reply{Text: "3", Finish: FinishStop}, Reference: &v},
			Outcome{State: StateOK, Answer: "3", Finish: FinishStop})
	}
}

func TestJudgeLetter(t *testing.T) {
	it := Item{ID: "x", Benchmark: "quiz", Cluster: "p1", Category: "choice", Metric: "letter", Prompt: "?", Answer: "B", Labels: []string{"A", "B", "C"}}
	check := func(logprobs []float64, text string, want Outcome) {
		t.Helper()
		want.ID, want.Category, want.Cluster = it.ID, it.Category, "quiz/p1"
		if want.Soft != nil { // all are finite: they are kept
			want.Labels = &LabelScores{LogProbs: logprobs, Right: 1}
		}
		got := judge(t.Context(), it, letter{}, letter{}.Ask(it), Answer{Reply: Reply{Text: text, Finish: FinishStop}, Labels: logprobs})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	margin := func(v float64) *float64 { return &v }
	ok := Outcome{State: StateOK, Finish: FinishStop}
	ok.Score, ok.Soft, ok.Answer = 1, margin(1), "B"
	check([]float64{-2, -1, -3}, "", ok)
	ok.Score, ok.Soft, ok.Answer = 0, margin(-2), "C"
	check([]float64{-2, -3, -1}, "", ok)
	ok.Soft, ok.Answer = margin(0), "A" // the first of equals
	check([]float64{-1, -1, -1}, "", ok)
	ok.Score, ok.Soft, ok.Answer = 1, nil, "B"
	check([]float64{math.Inf(-1), -1, math.Inf(-1)}, "", ok)
	check(nil, "B", ok) // the server cannot score labels
	bad := Outcome{State: StateFailed, Finish: FinishError, Error: "the server did not score every label"}
	check([]float64{-1, -2}, "", bad)
	check([]float64{-1, math.NaN(), -2}, "", bad)
}
