package benchmarks

import (
	"strings"
	"testing"

	"soup/eval"
)

func TestMGSM(t *testing.T) {
	dir := put(t, map[string]string{
		"mgsm_en.tsv": "How many pens?\t1,200\nHow many more?\t7\n",
		"mgsm_te.tsv": "ఎన్ని?\t1200\nఇంకా?\t7\n",
	})
	items := mustLoad(t, Source{Family: "mgsm", Path: dir})
	if len(items) != 4 || items[0].Category != "mgsm_en" || items[2].Category != "mgsm_te" || items[0].Cluster != items[2].Cluster || items[0].Cluster == items[1].Cluster {
		t.Errorf("%+v", items)
	}
	if it := items[0]; !strings.HasPrefix(it.Prompt, "Solve this math problem.") || !strings.HasSuffix(it.Prompt, "\n\nHow many pens?") || it.MaxTokens != 2048 || it.Metric != "mgsm" {
		t.Errorf("%+v", it)
	}
	outcomes := make([]eval.Outcome, 4)
	for i, score := range []float64{1, 0, 1, 1} {
		outcomes[i] = eval.Outcome{ID: items[i].ID, State: eval.StateOK, Score: score}
	}
	want := []Figure{{"group_latin", 0.5, ""}, {"group_non_latin", 1, ""}, {"score", 0.75, ""}}
	if got := Figures(Source{Family: "mgsm"}, items, outcomes); len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("figures %v", got)
	}
}

func TestMGSMNativeCOT(t *testing.T) {
	dir := put(t, map[string]string{"mgsm_en.tsv": "How many pens?\t1,200\n", "mgsm_ja.tsv": "何本？\t1200\n"})
	items := mustLoad(t, Source{Family: "mgsm", Path: dir, Options: map[string]any{"rule": "native-cot", "filter": "strict-match"}})
	if it := items[0]; it.Raw != "Question: How many pens?\nStep-by-Step Answer:" || it.Answer != "1200" || it.Stop[0] != "Question:" || it.MaxTokens != 256 {
		t.Errorf("%+v", it)
	}
	outcomes := []eval.Outcome{
		{ID: items[0].ID, State: eval.StateOK, Answer: "The answer is 1,200."},
		{ID: items[1].ID, State: eval.StateOK, Answer: "答えは1200個です。"},
	}
	got := Figures(Source{Family: "mgsm"}, items, outcomes)
	if len(got) != 2 || got[0] != (Figure{"flexible-extract", 1, ""}) || got[1] != (Figure{"strict-match", 0.5, ""}) {
		t.Errorf("figures %v", got)
	}
}

func TestMGSMErrors(t *testing.T) {
	dir := put(t, map[string]string{"mgsm_en.tsv": "How many?\t3\nHow many?\tthree\n", "mgsm_de.tsv": "", "x/y": ""})
	load := func(path string, options map[string]any, parts ...string) {
		t.Helper()
		refused(t, Source{Family: "mgsm", Path: path, Options: options}, parts...)
	}
	load(dir, map[string]any{"languages": "en"}, "mgsm_en.tsv:2", "tab")
	load(dir, map[string]any{"languages": "de"}, "mgsm_de.tsv", "no problems")
	load(dir, map[string]any{"languages": "fr"}, "mgsm_fr.tsv")
	load(dir, map[string]any{"languages": "xx"}, `xx is none of bn, de`)
	load(dir, map[string]any{"filter": "strict-match"}, "native-cot")
	load(dir+"/x", nil, "no mgsm_en.tsv")
}
