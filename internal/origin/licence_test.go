package origin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLicenceOf(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  Licence
	}{
		"no file":             {nil, Licence{}},
		"card":                {map[string]string{"README.md": "---\nlicense: Apache-2.0\ntags: [x]\n---\n# A\n"}, Licence{ID: "apache-2.0", from: "README.md"}},
		"card of Windows":     {map[string]string{"README.md": "---\r\nlicense: mit\r\n---\r\n# A\n"}, Licence{ID: "mit", from: "README.md"}},
		"other":               {map[string]string{"README.md": "---\nlicense: other\nlicense_name: qwen-research\nlicense_link: LICENSE\n---\n"}, Licence{"other", "qwen-research", "LICENSE", "README.md"}},
		"list":                {map[string]string{"README.md": "---\nlicense: [mit, gemma]\n---\n"}, Licence{ID: "mit, gemma", from: "README.md"}},
		"card without":        {map[string]string{"README.md": "---\ntags: [x]\n---\nlicense: mit\n"}, Licence{}},
		"card of no header":   {map[string]string{"README.md": "# license: mit\n"}, Licence{}},
		"header not closed":   {map[string]string{"README.md": "---\nlicense: mit\n"}, Licence{}},
		"broken header":       {map[string]string{"README.md": "---\nlicense: [mit\n---\n"}, Licence{}},
		"config":              {map[string]string{"config.json": `{"license": "gemma"}`}, Licence{ID: "gemma", from: "config.json"}},
		"file":                {map[string]string{"LICENSE.txt": "                  Apache License\n        Version 2.0, January 2004\n"}, Licence{ID: "apache-2.0", from: "LICENSE.txt"}},
		"llama":               {map[string]string{"LICENSE": "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\nLlama 3.1 Version Release Date"}, Licence{ID: "llama3.1", from: "LICENSE"}},
		"unknown text":        {map[string]string{"COPYING": "All rights reserved."}, Licence{"other", "see COPYING", "", "COPYING"}},
		"the card goes first": {map[string]string{"README.md": "---\nlicense: mit\n---\n", "LICENSE": "Gemma Terms of Use"}, Licence{ID: "mit", from: "README.md"}},
	} {
		dir := t.TempDir()
		for file, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := LicenceOf(dir); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := LicenceOf(filepath.Join(t.TempDir(), "x.gguf")); got != (Licence{}) {
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
		if got, source := (Licence{ID: id}).terms(); got != want || (source == "") != (want == unknownTerms) {
			t.Errorf("%s: %q from %q, want %q", id, got, source, want)
		}
	}
	for name, want := range map[string]terms{"Qwen-Research": nonCommercial, "tongyi-qianwen": community, "": unknownTerms, "mine": unknownTerms} {
		if got, _ := (Licence{ID: "other", Name: name}).terms(); got != want {
			t.Errorf("other, %s: %q, want %q", name, got, want)
		}
	}
}

func TestConflicts(t *testing.T) {
	mit, nc, sa, llama, none := Licence{ID: "mit"}, Licence{ID: "cc-by-nc-4.0"}, Licence{ID: "cc-by-sa-4.0"}, Licence{ID: "llama3"}, Licence{}
	for _, c := range []struct {
		list []Licence
		want []string // in this order
	}{
		{[]Licence{mit, mit}, nil},
		{[]Licence{mit, none}, []string{"No licence was found for p1"}},
		{[]Licence{mit, nc}, []string{"different licences, all of which apply: mit (p0); cc-by-nc-4.0 (p1)", "p1 (cc-by-nc-4.0) is not for commercial use"}},
		{[]Licence{llama, llama}, []string{"p0 (llama3), p1 (llama3) has a licence of its maker"}},
		{[]Licence{sa, nc}, []string{"different", "p1 (cc-by-nc-4.0) is not", "p0 (cc-by-sa-4.0) asks", "may exclude each other"}},
		{[]Licence{{ID: "other", Name: "mine"}}, []string{"p0 (other: mine) has a licence that soup does not know"}},
	} {
		var names []string
		for i := range c.list {
			names = append(names, fmt.Sprint("p", i))
		}
		got := Conflicts(names, c.list)
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
