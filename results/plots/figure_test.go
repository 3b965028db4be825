package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"

	"soup/results"
)

// svgOf writes a figure and checks what holds for every one: it is XML, the same
// each time, without NaN, and says how many of what it shows.
func svgOf(t *testing.T, f *Figure) string {
	t.Helper()
	var one, two bytes.Buffer
	if err := errors.Join(f.WriteSVG(&one), f.WriteSVG(&two)); err != nil {
		t.Fatal(err)
	}
	if one.String() != two.String() {
		t.Errorf("%s: two drawings differ", f.Name)
	}
	for _, bad := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(one.String(), bad) {
			t.Errorf("%s has %s", f.Name, bad)
		}
	}
	texts(t, one.String())
	return one.String()
}

// texts are the words of a picture.
func texts(t *testing.T, svg string) []string {
	t.Helper()
	var out []string
	d := xml.NewDecoder(strings.NewReader(svg))
	in := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			in = x.Name.Local == "text"
		case xml.CharData:
			if in {
				out = append(out, string(x))
			}
		case xml.EndElement:
			in = false
		}
	}
}

func draw1(t *testing.T, r results.Report, name string) string {
	t.Helper()
	figures, missing := Draw(r)
	for _, f := range figures {
		if f.Name == name {
			return svgOf(t, f)
		}
	}
	t.Fatalf("no figure %s: %v", name, missing)
	return ""
}

var names = []string{"best-so-far", "categories", "weights", "groups", "interpolation", "search-test", "correlation", "cost"}

// special are drawn of some studies only; each has a test of its own.
var special = []string{"run", "path", "landscape", "reliability"}

// Every figure is drawn, or the reason why not is said.
func TestDraw(t *testing.T) {
	check := func(what string, r results.Report, lacks ...string) {
		t.Helper()
		figures, missing := Draw(r)
		var drawn, left []string
		for _, f := range figures {
			drawn = append(drawn, f.Name)
			svgOf(t, f)
		}
		for _, m := range missing {
			if !slices.Contains(special, m.Name) {
				left = append(left, m.Name)
			}
			if m.Reason == "" || strings.Contains(m.Reason, "\n") {
				t.Errorf("%s: %s is missing for %q", what, m.Name, m.Reason)
			}
		}
		if !slices.Equal(left, lacks) {
			t.Errorf("%s lacks %v, want %v", what, left, lacks)
		}
		if all := slices.Concat(drawn, left); len(all) != len(names) {
			t.Errorf("%s: %v", what, all)
		}
	}
	check("two parents", made(2, 12), "groups", "interpolation")
	check("three parents", made(3, 12), "groups")
	check("many parents", made(9, 60), "groups")
	check("groups", made(4, 20, "attention", "mlp"), "interpolation")
	check("nothing", results.Report{}, names...)
	check("begun", results.Report{Study: "x", Parents: []string{"a", "b"}}, names...)

	r := made(3, 12)
	r.Winner, r.Comparisons = nil, nil
	for i := range r.Trials {
		r.Trials[i].Scores.Test, r.Trials[i].Scores.Selection = nil, nil
	}
	check("searching", r, "categories", "groups", "search-test")

	r = made(3, 12)
	for i := range r.Trials {
		r.Trials[i].State, r.Trials[i].Scores = results.Failed, results.Scores{}
	}
	check("all failed", r, "best-so-far", "weights", "groups", "interpolation", "search-test", "correlation")

	r = made(3, 12)
	same := *r.Trials[0].Scores.Search
	same.SE = nil
	for i := range r.Trials {
		r.Trials[i].Scores.Search = &same
	}
	check("equal scores without standard errors", r, "groups")

	r = made(1, 0)
	check("one parent", r, "weights", "groups", "interpolation", "search-test", "correlation")
}

// Foreign names neither break the XML nor run into each other.
func TestHostileNames(t *testing.T) {
	r := made(4, 20, "a<b>&\"c\"", "\x00\x1b[31m", strings.Repeat("layers.", 40))
	renamed := []string{"<script>", strings.Repeat("meta-llama-", 9) + "code", strings.Repeat("meta-llama-", 9) + "chat", "日本語"}
	for i, to := range renamed {
		rename(&r, r.Parents[i], to)
	}
	r.Winner.Label = "]]>"
	figures, _ := Draw(r)
	for _, f := range figures {
		svg := svgOf(t, f)
		if strings.Contains(svg, "<script>") {
			t.Errorf("%s: a name is markup", f.Name)
		}
	}
	if svg := draw1(t, r, "groups"); !strings.Contains(svg, "-code") || !strings.Contains(svg, "-chat") {
		t.Error("names lose what tells them apart")
	}
}

func rename(r *results.Report, from, to string) {
	change := func(by map[string]float64) {
		if w, ok := by[from]; ok {
			delete(by, from)
			by[to] = w
		}
	}
	for i := range r.Trials {
		change(r.Trials[i].ByParent)
		for _, g := range r.Trials[i].Groups {
			change(g.ByParent)
		}
	}
	r.Parents[slices.Index(r.Parents, from)] = to
}

