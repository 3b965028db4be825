package web

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/internal/study"
)

// smallStudy writes a study of two garden checkpoints and a few items.
func smallStudy(t *testing.T) *study.Config {
	t.Helper()
	garden, err := filepath.Abs("../../examples/garden")
	must(t, err)
	dir := t.TempDir()
	raw, err := os.ReadFile(filepath.Join(garden, "data", "arith.jsonl"))
	must(t, err)
	var taken strings.Builder
	count := map[string]int{}
	for line := range strings.Lines(string(raw)) {
		var item struct{ Split string }
		must(t, json.Unmarshal([]byte(line), &item))
		if count[item.Split]++; count[item.Split] <= 8 {
			taken.WriteString(line)
		}
	}
	must(t, os.WriteFile(filepath.Join(dir, "arith.jsonl"), []byte(taken.String()), 0o600))
	file := filepath.Join(dir, "small.yaml")
	text := "seed: 1\nparents: " + garden + "/finetune/[ao]r*\nbenchmarks: [{file: arith.jsonl}]\nstrategies: [{random: {budget: 3}}]\n"
	must(t, os.WriteFile(file, []byte(text), 0o600))
	c, err := study.ReadConfig(file)
	must(t, err)
	return c
}

// A viewer that is there before the study sees it begin, and end with its report,
// while the embedded engine answers in this process.
func TestViewerSeesAStudyRun(t *testing.T) {
	c := smallStudy(t)
	dir := filepath.Join(t.TempDir(), "study")
	s := serve(t, Options{Dir: dir, Wait: true})
	v := s.watch(t, "")
	if m, _ := v.next(); !strings.Contains(m.Parts["head"], "starting") {
		t.Errorf("before the study: %q", m.Parts["head"])
	}
	done := make(chan error, 1)
	go func() { done <- study.Run(t.Context(), c, study.RunOptions{Dir: dir}) }()
	rows := map[string]bool{}
	seen := func(part, text string) {
		t.Helper()
		v.until(func(m message) bool {
			for _, r := range m.Rows {
				rows[r.ID] = true
			}
			return says(part, text)(m)
		})
	}
	seen("head", `badge search">search`)
	seen("head", `badge finished">finished`)
	must(t, <-done)
	seen("report", "exported to")
	report, err := study.BuildReport(t.Context(), dir)
	must(t, err)
	if len(rows) != len(report.Trials) {
		t.Errorf("rows of %d trials, the report has %d", len(rows), len(report.Trials))
	}
	_, text := s.get(t, "/")
	if !strings.Contains(text, count(report.ItemsAnswered)) || !strings.Contains(text, "finished</span>") {
		t.Errorf("%d items are answered; the page:\n%s", report.ItemsAnswered, text)
	}
}
