package analysis

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scores is an invented table: three models, three categories, a column that is
// no score and one that misses a value.
const scores = `Rank,Model,Arith,Call,Story,Cost,Licence
1,ox,80.00%,20,31,1,MIT
2,elk,60.00%,40,30,N/A,MIT
3,hen,50.00%,70,35,2,MIT
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, r Request) *Analysis {
	t.Helper()
	a, err := Run(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRun(t *testing.T) {
	a := run(t, Request{Table: write(t, "s.csv", scores), Columns: Columns{Categories: []string{"Arith", "[CS]*"}}, Options: Options{Tau: []float64{0.99, 2}}})
	if !slices.Equal(a.Categories, []string{"Arith", "Call", "Story"}) || a.Skipped["Cost"] == "" {
		t.Errorf("categories %v, skipped %v", a.Categories, a.Skipped)
	}
	// 3 pairs; Arith falls as Call rises.
	if c, ok := a.pair("Call", "Arith"); !ok || len(a.Correlations) != 3 || math.Abs(*c.Pearson.Value+0.953820966) > 1e-9 || *c.Spearman.Value != -1 {
		t.Errorf("%+v", c)
	}
	all := a.Thresholds[1]
	if !slices.Equal(all.Mix, []string{"ox", "hen"}) || all.Soups != 9 || all.Experts[1].Margin != 30 || all.Experts[1].Next != "elk" {
		t.Errorf("%+v", all)
	}
	var text, js, svg bytes.Buffer
	for _, err := range []error{a.WriteText(&text), a.WriteJSON(&js), a.WriteSVG(&svg)} {
		if err != nil {
			t.Error(err)
		}
	}
	for _, want := range []string{"3 models are few", "left out: Cost, not measured for elk", "ox + hen", "30 above elk"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("text lacks %q:\n%s", want, &text)
		}
	}
	if strings.Contains(js.String(), "NaN") || !strings.Contains(svg.String(), "Arith") {
		t.Errorf("%s\n%s", &js, &svg)
	}
}

func TestTransposed(t *testing.T) {
	table := write(t, "s.csv", "language,m1,m2,m3\nde,1,2,3\nfr,3,1,2\n")
	a := run(t, Request{Table: table, Columns: Columns{Transposed: true}})
	if a.Models != 3 || !slices.Equal(a.Categories, []string{"de", "fr"}) {
		t.Errorf("%+v", a)
	}
}

func TestRecipe(t *testing.T) {
	recipe := write(t, "r.yaml", `about: invented
categories: [Arith, Call]
leave: [ox]
tau: [2]
published:
  source: nowhere
  correlations: [{a: Call, b: Arith, value: -1}]
  mix: [elk, hen]
  means: {ox: 50.04, hen: 61}
  leads: [hen]
  optimism: {gain: 2, soups: 37, items: 1000, disagreements: [0.1]}
`)
	table := write(t, "s.csv", scores+"4,bee,10,90,1,2,MIT\n")
	a := run(t, Request{Table: table, Recipe: recipe})
	var got []string
	for _, c := range a.Published {
		got = append(got, c.Published+" "+c.Here+" "+c.Verdict)
	}
	for i, want := range []string{"-1.00 -0.90", "elk + hen at no tau not reproduced", "61.00 60.00 not reproduced", "50.04 50.00 reproduced", "- 0 of 2 ", "+2.00 +1.51 "} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("row %d is %q, want %q", i, got[i], want)
		}
	}
}

func TestMistakes(t *testing.T) {
	table := write(t, "s.csv", scores)
	for _, test := range []struct {
		request Request
		says    string
	}{
		{Request{Table: "none.csv"}, "none.csv"},
		{Request{Table: write(t, "e.csv", "")}, "no table"},
		{Request{Table: write(t, "q.csv", "a,b\n\"x,1\n")}, "line 2"},
		{Request{Table: write(t, "w.csv", "a,b\nx,1,2\n")}, "line 2"},
		{Request{Table: write(t, "d.csv", "a,b\nx,1\nx,2\ny,1\n")}, `row 3: model "x"`},
		{Request{Table: write(t, "t.csv", "a,b,c\nx,1,2\ny,2,3\n")}, "2 models are too few"},
		{Request{Table: write(t, "n.csv", "a,b\nx,y\ny,z\nz,z\n")}, "no category has a score"},
		{Request{Table: table, Columns: Columns{Model: "Name"}}, `no column is named "Name"`},
		{Request{Table: table, Columns: Columns{Categories: []string{"Licence"}}}, `no column with scores is named "Licence"`},
		{Request{Table: table, Columns: Columns{Categories: []string{"["}}}, "syntax error"},
		{Request{Table: table, Options: Options{Tau: []float64{-1}}}, "tau is -1"},
		{Request{Table: table, Options: Options{Among: []string{"cow"}}}, "candidate cow"},
		{Request{Table: table, SVG: table}, "exists"},
		{Request{Table: t.TempDir(), Columns: Columns{Transposed: true}}, "its own categories"},
		{Request{Table: table, Recipe: "none.yaml"}, "none.yaml"},
		{Request{Table: table, Recipe: write(t, "r.yaml", "tua: [1]\n")}, `unknown field "tua"`},
		{Request{Table: table, Recipe: write(t, "r.yaml", "leave: [cow]\n")}, `no model is named "cow"`},
		{Request{Table: table, Recipe: write(t, "r.yaml", "published: {means: {cow: 1}}\n")}, `no model is named "cow"`},
		{Request{Table: table, Recipe: write(t, "r.yaml", "published: {correlations: [{a: Arith, b: X, value: 1}]}\n")}, "Arith and X"},
		{Request{Table: table, Recipe: table, Columns: Columns{Model: "Model"}}, "leave out --model-column"},
	} {
		_, err := Run(t.Context(), test.request)
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want %q", err, test.says)
		}
	}
}

func TestGridSize(t *testing.T) {
	for n, want := range map[int]float64{0: 0, 1: 0, 2: 9, 3: 37, 4: 85, 5: 126, 6: 127, 7: 85} {
		if got := gridSize(n); got != want {
			t.Errorf("%d experts: %v soups, want %v", n, got, want)
		}
	}
}

// The recipes of the examples are valid, whatever table they are given.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/souper/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if _, err := ReadRecipe(f); err != nil {
			t.Error(err)
		}
	}
}
