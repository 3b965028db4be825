package study

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/search"
	"soup/search/searchtest"
)

func windowOf(t *testing.T, n int, given map[string]any) []search.Point {
	t.Helper()
	space := search.Space{}
	for i := range n {
		space.Parents = append(space.Parents, string(rune('a'+i)))
	}
	space, err := space.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newWindow(given, space)
	if err != nil {
		t.Fatal(err)
	}
	return s.Ask(1000)
}

func TestWindowTriesEveryAverage(t *testing.T) {
	points := windowOf(t, 4, map[string]any{"methods": []any{"uniform", "linear"}, "offsets": uint64(1)})
	var labels []string
	for _, p := range points {
		labels = append(labels, p.Label)
	}
	want := []string{
		"uniform, last 2", "linear, last 2", "uniform, last 3", "linear, last 3", "uniform, last 4", "linear, last 4",
		"uniform, last 2, without the newest 1", "linear, last 2, without the newest 1", "uniform, last 3, without the newest 1", "linear, last 3, without the newest 1",
		"uniform, last 2, without the newest 2", // as it was two steps before
	}
	if !slices.Equal(labels, want) {
		t.Errorf("%q", labels)
	}
	for i, row := range map[int][]float64{0: {0, 0, 0.5, 0.5}, 5: {0.1, 0.2, 0.3, 0.4}, 6: {0, 0.5, 0.5, 0}} {
		for j, w := range points[i].Weights[0] {
			if math.Abs(w-row[j]) > 1e-12 {
				t.Errorf("%s: %v, want %v", points[i].Label, points[i].Weights[0], row)
			}
		}
	}
}

// By default all methods but the one that equals uniform, over windows up to all.
func TestWindowDefaults(t *testing.T) {
	points := windowOf(t, 5, nil)
	if len(points) != 5*4-2+3 { // 5 methods, sizes 2 3 4 5; over two, ema equals linear, and wsm-cosine uniform; three steps before the last
		t.Errorf("%d points", len(points))
	}
	for place, label := range map[int]string{17: "wsm-cosine, last 5", 18: "uniform, last 4, without the newest 1", 20: "uniform, last 2, without the newest 3"} {
		if points[place].Label != label {
			t.Errorf("%s, want %s", points[place].Label, label)
		}
	}
	half := windowOf(t, 4, map[string]any{"methods": "ema", "last": uint64(2), "half_life": 1.0, "curve": uint64(0)})
	if w := half[0].Weights[0]; len(half) != 1 || math.Abs(w[3]/w[2]-2) > 1e-12 {
		t.Errorf("%+v", half)
	}
}

func TestWindowRefuses(t *testing.T) {
	space, err := search.Space{Parents: []string{"a", "b", "c"}}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		given map[string]any
		part  string
	}{
		{map[string]any{"last": uint64(4)}, "last: 4"},
		{map[string]any{"last": uint64(1)}, "last: 1"},
		{map[string]any{"last": "two"}, "last: two"},
		{map[string]any{"offsets": uint64(2)}, "offsets: 2"},
		{map[string]any{"half_life": 0.0}, "half_life"},
		{map[string]any{"curve": uint64(9)}, "curve: 9"},
		{map[string]any{"methods": []any{"mean"}}, `"mean" is none of uniform`},
		{map[string]any{"methods": []any{1}}, "methods"},
		{map[string]any{"k": uint64(2)}, `unknown option "k"; it takes methods`},
	} {
		if _, err := newWindow(c.given, space); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%v: error %v, want %q", c.given, err, c.part)
		}
	}
	if _, err := newWindow(nil, search.Space{Parents: []string{"a"}, Sum: 1}); err == nil {
		t.Error("a window of one checkpoint")
	}
}

func TestWindowConforms(t *testing.T) {
	err := searchtest.Test(func(space search.Space, _ uint64) (search.Strategy, error) {
		if len(space.Parents) < 2 || space.Min > 0 || space.Max != 0 {
			return nil, search.ErrSpace
		}
		full, err := space.WithDefaults()
		if err != nil {
			return nil, err
		}
		return newWindow(nil, full)
	})
	if err != nil {
		t.Error(err)
	}
}

// The checkpoints of a run are the parents, oldest first by number.
func TestConfigOfARun(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"step-100", "step-20", "step-3"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	read := func(text string) (*Config, error) {
		c := &Config{File: filepath.Join(dir, "x.yaml")}
		if err := parseInto(c, text+"\nbenchmarks: [{file: a.jsonl}]"); err != nil {
			return nil, err
		}
		return c, c.complete()
	}
	c, err := read("run: step-*")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range c.Parents.List {
		names = append(names, p.Name)
	}
	if !slices.Equal(names, []string{"step-3", "step-20", "step-100"}) || c.Parents.List[0].Path != filepath.Join(dir, "step-3") {
		t.Errorf("%+v", c.Parents.List)
	}
	for text, part := range map[string]string{
		"run: none-*":                   "0 checkpoints match none-*",
		"run: step-2*":                  "1 checkpoints match",
		"run: step-*\nparents: other/*": "give one of the two",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", text, err, part)
		}
	}
}
