package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"

	"soup/results"
)

func render(t *testing.T, s Study) string {
	t.Helper()
	var text bytes.Buffer
	if err := Write(&text, s); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// dataOf is what stands in the page's data element.
func dataOf(t *testing.T, html string) (raw string, d map[string]any) {
	t.Helper()
	_, rest, _ := strings.Cut(html, `<script type="application/json" id="data">`)
	raw, _, ok := strings.Cut(rest, "</script>")
	if err := json.Unmarshal([]byte(raw), &d); !ok || err != nil {
		t.Fatalf("data: %v", err)
	}
	return raw, d
}

func TestPageHoldsWhatTheStudyHas(t *testing.T) {
	html := render(t, sample(false))
	for _, want := range []string{
		Signature, "The soup is better than the best single checkpoint, candidate 0, by 5.1 points.",
		"&#43;5.1 points, 95 % interval [&#43;3.1, &#43;7.0], p = 0.0004, n = 1,800 items of test: 375 won, 283 lost, 1,142 even",
		"The soup loses in choice (-10.7 points [-12.8, -8.8]).", "checkpoint hot: NaN", "greedy: adds arith",
		"is expected to flatter the best of them by 1.9 points", "The winner solves 12 of the 210 items that all parents fail",
	} {
		if !strings.Contains(html, want) && !strings.Contains(html, strings.ReplaceAll(want, "&#43;", "+")) {
			t.Errorf("the page lacks %q", want)
		}
	}
	_, d := dataOf(t, html)
	trials, charts := d["trials"].([]any), d["charts"].([]any)
	if len(trials) != 40 || len(charts) != 12 || d["winner"] != 5. {
		t.Errorf("%d trials, %d charts, winner %v", len(trials), len(charts), d["winner"])
	}
	third := trials[2].(map[string]any)
	if w := third["weights"].([]any)[0].([]any); w[0] != 0. || w[2] != 1. {
		t.Errorf("weights of trial 2: %v", w)
	}
	if html != render(t, sample(false)) {
		t.Error("equal studies give unequal pages")
	}
	if len(html) > 1<<20 {
		t.Errorf("%d bytes", len(html))
	}
}

// Nothing that a user names can end an element or a string.
func TestHostileNamesAreText(t *testing.T) {
	plain, evil := render(t, sample(false)), render(t, sample(true))
	for _, tag := range []string{"<script", "</script", "<img", "<dialog"} {
		if n, m := strings.Count(plain, tag), strings.Count(evil, tag); n != m {
			t.Errorf("%d times %s, and %d times with hostile names", n, tag, m)
		}
	}
	raw, d := dataOf(t, evil)
	if strings.ContainsAny(raw, "<>&\u2028\u2029") {
		t.Error("data are not escaped")
	}
	if got := d["parents"].([]any)[0]; got != "arith"+hostile {
		t.Errorf("%q", got)
	}
}

// The page allows its own scripts and style and nothing else.
func TestPolicy(t *testing.T) {
	html := strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(render(t, sample(true)))
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(html)[1]
	want := regexp.MustCompile(`^default-src 'none'; script-src 'sha256-[\w+/=]{44}' 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'$`)
	if !want.MatchString(policy) {
		t.Errorf("policy %q", policy)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(html)[1]
	if !strings.Contains(policy, source(style)) {
		t.Error("the policy does not allow the page's style")
	}
	if found := regexp.MustCompile(`<[^>]+ (style|on\w+|src|href="http)[=]`).FindString(beforeData(html)); found != "" {
		t.Errorf("%s", found)
	}
}

func TestVerdicts(t *testing.T) {
	s := sample(false)
	c := &s.Comparisons[0]
	for _, x := range []struct {
		change      func()
		class, want string
	}{
		{func() { c.Verdict, c.Delta = results.Worse, -.02 }, "worse", "The soup is worse than the best single checkpoint, candidate 0, by 2.0 points."},
		{func() { c.Verdict = results.Noise }, "noise", "No soup is better: the winner cannot be told from the best single checkpoint, candidate 0."},
		{func() { s.Winner.Trial = 0 }, "noise", "No soup is better: the best single checkpoint, candidate 0, won."},
		{func() { s.Winner.Trial = 5; s.Comparisons = nil }, "none", "The winner was not compared with the best single checkpoint."},
		{func() { s.Winner = nil }, "none", "The study is not finished: there is no winner yet."},
	} {
		x.change()
		if v := newVerdict(s.Report); v.Class != x.class || v.Sentence != x.want {
			t.Errorf("%+v, want %s", v, x.want)
		}
		if html := render(t, s); !strings.Contains(html, x.want) {
			t.Errorf("the page lacks %q", x.want)
		}
	}
}

func TestEmptyStudy(t *testing.T) {
	_, d := dataOf(t, render(t, Study{Report: results.Report{Study: "new"}}))
	if n := len(d["charts"].([]any)); n != 0 {
		t.Errorf("%d charts of nothing", n)
	}
}

func TestNoPrompts(t *testing.T) {
	s := sample(false)
	s.Without = "the file is gone"
	html := render(t, s)
	_, d := dataOf(t, html)
	if _, has := d["items"].(map[string]any)["prompt"]; has || !strings.Contains(html, "the file is gone") {
		t.Error("prompts, or no word of the file")
	}
}

func TestMark(t *testing.T) {
	for want, a := range map[byte]Answer{
		'-': {}, '!': {State: results.Failed, Score: 1}, '0': {State: results.OK}, 'y': {State: results.Truncated, Score: 1},
		'1': {State: results.OK, Score: .0001}, 'x': {State: results.OK, Score: .9999}, 'U': {State: results.OK, Score: .5}, 'K': {State: results.OK, Score: 1. / 3},
	} {
		if got := a.Mark(); got != want {
			t.Errorf("%+v: %c, want %c", a, got, want)
		}
	}
}

func TestGroups(t *testing.T) {
	w := results.Weights{Groups: []results.GroupWeights{{Name: "mlp", ByParent: map[string]float64{"a": 1.5, "b": -.5}}, {Name: "other", ByParent: map[string]float64{"b": 1}}}}
	tables := weightTables(w, []string{"a", "b"})
	if len(tables) != 2 || tables[0].Rows[0].Percent != 100 || !tables[0].Rows[1].Negative || tables[1].Rows[0].Weight != "0.000" {
		t.Errorf("%+v", tables)
	}
}

func TestWriteErrors(t *testing.T) {
	s := sample(false)
	s.Trials[0].Seconds.Eval = math.NaN()
	if err := Write(&bytes.Buffer{}, s); err == nil || !strings.Contains(err.Error(), "page of night: ") {
		t.Errorf("a number that is none: %v", err)
	}
	broken := errors.New("disk full")
	if err := Write(failing{broken}, sample(false)); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// beforeData is the page without the study's data, which may hold anything.
func beforeData(html string) string {
	head, _, _ := strings.Cut(html, `id="data"`)
	return head
}
