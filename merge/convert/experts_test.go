package convert

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/merge"
	"soup/merge/convert/picotest"
)

// experts makes a qwen3_moe of qwen3's pico-model: two experts, of which the
// first is the model's own feed-forward part and the second has other numbers.
func experts(t *testing.T, missing string) string {
	t.Helper()
	from, err := merge.Open(picotest.Dir(t, "qwen3"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = from.Close() })
	dir := filepath.Join(t.TempDir(), "moe")
	n := merge.NewCheckpoint{From: from.Path()}
	add := func(name string, shape []int64, data []byte) {
		if name != missing {
			n.Tensors = append(n.Tensors, merge.NewTensor{Name: name, DType: merge.F32, Shape: shape, Fill: func(dst []byte) error { copy(dst, data); return nil }})
		}
	}
	for _, tensor := range from.Tensors() {
		data, err := from.Bytes(tensor.Name)
		if err != nil {
			t.Fatal(err)
		}
		before, after, ok := strings.Cut(tensor.Name, ".mlp.")
		if !ok {
			add(tensor.Name, tensor.Shape, data)
			continue
		}
		other := slices.Clone(data)
		slices.Reverse(other)
		add(before+".mlp.experts.0."+after, tensor.Shape, data)
		add(before+".mlp.experts.1."+after, tensor.Shape, other)
	}
	for layer := range 2 {
		add(fmt.Sprintf("model.layers.%d.mlp.gate.weight", layer), []int64{2, 64}, nil)
	}
	if _, err := merge.Create(t.Context(), dir, n, nil); err != nil {
		t.Fatal(err)
	}
	picotest.Edit(t, dir, "config.json", func(c map[string]any) {
		c["architectures"], c["num_experts"], c["num_experts_per_tok"] = []string{"Qwen3MoeForCausalLM"}, 2, 1
		c["moe_intermediate_size"], c["norm_topk_prob"] = 96, true
	})
	return dir
}

func TestExpertsAreStacked(t *testing.T) {
	dir := experts(t, "")
	file := filepath.Join(t.TempDir(), "x.gguf")
	c, err := Write(t.Context(), dir, file)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"model.layers.1.mlp.experts.0.up_proj.weight", "model.layers.1.mlp.experts.1.up_proj.weight"}
	if got := c.Sources["blk.1.ffn_up_exps.weight"]; !slices.Equal(got, want) {
		t.Errorf("blk.1.ffn_up_exps.weight comes from %v", got)
	}
	out, err := merge.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	from, err := merge.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	var both []byte
	for _, name := range want {
		data, err := from.Bytes(name)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, data...)
	}
	stack, _ := out.Tensor("blk.1.ffn_up_exps.weight")
	if got, err := out.Bytes(stack.Name); err != nil || !slices.Equal(stack.Shape, []int64{2, 96, 64}) || string(got) != string(both) {
		t.Errorf("stack of shape %v, bytes equal %t (%v)", stack.Shape, string(got) == string(both), err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if v := keysOf(t, data); v["qwen3moe.expert_count"] != 2. || v["qwen3moe.expert_used_count"] != 1. || v["qwen3moe.expert_feed_forward_length"] != 96. {
		t.Errorf("experts: %v, %v, %v", v["qwen3moe.expert_count"], v["qwen3moe.expert_used_count"], v["qwen3moe.expert_feed_forward_length"])
	}
}

func TestExpertsRefused(t *testing.T) {
	_, err := Write(t.Context(), experts(t, "model.layers.0.mlp.experts.1.down_proj.weight"), filepath.Join(t.TempDir(), "x.gguf"))
	if err == nil || !strings.Contains(err.Error(), "no tensor of expert 1") {
		t.Errorf("error %v", err)
	}
	_, err = Write(t.Context(), experts(t, "model.layers.1.mlp.gate.weight"), filepath.Join(t.TempDir(), "x.gguf"))
	if err == nil || !strings.Contains(err.Error(), "blk.1.ffn_gate_inp.weight") {
		t.Errorf("error %v", err)
	}
	for says, change := range map[string]func(map[string]any){
		"norm_topk_prob":         func(c map[string]any) { c["norm_topk_prob"] = false },
		"layers without experts": func(c map[string]any) { c["decoder_sparse_step"] = 2 },
	} {
		dir := experts(t, "")
		picotest.Edit(t, dir, "config.json", change)
		if _, err := Write(t.Context(), dir, filepath.Join(t.TempDir(), "x.gguf")); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
}

func TestReadMetadataRefuses(t *testing.T) {
	e := &encoder{}
	e.WriteString("GGUF")
	e.put(uint32(3))
	e.put(uint64(0))
	e.put(uint64(1))
	e.text("nested")
	e.array(kindArray, 1)
	e.array(kindBool, 0)
	for _, text := range [][]byte{e.Bytes(), e.Bytes()[:30], e.Bytes()[:10]} {
		if _, err := readMetadata(text); err == nil {
			t.Errorf("%d bytes are read", len(text))
		}
	}
}
