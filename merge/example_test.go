package merge_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"soup/merge"
)

// Two fine-tunes are checked, averaged and written.
func Example() {
	var parents []*merge.Checkpoint
	for _, name := range []string{"arith", "order"} {
		c, err := merge.Open("../examples/garden/finetune/" + name)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer c.Close()
		parents = append(parents, c)
	}
	if err := merge.Check(parents, nil).Err(); err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "soup")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	recipe := merge.Recipe{Weights: [][]float64{{0.4, 0.6}}}
	stats, err := merge.Write(context.Background(), filepath.Join(dir, "soup"), parents, []string{"arith", "order"}, recipe, merge.WriteOptions{Method: "by hand"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(stats.BytesRead, "bytes read,", stats.BytesWritten, "written")
	// Output: 2297344 bytes read, 1148672 written
}

// Groups have weights of their own: here attention from one parent only.
func ExampleGroupSpec_Group() {
	g, err := merge.GroupSpec{Kinds: []string{"attention", "other"}}.Group([]string{
		"model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.0.mlp.up_proj.weight",
	})
	fmt.Println(g.Names, g.Of["model.layers.0.self_attn.q_proj.weight"], g.Of["model.layers.0.mlp.up_proj.weight"], err)
	// Output: [attention other] 0 1 <nil>
}
