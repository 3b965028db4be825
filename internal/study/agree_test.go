//go:build agree

package study

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/results"
)

// TestAgree holds the averages of the last 2, 4 and 8 checkpoints of the garden's
// run, and their scores in a study's report, to those of PyTorch. The engine's sums
// end in other bits, so that an item in a hundred may be answered otherwise.
func TestAgree(t *testing.T) {
	const tolerance = 0.01
	reference := map[string]map[string]float64{}
	soups, err := os.ReadFile(filepath.Join(garden, "results", "soups.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(soups)) {
		var soup struct {
			Name string
			Mean map[string]float64
		}
		if err := json.Unmarshal([]byte(line), &soup); err != nil {
			t.Fatal(err)
		}
		reference[soup.Name] = soup.Mean
	}
	text, err := os.ReadFile(filepath.Join(garden, "run.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	there, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "run.yaml")
	study := strings.NewReplacer("run: run/", "run: "+there+"/run/", "file: data", "file: "+there+"/data", "- window", "- window: {methods: uniform, curve: 2}", "  - plane\n", "").Replace(string(text))
	if err := os.WriteFile(file, []byte(study), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, file, RunOptions{})
	r, err := BuildReport(t.Context(), DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	scored := 0
	for _, trial := range r.Trials {
		for label, name := range map[string]string{"uniform, last 2": "run-last-2", "uniform, last 4": "run-last-4", "uniform, last 8": "run-last-8"} {
			if trial.Label != label {
				continue
			}
			for split, score := range map[string]*results.Score{results.Search: trial.Scores.Search, results.Selection: trial.Scores.Selection, results.Test: trial.Scores.Test} {
				if score == nil {
					continue
				}
				scored++
				if want := reference[name][split]; math.Abs(*score.Mean-want) > tolerance {
					t.Errorf("%s on %s: %.4f, PyTorch has %.4f", label, split, *score.Mean, want)
				}
			}
		}
	}
	last := r.Curve.Points[len(r.Curve.Points)-1]
	if scored < 3 || last.Averaged == nil || math.Abs(last.Averaged.Score-reference["run-last-2"][results.Search]) > tolerance {
		t.Errorf("%d scores; the curve ends with %+v", scored, last.Averaged)
	}
}

// The probe names both bad parents of the garden, by measurement, and no good one:
// the eight fine-tunes, 60 search items of each of six categories.
func TestAgreeOnBadParents(t *testing.T) {
	there, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := "study: bad\nseed: 1\nbase: " + there + "/base\nparents: " + there + "/finetune/*\nprobe: midpoints\nstrategies: []\nfinalists: 1\nbenchmarks:\n"
	for _, c := range []string{"arith", "call", "choice", "reverse", "sort", "translate"} {
		takeItems(t, filepath.Join(there, "data", c+".jsonl"), filepath.Join(dir, c+".jsonl"), 60, 0)
		text += "  - {name: " + c + ", file: " + c + ".jsonl}\n"
	}
	file := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, file, RunOptions{})
	r, err := BuildReport(t.Context(), DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, f := range r.Findings {
		if f.Code == results.NeedlessCode {
			named = append(named, f.Parent)
		}
	}
	slices.Sort(named)
	if want := []string{"hot", "mislabeled"}; !slices.Equal(named, want) {
		t.Errorf("the probe names %v, want %v", named, want)
	}
}
