package benchmarks_test

import (
	"fmt"

	"soup/benchmarks"
	"soup/eval"
)

func ExampleLoadJSONL() {
	items, err := benchmarks.LoadJSONL("arith", "../examples/garden/data/arith.jsonl")
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := eval.NewSet(items)
	fmt.Println(len(set.Search), len(set.Selection), len(set.Test), err)
	fmt.Println(set.Search[0].Prompt, "=", set.Search[0].Answer)
	// Output:
	// 150 150 300 <nil>
	// 785+878 = 1663
}
