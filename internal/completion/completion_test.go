package completion

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStudies(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, folder := range []string{"night", "nothing", "build/demo", "build/deep/one", ".hidden", "od[d/in"} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if folder == "nothing" {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, "study.db"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll("fake/study.db", 0o755); err != nil { // a folder of that name is no ledger
		t.Fatal(err)
	}
	absolute, err := filepath.Abs("build/d")
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string][]string{
		"":         {"build/", "night", "od[d/"},
		"n":        {"night"},
		"b":        {"build/"},
		"build/":   {"build/deep/", "build/demo"},
		"build/de": {"build/deep/", "build/demo"},
		"./n":      {"./night"},
		".h":       {".hidden"},
		"night/":   nil,
		"nowhere/": nil,
		absolute:   {filepath.Dir(absolute) + "/deep/", filepath.Dir(absolute) + "/demo"},
	} {
		if diff := cmp.Diff(want, Studies(word)); diff != "" {
			t.Errorf("%q: %s", word, diff)
		}
	}
}

func TestLists(t *testing.T) {
	paths := []string{"finetune/arith", "finetune/order/", "finetune/ari2"}
	for word, want := range map[string][]string{
		"":                    {"arith=", "order=", "ari2="},
		"ar":                  {"arith=", "ari2="},
		"arith=0.5,":          {"arith=0.5,order=", "arith=0.5,ari2="},
		"arith=0.5,o":         {"arith=0.5,order="},
		"arith=0.5,order=0.5": nil,
	} {
		if diff := cmp.Diff(want, Weights(paths, word)); diff != "" {
			t.Errorf("weights %q: %s", word, diff)
		}
	}
	if got := Strategies("gp,so"); !slices.Equal(got, []string{"gp,soce", "gp,sobol"}) {
		t.Errorf("strategies: %q", got)
	}
	if got := Strategies("gp,g"); slices.Contains(got, "gp,gp") || !slices.Contains(got, "gp,greedy") {
		t.Errorf("strategies: %q", got)
	}
	if got := Families("bf"); !slices.Equal(got, []string{"bfcl:"}) {
		t.Errorf("families: %q", got)
	}
}
