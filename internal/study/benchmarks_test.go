package study

import (
	"context"
	"strings"
	"testing"

	"soup/benchmarks"
	"soup/eval"
)

// A study names the program of metric command; its items cannot.
func TestConfigNamesACommand(t *testing.T) {
	c := &Config{File: "x.yaml"}
	if err := parseInto(c, "benchmarks: [{name: x, file: items.jsonl, command: [python3, score.py], timeout: 30s}]"); err != nil {
		t.Fatal(err)
	}
	s := c.Benchmarks[0]
	argv, _ := s.Options["command"].([]any)
	if len(argv) != 2 || argv[1] != "score.py" || s.Options["timeout"] != "30s" {
		t.Errorf("%+v", s)
	}
	s.Path = "../../cmd/soup/main.go" // options are read before the file
	s.Options["command"] = nil
	if _, err := benchmarks.Load(s); err == nil || !strings.Contains(err.Error(), "command") {
		t.Errorf("no program: %v", err)
	}
}

// speaking can only generate.
type speaking struct{}

func (speaking) Load(context.Context, eval.Model) (eval.Version, error) { return "v", nil }
func (speaking) Health(context.Context) error                           { return nil }
func (speaking) Close() error                                           { return nil }
func (speaking) Generate(context.Context, eval.Request) (eval.Reply, error) {
	return eval.Reply{Finish: eval.FinishStop}, nil
}

// Before the night: a server that cannot tell how likely whole texts are gets no
// benchmark of them, and a benchmark with few of them is named.
func TestUnaskableChoicesAreNamedBefore(t *testing.T) {
	choice := eval.Item{ID: "c1", Category: "facts", Metric: "choice", Raw: "?", Answer: "a", Choices: []string{"a", "b"}}
	written := eval.Item{ID: "w1", Category: "facts", Metric: "exact", Raw: "?", Answer: "a"}
	s := &session{config: &Config{File: "x.yaml"}, server: speaking{}}
	_, err := s.checkSplit("search", []eval.Item{choice})
	if err == nil || !strings.Contains(err.Error(), "no search item of category facts can be asked") || !strings.Contains(err.Error(), "how likely a whole text is") {
		t.Errorf("%v", err)
	}
	note, err := s.checkSplit("search", []eval.Item{choice, written})
	if err != nil || !strings.Contains(note, `1 of 2 search items cannot be asked`) || !strings.Contains(note, `"c1"`) {
		t.Errorf("%q, %v", note, err)
	}
}
