package results

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"pgregory.net/rapid"

	"soup/results/table"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, write func(*bytes.Buffer) error) {
	t.Helper()
	var got bytes.Buffer
	must(t, write(&got))
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(path, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", path, diff)
	}
}

// narrow checks that text fits the page, prints, and has no loose ends.
func narrow(t rapid.TB, text string, columns int) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if width := twwidth.Width(line); width > columns {
			t.Errorf("%d columns: %q", width, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("blanks at the end: %q", line)
		}
		if table.Printable(line) != line {
			t.Errorf("does not print: %q", line)
		}
	}
}

func TestWriteText(t *testing.T) {
	check := func(name string, change func(*Report)) {
		t.Run(name, func(t *testing.T) {
			r := gardenReport()
			change(&r)
			golden(t, name+".txt", func(w *bytes.Buffer) error {
				err := WriteText(w, r)
				narrow(t, w.String(), columns)
				return err
			})
		})
	}
	check("garden", func(*Report) {})
	for _, wide := range []int{80, 200} {
		t.Run(fmt.Sprint(wide), func(t *testing.T) {
			golden(t, fmt.Sprintf("garden-%d.txt", wide), func(w *bytes.Buffer) error {
				err := WriteTextWidth(w, gardenReport(), wide)
				narrow(t, w.String(), wide)
				return err
			})
		})
	}
	t.Run("markdown", func(t *testing.T) {
		r := gardenReport()
		r.Parents[3], r.Trials[2].Label, r.Winner.Label = "hot|stuff", "a*b*_c_", "a*b*_c_"
		golden(t, "garden.md", func(w *bytes.Buffer) error { return WriteMarkdown(w, r) })
	})
	check("noise", func(r *Report) {
		c := &r.Comparisons[0]
		c.Delta, c.Low, c.High, c.P, c.Verdict, c.Categories = .004, -.0051, .0132, .36, Noise, nil
		r.Optimism, r.Notes, r.Warnings = nil, nil, nil
	})
	check("worse", func(r *Report) {
		c := &r.Comparisons[0]
		c.Delta, c.Low, c.High, c.P, c.Verdict = -.02, -.0351, -.0052, .0089, Worse
		r.Trials = nil
	})
	check("single", func(r *Report) { r.Winner.Trial, r.Winner.Label = 0, "order" })
	check("groups", func(r *Report) {
		r.Winner.Weights = Weights{}
		for _, name := range []string{"embeddings", "layers 0-3", "layers 4-7", "layers 8-11", "layers 12-15", "output projection"} {
			r.Winner.Groups = append(r.Winner.Groups, GroupWeights{name, map[string]float64{"order": .75, "arith": .25}})
		}
	})
	check("extrapolated", func(r *Report) {
		r.Winner.Weights.ByParent = map[string]float64{"order": 1.6, "base": 0, "call": -.6, "quiz": -1e-9}
	})
	check("begun", func(r *Report) {
		*r = Report{Study: "garden", Seed: 1, Parents: r.Parents}
	})
	check("searching", func(r *Report) {
		r.Winner, r.Comparisons = nil, nil
		for i := range r.Strategies {
			r.Strategies[i].Scores.Selection, r.Strategies[i].Scores.Test, r.Strategies[i].AgainstBestSingle = nil, nil, nil
		}
	})
	check("unmeasured", func(r *Report) {
		r.Strategies[1].Scores.Search = &Score{Counts: Counts{N: 750, Failed: 140, Missing: 10}}
		r.Strategies[2].Scores.Search.SE = nil
		r.Trials[2].Scores.Test.Categories["sort"] = CategoryScore{Counts: Counts{Timeout: 300}}
	})
	check("names", func(r *Report) {
		r.Study = "a\x1b[31mred\nstudy"
		r.Strategies[0].Label = "meta-llama-3.1-8b-instruct-finetuned-on-everything"
		r.Parents[6], r.Parents[7] = "日本語のチェックポイント", strings.Repeat("long-", 30)
		r.Warnings = []string{strings.Repeat("word ", 40), strings.Repeat("x", 300)}
	})
}

