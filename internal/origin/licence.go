package origin

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Licence is what a checkpoint's own files say about its licence.
type Licence struct {
	ID   string // Hugging Face's identifier, in lower case; "" where none was found
	Name string // license_name of a README, for id "other"
	Link string // license_link, likewise
	from string // the file that says so
}

// From is the file that names the licence.
func (l Licence) From() string { return l.from }

// String names the licence for a card.
func (l Licence) String() string {
	switch {
	case l.ID == "":
		return "not found"
	case l.Name != "":
		return fmt.Sprintf("%s: %s", l.ID, l.Name)
	}
	return l.ID
}

// terms are kinds of conditions that matter for what is made from a model. They
// point out what to read, and are no legal advice.
type terms string

const (
	permissive    terms = "permissive"
	shareAlike    terms = "share alike"
	nonCommercial terms = "not for commercial use"
	noDerivatives terms = "no changed versions may be passed on"
	community     terms = "a licence of its maker, with conditions of its own"
	useBased      terms = "restricts what it may be used for"
	unknownTerms  terms = ""
)

// rule says what the licences with an identifier are like. The identifiers are
// those of https://huggingface.co/docs/hub/repositories-licenses; source is where the terms are.
type rule struct {
	match  *regexp.Regexp
	terms  terms
	source string
}

// rules are tried in order.
func rules() []rule {
	list := []struct {
		match  string
		terms  terms
		source string
	}{
		{`^cc-by(-nc)?-nd`, noDerivatives, "https://creativecommons.org/licenses/by-nd/4.0/legalcode"},
		{`^(cc-by-nc|fair-noncommercial-research|intel-research|apple-amlr|h-research)`, nonCommercial, "https://creativecommons.org/licenses/by-nc/4.0/legalcode"},
		{`research|non-?commercial`, nonCommercial, "the licence's own text"},
		{`^(cc-by-sa|gpl|agpl|lgpl|eupl|osl|odbl|mpl|gfdl)`, shareAlike, "https://creativecommons.org/licenses/by-sa/4.0/legalcode, https://www.gnu.org/licenses/"},
		{`^llama`, community, "https://www.llama.com/license/"},
		{`^gemma`, community, "https://ai.google.dev/gemma/terms"},
		{`^(deepseek|tongyi|qwen|falcon|grok|nvidia|exaone|hunyuan|yi-|mnpl|mrl)`, community, "the maker's page of the model"},
		{`openrail|^bigscience|rail`, useBased, "https://www.licenses.ai/"},
		{`^(apache|mit|bsd|isc|zlib|unlicense|cc0|cc-by|cdla-permissive|pddl|ncsa|postgresql|artistic|bsl-1.0|ms-pl|wtfpl|afl|ecl|openmdw)`, permissive, "https://opensource.org/licenses, https://creativecommons.org/licenses/"},
	}
	out := make([]rule, len(list))
	for i, r := range list {
		out[i] = rule{regexp.MustCompile(r.match), r.terms, r.source}
	}
	return out
}

// terms looks a licence up: by its name, where the identifier is "other".
func (l Licence) terms() (terms, string) {
	text := l.ID
	if l.ID == "other" {
		text = strings.ToLower(l.Name)
	}
	if text == "" {
		return unknownTerms, ""
	}
	for _, r := range rules() {
		if r.match.MatchString(text) {
			return r.terms, r.source
		}
	}
	return unknownTerms, ""
}

// LicenceOf reads what a checkpoint says: the header of its README.md, the key
// "license" of config.json, a licence file by its name and first lines. A file
// of weights is asked for in the folder that it lies in only by its own README.
func LicenceOf(path string) Licence {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return fromCard(path + ".README.md")
	}
	for _, found := range []Licence{
		fromCard(filepath.Join(path, "README.md")),
		fromConfig(filepath.Join(path, "config.json")),
		fromFile(path),
	} {
		if found.ID != "" {
			return found
		}
	}
	return Licence{}
}

// maxText is the most that is read of a README or licence file.
const maxText = 1 << 20

