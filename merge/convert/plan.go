package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"soup/merge"
	"soup/merge/internal/remedy"
)

// inLayer and inExpert take a tensor's name apart.
var (
	inLayer  = regexp.MustCompile(`^model\.layers\.(\d+)\.(.+)\.(weight|bias)$`)
	inExpert = regexp.MustCompile(`^model\.layers\.(\d+)\.mlp\.experts\.(\d+)\.(gate|up|down)_proj\.weight$`)
)

var outside = map[string]string{
	"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight",
}

// plan lays out the tensors of a GGUF file.
type plan struct {
	kind    architecture
	keys    *keys
	from    *merge.Checkpoint
	tensors []tensor
	stacks  map[string][]string // names of experts' tensors, by the name of the stack
}

// plan maps every tensor of the checkpoint, and names the first that it cannot.
func (p *plan) all() error {
	p.stacks = map[string][]string{}
	tied := p.kind.alwaysTie || p.keys.config.flag("tie_word_embeddings", p.kind.tied)
	for _, t := range p.from.Tensors() {
		switch {
		case strings.HasSuffix(t.Name, ".rotary_emb.inv_freq"), t.Name == "lm_head.weight" && tied:
			continue // computed by every reader; the same as the embeddings
		case p.kind.experts && p.expert(t):
			continue
		}
		name, ok := p.name(t.Name)
		if !ok {
			return remedy.Errorf(elsewhere, "%s: tensor %s is not known to belong to a %s model", p.from.Path(), t.Name, p.kind.name)
		}
		if err := p.add(name, t, []string{t.Name}, t.Shape); err != nil {
			return err
		}
	}
	if err := p.stack(); err != nil {
		return err
	}
	if p.keys.rope.kind == "llama3" {
		f := p.keys.rope.factors(p.keys.shape.head)
		p.tensors = append(p.tensors, tensor{name: "rope_freqs.weight", shape: []int64{int64(len(f))}, dtype: merge.F32, given: f})
	}
	slices.SortFunc(p.tensors, byBlock)
	return p.complete(tied)
}

// name returns a tensor's name in the GGUF file.
func (p *plan) name(of string) (string, bool) {
	if to, ok := outside[of]; ok {
		return to, true
	}
	m := inLayer.FindStringSubmatch(of)
	if m == nil {
		return "", false
	}
	to, ok := p.kind.layer[m[2]]
	return "blk." + m[1] + "." + to + "." + m[3], ok
}

// add plans one tensor. Matrices keep their dtype; vectors and routers become
// float32, which holds their values exactly, because readers want them so.
func (p *plan) add(name string, like merge.Tensor, sources []string, shape []int64) error {
	if !like.DType.Averageable() {
		return remedy.Errorf("save the model again in bfloat16, float16 or float32", "%s: tensor %s is %s", p.from.Path(), like.Name, like.Stored)
	}
	t := tensor{name: name, shape: shape, dtype: like.DType, sources: sources}
	if len(shape) == 1 || strings.HasSuffix(name, ".ffn_gate_inp.weight") {
		t.dtype = merge.F32
	}
	if p.kind.shift && strings.HasSuffix(name, "norm.weight") {
		t.plus = 1
	}
	s := p.keys.shape
	for part, heads := range map[string]uint32{".attn_q.": s.heads, ".attn_k.": s.kvHeads} {
		if !strings.Contains(name, part) {
			continue
		}
		if shape[0] != int64(heads)*int64(s.head) || s.head%2 != 0 {
			return remedy.Errorf("take config.json from the model's page", "%s: tensor %s has %d rows; config.json says %d heads of %d", p.from.Path(), like.Name, shape[0], heads, s.head)
		}
		if p.kind.rotate {
			t.heads = heads
		}
	}
	p.tensors = append(p.tensors, t)
	return nil
}

// expert notes a tensor of one expert.
func (p *plan) expert(t merge.Tensor) bool {
	m := inExpert.FindStringSubmatch(t.Name)
	if m == nil {
		return false
	}
	n, err := strconv.Atoi(m[2])
	name := "blk." + m[1] + ".ffn_" + m[3] + "_exps.weight"
	if err != nil || n >= int(p.keys.shape.experts) {
		return false
	}
	if p.stacks[name] == nil {
		p.stacks[name] = make([]string, p.keys.shape.experts)
	}
	p.stacks[name][n] = t.Name
	return true
}

// stack joins the experts' tensors of each layer.
func (p *plan) stack() error {
	for name, sources := range p.stacks {
		if i := slices.Index(sources, ""); i >= 0 {
			return fmt.Errorf("%s: %s: no tensor of expert %d", p.from.Path(), name, i)
		}
		first, _ := p.from.Tensor(sources[0])
		for _, s := range sources {
			if t, _ := p.from.Tensor(s); !slices.Equal(t.Shape, first.Shape) || t.DType != first.DType {
				return fmt.Errorf("%s: tensor %s differs from %s in shape or dtype", p.from.Path(), s, first.Name)
			}
		}
		shape := append([]int64{int64(len(sources))}, first.Shape...)
		if err := p.add(name, first, sources, shape); err != nil {
			return err
		}
	}
	return nil
}

// complete checks that nothing is missing or there twice.
func (p *plan) complete(tied bool) error {
	there := map[string]tensor{}
	for _, t := range p.tensors {
		if _, twice := there[t.name]; twice {
			return fmt.Errorf("%s: two tensors become %s", p.from.Path(), t.name)
		}
		there[t.name] = t
	}
	missing := func(name string) error {
		return remedy.Errorf("download the checkpoint again", "%s: no tensor becomes %s of a %s model", p.from.Path(), name, p.kind.name)
	}
	for _, name := range outside {
		if _, ok := there[name]; !ok && (name != "output.weight" || !tied) {
			return missing(name)
		}
	}
	for i := range p.keys.shape.layers {
		for _, part := range p.parts() {
			if name := fmt.Sprintf("blk.%d.%s.weight", i, part); there[name].name == "" {
				return missing(name)
			}
		}
	}
	if s := there["token_embd.weight"].shape; len(s) != 2 || s[1] != int64(p.keys.shape.hidden) {
		return fmt.Errorf("%s: model.embed_tokens.weight has shape %v; config.json says hidden_size %d", p.from.Path(), s, p.keys.shape.hidden)
	}
	p.keys.shape.vocabulary = uint32(there["token_embd.weight"].shape[0])
	return nil
}

// parts are the tensors that every layer must have.
func (p *plan) parts() []string {
	var names []string
	for from, to := range p.kind.layer {
		if !p.kind.experts || !strings.HasPrefix(from, "mlp.") {
			names = append(names, to)
		}
	}
	if p.kind.experts {
		names = append(names, "ffn_gate_inp", "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps")
	}
	slices.Sort(names)
	return names
}

// byBlock orders tensors: those of no layer, then layer by layer, by name.
func byBlock(a, b tensor) int {
	if x, y := block(a.name), block(b.name); x != y {
		return x - y
	}
	return strings.Compare(a.name, b.name)
}

func block(name string) int {
	rest, ok := strings.CutPrefix(name, "blk.")
	if !ok {
		return -1
	}
	number, _, _ := strings.Cut(rest, ".")
	n, _ := strconv.Atoi(number)
	return n
}

// fileType is general.file_type: the dtype of most bytes.
func fileType(tensors []tensor) uint32 {
	bytes := map[merge.DType]int64{}
	for _, t := range tensors {
		bytes[t.dtype] += t.bytes()
	}
	return merge.GGUFFileType(bytes)
}