func TestWriteTextWriteError(t *testing.T) {
	if err := WriteText(full{}, gardenReport()); err == nil {
		t.Error("a full disk went unnoticed")
	}
	if err := WriteMarkdown(full{}, gardenReport()); err == nil {
		t.Error("a full disk went unnoticed")
	}
	if err := WriteJSON(full{}, gardenReport()); err == nil {
		t.Error("a full disk went unnoticed")
	}
	if err := WriteCSV(full{}, gardenReport()); err == nil {
		t.Error("a full disk went unnoticed")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// Whatever a report holds, the text fits, prints and repeats.
func TestWriteTextAlwaysFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReport(t)
		var one, two bytes.Buffer
		wide := rapid.IntRange(80, 200).Draw(t, "columns")
		if err := errors.Join(WriteTextWidth(&one, r, wide), WriteTextWidth(&two, r, wide)); err != nil {
			t.Fatal(err)
		}
		narrow(t, one.String(), wide)
		if one.String() != two.String() {
			t.Error("equal reports give different text")
		}
	})
}

func drawReport(t *rapid.T) Report {
	name := rapid.OneOf(rapid.StringMatching(`[a-z0-9 -]{1,60}`), rapid.String())
	r := gardenReport()
	r.Study = name.Draw(t, "study")
	r.Parents = rapid.SliceOfN(name, 0, 20).Draw(t, "parents")
	r.Winner.Label = name.Draw(t, "label")
	r.Winner.ByParent = map[string]float64{}
	for _, p := range r.Parents {
		r.Winner.ByParent[p] = rapid.Float64Range(-2, 3).Draw(t, "weight")
	}
	for i := range r.Strategies {
		r.Strategies[i].Strategy = name.Draw(t, "strategy")
		r.Strategies[i].Candidates = rapid.IntRange(0, 1e6).Draw(t, "tried")
		if c := r.Strategies[i].AgainstBestSingle; c != nil {
			c.Difference = drawDifference(t)
		}
	}
	for i := range r.Comparisons {
		r.Comparisons[i].Against = name.Draw(t, "against")
		r.Comparisons[i].Difference = drawDifference(t)
		for j := range r.Comparisons[i].Categories {
			r.Comparisons[i].Categories[j].Category = name.Draw(t, "category")
		}
	}
	for i := range r.Inheritance.Specialists {
		s := &r.Inheritance.Specialists[i]
		s.Category, s.Parent, s.Difference = name.Draw(t, "category"), name.Draw(t, "parent"), drawDifference(t)
	}
	for i := range r.Inheritance.Parents {
		r.Inheritance.Parents[i].Parent = name.Draw(t, "parent")
	}
	for range rapid.IntRange(0, 12).Draw(t, "groups") {
		r.Winner.Groups = append(r.Winner.Groups, GroupWeights{name.Draw(t, "group"), r.Winner.ByParent})
	}
	return r
}

func drawDifference(t *rapid.T) Difference {
	n := rapid.IntRange(0, 1e6)
	x := rapid.Float64Range(-1, 1)
	return Difference{
		Delta: x.Draw(t, "delta"), Low: x.Draw(t, "low"), High: x.Draw(t, "high"), P: rapid.Float64Range(0, 1).Draw(t, "p"),
		N: n.Draw(t, "n"), Wins: n.Draw(t, "wins"), Losses: n.Draw(t, "losses"), Ties: n.Draw(t, "ties"),
		Verdict: rapid.SampledFrom([]string{Better, Worse, Noise}).Draw(t, "verdict"),
	}
}

func TestFormat(t *testing.T) {
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check(points(.81739), "81.7")
	check(points(-.0004), "0.0")
	check(signed(-.0004), "+0.0")
	check(signed(.0005), "+0.1")
	check(signed(-.00051), "-0.1")
	check(signed(1), "+100.0")
	check(coefficient(-.0001), "0.000")
	check(coefficient(-.6), "-0.600")
	check(Probability(0), "<0.0001")
	check(Probability(.0001), "0.0001")
	check(Probability(.00095), "0.0009")
	check(Probability(.0123), "0.012")
	check(Probability(.31), "0.31")
	check(Probability(1), "1.00")
	check(Difference{Delta: .004, Low: -.01, High: .02, P: .36, Verdict: Noise}.String(), "~ [-1.0, +2.0] p=0.36")
	check(Difference{Delta: .13, Low: .11, High: .15, P: .00001, Verdict: Better}.String(), "+13.0 [+11.0, +15.0] p<0.0001")
	check((*Score)(nil).String(), "-")
	check((&Score{}).String(), "-")
	check((&Score{Mean: ptr(.5)}).String(), "50.0")
	check(share(1, 3603), "<0.1 %")
	check(share(9, 900), "1.0 %")
	check(duration(0.04), "0s")
	check(duration(59.94), "59.9s")
	check(duration(191.6), "3m12s")
	check(duration(30000), "8h20m0s")
	check(plural(1, "trial")+plural(0, "trial"), "1 trial0 trials")
}
