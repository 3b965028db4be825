package search_test

import (
	"context"
	"fmt"

	"soup/search"
)

// Two parents that are good at different things; soups of both are better.
func Example() {
	space := search.Space{Parents: []string{"poet", "clerk"}}
	strategy, err := search.New("grid", map[string]any{"step": 0.25}, space, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	score := func(_ context.Context, p search.Point) (search.Trial, error) {
		poet, clerk := p.Weights[0][0], p.Weights[0][1]
		return search.Trial{State: search.StateComplete, Score: 0.6*poet + 0.5*clerk + poet*clerk}, nil
	}
	result, err := search.Run(context.Background(), strategy, score, search.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range result.Trials {
		fmt.Printf("%.3f  %s\n", t.Score, t.Point.Label)
	}
	fmt.Println("best:", result.Best.Point.Label)
	// Output:
	// 0.600  grid 1 poet
	// 0.762  grid 0.75 poet + 0.25 clerk
	// 0.800  grid 0.5 poet + 0.5 clerk
	// 0.713  grid 0.25 poet + 0.75 clerk
	// 0.500  grid 1 clerk
	// best: grid 0.5 poet + 0.5 clerk
}

// Which models of a leaderboard are worth mixing?
func ExampleAnalyze() {
	models := []search.Model{
		{Name: "poet", Categories: map[string]search.Category{"rhyme": {Mean: 0.9}, "ledger": {Mean: 0.2}, "metre": {Mean: 0.8}}},
		{Name: "clerk", Categories: map[string]search.Category{"rhyme": {Mean: 0.2}, "ledger": {Mean: 0.8}, "metre": {Mean: 0.3}}},
		{Name: "teacher", Categories: map[string]search.Category{"rhyme": {Mean: 0.7}, "ledger": {Mean: 0.7}, "metre": {Mean: 0.7}}},
		{Name: "baker", Categories: map[string]search.Category{"rhyme": {Mean: 0.2}, "ledger": {Mean: 0.3}, "metre": {Mean: 0.2}}},
	}
	a, err := search.Analyze(models, search.Criteria{Tau: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, note := range a.Notes() {
		fmt.Println(note)
	}
	fmt.Println("experts:", a.Distinct())
	// Output:
	// correlations of 3 categories over 4 models, tau 0.5
	// keeps ledger: least correlated with metre, rho -0.19 (95% -0.97 to 0.94)
	// keeps metre: least correlated with ledger, rho -0.19 (95% -0.97 to 0.94)
	// keeps rhyme: least correlated with ledger, rho -0.35 (95% -0.98 to 0.92)
	// expert of ledger: clerk 0.8, 0.1 above teacher
	// expert of metre: poet 0.8, 0.1 above teacher
	// expert of rhyme: poet 0.9, 0.2 above teacher
	// experts: [clerk poet]
}

// The same numbers on every machine: the first soups of a study with seed 1.
func ExampleNew_random() {
	space := search.Space{Parents: []string{"a", "b", "c"}}
	s, err := search.New("random", map[string]any{"budget": 3}, space, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range s.Ask(3) {
		fmt.Printf("%s: %.6f\n", p.Label, p.Weights[0])
	}
	// Output:
	// random 0: [0.276285 0.674980 0.048734]
	// random 1: [0.261768 0.649666 0.088566]
	// random 2: [0.288924 0.560013 0.151063]
}
