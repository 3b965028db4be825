package results

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// everyState returns a ledger with a trial in every state, and a report of it.
func everyState(t testing.TB, groups []string) (*Ledger, Report) {
	t.Helper()
	l := begun(t)
	r := Report{Study: "night-1", Parents: []string{"order", "arith"}}
	for number, state := range []string{Complete, Pruned, Failed, Cached, Complete, Running} {
		c := candidate(number)
		if c.Groups = groups; groups != nil && number > 0 { // trial 0 has one row for all groups
			c.Weights = [][]float64{{-0.25, 1.25}, {0.1, 0.9}}
		} else {
			c.Groups = nil
		}
		c.Started = time.Date(2026, 11, 23, 23, number, 0, 1000, time.UTC)
		must(t, l.Start(c))
		must(t, l.Record(number, Search, []Outcome{
			{Item: "x", Category: "a", State: OK, Score: 1}, {Item: "y", Category: "a", State: Timeout}, {Item: "z", Category: "a", State: Truncated, Score: 0.5},
		}[:map[string]int{Complete: 3, Pruned: 1, Running: 2}[state]]))
		must(t, l.Record(number, Test, []Outcome{{Item: "t", Category: "a", State: OK, Score: 0.25}}[:map[bool]int{true: 1}[number == 0]]))
		shown := TrialReport{Number: number, Of: number, State: state, Label: c.Label}
		if c.State = state; state == Cached {
			c.Of, shown.Of = 0, 0
		}
		if state == Complete || state == Cached {
			shown.Scores.Search = &Score{Mean: ptr(0.75), Counts: Counts{N: 2}}
		}
		if number == 4 { // nothing of a category was measured
			shown.Scores.Search.Mean = nil
		}
		if state == Failed {
			c.Reason, shown.Reason = "why", "why"
		}
		if state != Running {
			c.Finished = c.Started.Add(time.Minute)
			must(t, l.Finish(c))
		}
		r.Trials = append(r.Trials, shown)
	}
	r.Winner = &WinnerReport{Trial: 0}
	return l, r
}

// records are the lines of a journal.
func records(t testing.TB, l *Ledger, r Report) (list []map[string]any) {
	t.Helper()
	var text bytes.Buffer
	must(t, l.WriteOptuna(t.Context(), &text, r, time.UTC))
	for line := range strings.Lines(text.String()) {
		var record map[string]any
		must(t, json.Unmarshal([]byte(line), &record))
		if record["worker_id"] != "soup" {
			t.Errorf("no worker: %s", line)
		}
		list = append(list, record)
	}
	return list
}

// The rules of the format that its readers do not forgive, one by one.
func TestWriteOptuna(t *testing.T) {
	l, report := everyState(t, nil)
	var trials []map[string]any
	list := records(t, l, report)
	for i, r := range list {
		switch r["op_code"] {
		case 0.0:
			if i != 0 || r["study_name"] != "night-1" || r["directions"].([]any)[0] != 2.0 {
				t.Errorf("study %v", r)
			}
		case 2.0, 3.0:
			attributes, ok := r[map[any]string{2.0: "user_attr", 3.0: "system_attr"}[r["op_code"]]].(map[string]any)
			if !ok || len(attributes) != 1 {
				t.Errorf("not exactly one attribute: %v", r)
			}
		case 4.0:
			trials = append(trials, r)
		default:
			t.Errorf("operation %v", r)
		}
	}
	if last := trialsBefore(list); last["system_attr"].(map[string]any)["study:metric_names"] == nil {
		t.Errorf("the last attribute is %v", last)
	}
	states := map[int]float64{0: 1, 1: 2, 2: 3, 3: 1, 4: 3, 5: 0}
	scores := []map[string]any{{"1": 1.0, "3": 0.5}, {"1": 1.0}, {}, {"1": 1.0, "3": 0.5}, {"1": 1.0, "3": 0.5}, {"1": 1.0}}
	for i, r := range trials {
		value, has := r["value"]
		if has != (states[i] == 1) || has && value != 0.75 {
			t.Errorf("trial %d: value %v", i, value)
		}
		_, finished := r["datetime_complete"]
		if r["state"] != states[i] || finished != (i != 5) || r["datetime_start"] != "2026-11-23T23:0"+string(rune('0'+i))+":00.000001" {
			t.Errorf("trial %d: %v", i, r)
		}
		if got := r["intermediate_values"].(map[string]any); !maps.Equal(got, scores[i]) {
			t.Errorf("trial %d: scores %v, want %v", i, got, scores[i])
		}
		params, distributions := r["params"].(map[string]any), r["distributions"].(map[string]any)
		if params["order"] != 0.1 || params["arith"] != 0.9 || !slices.Equal(slices.Sorted(maps.Keys(params)), slices.Sorted(maps.Keys(distributions))) {
			t.Errorf("trial %d: %v, %v", i, params, distributions)
		}
		if d := distributions["order"]; d != `{"name":"FloatDistribution","attributes":{"step":null,"low":0.0,"high":1.0,"log":false}}` {
			t.Errorf("distribution %v", d)
		}
		for name, value := range r["user_attrs"].(map[string]any) {
			if value == nil {
				t.Errorf("trial %d: %s is null", i, name)
			}
		}
	}
	user := func(i int) map[string]any { return trials[i]["user_attrs"].(map[string]any) }
	if user(0)["winner"] != true || user(3)["of"] != 0.0 || user(2)["reason"] != "why" || user(1)["state"] != Pruned || user(0)["strategy"] != "random" {
		t.Errorf("attributes %v", trials)
	}
}

// trialsBefore is the record before the first trial.
func trialsBefore(list []map[string]any) map[string]any {
	i := slices.IndexFunc(list, func(r map[string]any) bool { return r["op_code"] == 4.0 })
	return list[i-1]
}

// One row for all tensors is that of every group, or the trials would have no
// parameter in common; the range holds all weights.
func TestWriteOptunaGroups(t *testing.T) {
	l, report := everyState(t, []string{"early", "late"})
	list := records(t, l, report)
	first, second := list[len(list)-6]["params"].(map[string]any), list[len(list)-5]["params"].(map[string]any)
	if !maps.Equal(first, map[string]any{"early/order": 0.1, "early/arith": 0.9, "late/order": 0.1, "late/arith": 0.9}) ||
		!maps.Equal(second, map[string]any{"early/order": -0.25, "early/arith": 1.25, "late/order": 0.1, "late/arith": 0.9}) {
		t.Errorf("%v, %v", first, second)
	}
	if d := list[len(list)-1]["distributions"].(map[string]any)["late/order"].(string); !strings.Contains(d, `"low":-0.25,"high":1.25`) {
		t.Error(d)
	}
}

// A trial that began after the report was made is left out; times without a
// zone are those of the zone given.
func TestWriteOptunaWhileRunning(t *testing.T) {
	l, report := everyState(t, nil)
	report.Trials = report.Trials[:2]
	var text bytes.Buffer
	must(t, l.WriteOptuna(t.Context(), &text, report, time.FixedZone("there", 3600)))
	if n := strings.Count(text.String(), `"op_code":4`); n != 2 || !strings.Contains(text.String(), `"2026-11-24T00:00:00.000001"`) {
		t.Errorf("%d trials in %s", n, &text)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := l.WriteOptuna(stopped, &text, report, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPythonFloat(t *testing.T) {
	for x, want := range map[float64]string{0: "0.0", 1: "1.0", -2: "-2.0", 0.1: "0.1", 1. / 3: "0.3333333333333333", 1e-9: "1e-09", 1e300: "1e+300"} {
		if got := pythonFloat(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
		if !json.Valid([]byte(pythonFloat(x))) {
			t.Errorf("%s is not JSON", pythonFloat(x))
		}
	}
}
