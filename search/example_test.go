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
}
