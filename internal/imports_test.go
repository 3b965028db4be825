// Package internal_test holds the house rules that a compiler does not check:
// who may import whom, what things are called and how long a file may be.
package internal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "soup"
	root     = ".."
	engine   = module + "/eval/server/embedded"
	ollama   = "github.com/ollama/ollama"
	maxLines = 500
)

// layers says which of our packages those below a folder may import besides
// their own subfolders. The longest matching folder counts.
var layers = map[string][]string{
	"merge":          {},
	"merge/adapter":  {"merge"}, // also its kernel
	"merge/mergekit": {"merge", "merge/method"},
	"merge/convert":  {"merge"},
	"search":         {},
	"eval":           {},
	"eval/server":    {"eval"},
	"benchmarks":     {"eval"},
	"results":        {},
	"internal":       {"merge", "merge/mergekit", "merge/adapter", "merge/convert", "search", "eval", "eval/server", "benchmarks", "results", "internal"},
	"cmd/soup":       {"internal"},
}

// inTests is what tests may import besides: servers run their conformance suite
// on the items of a benchmark.
var inTests = map[string][]string{
	"eval/server": {"eval/server/servertest", "benchmarks", "merge/convert"},
}

// converting is the part of ollama that needs no cgo: its converter, which
// merge/convert may import, with what that imports.
var converting = []string{"convert", "convert/sentencepiece", "format", "fs", "fs/ggml", "fs/util/bufioutil", "logutil", "ml"}

// talking is the part of ollama that its API's client consists of.
var talking = []string{"api", "auth", "envconfig", "format", "internal/orderedmap", "types/model", "version"}

// expected must exist: rules about packages that are not there prove nothing.
var expected = []string{
	"merge", "merge/convert", "search", "search/searchtest", "eval", "eval/server/servertest", "eval/server/embedded",
	"benchmarks", "results", "internal/study", "cmd/soup",
}

var (
	topFolders = []string{"search", "eval", "merge", "benchmarks", "results", "cmd", "internal", "examples", "docs", "tools", ".ci"}
	products   = []string{"bin", "build"} // made by make, not in the repository
	grabBags   = []string{"common", "util", "utils", "type", "types", "helper", "helpers", "misc"}
)

type pkg struct {
	ImportPath, Name                   string
	Imports, TestImports, XTestImports []string
}

// list returns what go list prints for the arguments.
func list(t *testing.T, env string, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Imports,TestImports,XTestImports"}, args...)...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), env)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		pkgs = append(pkgs, p)
	}
}

// ours returns the folder of a package of this module.
func ours(importPath string) (folder string, ok bool) {
	return strings.CutPrefix(importPath, module+"/")
}

func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

// layerOf returns the longest folder of layers that the package lies in.
func layerOf(folder string) (layer string, ok bool) {
	for l := range layers {
		if within(folder, l) && len(l) > len(layer) {
			layer, ok = l, true
		}
	}
	return layer, ok
}

// mayImport is the rule. Tests keep to it as well, save for inTests.
func mayImport(from, to string, test bool) bool {
	layer, ok := layerOf(from)
	target, known := layerOf(to)
	switch {
	case !ok || !known:
		return false
	case layer == target && (within(to, from) || within(from, to) || within(from, sharing(to))):
		return true
	case test && slices.ContainsFunc(inTests[layer], func(folder string) bool { return within(to, folder) }):
		return true
	}
	return slices.Contains(layers[layer], target)
}

// sharing returns the folder whose packages may all import an internal one, as
// the compiler has it; what is not internal stands for itself.
func sharing(folder string) string {
	if i := strings.LastIndex(folder, "/internal/"); i >= 0 {
		return folder[:i]
	}
	return folder
}

func TestImports(t *testing.T) {
	pkgs := list(t, "CGO_ENABLED=1", "./...")
	var folders []string
	for _, p := range pkgs {
		folder, ok := ours(p.ImportPath)
		if !ok {
			t.Errorf("%s: no package belongs at the top", p.ImportPath)
			continue
		}
		folders = append(folders, folder)
		checkPackage(t, folder, p)
	}
	for _, want := range expected {
		if !slices.Contains(folders, want) {
			t.Errorf("%s: no such package", want)
		}
	}
}

