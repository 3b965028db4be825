//go:build servers

package agreement

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"soup/merge/convert"
)

// The wide checkpoint has 4 layers and 136 million parameters in bfloat16, and
// the tokenizer of SmolLM2-135M with its 49,152 tokens.
const (
	wideLayers = 4
	wideWidth  = 1024
	wideInner  = 5632
	wideHeads  = 16
	wideWords  = 49152
)

// wide writes the checkpoint as a GGUF file. Its numbers are random; another
// seed is another model. The directory lends configuration and tokenizer.
func wide(tb testing.TB, smollm2 string, seed uint64) string {
	tb.Helper()
	dir := tb.TempDir()
	for _, name := range []string{"config.json", "tokenizer.json", "tokenizer_config.json"} {
		text, err := os.ReadFile(filepath.Join(smollm2, name))
		if err != nil {
			tb.Fatal(err)
		}
		if name == "config.json" {
			text = widened(tb, text)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	weights := filepath.Join(dir, "model.safetensors")
	writeWide(tb, weights, seed)
	path, err := convert.Path(tb.Context(), dir, tb.TempDir(), "")
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.Remove(weights); err != nil {
		tb.Fatal(err)
	}
	return path
}

// widened is a configuration with the wide checkpoint's sizes.
func widened(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		tb.Fatal(err)
	}
	if config["vocab_size"] != float64(wideWords) || config["tie_word_embeddings"] != true {
		tb.Fatalf("not the configuration of SmolLM2-135M: %s", text)
	}
	maps.Copy(config, map[string]any{
		"num_hidden_layers": wideLayers, "hidden_size": wideWidth, "intermediate_size": wideInner,
		"num_attention_heads": wideHeads, "num_key_value_heads": wideHeads, "head_dim": wideWidth / wideHeads,
	})
	text, err := json.Marshal(config)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func wideShapes() map[string][]int {
	shapes := map[string][]int{"model.embed_tokens.weight": {wideWords, wideWidth}, "model.norm.weight": {wideWidth}}
	for i := range wideLayers {
		layer := fmt.Sprintf("model.layers.%d.", i)
		for _, name := range []string{"q", "k", "v", "o"} {
			shapes[layer+"self_attn."+name+"_proj.weight"] = []int{wideWidth, wideWidth}
		}
		shapes[layer+"mlp.gate_proj.weight"] = []int{wideInner, wideWidth}
		shapes[layer+"mlp.up_proj.weight"] = []int{wideInner, wideWidth}
		shapes[layer+"mlp.down_proj.weight"] = []int{wideWidth, wideInner}
		shapes[layer+"input_layernorm.weight"] = []int{wideWidth}
		shapes[layer+"post_attention_layernorm.weight"] = []int{wideWidth}
	}
	return shapes
}

// writeWide writes the tensors: matrices of +-0.0078 to 0.031, vectors of ones.
func writeWide(tb testing.TB, path string, seed uint64) {
	tb.Helper()
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header, at := map[string]entry{}, 0
	shapes := wideShapes()
	names := slices.Sorted(maps.Keys(shapes))
	for _, name := range names {
		size := 2
		for _, n := range shapes[name] {
			size *= n
		}
		header[name] = entry{"BF16", shapes[name], [2]int{at, at + size}}
		at += size
	}
	text, err := json.Marshal(header)
	if err != nil {
		tb.Fatal(err)
	}
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	data = slices.Grow(append(data, text...), at)
	draw := rand.New(rand.NewPCG(seed, 0))
	for _, name := range names {
		e := header[name]
		for range (e.Offsets[1] - e.Offsets[0]) / 2 {
			bits := uint16(0x3F80)
			if len(e.Shape) > 1 {
				r := draw.Uint32()
				bits = 0x3C00 | uint16(r)&0x80FF
			}
			data = binary.LittleEndian.AppendUint16(data, bits)
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}
