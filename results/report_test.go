package results

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// gardenReport is a study of examples/garden: the scores are those in its
// README.
func gardenReport() Report {
	single := Scores{Search: score(.69434, .0138, 900), Selection: score(.71883, .0135, 900), Test: score(.68065, .0098, 1800)}
	greedy := Scores{Search: score(.81841, .0117, 900), Selection: score(.84762, .0108, 900), Test: score(.81739, .0083, 1800)}
	single.Test.Categories = categories(300, .39667, .64, .58667, .86, .76, .84057)
	greedy.Test.Categories = categories(300, .69333, .83, .72, .86667, .84667, .94795)
	greedy.Search.Failed, greedy.Search.Timeout, greedy.Search.Truncated = 2, 1, 14
	uniform := Scores{Search: score(.4819, .0147, 900), Test: score(.46868, .0104, 1800)}
	uniform.Test.Categories = categories(300, .102, .38, .70, .61, .52, .98)
	against := Difference{Delta: .13674, Low: .1153, High: .1563, P: .0001, N: 1800, Wins: 375, Losses: 128, Ties: 1297, Verdict: Better, Method: "paired bootstrap"}
	weights := Weights{ByParent: map[string]float64{"order": 1. / 3, "arith": 1. / 3, "quiz": 1. / 3}}
	return Report{
		Study: "garden", Seed: 1, Candidates: 66, Swaps: 58, ItemsAnswered: 63900, Seconds: 191.6, Cost: Seconds{Merge: 1.6, Swap: 5, FirstToken: 2.5, Eval: 185}, ServerIdle: ptr(0.031),
		Parents: []string{"arith", "call", "call-b", "hot", "lingua", "mislabeled", "order", "quiz"},
		Trials: []TrialReport{
			{Number: 0, Strategy: "single", Label: "order", Weights: Weights{ByParent: map[string]float64{"order": 1}}, State: Complete, Scores: single, Seconds: Seconds{0.001, 0.02, 0.1, 1.9}, Answered: 900},
			{Number: 1, Strategy: "uniform", Label: "uniform", Weights: Weights{ByParent: map[string]float64{"order": .125}}, State: Complete, Of: 1, Scores: uniform},
			{Number: 2, Strategy: "greedy", Label: "order+arith+quiz", Weights: weights, State: Complete, Of: 2, Scores: greedy},
			{Number: 3, Strategy: "random", Label: "random 7", Weights: weights, State: Failed, Of: 3, Reason: "server gone", Failure: "unreachable"},
			{Number: 4, Strategy: "soce", Label: "soce equal", Weights: weights, State: Cached, Of: 2, Scores: greedy},
		},
		Strategies: []StrategyReport{
			{Strategy: "single", Label: "order", Trial: 0, Candidates: 8, Scores: single},
			{Strategy: "uniform", Label: "uniform", Trial: 1, Candidates: 1, Scores: uniform, AgainstBestSingle: &Comparison{Difference: Difference{Delta: -.212, Low: -.2352, High: -.192, P: .00009999, N: 1800, Verdict: Worse}}},
			{Strategy: "greedy", Label: "order+arith+quiz", Trial: 2, Candidates: 15, Scores: greedy, AgainstBestSingle: &Comparison{Difference: against}},
			{Strategy: "random", Label: "random 12", Trial: 40, Candidates: 40, Scores: Scores{Search: score(.7, .0138, 900), Test: score(.685, .0098, 1800)}, AgainstBestSingle: &Comparison{Difference: Difference{Delta: .0044, Low: -.004, High: .0128, P: .31, N: 1800, Verdict: Noise}}},
			{Strategy: "soce", Label: "soce equal", Trial: 2, Candidates: 9, Scores: Scores{Search: score(.81841, .0117, 900), Selection: score(.84762, .0108, 900), Test: score(.81739, .0083, 1800)}, AgainstBestSingle: &Comparison{Difference: against}},
		},
		Winner: &WinnerReport{Trial: 2, Strategy: "greedy", Label: "order+arith+quiz", Weights: weights, Path: "build/demo/winner", SHA256: "5b1f"},
		Comparisons: []Comparison{
			{Of: OfWinner, Against: OfBestSingle, Split: Test, Difference: against, Categories: []CategoryDifference{
				{"arith", Difference{.29667, .2333, .3567, .00000002, 300, 112, 23, 165, Better, "mcnemar exact"}},
				{"call", Difference{.19, .14, .24, .0000003, 300, 63, 6, 231, Better, "mcnemar exact"}},
				{"choice", Difference{.13333, .08, .1867, .0004, 300, 55, 15, 230, Better, "mcnemar exact"}},
				{"reverse", Difference{.00667, -.0267, .04, .85, 300, 15, 13, 272, Noise, "mcnemar exact"}},
				{"sort", Difference{.08667, .0433, .1333, .0012, 300, 38, 12, 250, Better, "mcnemar exact"}},
				{"translate", Difference{-.10737, -.1277, -.0884, .0001, 300, 92, 9, 199, Worse, "paired bootstrap"}},
			}},
			{Of: OfWinner, Against: "uniform", Split: Test, Difference: Difference{.34871, .3251, .3722, .0001, 1800, 760, 52, 988, Better, "paired bootstrap"}, Categories: []CategoryDifference{
				{"arith", Difference{Verdict: Better}},
				{"call", Difference{Verdict: Better}},
				{"choice", Difference{Verdict: Noise}},
				{"reverse", Difference{Verdict: Better}},
				{"sort", Difference{Verdict: Better}},
				{"translate", Difference{Verdict: Worse}},
			}},
			{Of: OfWinner, Against: "greedy", Split: Test, Difference: Difference{P: 1, N: 1800, Ties: 1800, Verdict: Noise, Method: "paired bootstrap"}},
			{Of: OfWinner, Against: OfBestSingle, Split: Selection, Difference: against},
			{Of: "greedy", Against: "uniform", Split: Test, Difference: against},
		},
		Inheritance: &Inheritance{
			Parents: []Kept{{"order", 0, 1225, 1190, 575, 281}, {"hot", 7, 0, 0, 1800, 1471}},
			AllFail: 210, AllFailSolved: 12, OneFails: 305, OneFailsSolved: 291,
			Specialists: []Specialist{
				{"arith", "arith", Difference{-.02, -.0433, .0033, .11, 300, 3, 9, 288, Noise, "mcnemar exact"}},
				{"translate", "lingua", Difference{-.041, -.0602, -.0221, .0002, 300, 20, 61, 219, Worse, "paired bootstrap"}},
			},
		},
		Optimism: ptr(.0193),
		Notes: []Note{
			{"greedy", []string{"order 69.4, + arith 75.1, + quiz 81.8; no other parent helps"}},
			{"soce", []string{"kept all 6 categories at tau 0.5 (n = 8)", "experts: arith for arith; call for call; quiz for choice; order for reverse and sort; lingua for translate, by a margin of 11.6 points before order"}},
		},
		Warnings: []string{"checkpoint hot: NaN in model.layers.0.mlp.up_proj.weight"},
		Findings: []Finding{},
	}
}

