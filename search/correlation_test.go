package search

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func table(columns map[string][]float64) (models []Model, categories []string) {
	for name, column := range columns {
		categories = append(categories, name)
		for i, v := range column {
			if len(models) <= i {
				models = append(models, Model{Name: string(rune('a' + i)), Categories: map[string]Category{}})
			}
			models[i].Categories[name] = Category{Mean: v}
		}
	}
	slices.Sort(categories)
	return models, categories
}

// The numbers are those of numpy.corrcoef on the values and on their ranks.
func TestCorrelations(t *testing.T) {
	models, categories := table(map[string][]float64{
		"x": {0.1, 0.4, 0.35, 0.8, 0.9, 0.4},
		"y": {0.2, 0.1, 0.50, 0.7, 0.6, 0.3},
	})
	list, err := Correlations(models, categories, 1, 500)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	c := list[0]
	if math.Abs(c.Pearson.Value-0.7729375921739444) > 1e-12 || math.Abs(c.Spearman.Value-0.6087595874350709) > 1e-12 {
		t.Errorf("%+v", c)
	}
	if !(c.Pearson.Low < c.Pearson.Value && c.Pearson.Value < c.Pearson.High && c.Pearson.High <= 1) {
		t.Errorf("interval %+v", c.Pearson)
	}
	again, _ := Correlations(models, categories, 1, 500)
	if again[0] != c {
		t.Error("the same seed gives another interval")
	}
}

func TestCorrelationsRefuse(t *testing.T) {
	models, categories := table(map[string][]float64{"x": {1, 2, 3}, "y": {1, 3, 2}})
	if _, err := Correlations(models[:2], categories, 1, 10); err == nil {
		t.Error("two models are enough")
	}
	if _, err := Correlations(models, categories, 1, 0); err == nil {
		t.Error("no resample is enough")
	}
	if _, err := Correlations(models, []string{"x", "z"}, 1, 10); err == nil {
		t.Error("a category that is not measured is no error")
	}
}

func TestConstantCategoryHasNoCorrelation(t *testing.T) {
	models, categories := table(map[string][]float64{"x": {1, 2, 3}, "y": {0.3, 0.3, 0.1 + 0.2}})
	list, err := Correlations(models, categories, 1, 10)
	if err != nil || !math.IsNaN(list[0].Pearson.Value) || !math.IsNaN(list[0].Pearson.Low) {
		t.Errorf("%+v %v", list, err)
	}
}

// A table cut off at its top shows a correlation that the whole has not.
func TestBetterHalf(t *testing.T) {
	x, y := make([]float64, 400), make([]float64, 400)
	r := Rand(1, "test", 0)
	for i := range x {
		x[i], y[i] = r.NormFloat64(), r.NormFloat64()
	}
	models, categories := table(map[string][]float64{"x": x, "y": y})
	for i := range models {
		models[i].Name = string(rune(0x4e00 + i))
	}
	list, err := Correlations(models, categories, 1, 50)
	if err != nil || math.Abs(list[0].Pearson.Value) > 0.15 || list[0].Better > -0.3 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestRanksProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 3), func(n int) float64 { return float64(n) }), 1, 20).Draw(t, "x")
		r := ranks(x)
		sum := 0.0
		for i := range x {
			sum += r[i]
			for j := range x {
				if (x[i] < x[j]) != (r[i] < r[j]) {
					t.Fatalf("order of %v is not that of %v", r, x)
				}
			}
		}
		if n := float64(len(x)); sum != n*(n+1)/2 {
			t.Fatalf("ranks %v sum to %v", r, sum)
		}
	})
}
