package mergekit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/merge"
	"soup/merge/method"
)

// garden is where the repository keeps small real checkpoints; its models have
// 3 layers.
const garden = "../../examples/garden/"

// recipe parses a recipe in which $ stands for the garden.
func recipe(t testing.TB, text string) Config {
	t.Helper()
	c, err := parse("recipe.yaml", []byte(strings.ReplaceAll(text, "$", garden)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// soup carries a recipe out.
func soup(t testing.TB, text string) (method.Soup, merge.DType) {
	t.Helper()
	s, out, err := recipe(t, text).Soup(t.Context(), merge.Open)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, p := range s.Parents {
			p.Close()
		}
	})
	return s, out
}

// weights returns a tensor's weights by the parents' names.
func weights(s method.Soup, tensor string) map[string]float64 {
	g, all := 0, map[string]float64{}
	if len(s.Recipe.Weights) > 1 {
		g = s.Recipe.Groups.Of[tensor]
	}
	for k, name := range s.Names {
		all[name] = s.Recipe.Weights[g][k]
	}
	return all
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
