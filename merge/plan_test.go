package merge

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// llama70B lists the tensors of a Llama 3 70B, as its config.json has them:
// 80 layers, hidden size 8192, feed-forward size 28672, 8 key/value heads of
// 128, 128256 tokens.
func llama70B() []Tensor {
	const hidden, inner, kv, vocabulary = 8192, 28672, 1024, 128256
	var list []Tensor
	add := func(name string, shape ...int64) {
		t := Tensor{Name: name, DType: BF16, Stored: "BF16", Shape: shape}
		t.bytes = 2 * t.Elements()
		list = append(list, t)
	}
	add("model.embed_tokens.weight", vocabulary, hidden)
	for i := range 80 {
		at := fmt.Sprintf("model.layers.%d.", i)
		add(at+"self_attn.q_proj.weight", hidden, hidden)
		add(at+"self_attn.k_proj.weight", kv, hidden)
		add(at+"self_attn.v_proj.weight", kv, hidden)
		add(at+"self_attn.o_proj.weight", hidden, hidden)
		add(at+"mlp.gate_proj.weight", inner, hidden)
		add(at+"mlp.up_proj.weight", inner, hidden)
		add(at+"mlp.down_proj.weight", hidden, inner)
		add(at+"input_layernorm.weight", hidden)
		add(at+"post_attention_layernorm.weight", hidden)
	}
	add("model.norm.weight", hidden)
	add("lm_head.weight", vocabulary, hidden)
	return list
}

// hollow writes a checkpoint of that many shards whose headers are real and
// whose data is a hole but for the first bytes of each shard, which depend on
// the seed.
func hollow(t testing.TB, seed byte, shards int, tensors []Tensor, files map[string]string) string {
	t.Helper()
	dir := directory(t, files)
	weightMap := map[string]string{}
	for s := range shards {
		part := tensors[s*len(tensors)/shards : (s+1)*len(tensors)/shards]
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", s+1, shards)
		header, at := []string{}, int64(0)
		for _, p := range part {
			shape, _ := json.Marshal(p.Shape)
			header = append(header, fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, p.Name, p.Stored, shape, at, at+p.bytes))
			at += p.bytes
			weightMap[p.Name] = name
		}
		raw := withHeader("{"+strings.Join(header, ",")+"}", []byte{seed, byte(s), 1, 2})
		path := write(t, filepath.Join(dir, name), raw)
		if err := os.Truncate(path, int64(len(raw)-4)+at); err != nil {
			t.Fatal(err)
		}
	}
	index, _ := json.Marshal(map[string]any{"weight_map": weightMap})
	write(t, filepath.Join(dir, indexName), index)
	return dir
}

