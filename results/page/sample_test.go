package page

import (
	"fmt"
	"math/rand/v2"

	"soup/results"
)

// hostile would run, close its element, or end a script's string, if it were not
// shown as text.
const hostile = "</script><script>window.hacked=1</script><img src=x onerror=\"window.hacked=2\">'\"`${1}&lt;\u2028\u2029\\"

// sample is a study with everything that a page shows; every name, label, prompt
// and answer of it that a user can choose is hostile where hostile is true.
func sample(evil bool) Study {
	name := func(s string) string {
		if evil {
			return s + hostile
		}
		return s
	}
	random := rand.New(rand.NewPCG(1, 2))
	parents := []string{name("arith"), name("call"), name("order")}
	cats := []string{name("arith"), name("call"), name("choice"), name("sort"), name("translate")}
	s := Study{Report: results.Report{
		Study: name("night"), Seed: 7, Parents: parents, Candidates: 40, Swaps: 40, ItemsAnswered: 63900, Seconds: 191,
		Cost: results.Seconds{Merge: 2, Swap: 3, Eval: 186}, Optimism: ptr(.019), ServerIdle: ptr(.03),
	}}
	for i := range 40 {
		s.Trials = append(s.Trials, sampleTrial(random, i, name, parents, cats))
	}
	s.addRows(name, cats)
	s.addStages(name, cats)
	s.addSampleItems(random, name, cats)
	return s
}

func ptr[T any](x T) *T { return &x }

func sampleTrial(random *rand.Rand, i int, name func(string) string, parents, cats []string) results.TrialReport {
	t := results.TrialReport{
		Number: i, Of: i, Strategy: []string{"single", "uniform", "random", "soce"}[min(3, i/3)], Label: name(fmt.Sprint("candidate ", i)), State: results.Complete,
		Seconds: results.Seconds{Merge: .05, Swap: .1, Eval: 4},
	}
	if i < 3 {
		t.ByParent = map[string]float64{parents[i]: 1}
	} else {
		w := random.Float64()
		t.ByParent = map[string]float64{parents[0]: w, parents[1]: (1 - w) / 2, parents[2]: (1 - w) / 2}
	}
	t.Scores.Search = sampleScore(random, cats, 900)
	if i%5 == 0 {
		t.Scores.Selection, t.Scores.Test = sampleScore(random, cats, 900), sampleScore(random, cats, 1800)
	}
	switch i {
	case 30:
		t.State, t.Reason, t.Scores = results.Failed, name("server gone"), results.Scores{}
	case 31:
		t.State, t.Of = results.Cached, 4
	}
	return t
}

func sampleScore(random *rand.Rand, cats []string, n int) *results.Score {
	s := &results.Score{Counts: results.Counts{N: n, Failed: 1, Truncated: 2}, SE: ptr(.013), Categories: map[string]results.CategoryScore{}}
	sum := 0.0
	for _, c := range cats {
		m := .4 + .5*random.Float64()
		sum += m / float64(len(cats))
		s.Categories[c] = results.CategoryScore{Mean: &m, SE: ptr(.02), Counts: results.Counts{N: n / len(cats)}}
	}
	s.Mean = &sum
	return s
}

// addRows adds the winner, trial 5, and what it is compared with.
func (s *Study) addRows(name func(string) string, cats []string) {
	d := results.Difference{Delta: .051, Low: .031, High: .07, P: .0004, N: 1800, Wins: 375, Losses: 283, Ties: 1142, Verdict: results.Better}
	lost := results.Difference{Delta: -.107, Low: -.128, High: -.088, P: .0001, N: 360, Wins: 9, Losses: 92, Ties: 259, Verdict: results.Worse}
	even := results.Difference{Delta: .007, Low: -.027, High: .04, P: .85, N: 360, Wins: 15, Losses: 13, Ties: 332, Verdict: results.Noise}
	w := s.Trials[5]
	s.Winner = &results.WinnerReport{Trial: 5, Strategy: w.Strategy, Label: w.Label, Weights: w.Weights, Path: "build/demo/winner"}
	c := results.Comparison{Of: results.OfWinner, Against: results.OfBestSingle, Split: results.Test, Difference: d}
	for i, cat := range cats {
		c.Categories = append(c.Categories, results.CategoryDifference{Category: cat, Difference: []results.Difference{d, even, lost}[i%3]})
	}
	s.Comparisons = []results.Comparison{c}
	for _, row := range []struct {
		strategy string
		trial    int
		against  *results.Comparison
	}{{"single", 0, nil}, {"uniform", 5, &c}, {"random", 10, &results.Comparison{Difference: even}}, {"soce", 15, &results.Comparison{Difference: lost}}} {
		t := s.Trials[row.trial]
		s.Strategies = append(s.Strategies, results.StrategyReport{Strategy: row.strategy, Label: t.Label, Trial: t.Number, Weights: t.Weights, Candidates: 10, Scores: t.Scores, AgainstBestSingle: row.against})
	}
	s.Inheritance = &results.Inheritance{
		Parents: []results.Kept{{Parent: s.Parents[0], Solves: 1225, Kept: 1190, Fails: 575, Gained: 281}}, AllFail: 210, AllFailSolved: 12, OneFails: 305, OneFailsSolved: 291,
		Specialists: []results.Specialist{{Category: cats[2], Parent: s.Parents[1], Difference: lost}},
	}
	s.Constraints = []results.Constraint{{Category: cats[0], Parent: s.Parents[0], Margin: .01, Kept: "kept", Difference: d}}
	s.Notes = []results.Note{{Strategy: "greedy", Lines: []string{name("adds arith")}}}
	s.Warnings = []string{name("checkpoint hot: NaN")}
}

