package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/eval"
	"soup/internal/usage"
)

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

// Everything at once, twice: equal bytes, and nothing half-written beside it.
func TestExportsAreEqual(t *testing.T) {
	dir := studied(t, "")
	var first map[string]string
	for range 2 {
		to := filepath.Join(t.TempDir(), "to")
		must(t, os.Mkdir(to, 0o755))
		o := Options{
			Out: filepath.Join(to, "soup"), Mergekit: filepath.Join(to, "m.yaml"), Modelfile: filepath.Join(to, "Modelfile"),
			LMEval: filepath.Join(to, "lm"), Optuna: filepath.Join(to, "o.log"), JSONL: filepath.Join(to, "l.jsonl"), Trial: -1, Version: "v1",
		}
		written, err := Export(t.Context(), dir, o)
		must(t, err)
		if len(written) != 6 || written[1].What != "trial 5, random 1" {
			t.Errorf("written: %v", written)
		}
		tree := files(t, to)
		if first == nil {
			first = tree
		}
		if !maps.Equal(first, tree) {
			t.Error("two exports differ")
		}
	}
	for _, name := range []string{"soup/README.md", "soup/soup.json", "soup/model.safetensors", "soup/tokenizer.json", "lm/night/results_2026-11-23T22-05-01.500000.json"} {
		if first[name] == "" {
			t.Errorf("no %s in %v", name, slices.Sorted(maps.Keys(first)))
		}
	}
	for name, text := range first {
		if strings.Contains(name, "partial") {
			t.Errorf("%s was left", name)
		}
		if name != "m.yaml" && name != "l.jsonl" && strings.Contains(text, "/finetune/") {
			t.Errorf("%s says where the parents lie", name)
		}
	}
	if want := "\nFROM ./soup\n"; !strings.Contains(first["Modelfile"], want) {
		t.Errorf("Modelfile %s", first["Modelfile"])
	}
}

// files are the contents below a folder.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		tree[filepath.ToSlash(rel)] = read(t, path)
		return err
	}))
	return tree
}