// TestPlanOf70B: ten sharded checkpoints of 141 GB each are checked and planned
// without reading their weights.
func TestPlanOf70B(t *testing.T) {
	tensors := llama70B()
	var parents []*Checkpoint
	for seed := range byte(10) {
		var files map[string]string
		if seed == 7 {
			files = map[string]string{"config.json": strings.Replace(smallConfig, "}", `,"rope_theta":5}`, 1)}
		}
		if seed == 8 {
			files = map[string]string{"chat_template.jinja": "{{z}}"}
		}
		parents = append(parents, open(t, hollow(t, seed, 30, tensors, files)))
	}
	if len(parents[9].Files()) != 30 || len(parents[9].Tensors()) != 723 {
		t.Fatalf("%d files, %d tensors", len(parents[9].Files()), len(parents[9].Tensors()))
	}
	if fs := Check(parents, nil); len(fs) != 1 || fs[0].Code != "chat-template" || fs[0].Parent != parents[8].path {
		t.Errorf("findings: %v", fs)
	}
	p, err := PlanFor(parents, AsStored, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if p.Parameters != 70_553_706_496 || p.ParentBytes[9] < 2*p.Parameters || p.SoupBytes < 2*p.Parameters || p.SoupBytes > 2*p.Parameters+1<<20 {
		t.Errorf("%+v", p)
	}
	if p.MemoryBytes != memoryBound || p.DiskNeeded != p.SoupBytes+slack {
		t.Errorf("%+v", p)
	}
	probe, err := ProbeReading(t.Context(), parents)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := probe.ReadSeconds(1 << 40); ok && probe.Holes > 0.5 {
		t.Errorf("a time for reading holes: %+v", probe)
	}
}

func TestGroupSizes(t *testing.T) {
	c := open(t, hollow(t, 1, 30, llama70B(), nil))
	g, err := GroupSpec{Layers: 4}.Group(tensorNames(c))
	if err != nil {
		t.Fatal(err)
	}
	sizes, err := GroupSizes(c, g, AsStored)
	if err != nil {
		t.Fatal(err)
	}
	const layer, embedding = 855_654_400, 128256 * 8192
	want := []GroupSize{
		{"layers 0-19", 181, 20*layer + embedding, 2 * (20*layer + embedding)},
		{"layers 20-39", 180, 20 * layer, 40 * layer},
		{"layers 40-59", 180, 20 * layer, 40 * layer},
		{"layers 60-79", 182, 20*layer + embedding + 8192, 2 * (20*layer + embedding + 8192)},
	}
	if d := cmp.Diff(want, sizes); d != "" {
		t.Error(d)
	}
	wide, err := GroupSizes(c, Grouping{}, F32)
	if err != nil || len(wide) != 1 || wide[0].Name != "all" || wide[0].Bytes != 4*c.Parameters() {
		t.Errorf("%+v, %v", wide, err)
	}
	delete(g.Of, "lm_head.weight")
	_, err = GroupSizes(c, g, AsStored)
	wantError(t, err, c.path, "lm_head.weight")
}

func tensorNames(c *Checkpoint) []string {
	var names []string
	for _, t := range c.tensors {
		names = append(names, t.Name)
	}
	return names
}

func TestFreeSpace(t *testing.T) {
	dir := t.TempDir()
	free, err := FreeSpace(filepath.Join(dir, "not", "yet"))
	if err != nil || free == 0 {
		t.Errorf("%d, %v", free, err)
	}
	file := write(t, filepath.Join(dir, "file"), []byte("x"))
	if _, err := FreeSpace(filepath.Join(file, "below")); err == nil {
		t.Error("no error for a folder below a file")
	}
}

// BenchmarkPreflight opens, checks, plans and probes ten 70B checkpoints of 30
// shards with tokenizers of 128000 tokens: the same for all, with other rules
// in each, and with other tokens in each.
func BenchmarkPreflight(b *testing.B) {
	for name, mark := range map[string][2]string{"one-tokenizer": {}, "ten-rules": {"%d", ""}, "ten-vocabularies": {"", "%d"}} {
		b.Run(name, func(b *testing.B) {
			var dirs []string
			for seed := range 10 {
				rule, token := strings.ReplaceAll(mark[0], "%d", fmt.Sprint(seed)), strings.ReplaceAll(mark[1], "%d", fmt.Sprint(seed))
				dirs = append(dirs, hollow(b, byte(seed), 30, llama70B(), map[string]string{"tokenizer.json": largeTokenizer(rule, token)}))
			}
			for b.Loop() {
				preflight(b, dirs)
			}
		})
	}
}

func preflight(b *testing.B, dirs []string) {
	var parents []*Checkpoint
	times := []time.Time{time.Now()}
	lap := func(what string) {
		times = append(times, time.Now())
		b.ReportMetric(times[len(times)-1].Sub(times[len(times)-2]).Seconds()*1e3, "ms-"+what)
	}
	for _, dir := range dirs {
		c, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		parents = append(parents, c)
	}
	lap("open")
	Check(parents, nil)
	lap("check")
	if _, err := PlanFor(parents, AsStored, b.TempDir()); err != nil {
		b.Fatal(err)
	}
	lap("plan")
	if _, err := ProbeReading(b.Context(), parents); err != nil {
		b.Fatal(err)
	}
	lap("probe")
}

// largeTokenizer is a tokenizer.json of 128000 tokens and 127000 merges, 7 MB;
// rule makes its pre_tokenizer differ, token one of the tokens.
func largeTokenizer(rule, token string) string {
	vocab, merges := []string{`      "first` + token + `": 0`}, []string{}
	for i := 1; i < 128000; i++ {
		vocab = append(vocab, fmt.Sprintf(`      "token%d": %d`, i*7919%1000003, i))
		if i >= 1000 {
			merges = append(merges, fmt.Sprintf(`      "tok%d en%d"`, i, i))
		}
	}
	return `{"pre_tokenizer":"` + rule + `","model":{"type":"BPE","vocab":{` + "\n" + strings.Join(vocab, ",\n") + `},"merges":[` + strings.Join(merges, ",\n") + `]}}`
}