// A label says the unit, and how many candidates and items a figure rests on.
func TestLabels(t *testing.T) {
	check := func(r results.Report, name string, want ...string) {
		t.Helper()
		all := strings.Join(texts(t, draw1(t, r, name)), "\n")
		for _, w := range want {
			if !strings.Contains(all, w) {
				t.Errorf("%s lacks %q:\n%s", name, w, all)
			}
		}
	}
	r := made(3, 12)
	check(r, "best-so-far", "15 trials on search (n = 900 items each)", "score (points)", "items answered", "winner")
	check(r, "categories", "n = 449", "points", "-7.0 [-10.0, -4.0]", "~ [-3.0, +5.0]", "winner less best single checkpoint")
	check(r, "weights", "15 candidates of 3 parents", "points", "n = 900", "parent-a (")
	check(r, "interpolation", "parent-a to parent-b", "weight of parent-b", "n = 900", "points")
	check(r, "search-test", "search n = 900, test n = 1800", "test less search (points)", "points for the best on search", "n = 15 candidates")
	check(r, "correlation", "n = 15 candidates", "1.00", "arith")
	check(r, "cost", "seconds", "single checkpoints (n = 3)", "all (n = 15)")
	check(made(2, 12), "weights", "weight of parent-b (the rest is parent-a)", "score on search (points)")
	check(made(5, 30), "weights", "the best 10", "parent-e", "points")
	check(made(4, 20, "attention", "mlp"), "groups", "attention", "mlp", "weight", "parent-d", "2 groups")
	check(made(4, 20, "attention", "mlp"), "weights", "means over the groups")
}

// Without standard errors nothing is said of intervals.
func TestNoIntervals(t *testing.T) {
	for _, r := range []results.Report{made(2, 12), made(3, 12)} {
		for i := range r.Trials {
			r.Trials[i].Scores.Search.SE = nil
		}
		for _, name := range []string{"weights", "search-test"} {
			if svg := draw1(t, r, name); strings.Contains(svg, "interval") {
				t.Errorf("%s of %d parents speaks of intervals", name, len(r.Parents))
			}
		}
	}
}

// There is one mark for each trial, and one in the key.
func TestMarks(t *testing.T) {
	r := made(3, 12)
	r.Trials = append(r.Trials,
		results.TrialReport{Number: 15, Strategy: "random", State: results.Failed, Answered: 0},
		results.TrialReport{Number: 16, Strategy: "random", State: results.Pruned, Answered: 50},
		results.TrialReport{Number: 17, Strategy: "random", State: results.Cached, Of: 3, Scores: r.Trials[3].Scores})
	svg := draw1(t, r, "best-so-far")
	blue := fmt.Sprintf("fill:#%02X%02X%02X", blue.R, blue.G, blue.B)
	if n := strings.Count(svg, blue); n != 3+1 {
		t.Errorf("%d marks for the 3 parents and the key", n)
	}
	for _, want := range []string{"failed (1, no score)", "pruned (1, no score)"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q", want)
		}
	}
}

// Text keeps its measured length in any font; what the measured font lacks does
// not.
func TestPortable(t *testing.T) {
	text := func(style, words string) string { return `<text x="1" ` + style + `>` + words + `</text>` }
	plain, bold := text("font-size:8px;font-weight:normal", "a &lt; b  "), text("font-size:8px;font-weight:bold", "a &lt; b")
	width := func(svg string) (w float64) {
		if _, err := fmt.Sscanf(svg, `<text textLength="%g"`, &w); err != nil {
			t.Errorf("%s: %v", svg, err)
		}
		return w
	}
	got, heavy := portable(plain), portable(bold)
	if w := width(got); w < 10 || w > 25 || w >= width(heavy) {
		t.Errorf("%s\n%s", got, heavy)
	}
	if !strings.HasSuffix(got, ">a &lt; b</text>") {
		t.Error(got)
	}
	if other := text("font-size:8px", "日本語"); portable(other) != other {
		t.Error(portable(other))
	}
}

// Nothing is drawn over the winner.
func TestWinnerLast(t *testing.T) {
	r := made(3, 12)
	list := candidates(r)
	if got := winnerLast(r, list); len(got) != len(list) || got[len(got)-1].Number != r.Winner.Trial {
		t.Errorf("%d of %d", len(got), len(list))
	}
}

func TestWritePNG(t *testing.T) {
	figures, _ := Draw(made(3, 12))
	for i, f := range figures[:3] { // drawing pixels is slow
		var one, two bytes.Buffer
		if err := f.WritePNG(&one); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := f.WritePNG(&two); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
				t.Errorf("%s: two drawings differ: %v", f.Name, err)
			}
		}
		picture, err := png.Decode(&one)
		if err != nil {
			t.Fatal(err)
		}
		if width := picture.Bounds().Dx(); width != 1300 {
			t.Errorf("%s: %d pixels wide", f.Name, width)
		}
	}
}

func TestWriteError(t *testing.T) {
	figures, _ := Draw(made(2, 12))
	if figures[0].WriteSVG(full{}) == nil || figures[0].WritePNG(full{}) == nil {
		t.Error("a full disk went unnoticed")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }
