package study

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A study file without strategies runs auto after the baselines; an empty list
// means the baselines alone.
func TestDefaultStrategy(t *testing.T) {
	for _, c := range []struct {
		key  string
		want []string
	}{
		{"", []string{"single", "uniform", "greedy", "auto"}},
		{"strategies: []\n", []string{"single", "uniform", "greedy"}},
		{"strategies: [sobol]\n", []string{"single", "uniform", "greedy", "sobol"}},
	} {
		file := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(file, []byte("parents: [{path: x}]\nbenchmarks: [{file: x.jsonl}]\n"+c.key), 0o600); err != nil {
			t.Fatal(err)
		}
		config, err := ReadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, spec := range (&session{config: config}).strategies() {
			names = append(names, spec.Name)
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("%q: strategies %v, want %v", c.key, names, c.want)
		}
	}
}
