package comparison

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

	"soup/results"
	"soup/results/table"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// night is a study of three strategies: parents, uniform, and a search whose
// soups get better.
func night(seed uint64, test ...float64) results.Report {
	r := results.Report{Study: "night", Seed: seed, Parents: []string{"a", "b"}, Candidates: 5, ItemsAnswered: 1500}
	for i, name := range []string{"single", "single", "uniform", "cmaes", "cmaes"} {
		t := results.TrialReport{Number: i, Of: i, Strategy: name, State: results.Complete, Answered: 100, Seconds: results.Seconds{Eval: 2}}
		mean := 0.5 + float64(i)/50
		t.Scores.Search = &results.Score{Mean: &mean, Counts: results.Counts{N: 100}}
		r.Trials = append(r.Trials, t)
	}
	r.Trials = append(r.Trials, results.TrialReport{Number: 5, Of: 1, Strategy: "cmaes", State: results.Cached, Scores: r.Trials[1].Scores})
	for i, name := range []string{"single", "uniform", "cmaes"} {
		s := row(name, test[i], test[i]-test[0], results.Noise)
		s.Trial = []int{1, 2, 4}[i]
		s.Scores.Test.N = 300
		s.AgainstBestSingle.Low, s.AgainstBestSingle.High, s.AgainstBestSingle.P, s.AgainstBestSingle.N = test[i]-test[0]-0.02, test[i]-test[0]+0.02, 0.2, 300
		switch {
		case name == "single":
			s.AgainstBestSingle = nil
		case test[i] > test[0]+0.02:
			s.AgainstBestSingle.Verdict = results.Better
		case test[i] < test[0]-0.02:
			s.AgainstBestSingle.Verdict = results.Worse
		}
		r.Strategies = append(r.Strategies, s)
	}
	winner := r.Strategies[2]
	r.Winner = &results.WinnerReport{Trial: winner.Trial, Label: "cmaes 2"}
	r.Comparisons = []results.Comparison{{Of: results.OfWinner, Against: results.OfBestSingle, Split: results.Test, Difference: winner.AgainstBestSingle.Difference}}
	r.Trials[4].Scores.Test = winner.Scores.Test
	return r
}

// nights is a comparison of four seeds and another study.
func nights() *Comparison {
	c := &Comparison{reports: []results.Report{
		night(1, 0.60, 0.55, 0.70), night(2, 0.62, 0.61, 0.66), night(3, 0.61, 0.50, 0.60), night(4, 0.60, 0.56, 0.56), night(1, 0.4, 0.4, 0.5),
	}}
	c.reports[4].Study = "day"
	for i, r := range c.reports {
		c.Studies = append(c.Studies, summary(fmt.Sprintf("build/%s-%d", r.Study, i+1), r))
	}
	c.addStrategies(c.reports)
	c.addSeeds(c.reports)
	c.addPaces(c.reports)
	at := map[[2]string]int{}
	c.count(at, "single", "uniform", results.Better)
	c.count(at, "single", "cmaes", results.Worse)
	c.count(at, "cmaes", "single", results.Worse)
	c.count(at, "cmaes", "single", results.Noise)
	c.tallyDuels()
	c.Pairs = []Pair{{"build/night-1", "build/night-2", results.Difference{Delta: 0.04, Low: 0.01, High: 0.07, P: 0.01, N: 300, Verdict: results.Better}}}
	return c
}

func TestWrite(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer, *Comparison) error{
		"compare-80.txt":  func(w *bytes.Buffer, c *Comparison) error { return c.write(w, &table.Page{Columns: 80}) },
		"compare-200.txt": func(w *bytes.Buffer, c *Comparison) error { return c.write(w, &table.Page{Columns: 200}) },
		"compare.md":      func(w *bytes.Buffer, c *Comparison) error { return c.WriteMarkdown(w) },
		"compare.csv":     func(w *bytes.Buffer, c *Comparison) error { return c.WriteCSV(w) },
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got, nights()); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got; -update rewrites it):\n%s", diff)
			}
			for line := range strings.Lines(got.String()) {
				if name == "compare-80.txt" && len([]rune(line)) > 81 {
					t.Errorf("%d columns: %q", len([]rune(line))-1, line)
				}
			}
		})
	}
}

func TestWriteError(t *testing.T) {
	c := nights()
	if c.WriteText(full{}) == nil || c.WriteMarkdown(full{}) == nil || c.WriteCSV(full{}) == nil || c.WriteJSON(full{}) == nil {
		t.Error("a full disk went unnoticed")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }
