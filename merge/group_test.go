package merge

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	llama = []string{
		"lm_head.weight", "model.embed_tokens.weight", "model.norm.weight",
		"model.layers.0.input_layernorm.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.0.mlp.up_proj.weight",
		"model.layers.1.self_attn.q_norm.weight", "model.layers.1.mlp.experts.3.up_proj.weight", "model.layers.2.self_attn.o_proj.weight",
	}
	llamaGGUF = []string{
		"output.weight", "token_embd.weight", "output_norm.weight",
		"blk.0.attn_norm.weight", "blk.0.attn_q.weight", "blk.0.ffn_up.weight",
		"blk.1.attn_q_norm.weight", "blk.1.ffn_up_exps.weight", "blk.2.attn_output.weight",
	}
)

func TestGroups(t *testing.T) {
	for name, c := range map[string]struct {
		spec  GroupSpec
		names []string
		of    []int
	}{
		"all":        {GroupSpec{}, nil, nil},
		"one block":  {GroupSpec{Layers: 1}, []string{"layers 0-2"}, []int{0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"two blocks": {GroupSpec{Layers: 2}, []string{"layers 0-1", "layers 2-2"}, []int{1, 0, 1, 0, 0, 0, 0, 0, 1}},
		"each layer": {GroupSpec{Layers: 3}, []string{"layers 0-0", "layers 1-1", "layers 2-2"}, []int{2, 0, 2, 0, 0, 0, 1, 1, 2}},
		"kinds":      {GroupSpec{Kinds: []string{"attention", "mlp", "other"}}, []string{"attention", "mlp", "other"}, []int{2, 2, 2, 2, 0, 1, 2, 1, 0}},
		"one kind":   {GroupSpec{Kinds: []string{"mlp"}}, []string{"mlp", "other"}, []int{1, 1, 1, 1, 1, 0, 1, 0, 1}},
		"all kinds": {
			GroupSpec{Kinds: []string{"embedding", "attention", "mlp", "norm", "head"}},
			[]string{"embedding", "attention", "mlp", "norm", "head"},
			[]int{4, 0, 3, 3, 1, 2, 3, 2, 1},
		},
		"patterns": {
			GroupSpec{Patterns: []GroupPattern{{"ends", `embd|embed|head|^output\.`}, {"norms", "norm"}, {"ends", "nothing"}}},
			[]string{"ends", "norms", "other"},
			[]int{0, 0, 1, 1, 2, 2, 1, 2, 2},
		},
	} {
		for _, tensors := range [][]string{llama, llamaGGUF} {
			g, err := c.spec.Group(tensors)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := Grouping{Names: c.names}
			if c.of != nil {
				want.Of = map[string]int{}
				for i, x := range tensors {
					want.Of[x] = c.of[i]
				}
			}
			if d := cmp.Diff(want, g); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
}

func TestGroupsRefused(t *testing.T) {
	for says, s := range map[string]GroupSpec{
		"4 blocks cannot be made of 3 layers": {Layers: 4},
		"-1 blocks":                           {Layers: -1},
		`unknown kind "feet"`:                 {Kinds: []string{"feet"}},
		`kind "mlp" is there twice`:           {Kinds: []string{"mlp", "mlp"}},
		"not several":                         {Layers: 2, Kinds: []string{"mlp"}},
		`no tensor is in group "x"`:           {Patterns: []GroupPattern{{"x", "nothing"}}},
		"missing closing ]":                   {Patterns: []GroupPattern{{"x", "["}}},
		"has no name":                         {Patterns: []GroupPattern{{"", "."}}},
	} {
		_, err := s.Group(llama)
		wantError(t, err, says)
	}
	_, err := GroupSpec{Kinds: []string{"attention"}}.Group([]string{"model.layers.0.mlp.w"})
	wantError(t, err, `no tensor is in group "attention"`)
}
