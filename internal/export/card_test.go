package export

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"soup/results"
)

func TestLicenceOf(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  licence
	}{
		"no file":             {nil, licence{}},
		"card":                {map[string]string{"README.md": "---\nlicense: Apache-2.0\ntags: [x]\n---\n# A\n"}, licence{id: "apache-2.0", from: "README.md"}},
		"card of Windows":     {map[string]string{"README.md": "---\r\nlicense: mit\r\n---\r\n# A\n"}, licence{id: "mit", from: "README.md"}},
		"other":               {map[string]string{"README.md": "---\nlicense: other\nlicense_name: qwen-research\nlicense_link: LICENSE\n---\n"}, licence{"other", "qwen-research", "LICENSE", "README.md"}},
		"list":                {map[string]string{"README.md": "---\nlicense: [mit, gemma]\n---\n"}, licence{id: "mit, gemma", from: "README.md"}},
		"card without":        {map[string]string{"README.md": "---\ntags: [x]\n---\nlicense: mit\n"}, licence{}},
		"card of no header":   {map[string]string{"README.md": "# license: mit\n"}, licence{}},
		"header not closed":   {map[string]string{"README.md": "---\nlicense: mit\n"}, licence{}},
		"broken header":       {map[string]string{"README.md": "---\nlicense: [mit\n---\n"}, licence{}},
		"config":              {map[string]string{"config.json": `{"license": "gemma"}`}, licence{id: "gemma", from: "config.json"}},
		"file":                {map[string]string{"LICENSE.txt": "                  Apache License\n        Version 2.0, January 2004\n"}, licence{id: "apache-2.0", from: "LICENSE.txt"}},
		"llama":               {map[string]string{"LICENSE": "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\nLlama 3.1 Version Release Date"}, licence{id: "llama3.1", from: "LICENSE"}},
		"unknown text":        {map[string]string{"COPYING": "All rights reserved."}, licence{"other", "see COPYING", "", "COPYING"}},
		"the card goes first": {map[string]string{"README.md": "---\nlicense: mit\n---\n", "LICENSE": "Gemma Terms of Use"}, licence{id: "mit", from: "README.md"}},
	} {
		dir := t.TempDir()
		for file, text := range c.files {
			must(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
		}
		if got := licenceOf(dir); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := licenceOf(filepath.Join(t.TempDir(), "x.gguf")); got != (licence{}) {
		t.Errorf("a file that is not there: %+v", got)
	}
}

func TestTerms(t *testing.T) {
	for id, want := range map[string]terms{
		"apache-2.0": permissive, "mit": permissive, "cc0-1.0": permissive, "cc-by-4.0": permissive, "bsd-3-clause": permissive,
		"cc-by-sa-4.0": shareAlike, "agpl-3.0": shareAlike, "cc-by-nc-4.0": nonCommercial, "cc-by-nc-sa-4.0": nonCommercial,
		"cc-by-nd-4.0": noDerivatives, "cc-by-nc-nd-4.0": noDerivatives, "llama2": community, "llama3.3": community, "gemma": community,
		"openrail": useBased, "bigscience-bloom-rail-1.0": useBased, "creativeml-openrail-m": useBased, "apple-amlr": nonCommercial, "unknown": unknownTerms, "": unknownTerms,
	} {
		if got, source := (licence{id: id}).terms(); got != want || (source == "") != (want == unknownTerms) {
			t.Errorf("%s: %q from %q, want %q", id, got, source, want)
		}
	}
	for name, want := range map[string]terms{"Qwen-Research": nonCommercial, "tongyi-qianwen": community, "": unknownTerms, "mine": unknownTerms} {
		if got, _ := (licence{id: "other", name: name}).terms(); got != want {
			t.Errorf("other, %s: %q, want %q", name, got, want)
		}
	}
}

func TestConflicts(t *testing.T) {
	mit, nc, sa, llama, none := licence{id: "mit"}, licence{id: "cc-by-nc-4.0"}, licence{id: "cc-by-sa-4.0"}, licence{id: "llama3"}, licence{}
	for _, c := range []struct {
		list []licence
		want []string // in this order
	}{
		{[]licence{mit, mit}, nil},
		{[]licence{mit, none}, []string{"No licence was found for p1"}},
		{[]licence{mit, nc}, []string{"different licences, all of which apply: mit (p0); cc-by-nc-4.0 (p1)", "p1 (cc-by-nc-4.0) is not for commercial use"}},
		{[]licence{llama, llama}, []string{"p0 (llama3), p1 (llama3) has a licence of its maker"}},
		{[]licence{sa, nc}, []string{"different", "p1 (cc-by-nc-4.0) is not", "p0 (cc-by-sa-4.0) asks", "may exclude each other"}},
		{[]licence{{id: "other", name: "mine"}}, []string{"p0 (other: mine) has a licence that soup does not know"}},
	} {
		var names []string
		for i := range c.list {
			names = append(names, fmt.Sprint("p", i))
		}
		got := conflicts(names, c.list)
		if len(got) != len(c.want) {
			t.Errorf("%v: %q", c.list, got)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%v: %q, want %q", c.list, got[i], want)
			}
		}
	}
}

