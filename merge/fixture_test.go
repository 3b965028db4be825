package merge

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/x448/float16"
	"go.uber.org/goleak"

	"soup/merge/internal/kernel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// garden is where the repository keeps small real checkpoints.
const garden = "../examples/garden/"

// fake is a tensor to write into a fixture.
type fake struct {
	name  string
	dtype DType
	shape []int64
	data  []byte
}

// floats encodes values as elements of a dtype, rounded to nearest.
func floats(d DType, values ...float32) []byte {
	out := make([]byte, len(values)*int(d.Size()))
	kernel.Round(out, values, kernel.Type(d))
	return out
}

// noise returns a tensor of normal values.
func noise(name string, d DType, seed uint64, shape ...int64) fake {
	r := rand.New(rand.NewPCG(seed, 17))
	values := make([]float32, Tensor{Shape: shape}.Elements())
	for i := range values {
		values[i] = float32(r.NormFloat64() * 0.05)
	}
	return fake{name, d, shape, floats(d, values...)}
}

// safetensorsBytes builds a file the way Python's library lays it out.
func safetensorsBytes(tensors ...fake) []byte {
	var data bytes.Buffer
	header := []string{`"__metadata__":{"format":"pt"}`}
	for _, f := range tensors {
		begin := data.Len()
		data.Write(f.data)
		shape, _ := json.Marshal(append([]int64{}, f.shape...))
		header = append(header, fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, f.name, f.dtype, shape, begin, data.Len()))
	}
	return withHeader("{"+strings.Join(header, ",")+"}", data.Bytes())
}

// withHeader puts length and JSON before data.
func withHeader(text string, data []byte) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), data...)
}

const (
	smallConfig    = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":8,"vocab_size":3,"tie_word_embeddings":false,"torch_dtype":"bfloat16","eos_token_id":2}`
	smallTokenizer = `{"added_tokens":[{"id":2,"content":"<end>","special":true}],"model":{"type":"BPE","vocab":{"a":0,"b":1,"<end>":2},"merges":["a b"]}}`
	smallTokConfig = `{"eos_token":"<end>","chat_template":"{{x}}"}`
)

// directory writes a checkpoint directory; files replace or (with "") drop the
// usual small ones.
func directory(t testing.TB, files map[string]string, tensors ...fake) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"config.json": smallConfig, "tokenizer.json": smallTokenizer, "tokenizer_config.json": smallTokConfig}
	maps.Copy(all, files)
	if len(tensors) > 0 {
		all[weightsName] = string(safetensorsBytes(tensors...))
	}
	for name, text := range all {
		if text != "" {
			write(t, filepath.Join(dir, name), []byte(text))
		}
	}
	return dir
}

func write(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// open opens a checkpoint and closes it when the test ends.
func open(t testing.TB, path string) *Checkpoint {
	t.Helper()
	c, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// small is a checkpoint of a Llama-like layout.
func small(t testing.TB, seed uint64) *Checkpoint { return open(t, smallDir(t, seed, nil)) }

func smallDir(t testing.TB, seed uint64, files map[string]string) string {
	return directory(t, files, smallTensors(seed, BF16)...)
}

func smallTensors(seed uint64, d DType) []fake {
	return []fake{
		noise("lm_head.weight", d, seed, 3, 8), noise("model.embed_tokens.weight", d, seed+1, 3, 8),
		noise("model.layers.0.input_layernorm.weight", d, seed+2, 8), noise("model.layers.0.mlp.up_proj.weight", d, seed+3, 9, 7),
		noise("model.layers.0.self_attn.q_proj.weight", d, seed+4, 8, 8), noise("model.norm.weight", d, seed+5, 8),
	}
}

// ggufValue is a metadata value of a GGUF fixture: string, uint32 or []string.
type ggufValue struct {
	key   string
	value any
}

// ggufBytes builds a GGUF v3 file with 32-byte alignment.
func ggufBytes(kvs []ggufValue, tensors ...fake) []byte {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	text := func(s string) { put(uint64(len(s))); b.WriteString(s) }
	b.WriteString("GGUF")
	put(uint32(3))
	put(uint64(len(tensors)))
	put(uint64(len(kvs)))
	for _, kv := range kvs {
		text(kv.key)
		switch v := kv.value.(type) {
		case uint32:
			put(uint32(4))
			put(v)
		case string:
			put(uint32(8))
			text(v)
		case []string:
			put(uint32(9))
			put(uint32(8))
			put(uint64(len(v)))
			for _, s := range v {
				text(s)
			}
		}
	}
	offset := uint64(0)
	for _, f := range tensors {
		text(f.name)
		put(uint32(len(f.shape)))
		for i := range f.shape {
			put(uint64(f.shape[len(f.shape)-1-i]))
		}
		put(map[DType]uint32{F32: 0, F16: 1, BF16: 30, Quantised: 8, I32: 26}[f.dtype])
		put(offset)
		offset += uint64(len(f.data)+31) / 32 * 32
	}
	pad := func() { b.Write(make([]byte, (32-b.Len()%32)%32)) }
	for _, f := range tensors {
		pad()
		b.Write(f.data)
	}
	return b.Bytes()
}

var smallKVs = []ggufValue{
	{"general.architecture", "llama"},
	{"llama.block_count", uint32(1)},
	{"llama.embedding_length", uint32(8)},
	{"tokenizer.ggml.model", "gpt2"},
	{"tokenizer.ggml.tokens", []string{"a", " b", "<end>"}},
	{"tokenizer.ggml.merges", []string{"a b"}},
	{"tokenizer.ggml.eos_token_id", uint32(2)},
	{"tokenizer.chat_template", "{{x}}"},
}

func ggufTensors(seed uint64) []fake {
	return []fake{
		noise("token_embd.weight", BF16, seed, 3, 8), noise("blk.0.attn_norm.weight", F32, seed+1, 9),
		noise("blk.0.ffn_up.weight", F16, seed+2, 5, 8), noise("output.weight", BF16, seed+3, 3, 8),
	}
}

func smallGGUF(t testing.TB, seed uint64) *Checkpoint {
	return open(t, write(t, filepath.Join(t.TempDir(), "m.gguf"), ggufBytes(smallKVs, ggufTensors(seed)...)))
}

// wantError fails unless err is one line that holds every part.
func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, p := range append(parts, "") {
		if !strings.Contains(err.Error(), p) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line with %q", err, p)
		}
	}
}

// hint returns an error's remedy.
func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// value widens one element.
func value(d DType, data []byte, i int) float32 {
	switch d {
	case BF16:
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
	case F16:
		return float16.Frombits(binary.LittleEndian.Uint16(data[2*i:])).Float32()
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
}

// summed is what the kernel makes of whole tensors.
func summed(src []kernel.Operand, n int, store DType) []byte {
	out := make([]byte, n*int(store.Size()))
	kernel.Sum(out, src, kernel.None, kernel.Type(store))
	return out
}
