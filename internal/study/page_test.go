package study

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"soup/internal/serve"
	"soup/results"
	"soup/results/page"
)

// finished runs a small study through a fake server and returns its folder.
func finished(t *testing.T, more string) (file, dir string) {
	t.Helper()
	file = smallStudy(t, more)
	if _, err := through(t, file, &machine{}, serve.GGUF, nil); err != nil {
		t.Fatal(err)
	}
	return file, DefaultDir(file)
}

func TestWritePage(t *testing.T) {
	file, dir := finished(t, "strategies: [{random: {budget: 3}}]\n")
	out := filepath.Join(t.TempDir(), "report.html")
	for range 2 { // the second takes the place of the first
		if err := WritePage(t.Context(), dir, out); err != nil {
			t.Fatal(err)
		}
	}
	html := readFile(t, out)
	prompt := firstPrompt(t, filepath.Join(filepath.Dir(file), "arith.jsonl"))
	if !strings.Contains(html, `"`+prompt+`"`) || strings.Contains(html, "Prompts are not shown") {
		t.Errorf("the page lacks the prompt %q", prompt)
	}

	data := filepath.Join(filepath.Dir(file), "arith.jsonl")
	changed := strings.Replace(readFile(t, data), prompt, "1+1", 1)
	for _, c := range []struct {
		want    string
		prepare func() error
	}{
		{"its items are not those that were answered", func() error { return os.WriteFile(data, []byte(changed), 0o600) }},
		{"no such file", func() error { return os.Remove(data) }},
	} {
		if err := c.prepare(); err != nil {
			t.Fatal(err)
		}
		if err := WritePage(t.Context(), dir, out); err != nil {
			t.Fatal(err)
		}
		if html := readFile(t, out); !strings.Contains(html, c.want) || strings.Contains(html, prompt) || !strings.Contains(html, "arith-test-000") {
			t.Errorf("the page does not say %q, shows prompts all the same, or no items", c.want)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func firstPrompt(t *testing.T, path string) string {
	t.Helper()
	line, _, _ := strings.Cut(readFile(t, path), "\n")
	var item struct{ Prompt string }
	if err := json.Unmarshal([]byte(line), &item); err != nil {
		t.Fatal(err)
	}
	return item.Prompt
}

func TestWritePageRefuses(t *testing.T) {
	_, dir := finished(t, "")
	mine := filepath.Join(t.TempDir(), "mine.html")
	if err := os.WriteFile(mine, []byte("<!DOCTYPE html><title>mine</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, file, want string }{
		{dir, mine, "is there already and is not a report of soup"},
		{dir, filepath.Dir(mine), "is a directory"},
		{dir, filepath.Join(dir, "missing", "x.html"), "no such file"},
		{t.TempDir(), filepath.Join(dir, "x.html"), "no study in"},
	} {
		if err := WritePage(t.Context(), c.dir, c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.file, err, c.want)
		}
	}
	if readFile(t, mine) != "<!DOCTYPE html><title>mine</title>" {
		t.Error("the user's file was changed")
	}
}

// What is kept of scores gives the report that the outcomes give, to the last bit.
func TestReportFromKeptScores(t *testing.T) {
	_, dir := finished(t, "strategies: [{random: {budget: 4}}]\n")
	kept, err := BuildReport(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := results.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	never := func([]results.Outcome) results.Score {
		t.Error("a score of a finished study is computed anew")
		return results.Score{}
	}
	if _, err := l.Scores(t.Context(), never); err != nil {
		t.Fatal(err)
	}
	for i := range kept.Trials {
		tr := &kept.Trials[i]
		for split, got := range map[string]*results.Score{results.Search: tr.Scores.Search, results.Selection: tr.Scores.Selection, results.Test: tr.Scores.Test} {
			outcomes, err := l.Outcomes(tr.Number, split)
			if err != nil {
				t.Fatal(err)
			}
			if len(outcomes) == 0 && got == nil || tr.State != results.Complete {
				continue
			}
			want := scoring(nil)(outcomes)
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("trial %d on %s (-outcomes +kept):\n%s", tr.Number, split, diff)
			}
		}
	}
}

func TestClip(t *testing.T) {
	long := strings.Repeat("é", 3000)
	s := page.Study{Items: []page.Item{{Prompt: long, Expected: "4"}}, Shown: []page.Answers{{List: []page.Answer{{Text: long}}}}}
	clip(&s, 5000)
	if p := s.Items[0].Prompt; !strings.HasPrefix(p, "éé") || !strings.HasSuffix(p, "… [cut: 6000 bytes in all]") || len(p) > 2100 || s.Items[0].Expected != "4" {
		t.Errorf("%d bytes: %.10s", len(p), p)
	}
	clip(&s, 1e6)
	if got := s.Shown[0].List[0].Text; !strings.Contains(got, "[cut: 6000 bytes") || strings.Count(got, "[cut") != 1 {
		t.Errorf("%s", got)
	}
}
