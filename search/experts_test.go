package search_test

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/search"
)

const garden = "../examples/garden/results"

// gardenModels are the garden's fine-tunes with their scores on the search split,
// 150 items a category.
func gardenModels(t testing.TB) []search.Model {
	t.Helper()
	f, err := os.Open(filepath.Join(garden, "singles.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var models []search.Model
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct {
			Name  string
			Means struct{ Search map[string]float64 }
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutPrefix(line.Name, "finetune/"); ok {
			models = append(models, model(name, 150, line.Means.Search))
		}
	}
	if len(models) != 8 {
		t.Fatalf("%d fine-tunes in the garden; want 8", len(models))
	}
	return models
}

func model(name string, n int, means map[string]float64) search.Model {
	m := search.Model{Name: name, Categories: map[string]search.Category{}}
	for category, mean := range means {
		m.Categories[category] = search.Category{Mean: mean, N: n}
	}
	return m
}

// The reference was computed with NumPy by examples/garden/recipe/landscape.py.
func TestAnalyzeGarden(t *testing.T) {
	var want struct {
		Tau              float64
		Categories, Kept []string
		Rho              [][]float64
		Experts          []string
		Points           int `json:"search_points"`
	}
	raw, err := os.ReadFile(filepath.Join(garden, "soce.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	a, err := search.Analyze(gardenModels(t), search.Criteria{Tau: want.Tau, MinN: 30})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Categories, want.Categories) || !slices.Equal(a.Kept, want.Kept) {
		t.Errorf("categories %v, kept %v; want %v, %v", a.Categories, a.Kept, want.Categories, want.Kept)
	}
	for i := range want.Rho {
		for j, rho := range want.Rho[i] {
			if got := a.Correlation[i][j]; math.Abs(got-rho) > 0.51e-4 {
				t.Errorf("correlation of %s and %s: %.5f; want %.4f", want.Categories[i], want.Categories[j], got, rho)
			}
		}
	}
	for i, name := range want.Experts {
		want.Experts[i] = strings.TrimPrefix(name, "finetune/")
	}
	if !slices.Equal(a.Distinct(), want.Experts) {
		t.Errorf("experts %v; want %v", a.Distinct(), want.Experts)
	}
	// The reference counts equal weights, one of the grid's points here, twice.
	if got := len(soceMixtures(t, gardenModels(t), map[string]any{"tau": want.Tau})); got != want.Points-1 {
		t.Errorf("%d points; want %d", got, want.Points-1)
	}
}

func TestAnalyzeNotes(t *testing.T) {
	models := gardenModels(t)
	for i, m := range models {
		m.Categories["tiny"] = search.Category{Mean: float64(i), N: 18}
		m.Categories["flat"] = search.Category{Mean: 0.25, N: 100}
	}
	models[2].Categories["gap"] = search.Category{Mean: 1, N: 100}
	a, err := search.Analyze(models, search.Criteria{Tau: 0.3, MinN: 30})
	if err != nil {
		t.Fatal(err)
	}
	want := `correlations of 6 categories over 8 models, tau 0.3
skips flat: all models score 0.25
skips gap: not measured for arith
skips tiny: 18 items for arith, fewer than 30
keeps arith: least correlated with call, rho -0.05 (95% -0.73 to 0.68)
keeps call: least correlated with arith, rho -0.05 (95% -0.73 to 0.68)
keeps choice: least correlated with call, rho 0.21 (95% -0.58 to 0.80)
keeps reverse: least correlated with call, rho -0.11 (95% -0.76 to 0.64)
keeps sort: least correlated with call, rho -0.25 (95% -0.81 to 0.55)
keeps translate: least correlated with call, rho 0.21 (95% -0.58 to 0.80)
expert of arith: arith 0.9467, 0.66 above order
expert of call: call 0.8933, tied with call-b
expert of choice: quiz 0.7733, 0.0733 above order
expert of reverse: order 0.88, 0.32 above arith
expert of sort: order 0.8333, 0.307 above arith
expert of translate: lingua 0.9993, 0.137 above arith`
	if got := strings.Join(a.Notes(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAnalyzeTau(t *testing.T) {
	for _, c := range []struct {
		tau  float64
		kept string
	}{{0.01, ""}, {0.06, "arith call"}, {0.12, "arith call reverse"}, {0.21, "arith call choice reverse"}, {1, "arith call choice reverse sort translate"}} {
		a, err := search.Analyze(gardenModels(t), search.Criteria{Tau: c.tau})
		if got := strings.Join(a.Kept, " "); err != nil || got != c.kept {
			t.Errorf("tau %v keeps %q, %v; want %q", c.tau, got, err, c.kept)
		}
	}
}

// A strong negative correlation is strong: neither category is kept for it.
func TestAnalyzeNegativeCorrelation(t *testing.T) {
	var models []search.Model
	for i, x := range []float64{0.1, 0.5, 0.3, 0.9} {
		models = append(models, model(string(rune('a'+i)), 100, map[string]float64{"up": x, "down": 1 - x}))
	}
	a, err := search.Analyze(models, search.Criteria{Tau: 0.9})
	if err != nil || len(a.Kept) != 0 || a.Correlation[0][1] > -1+1e-12 {
		t.Errorf("kept %v, correlation %v, %v", a.Kept, a.Correlation, err)
	}
	if got := a.Notes()[1]; got != "drops down: least correlated with up, rho -1.00" {
		t.Errorf("note %q", got)
	}
}

func TestAnalyzeTies(t *testing.T) {
	models := []search.Model{
		model("a", 0, map[string]float64{"x": 0.9, "y": 0.2, "z": 0.1}),
		model("b", 0, map[string]float64{"x": 0.9 + 1e-12, "y": 0.8, "z": 0.3}),
		model("c", 0, map[string]float64{"x": 0.9, "y": 0.5, "z": 0.7}),
		model("d", 0, map[string]float64{"x": 0.4, "y": 0.8, "z": 0.2}),
	}
	experts := func(among ...string) []string {
		a, err := search.Analyze(models, search.Criteria{Tau: 1, MinN: 50, Among: among})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range a.Experts {
			names = append(names, e.Category+" "+e.Model+" "+strings.Join(e.Tied, "+")+" "+e.Next)
		}
		return names
	}
	// c is alone at the top of z, so it takes x too; y goes to the first of two.
	if got, want := experts(), []string{"x c a+b d", "y b d c", "z c  b"}; !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
	if got, want := experts("d", "a", "b"), []string{"x b a d", "y b d a", "z b  d"}; !slices.Equal(got, want) {
		t.Errorf("among three: got %q; want %q", got, want)
	}
	if got, want := experts("d"), []string{"x d  ", "y d  ", "z d  "}; !slices.Equal(got, want) {
		t.Errorf("among one: got %q; want %q", got, want)
	}
}

func TestAnalyzeFewModels(t *testing.T) {
	two := []search.Model{
		model("a", 0, map[string]float64{"x": 0.9, "y": 0.2, "same": 0.5}),
		model("b", 0, map[string]float64{"x": 0.1, "y": 0.8, "same": 0.5}),
	}
	a, err := search.Analyze(two, search.Criteria{Tau: 0.1})
	if err != nil || a.Correlation != nil || !slices.Equal(a.Distinct(), []string{"a", "b"}) || len(a.Skipped) != 1 {
		t.Errorf("two models: %+v, %v", a, err)
	}
	if got := a.Notes()[0]; got != "2 models are too few to correlate: all 2 categories are kept" {
		t.Errorf("note %q", got)
	}
	a, err = search.Analyze(two[:1], search.Criteria{Tau: 0.1})
	if err != nil || len(a.Kept) != 3 || !slices.Equal(a.Distinct(), []string{"a"}) {
		t.Errorf("one model: %+v, %v", a, err)
	}
	lonely := append(slices.Clone(two), model("c", 0, map[string]float64{"x": 0.2}))
	a, err = search.Analyze(lonely, search.Criteria{Tau: 0.1})
	if err != nil || !slices.Equal(a.Kept, []string{"x"}) || a.Notes()[3] != "keeps x: there is no other to correlate with" {
		t.Errorf("one category: %+v, %v", a, err)
	}
}

// Three models have a correlation; its interval needs four.
func TestAnalyzeThreeModels(t *testing.T) {
	a, err := search.Analyze([]search.Model{
		model("a", 0, map[string]float64{"x": 0, "y": 0}),
		model("b", 0, map[string]float64{"x": 1, "y": 0}),
		model("c", 0, map[string]float64{"x": 0, "y": 1}),
	}, search.Criteria{Tau: 0.6})
	if err != nil || a.Notes()[1] != "keeps x: least correlated with y, rho -0.50" {
		t.Errorf("notes %q, %v", a.Notes(), err)
	}
}

func TestAnalyzeNotNumbers(t *testing.T) {
	models := gardenModels(t)
	for i, bad := range []float64{math.NaN(), math.Inf(1), 1e200} {
		models[i].Categories[[]string{"arith", "call", "choice"}[i]] = search.Category{Mean: bad, N: 100}
	}
	a, err := search.Analyze(models, search.Criteria{Tau: 1})
	if err != nil || len(a.Skipped) != 3 || a.Skipped["call"] != "not measured for call" {
		t.Errorf("skipped %v, %v", a.Skipped, err)
	}
}

func TestAnalyzeErrors(t *testing.T) {
	models := gardenModels(t)
	for _, c := range []struct {
		models   []search.Model
		criteria search.Criteria
		want     string
	}{
		{models, search.Criteria{}, "tau is 0; it must be above 0"},
		{models, search.Criteria{Tau: math.NaN()}, "tau is NaN"},
		{nil, search.Criteria{Tau: 1}, "no model given"},
		{append(models, models[3]), search.Criteria{Tau: 1}, "two models are named hot"},
		{models, search.Criteria{Tau: 1, Among: []string{"arith", "x"}}, "candidate x is none of the 8 models"},
		{models, search.Criteria{Tau: 1, Among: []string{"hot", "hot"}}, "two candidates are named hot"},
	} {
		if _, err := search.Analyze(c.models, c.criteria); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v; want %s", err, c.want)
		}
	}
}
