package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"soup/search"
)

// writeGrid records a lattice of three parents in steps of a half: item i of each
// of two categories is right where the soup's first weight is above i/4.
func writeGrid(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	names := []string{}
	for _, split := range []string{"search", "selection", "test"} {
		for i := range 4 {
			for _, c := range []string{"sum", "sort"} {
				names = append(names, fmt.Sprintf("%s-%s-%03d", c, split, i))
			}
		}
	}
	var weights, scores, soft strings.Builder
	for a := range 3 {
		for b := range 3 - a {
			fmt.Fprintf(&weights, `{"weights":{"x":%v,"y":%v,"z":%v}}`+"\n", float64(a)/2, float64(b)/2, float64(2-a-b)/2)
			var hard, smooth []string
			for i := range names {
				margin := float64(a)/2 - float64(i%8/2)/4
				hard = append(hard, map[bool]string{true: "1", false: "0"}[margin > 0])
				smooth = append(smooth, fmt.Sprint(margin))
			}
			scores.WriteString(strings.Join(hard, ",") + "\n")
			soft.WriteString(strings.Join(smooth, ",") + "\n")
		}
	}
	write(t, filepath.Join(dir, "grid.jsonl"), weights.String())
	head := strings.Join(names, ",") + "\n"
	write(t, filepath.Join(dir, "grid_scores.csv.gz"), packed(t, head+scores.String()))
	write(t, filepath.Join(dir, "grid_soft.csv.gz"), packed(t, head+soft.String()))
	return dir
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// On the lattice the emulator says what was recorded, in between it interpolates.
func TestEmulator(t *testing.T) {
	g, err := readGrid(writeGrid(t))
	if err != nil {
		t.Fatal(err)
	}
	if best := g.best(); best != 1 {
		t.Errorf("best %v", best)
	}
	for _, c := range []struct {
		weights []float64
		score   float64
		soft    float64 // of the first item
	}{
		{[]float64{1, 0, 0}, 1, 1},
		{[]float64{0.5, 0, 0.5}, 0.5, 0.5},
		{[]float64{0, 1, 0}, 0, 0},
		{[]float64{0.75, 0.1, 0.15}, 0.75, 0.75},
	} {
		w := g.world(1, 150)
		trial := w.try(search.Point{Weights: [][]float64{c.weights}})
		if len(trial.Items) != 16 || math.Abs(trial.Score-c.score) > 1e-9 || math.Abs(trial.Items[slices.IndexFunc(trial.Items, func(i search.Item) bool { return strings.HasSuffix(i.ID, "000") })].Soft-c.soft) > 1e-9 {
			t.Errorf("%v: %d items, score %v", c.weights, len(trial.Items), trial.Score)
		}
		if truth := w.truth(search.Point{Weights: [][]float64{c.weights}}); math.Abs(truth-c.score) > 1e-9 {
			t.Errorf("%v: truth %v", c.weights, truth)
		}
	}
	if n := len(g.world(1, 3).try(search.Point{Weights: [][]float64{{1, 0, 0}}}).Items); n != 6 {
		t.Errorf("%d items; want 3 a category", n)
	}
}

// Corners of an interpolation are on the lattice, their parts sum to 1 and their
// weights to the point.
func TestCorners(t *testing.T) {
	g, err := readGrid(writeGrid(t))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[int][]float64{}
	for a := range 3 {
		for b := range 3 - a {
			rows[g.rows[fmt.Sprint([]int{a, b, 2 - a - b})]] = []float64{float64(a) / 2, float64(b) / 2, float64(2-a-b) / 2}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		w := []float64{rapid.Float64Range(0, 1).Draw(t, "a"), rapid.Float64Range(0, 1).Draw(t, "b"), 0.01}
		total := w[0] + w[1] + w[2]
		sums, parts := make([]float64, 3), 0.0
		for i := range w {
			w[i] /= total
		}
		for _, c := range g.corners(w) {
			parts += c.part
			for i, x := range rows[c.row] {
				sums[i] += c.part * x
			}
		}
		for i := range w {
			if math.Abs(sums[i]-w[i]) > 1e-6 || math.Abs(parts-1) > 1e-9 {
				t.Fatalf("%v: corners make %v, parts sum to %v", w, sums, parts)
			}
		}
	})
}

// A bad parent does damage wherever it has weight, and shuffling loses nothing.
func TestBadParent(t *testing.T) {
	g, err := readGrid(writeGrid(t))
	if err != nil {
		t.Fatal(err)
	}
	w := g.spoiled(3, 150)
	at := func(weights map[string]float64) search.Point {
		row := make([]float64, len(w.space.Parents))
		for i, name := range w.space.Parents {
			row[i] = weights[name]
		}
		return search.Point{Weights: [][]float64{row}}
	}
	if got := w.truth(at(map[string]float64{"x": 1})); got != 1 {
		t.Errorf("the best parent scores %v", got)
	}
	if got := w.truth(at(map[string]float64{"x": 0.75, "bad": 0.25})); got > 0.65 || got < 0.5 {
		t.Errorf("with a quarter of the bad one: %v", got)
	}
	if got := w.try(at(map[string]float64{"bad": 1})).Score; got > 0.2 {
		t.Errorf("the bad one scores %v", got)
	}
}

// No point of a landscape is above what is said to be its best, and items answer as
// the landscape says.
func TestLandscapes(t *testing.T) {
	for _, p := range landscapes() {
		w := p.world(1, 2000)
		if len(w.space.Parents) != p.parents {
			t.Errorf("%s: %d parents", p.name, len(w.space.Parents))
		}
		random, err := search.New("random", map[string]any{"budget": 2000, "alpha": 0.5}, w.space, 1)
		if err != nil {
			t.Fatal(err)
		}
		points := random.Ask(2000)
		for _, point := range points {
			if truth := w.truth(point); truth > w.best+1e-3 {
				t.Errorf("%s: %v scores %v, the best %v", p.name, point.Weights, truth, w.best)
				break
			}
		}
		for _, point := range points[:20] {
			if got, want := w.try(point).Score, w.truth(point); math.Abs(got-want) > 0.03 {
				t.Errorf("%s: %v scores %v on 8000 items, %v in truth", p.name, point.Weights, got, want)
			}
		}
	}
}

// Reports are the same for the same seeds, count the parents and the uniform soup,
// and a search that finds the top has no regret.
func TestSearchReport(t *testing.T) {
	o := SearchOptions{Problems: []string{"corner", "grid"}, Strategies: []string{"gp", "random"}, Marks: []int{7, 5}, Seeds: 3, Items: 40, Grid: writeGrid(t)}
	first, err := Search(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Search(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(first) != fmt.Sprint(again) {
		t.Errorf("two runs differ:\n%v\n%v", first, again)
	}
	if len(first.Rows) != 8 || first.Rows[0].Evaluations != 5 || len(first.Rows[0].Regrets) != 3 {
		t.Fatalf("rows %v", first.Rows)
	}
	for _, r := range first.Rows {
		if r.Median != 0 || r.Low > r.Median || r.High < r.Median {
			t.Errorf("a parent is best and is asked first, but the regret is %+v", r)
		}
	}
	var text, raw bytes.Buffer
	if err := errors.Join(first.WriteText(&text), first.WriteJSON(&raw)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"corner", "grid", "random", "0.00 (0.00-0.00)"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if !strings.Contains(raw.String(), `"upper_quartile": 0`) {
		t.Error(raw.String())
	}
}

func TestSearchTrouble(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Search(cancelled, SearchOptions{Problems: []string{"edge"}, Strategies: []string{"sobol"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for want, o := range map[string]SearchOptions{
		"no problem is named \"hole\"": {Problems: []string{"hole"}},
		"unknown strategy \"luck\"":    {Problems: []string{"edge"}, Strategies: []string{"luck"}},
		"cannot be -1":                 {Problems: []string{"edge"}, Marks: []int{-1}},
		"grid.jsonl":                   {Grid: t.TempDir()},
	} {
		if _, err := Search(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// Every way in which a recorded grid can be broken is named.
func TestBrokenGrids(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{"grid.jsonl", "", "no soups"},
		{"grid.jsonl", "{\"weights\":{\"x\":1,\"y\":0}}\n{\"weights\":{\"x\":0.5,\"y\":0.5}}\n", "has 3"},
		{"grid.jsonl", "{", "line 1"},
		{"grid_scores.csv.gz", "plain text, no archive", "gzip"},
		{"grid_scores.csv.gz", packed(t, "a-test-1,a-test-2\n1\n"), "line 2 has 1 cells"},
		{"grid_soft.csv.gz", packed(t, "a-test-1\nhalf\n"), "line 2"},
		{"grid_soft.csv.gz", packed(t, "a-test-1\n0.5\n"), "differ"},
	} {
		dir := writeGrid(t)
		write(t, filepath.Join(dir, c.file), c.text)
		if _, err := readGrid(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: error %v does not say %q", c.file, err, c.want)
		}
	}
}

// Tables in Markdown have a line a strategy; equal quartiles are left out.
func TestSearchMarkdown(t *testing.T) {
	r := SearchReport{Rows: []SearchResult{
		{Problem: "hill", Strategy: "a", Evaluations: 5, Median: 1, Low: 0.5, High: 2},
		{Problem: "hill", Strategy: "a", Evaluations: 9},
		{Problem: "hill", Strategy: "b", Evaluations: 5, Median: 3, Low: 3, High: 3},
		{Problem: "hill", Strategy: "b", Evaluations: 9, Median: 2, Low: 1, High: 3},
		{Problem: "hole", Strategy: "a", Evaluations: 5},
	}}
	var got bytes.Buffer
	if err := r.WriteMarkdown(&got); err != nil {
		t.Fatal(err)
	}
	want := `| hill | 5 | 9 |
|---|---|---|
| a | 1.00 (0.50-2.00) | 0.00 |
| b | 3.00 | 2.00 (1.00-3.00) |

| hole | 5 |
|---|---|
| a | 0.00 |

`
	if got.String() != want {
		t.Errorf("got\n%s", got.String())
	}
}

// Every problem has its plot, with a line a strategy, also where regret is 0.
func TestSearchPlots(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plots")
	r := SearchReport{Rows: []SearchResult{
		{Problem: "hill", Strategy: "first", Evaluations: 5, Items: 500, Median: 1, Low: 0.5, High: 2},
		{Problem: "hill", Strategy: "first", Evaluations: 9, Items: 900},
		{Problem: "hole", Strategy: "second", Evaluations: 5, Items: 500},
	}}
	if err := r.WritePlots(dir); err != nil {
		t.Fatal(err)
	}
	for problem, strategy := range map[string]string{"hill": "first", "hole": "second"} {
		svg, err := os.ReadFile(filepath.Join(dir, "regret-"+problem+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{problem, strategy, "search items answered"} {
			if !strings.Contains(string(svg), ">"+want+"<") {
				t.Errorf("%s does not say %s", problem, want)
			}
		}
	}
}
