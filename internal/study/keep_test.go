package study

import (
	"math"
	"slices"
	"strings"
	"testing"

	"soup/eval"
	"soup/results"
)

// scoredItems are outcomes of n items in one category, the first right of them
// right.
func scoredItems(category string, n, right int) []eval.Outcome {
	var list []eval.Outcome
	for i := range n {
		o := eval.Outcome{ID: category + string(rune('a'+i)), Category: category, State: eval.StateOK}
		if i < right {
			o.Score = 1
		}
		list = append(list, o)
	}
	return list
}

func testKeeper(t *testing.T, margin float64) *keeper {
	t.Helper()
	trials := []results.Trial{
		{Number: 0, Strategy: "single", State: results.Complete, Weights: [][]float64{{1, 0}}},
		{Number: 1, Strategy: "single", State: results.Complete, Weights: [][]float64{{0, 1}}},
		{Number: 2, Strategy: "uniform", State: results.Complete, Weights: [][]float64{{0.5, 0.5}}},
	}
	answers := map[int][]eval.Outcome{0: scoredItems("call", 20, 12), 1: scoredItems("call", 20, 16), 2: scoredItems("call", 20, 20)}
	k, err := newKeeper([]constraint{{Category: "call", Margin: margin}}, []string{"ox", "elk"}, trials, func(trial int, _ string) ([]eval.Outcome, error) { return answers[trial], nil })
	if err != nil || k.trial["call"] != 1 {
		t.Fatalf("%+v %v", k, err)
	}
	return k
}

func TestPenalty(t *testing.T) {
	k := testKeeper(t, 0.1)
	// 16 right, 6 right: half of the items lost, standard error sqrt(0.25*20/19/20).
	want := 10 * (0.5 - 0.1 - math.Sqrt(0.25/19))
	if got := k.penalty(scoredItems("call", 20, 6)); math.Abs(got-want) > 1e-12 {
		t.Errorf("penalty %v, want %v", got, want)
	}
	for _, right := range []int{15, 16, 20} {
		if got := k.penalty(scoredItems("call", 20, right)); got != 0 {
			t.Errorf("%d right: penalty %v", right, got)
		}
	}
	if got := (*keeper)(nil).penalty(scoredItems("call", 20, 0)); got != 0 {
		t.Errorf("nothing to keep costs %v", got)
	}
	k.constraints[0].Sure = true // 15 right: one item lost, which may be more
	want = 10 * (0.05 - 0.1 + 1.96*math.Sqrt(0.05*0.95/19))
	if got := k.penalty(scoredItems("call", 20, 15)); math.Abs(got-want) > 1e-12 {
		t.Errorf("to keep surely: penalty %v, want %v", got, want)
	}
	if got := k.penalty(scoredItems("call", 20, 20)); got != 0 {
		t.Errorf("gained: penalty %v", got)
	}
}

func TestConstraintVerdict(t *testing.T) {
	c := constraint{Category: "call", Margin: 0.02}
	for _, test := range []struct {
		low, high float64
		n         int
		want      string
	}{{-0.02, 0.1, 9, isKept}, {-0.021, 0.1, 9, isOpen}, {-0.1, -0.021, 9, isLost}, {-0.1, -0.02, 9, isOpen}, {0, 0, 0, isOpen}} {
		if got := c.verdict(results.Difference{Low: test.low, High: test.high, N: test.n}); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestStanding(t *testing.T) {
	judge := func(sure bool, delta float64, kept ...string) int {
		k := &keeper{}
		var judged []results.Constraint
		for i, v := range kept {
			name := string(rune('a' + i))
			k.constraints = append(k.constraints, constraint{Category: name, Margin: 0.02, Sure: sure})
			judged = append(judged, results.Constraint{Category: name, Margin: 0.02, Kept: v, Difference: results.Difference{Delta: delta}})
		}
		return k.standing(judged)
	}
	for _, test := range []struct {
		sure  bool
		delta float64
		kept  []string
		want  int
	}{
		{false, 0, nil, 2},
		{false, -0.02, []string{isKept, isOpen}, 2},
		{false, -0.03, []string{isKept, isOpen}, 1},
		{true, 0.01, []string{isKept, isOpen}, 1},
		{true, 0.01, []string{isKept, isKept}, 2},
		{false, 0, []string{isOpen, isLost}, 0},
	} {
		if got := judge(test.sure, test.delta, test.kept...); got != test.want {
			t.Errorf("%+v stands at %d", test, got)
		}
	}
}

// A study that only wants sorting, but must keep arithmetic, chooses otherwise
// than one that need not; and says so.
func TestStudyKeeps(t *testing.T) {
	objective := "objective: {weights: {arith: 0, choice: 0}%s}\nstrategies: [{random: {budget: 14}}]\n"
	free := smallStudy(t, strings.Replace(objective, "%s", "", 1))
	bound := smallStudy(t, strings.Replace(objective, "%s", ", keep: [{benchmark: arith, margin: 0.05}]", 1))
	mustRun(t, free, RunOptions{})
	mustRun(t, bound, RunOptions{})
	without, err := BuildReport(t.Context(), DefaultDir(free))
	if err != nil {
		t.Fatal(err)
	}
	with, err := BuildReport(t.Context(), DefaultDir(bound))
	if err != nil {
		t.Fatal(err)
	}
	if len(without.Constraints) != 0 || len(with.Constraints) != 1 {
		t.Fatalf("%+v, %+v", without.Constraints, with.Constraints)
	}
	c := with.Constraints[0]
	if c.Category != "arith" || c.Parent != "arith" || c.Margin != 0.05 || c.N != 12 {
		t.Errorf("%+v", c)
	}
	arith := func(r results.Report) float64 {
		i := slices.IndexFunc(r.Trials, func(t results.TrialReport) bool { return t.Number == r.Winner.Trial })
		return *r.Trials[i].Scores.Search.Categories["arith"].Mean
	}
	if !(arith(with) > arith(without)) {
		t.Errorf("arith on search: %v where it must be kept, %v where not", arith(with), arith(without))
	}
	if !strings.Contains(string(with.Winner.Reason), "that must be kept") {
		t.Errorf("reason %s", with.Winner.Reason)
	}
}

func TestKeepMistakes(t *testing.T) {
	for keep, want := range map[string]string{
		"{margin: 0.1}":                            "either benchmark or category",
		"{benchmark: arith, category: arith}":      "either benchmark or category",
		"{benchmark: poetry}":                      "no item is of poetry",
		"{category: sort, of: nobody}":             `of "nobody"`,
		"{category: sort, margin: 5}":              "0.01 is a point",
		"{category: sort}, {benchmark: sort}":      "kept twice",
		"{benchmark: sort, of: best-parent, x: 1}": "unknown field",
	} {
		file := smallStudy(t, "objective: {keep: ["+keep+"]}\n")
		c, err := ReadConfig(file)
		if err == nil {
			err = Run(t.Context(), c, RunOptions{})
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", keep, err)
		}
	}
}
