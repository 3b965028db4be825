package analysis

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"soup/results"
)

// finished is a report of three parents with every set of them scored: the
// score of a set is that of its best member, in each of two categories.
func finished() results.Report {
	r := results.Report{Parents: []string{"ox", "elk", "hen"}}
	skill := map[string]map[string]float64{"ox": {"arith": 0.8, "call": 0.2}, "elk": {"arith": 0.5, "call": 0.4}, "hen": {"arith": 0.3, "call": 0.9}}
	for set := 1; set < 8; set++ {
		t := results.TrialReport{Number: set, Strategy: "subsets", State: results.Complete, Weights: results.Weights{ByParent: map[string]float64{}}}
		var members []string
		for i, p := range r.Parents {
			if set>>i&1 == 1 {
				members = append(members, p)
			}
		}
		best, mean := map[string]float64{}, 0.0
		for _, p := range members {
			t.ByParent[p] = 1 / float64(len(members))
			for c, v := range skill[p] {
				best[c] = max(best[c], v)
			}
		}
		score := &results.Score{Categories: map[string]results.CategoryScore{}}
		for c, v := range best {
			mean += v / 2
			score.Categories[c] = results.CategoryScore{Mean: &v}
		}
		score.Mean = &mean
		t.Scores.Search = score
		if t.Label = strings.Join(members, "+"); len(members) == 1 {
			t.Strategy = "single"
		}
		r.Trials = append(r.Trials, t)
	}
	return r
}

func TestSouping(t *testing.T) {
	report := finished()
	parents, soups := split(report)
	if len(parents) != 3 || len(soups) != 4 {
		t.Fatalf("%d parents, %d soups", len(parents), len(soups))
	}
	s := souping(report, []string{"arith", "call"}, parents, soups)
	// Arith, by hand: 0.3 is shared by three, 0.2 more by ox and elk, 0.3 more is ox's.
	if got := s.Shapley[0].Categories["arith"]; math.Abs(got-(0.1+0.1+0.3)) > 1e-12 {
		t.Errorf("ox in arith: %v", got)
	}
	sum := 0.0
	for _, share := range s.Shapley {
		sum += share.Value
	}
	if math.Abs(sum-s.All) > 1e-12 || s.None != 0 || *s.Before >= 0 {
		t.Errorf("%+v", s)
	}
	a, err := Analyze("invented", parents, Options{})
	if err != nil {
		t.Fatal(err)
	}
	a.Souping = s
	var text bytes.Buffer
	if err := a.WriteText(&text); err != nil || !strings.Contains(text.String(), "shares of 85.0 (all parents, equal shares) less 0.0 (none)") {
		t.Errorf("%v\n%s", err, &text)
	}
}

func TestSoupingWithoutEverySet(t *testing.T) {
	report := finished()
	report.Trials = slices.Delete(report.Trials, 4, 5)
	parents, soups := split(report)
	s := souping(report, []string{"arith", "call"}, parents, soups)
	if len(s.Shapley) != 0 || s.Soups != 3 {
		t.Errorf("%+v", s)
	}
}
