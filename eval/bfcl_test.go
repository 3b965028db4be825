package eval

import (
	"encoding/json"
	"strings"
	"testing"
)

func leaderboardItem(metric, rule string) Item {
	return Item{
		ID: "a", Metric: metric, Prompt: "?", Rule: json.RawMessage(rule), GroundTruth: json.RawMessage(`[{"clock.set":{"hour":[7,8],"label":["Tea, now",""]}}]`),
		Function: json.RawMessage(`[{"name":"clock.set","description":"d","parameters":{"type":"dict","properties":{"hour":{"type":"integer"},"label":{"type":"string"}},"required":["hour"]}}]`),
	}
}

func TestLeaderboard(t *testing.T) {
	for _, c := range []struct {
		rule, answer string
		right, calls float64
	}{
		{"", `[clock.set(hour=7, label="tea now")]`, 1, 1},
		{"", "```\nclock.set(hour=2*4)\n```", 1, 1},
		{"", `clock.set(hour=8.0)`, 0, 1},
		{"", `clock_set(hour=8)`, 0, 1},
		{"", `Eight o'clock.`, 0, 0},
		{"", `[{"name": "clock.set", "arguments": {"hour": 7}}]`, 0, 0},
		{`{"calling":true}`, `[{"name": "clock.set", "arguments": {"hour": 7}}]`, 1, 1},
		{`{"calling":true,"underscores":true}`, `{"name": "clock_set", "arguments": "{\"hour\": 7}"}`, 1, 1},
		{`{"calling":true}`, `clock.set(hour=8)`, 0, 0},
	} {
		it := leaderboardItem("bfcl_ast", c.rule)
		if err := it.Validate(); err != nil {
			t.Error(err)
		}
		for metric, want := range map[string]float64{"bfcl_ast": c.right, "bfcl_relevance": c.calls, "bfcl_irrelevance": 1 - c.calls} {
			if got := metrics[metric].Score(it, c.answer); got != want {
				t.Errorf("%s of %s, rule %s: %v, want %v", metric, c.answer, c.rule, got, want)
			}
		}
	}
}

func TestLeaderboardValidate(t *testing.T) {
	check := func(change func(*Item), part string) {
		t.Helper()
		it := leaderboardItem("bfcl_ast", "")
		change(&it)
		if err := it.Validate(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not name %q", err, part)
		}
	}
	check(func(it *Item) { it.Function = nil }, `"function" is missing`)
	check(func(it *Item) { it.GroundTruth = nil }, `"ground_truth" is missing`)
	check(func(it *Item) { it.Rule = json.RawMessage(`{"language":"perl"}`) }, `"perl"`)
	check(func(it *Item) { it.Rule = json.RawMessage(`{"matching":"some"}`) }, `"some"`)
	check(func(it *Item) { it.Rule = json.RawMessage(`[]`) }, "rule")
	check(func(it *Item) { it.Metric, it.Rule = "bfcl_relevance", json.RawMessage(`[]`) }, "rule")
	check(func(it *Item) { it.Function = json.RawMessage(`{}`) }, "function")
	check(func(it *Item) { it.Function = json.RawMessage(`[{}]`) }, "no name")
	check(func(it *Item) { it.GroundTruth = json.RawMessage(`{}`) }, "ground_truth: not a list")
	check(func(it *Item) { it.GroundTruth = json.RawMessage(`[{}]`) }, "names no function")
	check(func(it *Item) { it.GroundTruth = json.RawMessage(`[{"f":1}]`) }, "no arguments")
	check(func(it *Item) { it.GroundTruth = json.RawMessage(`[{"f":{"x":1}}]`) }, "not a list")
}

// What is scored and kept of an answer are the calls that the server read.
func TestCallsAreTheAnswer(t *testing.T) {
	it := leaderboardItem("bfcl_ast", `{"calling":true,"underscores":true}`)
	calls := []Call{{Name: "clock_set", Arguments: json.RawMessage(`{"hour":7}`)}}
	o := judge(t.Context(), it, metrics[it.Metric], Question{}, Answer{Reply: Reply{Text: "I set it.", Calls: calls, Finish: FinishStop}})
	if o.Score != 1 || o.Answer != `[{"name":"clock_set","arguments":{"hour":7}}]` {
		t.Errorf("%+v", o)
	}
	calls[0].Arguments = json.RawMessage(`{"hour":`)
	if o := judge(t.Context(), it, metrics[it.Metric], Question{}, Answer{Reply: Reply{Text: "I set it.", Calls: calls, Finish: FinishStop}}); o.Score != 0 || o.Answer != "I set it." {
		t.Errorf("broken arguments: %+v", o)
	}
}
