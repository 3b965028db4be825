package single

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"soup/merge"
	"soup/results"
)

const sprouts = "../../examples/garden/"

// TestFindings makes every finding happen, with every severity, and compares what
// came out with docs/findings.md and with the codes in the source.
func TestFindings(t *testing.T) {
	made := map[string][]string{}
	note := func(code, severity string) {
		if !slices.Contains(made[code], severity) {
			made[code] = append(made[code], severity)
		}
	}
	for _, c := range slices.Concat(filesOfCheckpoints(), weightsOfCheckpoints(), adapters()) {
		o := c.options(t)
		checked, err := Check(t.Context(), o)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !slices.ContainsFunc(checked.Findings, func(f merge.Finding) bool { return f.Code+" "+f.Severity == c.name }) {
			t.Errorf("no %s, but %v", c.name, checked.Findings)
		}
		for _, f := range checked.Findings {
			note(f.Code, f.Severity)
			if f.Message == "" || f.Severity != merge.Note && f.Remedy == "" {
				t.Errorf("%s: incomplete: %+v", c.name, f)
			}
		}
	}
	for _, f := range merge.Check(nil, nil) { // the command line wants a path
		note(f.Code, f.Severity)
	}
	for _, p := range []merge.Plan{ // of machines that are not here
		{SoupBytes: 2e9, DiskNeeded: 2e9, DiskFree: 1e9, Machine: 1e9},
		{SoupBytes: 2e9, DiskFree: -1, Machine: 8e9, ParentBytes: []int64{3e9, 3e9}},
	} {
		for _, f := range p.Findings() {
			note(f.Code, f.Severity)
		}
	}
	note("disk", merge.Refuse)       // soup run: internal/study has the test
	note("unreadable", merge.Refuse) // files that shrink: package merge has the test
	note("adapters", merge.Refuse)   // no adapters at all: package merge/adapter has the test
	lost := &results.Inheritance{Specialists: []results.Specialist{{Category: "arith", Parent: "a", Difference: results.Difference{Verdict: results.Worse}}}}
	apart := &results.Midpoints{
		Barriers: []results.Barrier{{First: "a", Second: "b", Difference: results.Difference{Verdict: results.Better}}},
		Needless: []results.Needless{{Parent: "b", Over: "a"}},
	}
	for _, f := range append(lost.Losses(), apart.Findings()...) {
		note(f.Code, f.Severity)
	}

	page := findingsOfPage(t)
	for _, code := range slices.Sorted(maps.Keys(page)) {
		if is, want := strings.Join(slices.Sorted(slices.Values(made[code])), ", "), strings.Join(slices.Sorted(slices.Values(page[code])), ", "); is != want {
			t.Errorf("docs/findings.md has %s as %q, and %q happened", code, want, is)
		}
	}
	for code := range made {
		if page[code] == nil {
			t.Errorf("docs/findings.md lacks %s", code)
		}
	}
	source := codesOfSource(t)
	if len(source) < 40 {
		t.Errorf("only %d codes in the source", len(source))
	}
	for code, where := range source {
		if page[code] == nil {
			t.Errorf("docs/findings.md lacks %s of %s", code, where)
		}
	}
}

// findingsOfPage are the severities by code.
func findingsOfPage(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	page := map[string][]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| ([a-z, ]+) \\| [^|]+ \\| [^|]+ \\|$").FindAllStringSubmatch(string(text), -1) {
		if page[m[1]] != nil {
			t.Errorf("docs/findings.md has %s twice", m[1])
		}
		page[m[1]] = strings.Split(m[2], ", ")
	}
	return page
}

// codesOfSource looks for codes where findings are made: in literals, in calls of
// what makes findings, and in what is assigned to a code.
func codesOfSource(t *testing.T) map[string]string {
	t.Helper()
	codes := map[string]string{}
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, dir := range []string{"merge", "merge/adapter", "internal/origin", "internal/single", "internal/study", "results"} {
		files, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range codeExpressions(file) {
				if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if code, err := strconv.Unquote(lit.Value); err == nil && kebab.MatchString(code) && !slices.Contains([]string{merge.Refuse, merge.Warn, merge.Note}, code) {
						codes[code] = path
					}
				}
			}
		}
	}
	return codes
}

