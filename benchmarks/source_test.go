package benchmarks

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseSource(t *testing.T) {
	for text, want := range map[string]Source{
		"data/arith.jsonl":                     {Name: "arith", Path: "data/arith.jsonl"},
		"C:items.jsonl":                        {Name: "C:items", Path: "C:items.jsonl"},
		"bfcl:/data/bfcl":                      {Name: "bfcl", Family: "bfcl", Path: "/data/bfcl"},
		"{name: x, file: a.jsonl}":             {Name: "x", Path: "a.jsonl"},
		"{file: a.jsonl}":                      {Name: "a", Path: "a.jsonl"},
		"{mgsm: d, languages: [de], name: m}":  {Name: "m", Family: "mgsm", Path: "d", Options: map[string]any{"languages": []any{"de"}}},
		`{"mmlu": "d", "shots": 0}`:            {Name: "mmlu", Family: "mmlu", Path: "d", Options: map[string]any{"shots": uint64(0)}},
		"{file: a.jsonl, command: [sh, x.sh]}": {Name: "a", Path: "a.jsonl", Options: map[string]any{"command": []any{"sh", "x.sh"}}},
	} {
		if s, err := ParseSource(text); err != nil || !reflect.DeepEqual(s, want) {
			t.Errorf("%s: %#v, error %v", text, s, err)
		}
	}
}

func TestParseSourceRefuses(t *testing.T) {
	for text, part := range map[string]string{
		"{mgsm: [d]}":                 "want text",
		"{mgsm: d":                    "{mgsm: d: ",
		"{name: x}":                   "names no file",
		"{}":                          "names no file",
		"{file: a.jsonl, shots: 2}":   `unknown field "shots"`,
		"{file: a.jsonl, timeout: {}": "{file: a.jsonl",
	} {
		s, err := ParseSource(text)
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %#v, error %q, want %q in one line", text, s, err, part)
		}
	}
}

// Paths in options start where the study file lies, and a mistake in options is
// told from one in files.
func TestOptionsPathAndError(t *testing.T) {
	o := settingsOf(Source{Dir: "studies", Options: map[string]any{"a": "x.py", "b": "/x.py"}})
	if a, b, c := o.path("a"), o.path("b"), o.path("c"); a != "studies/x.py" || b != "/x.py" || c != "" {
		t.Errorf("%q %q %q", a, b, c)
	}
	var wrong *OptionError
	for family := range families {
		_, err := Load(Source{Family: family, Path: t.TempDir(), Options: map[string]any{"no such": 1}})
		if family == "lm_eval" { // its options come after the file, which says what there is to choose
			continue
		}
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), `"no such"`) {
			t.Errorf("%s: %v", family, err)
		}
	}
	if _, err := Load(Source{Path: "none.jsonl"}); err == nil || errors.As(err, &wrong) {
		t.Errorf("a missing file: %v", err)
	}
}
