//go:build servers

package serve_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
	"soup/internal/serve"
	"soup/internal/single"
	"soup/merge"
)

// ggufNames are llama.cpp's names of the modules that the adapters change.
var ggufNames = strings.NewReplacer(
	"base_model.model.model.layers.", "blk.", ".self_attn.q_proj", ".attn_q", ".self_attn.v_proj", ".attn_v",
	".self_attn.o_proj", ".attn_output", ".lora_A.weight", ".weight.lora_a", ".lora_B.weight", ".weight.lora_b",
)

// loraGGUF writes a PEFT adapter of the garden's base as llama-server reads it:
// float32 tensors, the rows of B of the query in the order of llama.cpp's rope
// (convert_hf_to_gguf.py, LlamaModel.permute).
func loraGGUF(t *testing.T, dir string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "adapter_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Alpha float32 `json:"lora_alpha"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	c, err := merge.Open(filepath.Join(dir, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var header, data []byte
	text := func(s string) { header = append(binary.LittleEndian.AppendUint64(header, uint64(len(s))), s...) }
	number := func(n uint32) { header = binary.LittleEndian.AppendUint32(header, n) }
	long := func(n uint64) { header = binary.LittleEndian.AppendUint64(header, n) }
	header = append(header, "GGUF"...)
	number(3)
	long(uint64(len(c.Tensors())))
	long(4)
	for _, kv := range [][2]string{{"general.type", "adapter"}, {"adapter.type", "lora"}, {"general.architecture", "llama"}} {
		text(kv[0])
		number(8) // a text
		text(kv[1])
	}
	text("adapter.lora.alpha")
	number(6) // float32
	number(math.Float32bits(config.Alpha))
	for _, tensor := range c.Tensors() {
		text(ggufNames.Replace(tensor.Name))
		number(2)
		long(uint64(tensor.Shape[1]))
		long(uint64(tensor.Shape[0]))
		number(0) // float32
		long(uint64(len(data)))
		data = append(data, values(t, c, tensor)...)
		data = append(data, make([]byte, (32-len(data)%32)%32)...)
	}
	header = append(header, make([]byte, (32-len(header)%32)%32)...)
	path := filepath.Join(t.TempDir(), filepath.Base(dir)+".gguf")
	if err := os.WriteFile(path, append(header, data...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// values are a tensor's elements as float32.
func values(t *testing.T, c *merge.Checkpoint, tensor merge.Tensor) []byte {
	t.Helper()
	raw, err := c.Bytes(tensor.Name)
	if err != nil {
		t.Fatal(err)
	}
	if tensor.DType == merge.BF16 {
		var wide []byte
		for i := 0; i < len(raw); i += 2 {
			wide = append(wide, 0, 0, raw[i], raw[i+1])
		}
		raw = wide
	}
	if !strings.Contains(tensor.Name, "q_proj.lora_B") {
		return raw
	}
	const heads = 4
	rows, row := int(tensor.Shape[0]), int(4*tensor.Shape[1])
	half := rows / heads / 2
	var turned []byte
	for h := range heads {
		for i := range half {
			for k := range 2 {
				at := (h*2*half + k*half + i) * row
				turned = append(turned, raw[at:at+row]...)
			}
		}
	}
	return turned
}

// wide writes a soup with float32 weights, so that nothing but the order of
// additions differs, and converts it.
func wide(t *testing.T, weights, base string, paths ...string) eval.Model {
	t.Helper()
	out := filepath.Join(t.TempDir(), "soup")
	_, err := single.Merge(t.Context(), single.MergeOptions{
		Paths: paths, Out: out, Weights: weights, Base: base, Storing: single.Storing{Store: "float32"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return eval.Model{Path: asGGUF(t, out)}
}

// A server with the scales says what the soup of adapters says that was added to
// the base, and changes from one to the next without loading.
func TestScalesAreASoup(t *testing.T) {
	const adapters = "../../merge/adapter/testdata/"
	plain, bf16 := adapters+"plain", adapters+"bf16"
	base := wide(t, "", "", garden+"base")
	o := serve.Options{Kind: "llamaserver", Start: true, Program: llamaServer(t), Threads: 1, Context: 512}
	with := o
	with.Args = []string{"--lora", loraGGUF(t, plain) + "," + loraGGUF(t, bf16)}
	scaled, fresh := open(t, with), open(t, o)
	defer scaled.Close()
	defer fresh.Close()
	load(t, scaled, base)
	var first []float64
	var versions []eval.Version
	for _, c := range []struct {
		scales  []float64
		weights string
	}{{[]float64{0.7, 0.3}, "plain=0.7,bf16=0.3"}, {[]float64{0.2, 0.8}, "plain=0.2,bf16=0.8"}} {
		version, err := scaled.(eval.Scaler).Scale(t.Context(), c.scales)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, version)
		load(t, fresh, wide(t, c.weights, garden+"base", plain, bf16))
		got, want := scores(t, scaled), scores(t, fresh)
		worst := 0.0
		for i := range got {
			worst = math.Max(worst, math.Abs(got[i]-want[i]))
		}
		t.Logf("scales %v: log-probabilities up to %g from the baked soup's", c.scales, worst)
		if worst > 1e-3 {
			t.Errorf("scales %v: %v; the baked soup %v", c.scales, got, want)
		}
		if first != nil && math.Abs(first[0]-got[0]) < 0.01 {
			t.Errorf("other scales, the same scores %v", got)
		}
		first = got
	}
	if versions[0] == versions[1] {
		t.Errorf("other scales, one version %s", versions[0])
	}
}

func load(t *testing.T, s eval.Server, m eval.Model) {
	t.Helper()
	if _, err := s.Load(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// scores are those of some labels.
func scores(t *testing.T, s eval.Server) (all []float64) {
	t.Helper()
	for _, prompt := range []string{"odd A big B star C quiet D tiny", "785+878", "reverse TNHEEIPE"} {
		got, err := s.(eval.LabelScorer).ScoreLabels(t.Context(), user(prompt), []string{"A", "B", "1", "z"})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, got...)
	}
	return all
}