// codeExpressions are the expressions of a file that may be a code.
func codeExpressions(file *ast.File) (found []ast.Expr) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			found = append(found, codeOfLiteral(n)...)
		case *ast.CallExpr:
			if name := nameOf(n.Fun); slices.Contains([]string{"refuse", "finding", "refuseEach", "compareValues"}, name) && len(n.Args) > 1 {
				found = append(found, n.Args[:2]...)
			} else if name == "add" && len(n.Args) > 3 {
				found = append(found, n.Args[1])
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if name := nameOf(left); (name == "code" || name == "Code") && i < len(n.Rhs) {
					found = append(found, n.Rhs[i])
				}
			}
		}
		return true
	})
	return found
}

// codeOfLiteral is the code of a Finding, also within Findings.
func codeOfLiteral(n *ast.CompositeLit) (found []ast.Expr) {
	switch nameOf(n.Type) {
	case "Findings":
		for _, e := range n.Elts {
			if inner, ok := e.(*ast.CompositeLit); ok {
				inner.Type = ast.NewIdent("Finding")
			}
		}
	case "Finding":
		for i, e := range n.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok && nameOf(kv.Key) == "Code" {
				found = append(found, kv.Value)
			} else if !ok && i == 0 {
				found = append(found, e)
			}
		}
	}
	return found
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// faulty is a set of checkpoints with a finding: "code severity".
type faulty struct {
	name    string
	options func(*testing.T) CheckOptions
}

// tensor is a tensor of a made checkpoint.
type tensor struct {
	name, dtype string
	shape       []int64
	data        []byte
}

// random are bfloat16 values near 0.
func random(name string, seed uint64, shape ...int64) tensor {
	r, n := rand.New(rand.NewPCG(seed, 3)), int64(1)
	for _, s := range shape {
		n *= s
	}
	var data []byte
	for range n {
		data = binary.LittleEndian.AppendUint16(data, uint16(math.Float32bits(float32(r.NormFloat64())/16)>>16))
	}
	return tensor{name, "BF16", shape, data}
}

func saved(t *testing.T, path string, tensors ...tensor) {
	t.Helper()
	header, data := map[string]any{}, []byte(nil)
	for _, x := range tensors {
		header[x.name] = map[string]any{"dtype": x.dtype, "shape": x.shape, "data_offsets": []int{len(data), len(data) + len(x.data)}}
		data = append(data, x.data...)
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	written(t, path, string(append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), data...)))
}

func written(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// made is a checkpoint of a few tensors; files replace the usual ones.
func made(t *testing.T, seed uint64, files map[string]string, tensors ...tensor) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"config.json":           `{"model_type": "llama", "hidden_size": 8, "tie_word_embeddings": false, "rope_theta": 10000, "eos_token_id": 2}`,
		"tokenizer.json":        `{"added_tokens": [{"id": 2, "content": "<end>", "special": true}], "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "<end>": 2}, "merges": ["a b"]}}`,
		"tokenizer_config.json": `{"eos_token": "<end>", "pad_token": "<end>", "chat_template": "{{x}}"}`,
	}
	maps.Copy(all, files)
	for name, text := range all {
		if text != "" {
			written(t, filepath.Join(dir, name), text)
		}
	}
	if tensors == nil {
		tensors = plainTensors(seed)
	}
	saved(t, filepath.Join(dir, "model.safetensors"), tensors...)
	return dir
}

func plainTensors(seed uint64) []tensor {
	return []tensor{random("lm_head.weight", seed, 3, 8), random("model.embed_tokens.weight", seed+1, 3, 8), random("model.layers.0.mlp.up_proj.weight", seed+2, 9, 8)}
}

