//go:build cgo

package embedded

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"soup/eval"
)

const garden = "../../../examples/garden/"

type line struct{ ID, Category, Split, Prompt, Answer, Metric string }

func gardenItems(tb testing.TB, split string) []line {
	tb.Helper()
	files, err := filepath.Glob(garden + "data/*.jsonl")
	if err != nil || len(files) == 0 {
		tb.Fatal("no data", err)
	}
	var items []line
	for _, p := range files {
		f, err := os.Open(p)
		if err != nil {
			tb.Fatal(err)
		}
		defer f.Close()
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			var l line
			if err := json.Unmarshal(s.Bytes(), &l); err != nil {
				tb.Fatal(err)
			}
			if l.Split == split {
				items = append(items, l)
			}
		}
	}
	return items
}

func questions(items []line) []eval.Question {
	qs := make([]eval.Question, len(items))
	for i, l := range items {
		qs[i] = eval.Question{Request: eval.Request{Messages: []eval.Message{{Role: "user", Content: l.Prompt}}}, Reference: l.Answer}
		if l.Metric == "letter" {
			qs[i].Reference, qs[i].Labels = "", []string{"A", "B", "C", "D"}
		}
	}
	return qs
}
