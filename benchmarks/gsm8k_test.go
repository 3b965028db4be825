package benchmarks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
)

// put writes files into a new folder; names may have folders.
func put(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func mustLoad(t testing.TB, s Source) []eval.Item {
	t.Helper()
	items, err := Load(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := eval.NewSet(items); err != nil {
		t.Fatal(err)
	}
	return items
}

// refused loads and wants an error that names all parts.
func refused(t *testing.T, s Source, parts ...string) {
	t.Helper()
	_, err := Load(s)
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s %v: error %v does not name %q", s.Family, s.Options, err, part)
		}
	}
}

const pens = `{"question": "Ann has 3 boxes of 4 pens and gives away 2. How many are left?", "answer": "12-2=<<12-2=10>>10 are left.\n#### 10"}
`

func TestGSM8K(t *testing.T) {
	train := ""
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		train += `{"question": "What is ` + n + `?", "answer": "It is itself.\n#### ` + n + `"}` + "\n"
	}
	dir := put(t, map[string]string{"test.jsonl": pens + strings.Replace(pens, "Ann", "Bo", 1), "train.jsonl": train})
	items := mustLoad(t, Source{Family: "gsm8k", Path: dir, Options: map[string]any{"shots": 2}})
	random := newPythonRandom(1234)
	for i, it := range items {
		want := ""
		for _, k := range random.sample(6, 2) {
			n := string(rune('1' + k))
			want += "Question: What is " + n + "?\nAnswer: It is itself.\n#### " + n + "\n\n"
		}
		want += "Question: " + []string{"Ann", "Bo"}[i] + " has 3 boxes of 4 pens and gives away 2. How many are left?\nAnswer:"
		if it.Raw != want || it.MaxTokens != 256 || it.Stop[0] != "Question:" || it.Metric != "extract" {
			t.Errorf("item %d: %+v", i, it)
		}
	}
	outcomes := []eval.Outcome{
		{ID: items[0].ID, State: eval.StateOK, Answer: "so #### 10, not 12"},
		{ID: items[1].ID, State: eval.StateOK, Answer: "so it is $10."},
		{ID: "other", State: eval.StateOK},
	}
	figures := Figures(Source{Family: "gsm8k"}, items, outcomes)
	if len(figures) != 2 || figures[0] != (Figure{"flexible-extract", 0.5, ""}) || figures[1] != (Figure{"strict-match", 0.5, ""}) {
		t.Errorf("figures %v", figures)
	}
	chat := mustLoad(t, Source{Family: "gsm8k", Path: filepath.Join(dir, "test.jsonl"), Options: map[string]any{"shots": 0, "prompt": "chat"}})
	if !strings.HasPrefix(chat[0].Prompt, "Question: Ann") {
		t.Errorf("%+v", chat[0])
	}
}

func TestGSM8KErrors(t *testing.T) {
	dir := put(t, map[string]string{"test.jsonl": pens, "few/test.jsonl": pens, "few/train.jsonl": pens, "bad.jsonl": `{"question":"?","answer":"10"}`, "empty.jsonl": ""})
	load := func(path string, options map[string]any, parts ...string) {
		t.Helper()
		refused(t, Source{Family: "gsm8k", Path: filepath.Join(dir, path), Options: options}, parts...)
	}
	load("", nil, "train.jsonl", "set shots to 0")
	load("few", nil, "1 lines for 5 examples")
	load("bad.jsonl", map[string]any{"shots": 0}, "bad.jsonl:1", "####")
	load("empty.jsonl", map[string]any{"shots": 0}, "empty.jsonl", "no items")
	load("none", nil, "none")
	load("", map[string]any{"filter": "loose"}, "filter", "flexible-extract, strict-match")
	load("", map[string]any{"shot": 0}, `"shot"`)
}