// filesOfCheckpoints are findings without a look at the weights: the second
// checkpoint is not like the first.
func filesOfCheckpoints() (list []faulty) {
	file := func(name, path, text string) {
		list = append(list, faulty{name, func(t *testing.T) CheckOptions {
			return CheckOptions{Paths: []string{made(t, 1, nil), made(t, 9, map[string]string{path: text})}}
		}})
	}
	tensors := func(name string, second func() []tensor) {
		list = append(list, faulty{name, func(t *testing.T) CheckOptions {
			return CheckOptions{Paths: []string{made(t, 1, nil), made(t, 9, nil, second()...)}}
		}})
	}
	both := func(name string, more func(seed uint64) tensor) {
		list = append(list, faulty{name, func(t *testing.T) CheckOptions {
			return CheckOptions{Paths: []string{made(t, 1, nil, append(plainTensors(1), more(1))...), made(t, 9, nil, append(plainTensors(9), more(9))...)}}
		}})
	}
	const config = `{"model_type": "llama", "hidden_size": 8, "tie_word_embeddings": false, "rope_theta": %s, "eos_token_id": %s%s}`
	file("architecture refuse", "config.json", `{"model_type": "qwen2"}`)
	file("config warn", "config.json", fmt.Sprintf(config, "500000", "2", ""))
	file("config refuse", "config.json", "{")
	file("config note", "config.json", "")
	file("special-tokens refuse", "config.json", fmt.Sprintf(config, "10000", "1", ""))
	file("special-tokens warn", "config.json", fmt.Sprintf(config, "10000", "[1, 2]", ""))
	file("quantised refuse", "config.json", fmt.Sprintf(config, "10000", "2", `, "quantization_config": {"quant_method": "gptq"}`))
	file("tied-embeddings refuse", "config.json", `{"model_type": "llama", "tie_word_embeddings": true}`)
	file("vocabulary refuse", "tokenizer.json", `{"model": {"type": "BPE", "vocab": {"a": 0, "c": 1, "<end>": 2}}}`)
	file("added-tokens refuse", "tokenizer.json", `{"added_tokens": [{"id": 2, "content": "<stop>"}], "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "<end>": 2}, "merges": ["a b"]}}`)
	file("added-tokens warn", "tokenizer.json", `{"added_tokens": [{"id": 2, "content": "<end>", "special": false}], "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "<end>": 2}, "merges": ["a b"]}}`)
	file("tokenizer warn", "tokenizer.json", "")
	file("chat-template warn", "tokenizer_config.json", `{"eos_token": "<end>", "chat_template": "{{y}}"}`)
	tensors("tensor-names refuse", func() []tensor { return plainTensors(9)[:2] })
	tensors("shape refuse", func() []tensor {
		return append(plainTensors(9)[:2], random("model.layers.0.mlp.up_proj.weight", 1, 8, 8))
	})
	tensors("dtype refuse", func() []tensor {
		return append(plainTensors(9)[:2], tensor{"model.layers.0.mlp.up_proj.weight", "I8", []int64{9, 8}, make([]byte, 72)})
	})
	tensors("mixed-dtypes note", func() []tensor {
		return append(plainTensors(9)[:2], tensor{"model.layers.0.mlp.up_proj.weight", "F32", []int64{9, 8}, make([]byte, 288)})
	})
	both("copied-tensors refuse", func(seed uint64) tensor {
		return tensor{"model.position_ids", "I64", []int64{1}, binary.LittleEndian.AppendUint64(nil, seed)}
	})
	both("moe-routers warn", func(seed uint64) tensor { return random("model.layers.0.mlp.experts.gate.weight", seed, 8, 8) })
	both("running-statistics warn", func(seed uint64) tensor { return random("model.norm.running_mean", seed, 8) })
	list = append(list, faulty{"format refuse", func(t *testing.T) CheckOptions {
		path := filepath.Join(t.TempDir(), "m.gguf")
		written(t, path, "GGUF\x03\x00\x00\x00"+strings.Repeat("\x00", 24)) // no tensors, no keys
		return CheckOptions{Paths: []string{made(t, 1, nil), path}}
	}}, faulty{"identical-parents note", func(t *testing.T) CheckOptions {
		return CheckOptions{Paths: []string{made(t, 1, nil), made(t, 1, nil)}}
	}}, faulty{"tied-names note", func(t *testing.T) CheckOptions {
		return CheckOptions{Paths: []string{"../../merge/testdata/torch/one"}}
	}})
	card := func(name, first, second string) {
		list = append(list, faulty{name, func(t *testing.T) CheckOptions {
			of := func(seed uint64, front string) string {
				return made(t, seed, map[string]string{"README.md": "---\n" + front + "\n---\n"})
			}
			return CheckOptions{Paths: []string{of(1, first), of(9, second)}}
		}})
	}
	card("licence note", "license: mit", "license: apache-2.0")
	card("licence warn", "license: mit", "license: cc-by-nc-4.0")
	card("base-mismatch warn", "base_model: org/a", "base_model: org/b")
	card("stage warn", "tags: [trl, sft]", "tags: [trl, grpo]")
	return list
}

