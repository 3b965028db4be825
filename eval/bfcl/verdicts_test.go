package bfcl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"testing"
)

// line is one of a file that tools/bfcl.py writes: an item, or an answer to the
// last one with what the official program says of it.
type line struct {
	Item        string          `json:"item"`
	Rule        Rule            `json:"rule"`
	Function    json.RawMessage `json:"function"`
	GroundTruth json.RawMessage `json:"ground_truth"`
	Answer      *string         `json:"answer"`
	Right       *bool           `json:"right"` // nil: the official program failed, the answer is wrong here
	Calls       bool            `json:"calls"`
}

// compareVerdicts judges every answer of a file and returns how many there are.
func compareVerdicts(t *testing.T, r io.Reader) (answers, right int) {
	t.Helper()
	var item line
	var judge *Judge
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.Answer == nil {
			var err error
			if judge, err = NewJudge(l.Rule, l.Function, l.GroundTruth); err != nil {
				t.Fatalf("%s: %v", l.Item, err)
			}
			item = l
			continue
		}
		answers++
		want := l.Right != nil && *l.Right
		if want {
			right++
		}
		if got := judge.Right(*l.Answer); got != want {
			t.Errorf("%s: %q is right: %t, officially %t", item.Item, *l.Answer, got, want)
		}
		// The benchmark asks whether there are calls at all in Python only.
		if got := Calls(item.Rule, *l.Answer); got != l.Calls && item.Rule.Language == Python {
			t.Errorf("%s: %q has calls: %t, officially %t", item.Item, *l.Answer, got, l.Calls)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return answers, right
}

// testdata is written by tools/bfcl.py golden: invented functions, changed
// answers, and what the benchmark's own program says of them.
func TestVerdicts(t *testing.T) {
	f, err := os.Open("testdata/verdicts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	answers, right := compareVerdicts(t, f)
	if answers < 1400 || right < 200 || right > answers/2 {
		t.Errorf("%d answers, %d of them right", answers, right)
	}
}

func TestPrompts(t *testing.T) {
	functions := map[string]line{}
	err := eachLine("testdata/items.jsonl", func(l line) { functions[l.Item] = l })
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = eachLine("testdata/prompts.jsonl", func(want struct {
		Item          string
		System, Third string
		Tools         json.RawMessage
	},
	) {
		n++
		it := functions[want.Item]
		for version, text := range map[int]string{4: want.System, 3: want.Third} {
			got, err := Prompt(version, it.Rule.Language, it.Function)
			if err != nil || got != text {
				t.Errorf("%s: prompt of version %d is %q, want %q (error %v)", want.Item, version, got, text, err)
			}
		}
		tools, err := Tools(it.Rule.Language, it.Function)
		if same, errIndent := Indent(want.Tools, 0); err != nil || errIndent != nil || string(tools) != same {
			t.Errorf("%s: tools are %s, want %s (errors %v, %v)", want.Item, tools, same, err, errIndent)
		}
	})
	if err != nil || n != len(functions) {
		t.Errorf("%d prompts of %d items, error %v", n, len(functions), err)
	}
}

// eachLine reads a JSON Lines file.
func eachLine[T any](path string, each func(T)) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for l := range bytes.Lines(raw) {
		var v T
		if err := json.Unmarshal(l, &v); err != nil {
			return err
		}
		each(v)
	}
	return nil
}
