package eval

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const gardenResults = "../examples/garden/results/"

// reference is one line of the garden's per-item results.
type reference struct {
	Name, ID, Category, Split string
	Score                     float64
	Soft                      *float64
}

// readReference returns the outcomes of a gzipped results file by model and split.
func readReference(t *testing.T, path string) map[string]map[Split][]Outcome {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	models := map[string]map[Split][]Outcome{}
	err = readJSONL(z, path, func(_ int, r reference) error {
		if models[r.Name] == nil {
			models[r.Name] = map[Split][]Outcome{}
		}
		o := Outcome{ID: r.ID, Category: r.Category, State: StateOK, Score: r.Score, Soft: r.Soft}
		models[r.Name][Split(r.Split)] = append(models[r.Name][Split(r.Split)], o)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return models
}

// The category means that the garden's own Python computed from its outcomes.
func TestSummariesOfTheGarden(t *testing.T) {
	checked := 0
	err := ReadJSONL(gardenResults+"singles.jsonl", func(_ int, want struct {
		Name  string
		Means map[Split]map[string]float64
		Mean  map[Split]float64
	},
	) error {
		path := filepath.Join(gardenResults, "items", strings.ReplaceAll(want.Name, "/", "_")+".jsonl.gz")
		for split, outcomes := range readReference(t, path)[""] {
			s := Summarize(outcomes)
			near(t, want.Name+" mean", s.Mean, want.Mean[split], 1e-4)
			for category, mean := range want.Means[split] {
				near(t, want.Name+" "+category, s.Categories[category].Mean, mean, 1e-4)
				checked++
			}
		}
		return nil
	})
	if err != nil || checked < 18*3*6 {
		t.Errorf("%d means checked, error %v", checked, err)
	}
}

// The differences that the garden's README states. Its intervals are of 2000
// resamples; here stand those of the normal limit, delta ± 1.96 standard errors
// of the paired differences within categories.
func TestComparisonsOfTheGarden(t *testing.T) {
	soups := readReference(t, gardenResults+"soup_items.jsonl.gz")
	order := readReference(t, gardenResults+"items/finetune_order.jsonl.gz")[""]
	check := func(name string, against map[Split][]Outcome, split Split, delta, low, high float64, want Verdict) {
		t.Helper()
		c := Compare(soups[name][split], against[split])
		near(t, name+" delta", 100*c.Delta, delta, 0.01)
		near(t, name+" low", 100*c.Low, low, 0.12)
		near(t, name+" high", 100*c.High, high, 0.12)
		if c.Verdict != want || c.N != len(against[split]) {
			t.Errorf("%s: %s with p %v on %d items", name, c.Verdict, c.P, c.N)
		}
	}
	check("greedy", order, InTest, 13.67, 11.70, 15.65, Better)
	check("greedy", order, InSearch, 12.41, 9.77, 15.04, Better)
	check("uniform-good", order, InTest, 12.58, 10.60, 14.56, Better)
	check("uniform-good", order, InSearch, 11.68, 8.95, 14.42, Better)
	check("greedy", soups["uniform-good"], InTest, 1.09, -0.44, 2.63, Noise)
}
