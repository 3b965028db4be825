//go:build agree

package study

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
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
	f, err := os.Open(filepath.Join(garden, "results", "soups.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); ; {
		lines.Buffer(nil, 1<<20)
		if !lines.Scan() {
			break
		}
		var soup struct {
			Name string
			Mean map[string]float64
		}
		if err := json.Unmarshal(lines.Bytes(), &soup); err != nil {
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