// addStages adds what only studies of some kinds have: all of it.
func (s *Study) addStages(name func(string) string, cats []string) {
	d := results.Difference{Delta: .12, Low: .1, High: .14, P: .0001, N: 900, Verdict: results.Better}
	s.Curve = &results.Curve{Window: 2, Earlier: ptr(1), Raw: &results.Steadiness{Steps: 3, Score: .02, Soft: ptr(.1)}, Averaged: &results.Steadiness{Steps: 3, Score: .01, Soft: ptr(.05)}}
	for i := range 5 {
		p := results.CurveStep{Checkpoint: name(fmt.Sprint("step-", i)), Raw: &results.RunScore{Trial: i, Score: .5 + float64(i%2)/20, SE: ptr(.01), Soft: ptr(-.5)}}
		if i > 0 {
			p.Averaged, p.Of = &results.RunScore{Trial: 10 + i, Score: .6, SE: ptr(.01), Soft: ptr(-.4 + float64(i)/50)}, 2
		}
		s.Curve.Points = append(s.Curve.Points, p)
	}
	s.Path = &results.Path{From: s.Parents[0], To: s.Parents[1], Target: cats[:1], Keep: cats[1:], Gain: &d, Share: &results.Estimate{Delta: .7, Low: .5, High: .9}}
	for i := range 6 {
		at := float64(i) / 5
		s.Path.Points = append(s.Path.Points, results.PathPoint{At: at, Trial: i, Target: results.PathScore{Mean: .5 + at/3, SE: ptr(.02)}, Keep: results.PathScore{Mean: .8 - at/2}})
	}
	s.Landscape = &results.Landscape{Corners: s.Parents, Distances: []float64{4, 3, 3}, Categories: cats}
	for i, w := range [][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {.5, .5, 0}, {.5, 0, .5}, {0, .5, .5}, {.4, .3, .3}, {.6, .2, .2}, {.2, .6, .2}, {.2, .2, .6}} {
		p := results.PlanePoint{Trial: i, Weights: w, Loss: ptr(.5 + w[0]*w[0]), Search: .4}
		p.X, p.Y = s.Landscape.Place(w)
		s.Landscape.Points = append(s.Landscape.Points, p)
	}
	s.Midpoints = &results.Midpoints{Barriers: []results.Barrier{{First: s.Parents[0], Second: s.Parents[1], Trial: 7, Difference: d}, {First: s.Parents[0], Second: s.Parents[2], Trial: 8, Difference: d}}}
	s.Calibration = &results.Calibrations{N: 300, Of: s.Parents[:2], Ensemble: d}
	for i, row := range []string{s.Parents[0], results.OfWinner, results.OfEnsemble} {
		s.Calibration.Rows = append(s.Calibration.Rows, results.CalibrationRow{Name: row, Trial: ptr(i), Accuracy: .7, ECE: .03, Brier: .4, Bins: []results.Bucket{
			{Low: .4, High: .5, N: 100, Confidence: .45, Accuracy: .4}, {Low: .8, High: .9, N: 200, Confidence: .85, Accuracy: .82},
		}})
	}
	s.Findings = []results.Finding{{Code: "outlier", Severity: "warn", Parent: s.Parents[2], Message: name("it moved far"), Remedy: name("leave it out")}}
}

func (s *Study) addSampleItems(random *rand.Rand, name func(string) string, cats []string) {
	const n = 120
	for i := range n {
		s.Items = append(s.Items, Item{
			ID: name(fmt.Sprintf("item-%03d", i)), Category: cats[i%len(cats)], Split: []string{results.Search, results.Selection, results.Test}[i%3],
			Prompt: name(fmt.Sprintf("what is %d+%d?", i, i)), Expected: name(fmt.Sprint(2 * i)),
		})
	}
	answers := func() []Answer {
		list := make([]Answer, n)
		for i := range list {
			list[i] = Answer{Text: name(fmt.Sprint(2*i + random.IntN(2))), Score: float64(random.IntN(2)), State: results.OK}
		}
		list[2] = Answer{Text: name("timeout"), State: results.Timeout}
		return list
	}
	for _, shown := range []Answers{{Name: "winner", Trial: 5}, {Name: "best single", Trial: 0}, {Name: "base", Trial: 39}} {
		shown.Label, shown.List = s.Trials[shown.Trial].Label, answers()
		s.Shown = append(s.Shown, shown)
	}
	s.Marks = map[int]string{1: Marks(answers()), 2: Marks(answers()), 7: Marks(answers())}
}
