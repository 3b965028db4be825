package eval_test

import (
	"context"
	"fmt"

	"soup/eval"
)

// parrot answers every prompt with the same text.
type parrot string

func (p parrot) Load(context.Context, eval.Model) (eval.Version, error) { return "1", nil }
func (p parrot) Health(context.Context) error                           { return nil }
func (p parrot) Close() error                                           { return nil }
func (p parrot) Generate(context.Context, eval.Request) (eval.Reply, error) {
	return eval.Reply{Text: string(p), Finish: eval.FinishStop}, nil
}

func Example() {
	items := []eval.Item{
		{ID: "1", Category: "sum", Metric: "number", Prompt: "1+1", Answer: "2"},
		{ID: "2", Category: "sum", Metric: "number", Prompt: "2+2", Answer: "4"},
		{ID: "3", Category: "capital", Metric: "contains", Prompt: "Capital of France?", Answer: "Paris"},
	}
	answer := func(s eval.Server) (outcomes []eval.Outcome) {
		err := eval.Run(context.Background(), s, items, eval.Options{}, func(batch []eval.Outcome) error {
			outcomes = append(outcomes, batch...)
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
		return outcomes
	}
	two, four := answer(parrot("2")), answer(parrot("4"))
	fmt.Println("mean over categories:", eval.Summarize(two).Mean)
	c := eval.Compare(two, four)
	fmt.Printf("%+.2f [%+.2f, %+.2f] p=%.2f n=%d %s\n", c.Delta, c.Low, c.High, c.P, c.N, c.Verdict)
	// Output:
	// mean over categories: 0.25
	// +0.00 [-0.71, +0.71] p=1.00 n=3 ~
}

func ExampleSummary_Aggregate() {
	s := eval.Summarize([]eval.Outcome{
		{ID: "1", Category: "sum", State: eval.StateOK, Score: 1},
		{ID: "2", Category: "capital", State: eval.StateOK, Score: 0.5},
		{ID: "3", Category: "capital", State: eval.StateTimeout},
	})
	mean, _ := s.Aggregate(map[string]float64{"sum": 3})
	fmt.Println(mean, s.Categories["capital"].N, s.Timeout)
	// Output: 0.875 1 1
}

func ExampleExpectedOptimism() {
	// The best of 36 equally good soups that differ on 5 % of 200 items.
	fmt.Printf("%.1f points\n", 100*eval.ExpectedOptimism(36, 0.05, 200))
	// Output: 2.4 points
}