// header is the front matter of a card.
func header(t testing.TB, text string) map[string]any {
	t.Helper()
	front, _, ok := strings.Cut(strings.TrimPrefix(text, "---\n"), "\n---\n")
	if !ok {
		t.Fatalf("no header in %s", text)
	}
	var h map[string]any
	must(t, yaml.Unmarshal([]byte(front), &h))
	return h
}

func cardOf(t testing.TB, trial int) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "soup")
	_, err := Export(t.Context(), studied(t, ""), Options{Out: out, Trial: trial, Version: "v9"})
	must(t, err)
	return read(t, filepath.Join(out, "README.md"))
}

// The card of the winner says what it is, what it is worth, and what is worse.
func TestCard(t *testing.T) {
	text := cardOf(t, -1)
	h := header(t, text)
	if h["license"] != nil || fmt.Sprint(h["tags"]) != "[merge soup]" || fmt.Sprint(h["base_model"]) != "[arith order]" || h["base_model_relation"] != "merge" {
		t.Errorf("header %v", h)
	}
	if index := fmt.Sprint(h["model-index"]); !strings.Contains(index, "name:soup") || !strings.Contains(index, "split:test") {
		t.Errorf("index %s", index)
	}
	for _, want := range []string{
		"A weighted average of 2 checkpoints", "(trial 5, random 1)", "| arith | 0.25 | `", "| order | 0.75 | `", "| not found |",
		"No licence was found for arith, order: ", "6 candidates were tried", "Written by soup v9.", "| server | `embedded \\| v1` |", "asked once, at the end",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, not := range []string{"<no value>", "%!", "quiz", "NaN"} {
		if strings.Contains(text, not) {
			t.Errorf("%q in\n%s", not, text)
		}
	}
	checkTables(t, text)
}

// checkTables wants as many cells in every line of a table as in its header.
func checkTables(t testing.TB, text string) {
	t.Helper()
	cells := 0
	for line := range strings.Lines(text) {
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		if cells == 0 {
			cells = n
		}
		if n != cells {
			t.Errorf("%d cells, not %d: %s", n, cells, line)
		}
	}
}

// Candidates that were not scored to the end, and single checkpoints, have
// cards that say so.
func TestCardOfOthers(t *testing.T) {
	for trial, want := range map[int]string{
		6: "This candidate was not scored to the end.", 7: "No scores.", 2: "The checkpoint order alone", 4: "A weighted average of 3 checkpoints", 8: "The checkpoint order alone",
	} {
		text := cardOf(t, trial)
		if !strings.Contains(text, want) {
			t.Errorf("trial %d: no %q in\n%s", trial, want, text)
		}
		checkTables(t, text)
	}
}

func TestHubName(t *testing.T) {
	for _, c := range []struct{ name, path, want string }{
		{"a", "/home/x/.cache/huggingface/hub/models--org--the-model/snapshots/0123", "org/the-model"},
		{"my model (2)", "/data/a", "my-model-2"},
		{"...", "/data/a", "unnamed"},
	} {
		if got := hubName(results.Parent{Name: c.name, Path: c.path}); got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
}
