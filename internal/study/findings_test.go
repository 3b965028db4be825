package study

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/internal/usage"
)

// What is found about the parents is said before work starts, and once in the
// ledger for the report, which names parents as the study does.
func TestFindingsOfAStudy(t *testing.T) {
	dir := t.TempDir()
	parents := []string{copyOf(t, "finetune/arith", filepath.Join(dir, "arith")), copyOf(t, "finetune/order", filepath.Join(dir, "order"))}
	for i, card := range []string{"license: mit\ntags: [sft]", "license: cc-by-nc-4.0\ntags: [dpo]"} {
		if err := os.WriteFile(filepath.Join(parents[i], "README.md"), []byte("---\n"+card+"\n---\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := withParents(t, "strategies: []\n", parents...)
	m := &machine{}
	for range 2 {
		warnings, err := tryRun(t, file, RunOptions{start: m.start})
		if err != nil || !strings.Contains(warnings, "soup: warning: licence: ") || !strings.Contains(warnings, "soup: warning: stage: ") {
			t.Fatalf("%v, %s", err, warnings)
		}
	}
	r, err := BuildReport(t.Context(), DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) < 2 || r.Findings[0].Code != "licence" || r.Findings[1].Code != "stage" || r.Findings[1].Parent != "order" {
		t.Errorf("%+v", r.Findings)
	}
	ledger, err := openForReading(DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	if events, err := ledger.Events(findingsEvent); err != nil || len(events) != 1 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// What refuses is a mistake in the study file, with a remedy, and nothing is made.
func TestRefusedParents(t *testing.T) {
	dir := t.TempDir()
	a, b := copyOf(t, "finetune/arith", filepath.Join(dir, "arith")), copyOf(t, "finetune/order", filepath.Join(dir, "order"))
	config := filepath.Join(b, "config.json")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), `"hidden_size": 128`, `"hidden_size": 64`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	file := withParents(t, "", a, b)
	_, err = tryRun(t, file, RunOptions{})
	var wrong *usage.Error
	if !errors.As(err, &wrong) || wrong.Advice == "" || !strings.Contains(err.Error(), "hidden_size is 64") {
		t.Errorf("%v", err)
	}
	if exists(DefaultDir(file)) {
		t.Error("the study's folder was made")
	}
}
