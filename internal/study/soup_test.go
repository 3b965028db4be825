package study

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/benchmarks"

	"soup/eval"
	"soup/eval/server/embedded"
	"soup/merge"
	"soup/merge/convert"
	"soup/results"
)

// A soup of given weights scores as PyTorch scored it, item by item: 99 % of
// the test items alike, category means within a point.
func TestSoupAgreesWithPyTorch(t *testing.T) {
	root, err := filepath.Abs(garden)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"uniform-good", "greedy"} {
		t.Run(name, func(t *testing.T) {
			label, weights, scores := referenceSoup(t, name)
			c := &Config{File: filepath.Join(t.TempDir(), "x.yaml"), Store: "bfloat16"}
			row := []float64{}
			for _, parent := range slices.Sorted(maps.Keys(weights)) {
				c.Parents.List = append(c.Parents.List, Parent{Name: filepath.Base(parent), Path: filepath.Join(root, parent)})
				row = append(row, weights[parent])
			}
			for _, category := range []string{"arith", "call", "choice", "reverse", "sort", "translate"} {
				c.Benchmarks = append(c.Benchmarks, benchmarks.Source{Name: category, Path: filepath.Join(root, "data", category+".jsonl")})
			}
			compareScores(t, label, scores, scoreSoup(t, c, row))
		})
	}
}

// scoreSoup cooks and scores one soup on the test items.
func scoreSoup(t *testing.T, c *Config, weights []float64) []eval.Outcome {
	t.Helper()
	set, err := loadItems(c)
	if err != nil {
		t.Fatal(err)
	}
	p, buffer := testPantry(t, c)
	if _, err := buffer.Cook(t.Context(), p.served, p.recipe([][]float64{weights})); err != nil {
		t.Fatal(err)
	}
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if _, err := engine.Load(t.Context(), eval.Model{Path: buffer.Path()}); err != nil {
		t.Fatal(err)
	}
	var outcomes []eval.Outcome
	var items []eval.Item // every third, as many of every category
	for i := 0; i < len(set.Test); i += 3 {
		items = append(items, set.Test[i])
	}
	err = eval.Run(t.Context(), engine, items, eval.Options{}, func(o []eval.Outcome) error {
		outcomes = append(outcomes, o...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

// testPantry opens and converts the parents of a study and makes a buffer.
func testPantry(t *testing.T, c *Config) (*pantry, *merge.Buffer) {
	t.Helper()
	p, err := openPantry(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	if err := p.hash(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.convert(t.Context(), c, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	buffer, err := p.newBuffer(filepath.Join(t.TempDir(), "candidate"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = buffer.Close() })
	return p, buffer
}

// referenceSoup reads weights and item scores of a soup whose name begins so.
func referenceSoup(t *testing.T, name string) (label string, weights, scores map[string]float64) {
	t.Helper()
	table, err := os.Open(garden + "/results/soups.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for lines := bufio.NewScanner(table); lines.Scan(); {
		var s struct {
			Name    string
			Weights map[string]float64
		}
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(s.Name, name) {
			label, weights = s.Name, s.Weights
		}
	}
	f, err := os.Open(garden + "/results/soup_items.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	scores = map[string]float64{}
	for lines := bufio.NewScanner(z); lines.Scan(); {
		var s struct {
			Name, ID string
			Score    float64
		}
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(s.Name, name) {
			scores[s.ID] = s.Score
		}
	}
	if len(weights) < 2 || len(scores) != 3600 {
		t.Fatalf("%s: %d weights, %d scores", name, len(weights), len(scores))
	}
	return label, weights, scores
}

func compareScores(t *testing.T, label string, want map[string]float64, got []eval.Outcome) {
	t.Helper()
	alike := 0
	difference, n := map[string]float64{}, map[string]float64{}
	for _, o := range got {
		if math.Abs(o.Score-want[o.ID]) < 1e-3 {
			alike++
		}
		difference[o.Category] += o.Score - want[o.ID]
		n[o.Category]++
	}
	if len(got) != 600 || alike < len(got)*99/100 {
		t.Errorf("%s: %d of %d items are scored alike", label, alike, len(got))
	}
	for c, d := range difference {
		if points := 100 * d / n[c]; math.Abs(points) > 1 {
			t.Errorf("%s: %s differs by %.2f points", label, c, points)
		}
	}
}

// GGUF parents need no conversion; their soup is a GGUF file.
func TestGGUFParents(t *testing.T) {
	file := smallStudy(t, "")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var parents string
	for _, p := range []string{"arith", "order"} {
		converted, err := convert.Cache(t.Context(), garden+"/finetune/"+p, dir, p)
		if err != nil {
			t.Fatal(err)
		}
		parents += "  - {name: " + p + ", path: " + converted.Path + "}\n"
	}
	_, benchmarks, _ := strings.Cut(string(text), "benchmarks:")
	if err := os.WriteFile(file, []byte("parents:\n"+parents+"benchmarks:"+benchmarks), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, file, RunOptions{})
	if _, err := os.Stat(filepath.Join(DefaultDir(file), "winner.gguf")); err != nil {
		t.Error(err)
	}
	if k := read(t, DefaultDir(file)); len(k.Outcomes["0 "+results.Search]) != 36 {
		t.Errorf("%d outcomes of the first trial", len(k.Outcomes["0 "+results.Search]))
	}
}