func TestExportRefuses(t *testing.T) {
	dir := studied(t, "")
	there := filepath.Join(t.TempDir(), "there")
	must(t, os.WriteFile(there, nil, 0o600))
	new := func() string { return filepath.Join(t.TempDir(), "new") }
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"nothing":            {Options{Trial: -1}, "export needs -o OUT"},
		"trial of all":       {Options{Optuna: new(), Trial: 3}, "--optuna and --jsonl write all trials"},
		"study file":         {Options{JSONL: new(), Trial: -1, Study: "x.yaml"}, "--study is for --lm-eval"},
		"format of nothing":  {Options{JSONL: new(), Trial: -1, Format: "gguf"}, "give -o OUT"},
		"one path":           {Options{JSONL: "x", Optuna: "x", Trial: -1}, "two things"},
		"out is file":        {Options{JSONL: "x", Out: "./x", Trial: -1}, "two things"},
		"optuna is there":    {Options{Optuna: there, Trial: -1}, "exists already"},
		"jsonl is there":     {Options{JSONL: there, Trial: -1}, "exists already"},
		"mergekit is there":  {Options{Mergekit: there, Trial: -1}, "exists already"},
		"modelfile is there": {Options{Modelfile: there, Trial: -1}, "exists already"},
		"lm-eval is there":   {Options{LMEval: there, Trial: -1}, "exists already"},
		"card is there":      {Options{Out: filepath.Join(filepath.Dir(there), "a.gguf"), Format: "gguf", Trial: -1}, "a.gguf.README.md: exists already"},
		"the base":           {Options{Mergekit: new(), Trial: 0}, "trial 0 is the base itself"},
		"not exported":       {Options{Modelfile: new(), Trial: 4}, "trial 4 is not exported"},
		"line break":         {Options{Modelfile: new(), Out: "a\nb", Trial: 4}, "a line break"},
		"pruned":             {Options{LMEval: new(), Trial: 6}, "trial 6 was not scored to the end"},
		"other study file":   {Options{LMEval: new(), Trial: 4, Study: filepath.Join(t.TempDir(), "x.yaml")}, "the items of the study cannot be read"},
	} {
		if name == "card is there" {
			must(t, os.WriteFile(c.o.Out+".README.md", nil, 0o600))
		}
		_, err := Export(t.Context(), dir, c.o)
		var wrong *usage.Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Export(t.Context(), dir, Options{Mergekit: filepath.Join(new(), "deep", "x"), Trial: -1}); err == nil {
		t.Error("a file in a folder that is not there")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, o := range []Options{{Optuna: new(), Trial: -1}, {JSONL: new(), Trial: -1}, {Out: new(), Trial: -1}} {
		if _, err := Export(stopped, dir, o); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
		for _, path := range []string{o.Optuna, o.JSONL, o.Out} {
			if path != "" && vacant(path) != nil {
				t.Errorf("%s is there", path)
			}
		}
	}
}

// Items that were changed since are not passed off as those that were answered.
func TestLMEvalWantsTheItems(t *testing.T) {
	dir := studied(t, "")
	file := filepath.Join(filepath.Dir(dir), "arith.jsonl")
	must(t, os.WriteFile(file, []byte(strings.Replace(read(t, file), `"prompt": "`, `"prompt": "1`, 1)), 0o600))
	_, err := Export(t.Context(), dir, Options{LMEval: filepath.Join(t.TempDir(), "lm"), Trial: -1})
	if err == nil || !strings.Contains(err.Error(), "its items are not those that were answered") {
		t.Error(err)
	}
	// and one that lies elsewhere is found by --study
	dir = studied(t, "")
	moved := t.TempDir()
	for _, name := range []string{"arith.jsonl", "choice.jsonl"} {
		must(t, os.Rename(filepath.Join(filepath.Dir(dir), name), filepath.Join(moved, name)))
	}
	o := Options{LMEval: filepath.Join(t.TempDir(), "lm"), Trial: 4}
	if _, err := Export(t.Context(), dir, o); err == nil || !strings.Contains(err.Error(), "arith.jsonl") {
		t.Error(err)
	}
	o.Study = filepath.Join(moved, "night.yaml")
	_, err = Export(t.Context(), dir, o)
	must(t, err)
}

// What the harness' own readers take: names, fields, hashes, and the means of
// what was answered.
func TestLMEvalLayout(t *testing.T) {
	dir := studied(t, "")
	to := filepath.Join(t.TempDir(), "deep", "lm")
	_, err := Export(t.Context(), dir, Options{LMEval: to, Trial: 1})
	must(t, err)
	tree := files(t, to)
	const at = "_2026-11-23T22-01-01.500000"
	if got := slices.Sorted(maps.Keys(tree)); !slices.Equal(got, []string{"night/results" + at + ".json", "night/samples_arith" + at + ".jsonl", "night/samples_choice" + at + ".jsonl"}) {
		t.Fatal(got)
	}
	var r struct {
		Results map[string]map[string]any
		Samples map[string]map[string]int `json:"n-samples"`
		Hashes  map[string]string         `json:"task_hashes"`
		Date    float64
		Name    string `json:"model_name_sanitized"`
	}
	must(t, json.Unmarshal([]byte(tree["night/results"+at+".json"]), &r))
	// The first item of trial 1 had no answer: 7 are left.
	if r.Samples["arith"]["original"] != 8 || r.Samples["arith"]["effective"] != 7 || r.Samples["choice"]["effective"] != 8 || r.Name != "night" {
		t.Errorf("%+v", r)
	}
	sum, n, hashes := 0.0, 0, ""
	for line := range strings.Lines(tree["night/samples_arith"+at+".jsonl"]) {
		var s struct {
			ID        int `json:"doc_id"`
			Doc       eval.Item
			Target    string
			Arguments map[string]map[string]any
			Resps     [][]string
			Metrics   []string
			Number    float64
			DocHash   string `json:"doc_hash"`
			Prompt    string `json:"prompt_hash"`
			Answer    string `json:"target_hash"`
		}
		must(t, json.Unmarshal([]byte(line), &s))
		if s.ID != n || s.Doc.Split != eval.InTest || s.Target != s.Doc.Answer || s.Resps[0][0] != s.Target || s.Metrics[0] != "number" {
			t.Errorf("%+v", s)
		}
		prompt := s.Arguments["gen_args_0"]["arg_0"].(string)
		if s.Prompt != hash(prompt) || s.Answer != hash(s.Target) || !strings.Contains(prompt, s.Doc.Prompt) {
			t.Errorf("hashes of %s", line)
		}
		sum, n, hashes = sum+s.Number, n+1, hashes+s.DocHash+s.Prompt+s.Answer
	}
	if got := r.Results["arith"]["number,none"].(float64); got != sum/float64(n) || r.Hashes["arith"] != hash(hashes) {
		t.Errorf("mean %v of %v, hash %s", got, sum/float64(n), r.Hashes["arith"])
	}
}

// A winner that is to be had need not be exported for a Modelfile.
func TestModelfileOfWinner(t *testing.T) {
	dir := studied(t, "")
	o := Options{Modelfile: filepath.Join(filepath.Dir(dir), "Modelfile"), Trial: -1}
	if _, err := Export(t.Context(), dir, o); err == nil {
		t.Error("a Modelfile of nothing")
	}
	must(t, os.Mkdir(filepath.Join(dir, "winner"), 0o755))
	_, err := Export(t.Context(), dir, o)
	must(t, err)
	if text := read(t, o.Modelfile); !strings.Contains(text, "\nFROM ./night/winner\n") {
		t.Error(text)
	}
}

// Groups are parameters of their own, and in the card columns.
func TestExportOfGroups(t *testing.T) {
	dir := studied(t, "groups: {kind: [attention, mlp]}\n", "attention", "mlp", "other")
	to := t.TempDir()
	o := Options{Out: filepath.Join(to, "soup"), Optuna: filepath.Join(to, "o.log"), Trial: -1}
	_, err := Export(t.Context(), dir, o)
	must(t, err)
	if text := read(t, filepath.Join(o.Out, "README.md")); !strings.Contains(text, "weight, attention | weight, mlp | weight, other |") {
		t.Error(text)
	}
	if text := read(t, o.Optuna); !strings.Contains(text, `"attention/arith":0.25,"attention/order":0.75`) || !strings.Contains(text, `"other/arith":0.75,"other/order":0.0,"other/quiz":0.25`) {
		t.Error(text)
	}
}

// The GGUF file has its card beside it.
func TestCardOfGGUF(t *testing.T) {
	out := filepath.Join(t.TempDir(), "best.gguf")
	_, err := Export(t.Context(), studied(t, ""), Options{Out: out, Format: "gguf", Trial: -1})
	must(t, err)
	if text := read(t, out+".README.md"); !strings.Contains(text, "library_name: gguf") || !strings.Contains(text, "`best.gguf.soup.json`") || !bytes.HasPrefix([]byte(text), []byte("---\n")) {
		t.Error(text)
	}
}