// grown copies a fine-tune of the garden with its values changed.
func grown(t *testing.T, of string, change func(name string, shape []int64, values []float32, from *merge.Checkpoint) []float32) string {
	t.Helper()
	c, err := merge.Open(sprouts + of)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var tensors []tensor
	for _, x := range c.Tensors() {
		var data []byte
		for _, v := range change(x.Name, x.Shape, valuesOf(t, c, x.Name), c) {
			data = binary.LittleEndian.AppendUint16(data, uint16(math.Float32bits(v)>>16))
		}
		tensors = append(tensors, tensor{x.Name, "BF16", x.Shape, data})
	}
	files := map[string]string{}
	for _, name := range []string{"config.json", "tokenizer.json", "tokenizer_config.json"} {
		text, err := os.ReadFile(filepath.Join(sprouts, of, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return made(t, 0, files, tensors...)
}

func valuesOf(t *testing.T, c *merge.Checkpoint, name string) []float32 {
	t.Helper()
	data, err := c.Bytes(name)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, len(data)/2)
	for i := range values {
		values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
	}
	return values
}

// weightsOfCheckpoints are findings in the weights: an altered fine-tune of the
// garden beside three that are as they should be.
func weightsOfCheckpoints() (list []faulty) {
	add := func(name string, change func(name string, shape []int64, values []float32, from *merge.Checkpoint) []float32) {
		list = append(list, faulty{name, func(t *testing.T) CheckOptions {
			path := sprouts + "finetune/hot"
			if change != nil {
				path = grown(t, "finetune/call", change)
			}
			return CheckOptions{Deep: true, Base: sprouts + "base", Paths: []string{sprouts + "finetune/arith", sprouts + "finetune/order", sprouts + "finetune/quiz", path}}
		}})
	}
	scaled := func(factor float32) func(string, []int64, []float32, *merge.Checkpoint) []float32 {
		return func(_ string, _ []int64, values []float32, _ *merge.Checkpoint) []float32 {
			for i := range values {
				values[i] *= factor
			}
			return values
		}
	}
	exchange := func(values []float32, width, a, b int) {
		for i := range width {
			values[a*width+i], values[b*width+i] = values[b*width+i], values[a*width+i]
		}
	}
	add("outlier warn", nil) // a learning rate ten times too high
	add("scaled warn", scaled(1.5))
	add("not-finite warn", func(name string, _ []int64, values []float32, _ *merge.Checkpoint) []float32 {
		values[0] = float32(math.NaN())
		return values
	})
	add("other-origin warn", func(_ string, _ []int64, values []float32, _ *merge.Checkpoint) []float32 {
		if len(values) > 128 {
			slices.Reverse(values)
			for i := range values {
				values[i] *= float32(1 - 2*(i%2))
			}
		}
		return values
	})
	add("other-layers warn", func(name string, _ []int64, values []float32, _ *merge.Checkpoint) []float32 {
		if strings.Contains(name, "layers.1.") {
			slices.Reverse(values)
		}
		return values
	})
	add("permuted-layers warn", func(name string, _ []int64, values []float32, from *merge.Checkpoint) []float32 {
		swapped := strings.NewReplacer("layers.0.", "layers.2.", "layers.2.", "layers.0.").Replace(name)
		data, err := from.Bytes(swapped)
		if err != nil {
			return values
		}
		for i := range values {
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		}
		return values
	})
	add("permuted-rows warn", func(name string, shape []int64, values []float32, _ *merge.Checkpoint) []float32 {
		if strings.Contains(name, "embed_tokens") {
			exchange(values, int(shape[1]), 40, 77)
		}
		return values
	})
	add("moved-rows note", func(name string, shape []int64, values []float32, _ *merge.Checkpoint) []float32 {
		if strings.Contains(name, "embed_tokens") {
			for i := range shape[1] {
				values[60*shape[1]+i] *= -1
			}
		}
		return values
	})
	list = append(list, faulty{"near-duplicate warn", func(t *testing.T) CheckOptions {
		twin := grown(t, "finetune/order", func(_ string, _ []int64, values []float32, _ *merge.Checkpoint) []float32 {
			for i := 0; i < len(values); i += 50 {
				values[i] *= 1.01
			}
			return values
		})
		return CheckOptions{Deep: true, Base: sprouts + "base", Paths: []string{sprouts + "finetune/arith", sprouts + "finetune/order", twin}}
	}}, faulty{"opposed note", func(t *testing.T) CheckOptions {
		return CheckOptions{Deep: true, Base: sprouts + "base", Paths: []string{sprouts + "finetune/order", opposite(t)}}
	}})
	return list
}

// opposite lies on the other side of the base than the fine-tune order.
func opposite(t *testing.T) string {
	t.Helper()
	base, err := merge.Open(sprouts + "base")
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	return grown(t, "finetune/order", func(name string, _ []int64, values []float32, _ *merge.Checkpoint) []float32 {
		for i, b := range valuesOf(t, base, name) {
			values[i] = 2*b - values[i]
		}
		return values
	})
}

// adapted is a LoRA adapter of one module, 8 values to 8, with rank 2.
func adapted(t *testing.T, seed uint64, options map[string]any, tensors ...tensor) string {
	t.Helper()
	all := map[string]any{"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 2, "lora_alpha": 4, "target_modules": []string{"q"}, "task_type": "CAUSAL_LM", "bias": "none"}
	maps.Copy(all, options)
	dir := t.TempDir()
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	written(t, filepath.Join(dir, "adapter_config.json"), string(text))
	if tensors == nil {
		tensors = lora("l.0.q", seed, 2, 8, 8)
	}
	saved(t, filepath.Join(dir, "adapter_model.safetensors"), tensors...)
	return dir
}

func lora(module string, seed uint64, rank, in, out int64) []tensor {
	return []tensor{random("base_model.model."+module+".lora_A.weight", seed, rank, in), random("base_model.model."+module+".lora_B.weight", seed+1, out, rank)}
}

// adapters are the findings about LoRA adapters.
func adapters() (list []faulty) {
	option := func(name, key string, value any) {
		list = append(list, faulty{name, func(t *testing.T) CheckOptions {
			return CheckOptions{Paths: []string{adapted(t, 1, nil), adapted(t, 5, map[string]any{key: value})}}
		}})
	}
	second := func(name string, tensors func() []tensor) {
		list = append(list, faulty{name, func(t *testing.T) CheckOptions {
			return CheckOptions{Paths: []string{adapted(t, 1, nil), adapted(t, 5, nil, tensors()...)}}
		}})
	}
	onBase := func(name string, base func(*testing.T) string, options map[string]any) {
		list = append(list, faulty{name, func(t *testing.T) CheckOptions {
			return CheckOptions{Base: base(t), Paths: []string{adapted(t, 1, options)}}
		}})
	}
	option("peft-type refuse", "peft_type", "IA3")
	option("variant refuse", "use_dora", true)
	option("initialisation refuse", "init_lora_weights", "pissa")
	option("bias refuse", "bias", "all")
	option("saved-weights refuse", "modules_to_save", []string{"lm_head"})
	option("pattern refuse", "alpha_pattern", map[string]any{"(": 2})
	option("rank refuse", "r", 3)
	option("unknown-option warn", "use_new_thing", true)
	option("base-model refuse", "base_model_name_or_path", "org/other")
	option("base-model warn", "revision", "v2")
	option("task-type warn", "task_type", "SEQ_CLS")
	option("fan-in-fan-out refuse", "fan_in_fan_out", true)
	second("embedding refuse", func() []tensor {
		return append(lora("l.0.q", 5, 2, 8, 8), random("base_model.model.emb.lora_embedding_A", 1, 2, 9))
	})
	second("modules note", func() []tensor { return append(lora("l.0.q", 5, 2, 8, 8), lora("l.1.q", 7, 2, 8, 8)...) })
	list = append(list, faulty{"rank note", func(t *testing.T) CheckOptions {
		wide := map[string]any{"r": 6}
		return CheckOptions{Paths: []string{adapted(t, 1, wide, lora("l.0.q", 1, 6, 8, 8)...), adapted(t, 5, wide, lora("l.0.q", 5, 6, 8, 8)...)}}
	}})
	onBase("modules refuse", func(t *testing.T) string { return made(t, 1, nil) }, nil)
	list = append(list, faulty{"tokenizer note", func(t *testing.T) CheckOptions {
		a := adapted(t, 1, nil)
		written(t, filepath.Join(a, "tokenizer.json"), "{}")
		return CheckOptions{Base: made(t, 1, nil, random("l.0.q.weight", 1, 8, 8)), Paths: []string{a}}
	}})
	return list
}