func checkPackage(t *testing.T, folder string, p pkg) {
	t.Helper()
	if _, ok := layerOf(folder); !ok {
		t.Errorf("%s: packages belong in one of the folders of docs/README.md", folder)
	}
	if slices.Contains(grabBags, p.Name) || slices.Contains(grabBags, path.Base(folder)) {
		t.Errorf("%s: name a package by what it holds", folder)
	}
	check := func(imports []string, test bool) {
		for _, i := range imports {
			if to, ok := ours(i); ok && !mayImport(folder, to, test) {
				t.Errorf("%s may not import %s (test: %t)", folder, to, test)
			}
			if i == ollama+"/convert" && within(folder, "merge/convert") {
				continue
			}
			if within(i, ollama) && i != ollama+"/api" && p.ImportPath != engine {
				t.Errorf("%s imports %s: only %s may", folder, i, engine)
			}
		}
	}
	check(p.Imports, false)
	check(slices.Concat(p.TestImports, p.XTestImports), true)
}

// isEngine says whether a package is part of the engine that needs cgo; the
// API client and the converter do not.
func isEngine(importPath string) bool {
	part, ok := strings.CutPrefix(importPath, ollama+"/")
	return ok && !slices.Contains(talking, part) && !slices.Contains(converting, part)
}

// TestStatic: without cgo the engine is not even compiled in.
func TestStatic(t *testing.T) {
	deps := list(t, "CGO_ENABLED=0", "-deps", "./cmd/soup")
	if len(deps) < 50 {
		t.Fatalf("only %d dependencies", len(deps))
	}
	for _, p := range deps {
		if isEngine(p.ImportPath) {
			t.Errorf("cmd/soup without cgo depends on %s", p.ImportPath)
		}
	}
}

func TestRulesCatch(t *testing.T) {
	for _, c := range []struct {
		from, to   string
		test, want bool
	}{
		{"search", "merge", false, false},
		{"search", "eval", true, false},
		{"search/searchtest", "search", false, true},
		{"search", "search/searchtest", true, true},
		{"eval", "eval/server/servertest", true, false},
		{"eval/server/embedded", "eval", false, true},
		{"eval/server/embedded", "merge", false, false},
		{"eval/server/embedded", "eval/server/servertest", true, true},
		{"eval/server/embedded", "eval/server/servertest", false, false},
		{"eval/server/vllm", "eval/server/embedded", false, false},
		{"eval/server/embedded", "benchmarks", false, false},
		{"benchmarks", "eval", false, true},
		{"benchmarks", "eval/server/embedded", false, false},
		{"internal/study", "eval/server/embedded", false, true},
		{"internal/study", "internal/web", false, true},
		{"internal/study", "cmd/soup", false, false},
		{"cmd/soup", "internal/study", false, true},
		{"internal/single", "merge/mergekit", false, true},
		{"merge", "merge/mergekit", false, false},
		{"cmd/soup", "merge", false, false},
		{"merge", "mergers", false, false},
		{"merge/adapter", "merge/internal/kernel", false, true},
		{"merge/adapter", "search", false, false},
		{"merge/method", "merge/internal/remedy", false, true},
		{"merge/method", "merge/mergekit", false, false},
		{"results", "merge/internal/remedy", false, false},
		{"merge/convert", "merge", false, true},
		{"merge/convert", "merge/tokenizer", false, true},
		{"merge/convert", "eval", false, false},
		{"eval/server/embedded", "merge/convert", true, true},
		{"eval/server/embedded", "merge/convert", false, false},
		{"internal/study", "merge/convert", false, true},
	} {
		if got := mayImport(c.from, c.to, c.test); got != c.want {
			t.Errorf("mayImport(%s, %s, test %t) = %t", c.from, c.to, c.test, got)
		}
	}
}

func TestTopFolders(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == ".git" || slices.Contains(products, e.Name()) {
			continue
		}
		if !slices.Contains(topFolders, e.Name()) {
			t.Errorf("%s: top-level folders are %s", e.Name(), strings.Join(topFolders, " "))
		}
	}
}

func TestFiles(t *testing.T) {
	seen := 0
	for _, top := range topFolders {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
				return err
			}
			seen++
			return checkFile(t, name)
		})
		if err != nil {
			t.Error(err)
		}
	}
	if seen < 30 {
		t.Errorf("only %d Go files found", seen)
	}
}

func checkFile(t *testing.T, name string) error {
	t.Helper()
	base := strings.TrimSuffix(filepath.Base(name), ".go")
	if slices.Contains(grabBags, strings.TrimSuffix(base, "_test")) {
		t.Errorf("%s: name a file by what it holds", name)
	}
	if strings.HasSuffix(base, "_test") {
		return nil
	}
	raw, err := os.ReadFile(name)
	if n := bytes.Count(raw, []byte("\n")); n > maxLines {
		t.Errorf("%s: %d lines, at most %d", name, n, maxLines)
	}
	return err
}