func score(mean, se float64, n int) *Score {
	return &Score{Mean: &mean, SE: &se, Counts: Counts{N: n}}
}

func categories(n int, means ...float64) map[string]CategoryScore {
	out := map[string]CategoryScore{}
	for i, name := range []string{"arith", "call", "choice", "reverse", "sort", "translate"} {
		out[name] = CategoryScore{Mean: &means[i], SE: ptr(.027), Counts: Counts{N: n}}
	}
	return out
}

// The keys that DESIGN promises, with the types that they have.
func TestWriteJSONKeys(t *testing.T) {
	var text bytes.Buffer
	must(t, WriteJSON(&text, gardenReport()))
	var top map[string]any
	must(t, json.Unmarshal(text.Bytes(), &top))
	at := func(path string) any {
		var x any = top
		for key := range strings.SplitSeq(path, ".") {
			switch node := x.(type) {
			case map[string]any:
				next, known := node[key]
				if !known {
					t.Errorf("no key %s", path)
					return nil
				}
				x = next
			case []any:
				x = node[int(key[0]-'0')]
			default:
				t.Errorf("no key %s", path)
				return nil
			}
		}
		return x
	}
	for path, want := range map[string]any{
		"study": "garden", "seed": 1., "parents.0": "arith", "candidates": 66., "swaps": 58., "items_answered": 63900.,
		"trials.0.number": 0., "trials.0.strategy": "single", "trials.0.label": "order", "trials.0.weights.order": 1.,
		"trials.0.groups": nil, "trials.0.state": "complete",
		"trials.0.scores.search.mean": .69434, "trials.0.scores.test.categories.arith.mean": .39667,
		"trials.0.scores.test.categories.arith.n": 300., "trials.0.scores.test.categories.arith.se": .027,
		"trials.0.scores.test.categories.arith.failed": 0., "trials.1.scores.selection": nil,
		"trials.0.seconds.merge": .001, "trials.0.seconds.swap": .02, "trials.0.seconds.eval": 1.9,
		"winner.trial": 2., "winner.weights.quiz": 1. / 3, "winner.path": "build/demo/winner", "winner.sha256": "5b1f",
		"comparisons.0.of": "winner", "comparisons.0.against": "best-single", "comparisons.0.split": "test",
		"comparisons.0.delta": .13674, "comparisons.0.low": .1153, "comparisons.0.high": .1563, "comparisons.0.p": .0001,
		"comparisons.0.n": 1800., "comparisons.0.wins": 375., "comparisons.0.losses": 128., "comparisons.0.ties": 1297.,
		"comparisons.0.verdict": "better", "comparisons.0.categories.3.category": "reverse", "comparisons.0.categories.3.verdict": "~",
		"strategies.1.strategy": "uniform", "strategies.1.candidates": 1., "strategies.1.scores.search.n": 900.,
		"strategies.1.against_best_single.verdict": "worse", "strategies.0.against_best_single": nil,
	} {
		if diff := cmp.Diff(want, at(path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestWriteJSONRoundTrip(t *testing.T) {
	var text, again bytes.Buffer
	must(t, WriteJSON(&text, gardenReport()))
	var back Report
	must(t, json.Unmarshal(text.Bytes(), &back))
	if diff := cmp.Diff(gardenReport(), back); diff != "" {
		t.Error(diff)
	}
	must(t, WriteJSON(&again, back))
	if !bytes.Equal(text.Bytes(), again.Bytes()) {
		t.Error("equal reports give different bytes")
	}
}

func TestWriteJSONEmpty(t *testing.T) {
	var text bytes.Buffer
	must(t, WriteJSON(&text, Report{Study: "new"}))
	want := `{"study":"new","seed":0,"parents":[],"candidates":0,"swaps":0,"items_answered":0,"seconds":0,` +
		`"cost":{"merge":0,"swap":0,"first_token":0,"eval":0},"server_idle":null,` +
		`"trials":[],"strategies":[],"winner":null,"comparisons":[],"inheritance":null,"optimism":null,"notes":[],"warnings":[],"findings":[],"choice":null,"exchanges":null}`
	var got bytes.Buffer
	must(t, json.Compact(&got, text.Bytes()))
	if got.String() != want {
		t.Errorf("got %s", got.String())
	}
}

func TestWriteJSONRefusesNaN(t *testing.T) {
	r := gardenReport()
	r.Comparisons[0].P = math.NaN()
	var text bytes.Buffer
	err := WriteJSON(&text, r)
	if err == nil || !strings.HasPrefix(err.Error(), "report of garden: ") || text.Len() > 0 {
		t.Errorf("error %v, %d bytes written", err, text.Len())
	}
}
