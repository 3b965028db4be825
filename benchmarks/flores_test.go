package benchmarks

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
)

// folder writes files, given by path and content.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// wantLoadError checks that a benchmark is refused for a reason that has all parts.
func wantLoadError(t *testing.T, s Source, parts ...string) {
	t.Helper()
	_, err := Load(s)
	if err == nil {
		t.Errorf("%+v is loaded, want an error with %q", s, parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not name %q", err, part)
		}
	}
}

func floresFolder(t testing.TB) string {
	return folder(t, map[string]string{
		"dev/eng_Latn.dev":         "One lamp.\nTwo lamps.\n",
		"dev/deu_Latn.dev":         "Eine Lampe.\nZwei Lampen.\n",
		"devtest/eng_Latn.devtest": "The ferry leaves.\nIt rains.\nThe harbour is open today.\n",
		"devtest/deu_Latn.devtest": "Die Fähre fährt ab.\nEs regnet.\nDer Hafen ist heute offen.\r\n",
		"devtest/devtest.quy_Latn": "a b\nc d\ne f\n",
	})
}

func loadFloresPair(t *testing.T, options map[string]any) []eval.Item {
	t.Helper()
	options["pairs"] = []any{"eng_Latn-deu_Latn"}
	items, err := Load(Source{Family: "flores", Path: floresFolder(t), Options: options})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func TestFlores(t *testing.T) {
	items := loadFloresPair(t, map[string]any{"shots": uint64(1)})
	if len(items) != 3 {
		t.Fatalf("%d items", len(items))
	}
	it := items[2]
	want := "English sentence: One lamp.\nGerman sentence:Eine Lampe.\n\nEnglish sentence: The harbour is open today.\nGerman sentence:"
	if it.Raw != want || len(it.Stop) != 1 || it.Stop[0] != "\n" {
		t.Errorf("prompt %q until %q", it.Raw, it.Stop)
	}
	if it.Answer != "Der Hafen ist heute offen." || it.Metric != "chrf++" || it.Category != "eng_Latn-deu_Latn" || it.MaxTokens != 256 {
		t.Errorf("%+v", it)
	}
	if it.ID != "flores/eng_Latn-deu_Latn/devtest-0003" || it.Cluster != "devtest-0003" {
		t.Errorf("id %s, cluster %s", it.ID, it.Cluster)
	}
}

func TestFloresChat(t *testing.T) {
	items := loadFloresPair(t, map[string]any{"prompt": "chat", "shots": 2, "metric": "bleu", "part": "dev", "max_tokens": int64(9)})
	it := items[0]
	if len(it.Messages) != 5 || it.Messages[3].Content != "Es regnet." || it.Raw != "" || it.Stop != nil || it.Metric != "bleu" || it.MaxTokens != 9 {
		t.Errorf("%+v", it)
	}
	if last := it.Messages[4]; last.Role != "user" || !strings.Contains(last.Content, "from English to German") || !strings.HasSuffix(last.Content, "\n\nOne lamp.") {
		t.Errorf("last turn %+v", last)
	}
}

// Without pairs it is every language of the folder, to and from English.
func TestFloresAllPairs(t *testing.T) {
	items, err := Load(Source{Name: "mt", Family: "flores", Path: floresFolder(t), Options: map[string]any{"shots": 0, "names": map[string]any{"quy_Latn": "Quechua"}}})
	if err != nil {
		t.Fatal(err)
	}
	var categories []string
	for _, it := range items {
		if n := len(categories); n == 0 || categories[n-1] != it.Category {
			categories = append(categories, it.Category)
		}
	}
	want := "eng_Latn-deu_Latn deu_Latn-eng_Latn eng_Latn-quy_Latn quy_Latn-eng_Latn"
	if got := strings.Join(categories, " "); got != want {
		t.Errorf("categories %s, want %s", got, want)
	}
	if raw := items[6].Raw; raw != "English sentence: The ferry leaves.\nQuechua sentence:" {
		t.Errorf("prompt %q", raw)
	}
}

// Figures add up counts: they are no means of items. Expected: sacrebleu 2.6.0.
func TestFloresFigures(t *testing.T) {
	items := loadFloresPair(t, map[string]any{"shots": 0})
	outcomes := []eval.Outcome{
		{ID: items[0].ID, State: eval.StateOK, Answer: "Die Fähre fährt ab."},
		{ID: items[1].ID, State: eval.StateFailed},
		{ID: items[2].ID, State: eval.StateTruncated, Answer: "Der Hafen ist jetzt offen ."},
		{ID: "other", State: eval.StateOK, Answer: "x"},
	}
	figures := Figures(Source{Family: "flores"}, items, outcomes)
	want := map[string]float64{"chrF++ eng_Latn-deu_Latn": 79.10286802121168, "chrF eng_Latn-deu_Latn": 77.35601258047079, "BLEU eng_Latn-deu_Latn": 63.40466277046863}
	if len(figures) != len(want) {
		t.Fatalf("%+v", figures)
	}
	for _, f := range figures {
		if math.Abs(f.Value-want[f.Name]) > 1e-9 {
			t.Errorf("%s is %.12f, want %.12f", f.Name, f.Value, want[f.Name])
		}
	}
	if none := Figures(Source{Family: "flores"}, items, nil); len(none) != 0 {
		t.Errorf("figures of no answers: %+v", none)
	}
	twice := []eval.Item{items[0], {ID: "b", Category: "deu_Latn-eng_Latn", Answer: "One lamp."}}
	both := Figures(Source{Family: "flores"}, twice, append(outcomes[:1:1], eval.Outcome{ID: "b", State: eval.StateOK, Answer: "zzz"}))
	if last := both[2]; last.Name != "chrF++ mean of pairs" || last.Value != 50 {
		t.Errorf("%+v", both)
	}
}

func TestFloresErrors(t *testing.T) {
	dir := floresFolder(t)
	check := func(options map[string]any, parts ...string) {
		t.Helper()
		wantLoadError(t, Source{Family: "flores", Path: dir, Options: options}, append(parts, "flores")...)
	}
	pairs := func(pair string, more ...any) map[string]any {
		options := map[string]any{"pairs": []any{pair}}
		for i := 0; i < len(more); i += 2 {
			options[more[i].(string)] = more[i+1]
		}
		return options
	}
	check(pairs("eng_Latn"), `"eng_Latn" is no pair`)
	check(pairs("eng_Latn-eng_Latn"), "is no pair")
	check(pairs("eng_Latn-fra_Latn"), "no file", "fra_Latn.devtest", "devtest.fra_Latn")
	check(pairs("eng_Latn-quy_Latn", "shots", 0), "no name is known for quy_Latn", "names")
	check(pairs("eng_Latn-deu_Latn", "shots", 3), `"shots"`, "2 sentences only")
	check(pairs("eng_Latn-deu_Latn", "part", "test"), `"part"`, "devtest, dev")
	check(map[string]any{"pair": "x"}, `unknown option "pair"`, "pairs")
	wantLoadError(t, Source{Family: "flores", Path: filepath.Join(dir, "none")}, "none", "the folder that has dev and devtest")
	wantLoadError(t, Source{Family: "flores", Path: folder(t, map[string]string{"devtest/eng_Latn.devtest": "x\n"})}, "0 languages", "pairs")
	uneven := folder(t, map[string]string{"devtest/eng_Latn.devtest": "x\n", "devtest/deu_Latn.devtest": "x\ny\n", "devtest/fra_Latn.devtest": "x\n\ny\n"})
	wantLoadError(t, Source{Family: "flores", Path: uneven, Options: pairs("eng_Latn-deu_Latn")}, "eng_Latn has 1 sentences, deu_Latn has 2")
	wantLoadError(t, Source{Family: "flores", Path: uneven, Options: pairs("fra_Latn-deu_Latn")}, "fra_Latn.devtest:2", "empty line")
	if err := os.Mkdir(filepath.Join(uneven, "devtest", "ita_Latn.devtest"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantLoadError(t, Source{Family: "flores", Path: uneven, Options: pairs("ita_Latn-deu_Latn")}, "flores", "ita_Latn.devtest")
}