// readText returns the start of a regular file, nil if there is none.
func readText(path string) []byte {
	info, err := os.Lstat(path)
	if err != nil || info.Size() > maxText || !info.Mode().IsRegular() {
		if target, err := filepath.EvalSymlinks(path); err == nil && target != path { // of Hugging Face's cache
			return readText(target)
		}
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return text
}

// fromCard reads the header of a model card.
func fromCard(path string) Licence {
	var front struct {
		License any    `yaml:"license"`
		Name    string `yaml:"license_name"`
		Link    string `yaml:"license_link"`
	}
	if !readCard(path, &front) {
		return Licence{}
	}
	return Licence{joined(front.License), front.Name, front.Link, filepath.Base(path)}.tidy()
}

func fromConfig(path string) Licence {
	var config struct {
		License string `json:"license"`
	}
	if json.Unmarshal(readText(path), &config) != nil {
		return Licence{}
	}
	return Licence{ID: config.License, from: filepath.Base(path)}.tidy()
}

// tidy has the identifier in lower case, and each text on one line.
func (l Licence) tidy() Licence {
	l.ID, l.Name, l.Link = strings.ToLower(oneLine(l.ID)), oneLine(l.Name), oneLine(l.Link)
	return l
}

// texts are what licence files begin with.
func texts() []struct{ id, match string } {
	return []struct{ id, match string }{
		{"llama3.3", `llama 3\.3 community license`},
		{"llama3.2", `llama 3\.2 community license`},
		{"llama3.1", `llama 3\.1 community license`},
		{"llama4", `llama 4 community license`},
		{"llama3", `(meta )?llama 3 community license`},
		{"llama2", `llama 2 community license`},
		{"gemma", `gemma terms of use`},
		{"apache-2.0", `apache license\s+version 2\.0`},
		{"mit", `mit license|permission is hereby granted, free of charge`},
		{"cc0-1.0", `cc0 1\.0 universal|cc0-1\.0`},
		{"cc-by-nc-nd-4.0", `attribution-noncommercial-noderivatives 4\.0`},
		{"cc-by-nc-sa-4.0", `attribution-noncommercial-sharealike 4\.0`},
		{"cc-by-nc-4.0", `attribution-noncommercial 4\.0`},
		{"cc-by-sa-4.0", `attribution-sharealike 4\.0`},
		{"cc-by-4.0", `attribution 4\.0 international`},
		{"agpl-3.0", `gnu affero general public license\s+version 3`},
		{"lgpl-3.0", `gnu lesser general public license\s+version 3`},
		{"gpl-3.0", `gnu general public license\s+version 3`},
		{"bsd-3-clause", `bsd 3-clause`},
	}
}

// begins is how much of a licence file is looked at: titles stand at its start.
const begins = 2000

// fromFile looks for a licence file and knows the commonest by their titles.
func fromFile(dir string) Licence {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Licence{}
	}
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if !strings.HasPrefix(name, "LICENSE") && !strings.HasPrefix(name, "LICENCE") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text := readText(filepath.Join(dir, e.Name()))
		start := strings.ToLower(string(text[:min(len(text), begins)]))
		for _, t := range texts() {
			if regexp.MustCompile(t.match).MatchString(start) {
				return Licence{ID: t.id, from: e.Name()}
			}
		}
		return Licence{ID: "other", Name: "see " + oneLine(e.Name()), from: e.Name()}
	}
	return Licence{}
}

// Common is the licence that all of a list have; the zero value if there is none.
func Common(list []Licence) Licence {
	for _, l := range list {
		if l.ID != list[0].ID || l.Name != list[0].Name || l.Link != list[0].Link {
			return Licence{}
		}
	}
	if len(list) == 0 {
		return Licence{}
	}
	return list[0]
}

// Conflicts points out what to look at before a soup of parents with these
// licences is passed on, a line each.
func Conflicts(names []string, list []Licence) (lines []string) {
	by := map[terms][]string{}
	sources := map[terms]string{}
	var without []string
	for i, l := range list {
		t, source := l.terms()
		if l.ID == "" {
			without = append(without, names[i])
			continue
		}
		by[t] = append(by[t], fmt.Sprintf("%s (%s)", names[i], l))
		sources[t] = source
	}
	if len(without) > 0 {
		lines = append(lines, fmt.Sprintf("No licence was found for %s: without one, nothing is permitted until the authors say so.", strings.Join(without, ", ")))
	}
	if different := differing(names, list); different != "" {
		lines = append(lines, "The parents have different licences, all of which apply: "+different+".")
	}
	for _, x := range []struct {
		terms terms
		says  string
	}{
		{noDerivatives, "does not allow to pass on changed versions, and a soup is one"},
		{nonCommercial, "is not for commercial use, and neither is what is made from it, whatever the other parents allow"},
		{community, "has a licence of its maker, which may ask for a notice, a name, an acceptable use or a limit of users: read it"},
		{useBased, "restricts what it may be used for, and asks that these restrictions are passed on"},
		{shareAlike, "asks that what is made from it is passed on under the same licence"},
		{unknownTerms, "has a licence that soup does not know: read it"},
	} {
		if who := by[x.terms]; len(who) > 0 {
			lines = append(lines, fmt.Sprintf("%s %s. Source: %s.", strings.Join(who, ", "), x.says, cmp.Or(sources[x.terms], "the parent's own files")))
		}
	}
	if len(by[shareAlike]) > 0 && len(by[nonCommercial])+len(by[noDerivatives])+len(by[community]) > 0 {
		lines = append(lines, "A licence that asks for itself and one with further restrictions may exclude each other: then the soup cannot be passed on at all.")
	}
	return lines
}

// differing lists the licences where there are several.
func differing(names []string, list []Licence) string {
	var order []string
	who := map[string][]string{}
	for i, l := range list {
		if l.ID == "" {
			continue
		}
		if !slices.Contains(order, l.String()) {
			order = append(order, l.String())
		}
		who[l.String()] = append(who[l.String()], names[i])
	}
	if len(order) < 2 {
		return ""
	}
	var parts []string
	for _, id := range order {
		parts = append(parts, fmt.Sprintf("%s (%s)", id, strings.Join(who[id], ", ")))
	}
	return strings.Join(parts, "; ")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
