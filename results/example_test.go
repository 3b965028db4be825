package results_test

import (
	"fmt"
	"os"
	"strings"

	"soup/results"
)

// One trial, written and read back.
func Example() {
	dir, err := os.MkdirTemp("", "study")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ledger, err := results.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ledger.Close()

	study := results.Study{Name: "night-1", Seed: 1, Settings: []results.Setting{{Name: "store", Value: "bfloat16"}}}
	parents := []results.Parent{{Name: "order", Path: "ckpt/order", Hash: "sha256:01"}, {Name: "arith", Path: "ckpt/arith", Hash: "sha256:02"}}
	trial := results.Trial{Number: 0, Strategy: "uniform", Label: "uniform", Key: "k", Weights: [][]float64{{0.5, 0.5}}}
	batch := []results.Outcome{
		{Item: "arith-001", Category: "arith", State: results.OK, Score: 1, Answer: "1663", Finish: "stop"},
		{Item: "arith-002", Category: "arith", State: results.Timeout, Finish: "error", Error: "no answer in 30s"},
	}
	for _, step := range []func() error{
		func() error { return ledger.Begin(study, parents) },
		func() error { return ledger.Start(trial) },
		func() error { return ledger.Record(0, results.Search, batch) },
		func() error { trial.State = results.Complete; return ledger.Finish(trial) },
	} {
		if err := step(); err != nil {
			fmt.Println(err)
			return
		}
	}

	known, found, err := ledger.ByKey("k")
	if err != nil {
		fmt.Println(err)
		return
	}
	outcomes, err := ledger.Outcomes(known.Number, results.Search)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("scored before:", found)
	for _, o := range outcomes {
		fmt.Println(o.Item, o.State, o.Scored())
	}
	study.Seed = 2
	fmt.Println(strings.TrimPrefix(ledger.Begin(study, parents).Error(), "the study in "+dir+" "))
	// Output:
	// scored before: true
	// arith-001 ok true
	// arith-002 timeout false
	// was begun differently: seed was 1, is 2
}

func ExampleWriteText() {
	score := func(mean, se float64, n int) *results.Score {
		return &results.Score{Mean: &mean, SE: &se, Counts: results.Counts{N: n}}
	}
	delta := results.Difference{
		Delta: 0.1329, Low: 0.1132, High: 0.1521, P: 0.0001, N: 1800,
		Wins: 372, Losses: 133, Ties: 1295, Verdict: results.Better,
	}
	against := &results.Comparison{Of: "soce", Against: results.OfBestSingle, Split: results.Test, Difference: delta}
	report := results.Report{
		Study: "garden", Seed: 1, Candidates: 133, Swaps: 133, ItemsAnswered: 124200, Seconds: 347,
		Parents: []string{"arith", "order", "quiz"},
		Strategies: []results.StrategyReport{
			{Strategy: "single", Label: "order", Trial: 1, Candidates: 3, Scores: results.Scores{
				Search: score(.694, .0138, 900), Selection: score(.719, .0135, 900), Test: score(.681, .0098, 1800),
			}},
			{Strategy: "soce", Label: "soce 17", Trial: 31, Candidates: 127, AgainstBestSingle: against, Scores: results.Scores{
				Search: score(.833, .0112, 900), Selection: score(.829, .0113, 900), Test: score(.814, .0083, 1800),
			}},
		},
		Winner: &results.WinnerReport{Trial: 31, Label: "soce 17", Weights: results.Weights{
			ByParent: map[string]float64{"arith": .6, "order": .3, "quiz": .1},
		}},
		Comparisons: []results.Comparison{{Of: results.OfWinner, Against: results.OfBestSingle, Split: results.Test, Difference: delta}},
	}
	if err := results.WriteText(os.Stdout, report); err != nil {
		fmt.Println(err)
	}
	// Output:
	// study garden, seed 1: 133 candidates of 3 parents, 133 swaps, 124200 items answered in 5m47s
	//
	//   strategy            tried  items  time    search ¹  selection ²      test ³
	// ─────────────────────────────────────────────────────────────────────────────
	//   best single: order      3      -     -  69.4 ± 1.4   71.9 ± 1.4  68.1 ± 1.0
	// * soce                  127      -     -  83.3 ± 1.1   82.9 ± 1.1  81.4 ± 0.8
	//
	//   on test against best single  delta   95 % interval       p     n  verdict
	// ───────────────────────────────────────────────────────────────────────────
	// * soce                         +13.3  [+11.3, +15.2]  0.0001  1800  better
	//
	// winner: trial 31, soce 17
	//
	// parent  weight
	// ────────────────────────────────────────
	// arith    0.600  ████████████████████████
	// order    0.300  ████████████
	// quiz     0.100  ████
	//
	// the winner is better than the best single checkpoint, order, by 13.3 points on test
	//
	// on test against     delta   95 % interval       p     n  wins  losses  ties  verdict
	// ────────────────────────────────────────────────────────────────────────────────────
	// best single: order  +13.3  [+11.3, +15.2]  0.0001  1800   372     133  1295  better
	//
	// points: 100 × the mean over categories ± standard error; ~ may be noise; [95 % interval], paired
	// * the winner
	// items, time: spent on search by the strategy's own candidates; what an earlier one had tried costs
	//   nothing more
	// ¹ n = 900; chose the candidates: the best of 133 looks better here than it is
	// ² n = 900; chose the winner among the best on search
	// ³ n = 1800; asked once, at the end: chose nothing
}
