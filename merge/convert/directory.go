package convert

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"soup/merge"
	"soup/merge/internal/remedy"
	"soup/merge/tokenizer"
)

// DirectoryOptions say what goes beside the weights.
type DirectoryOptions struct {
	// Config is a Hugging Face directory of the same model: its configuration,
	// tokenizer and other small files are copied.
	Config string
	Record *merge.SavedRecipe      // see [merge.NewCheckpoint]; nil: none
	Card   []byte                  // README.md; nil: none
	Notify func(done, total int64) // progress in bytes; may be nil
}

// WriteDirectory writes a GGUF file as the Hugging Face directory out, which
// must not exist. Names, the order of rows and shifted norms are turned back.
// What readers of GGUF need in float32 stays so, unless config.json names a
// dtype that holds it exactly: then it is stored as that.
func WriteDirectory(ctx context.Context, file, out string, o DirectoryOptions) (merge.Stats, error) {
	c, err := readConfig(o.Config)
	if err != nil {
		return merge.Stats{}, err
	}
	from, err := merge.Open(file)
	if err != nil {
		return merge.Stats{}, err
	}
	defer from.Close()
	b := back{file: file, dir: o.Config, from: from, config: c}
	if err := b.read(); err != nil {
		return merge.Stats{}, err
	}
	n := merge.NewCheckpoint{From: o.Config, Record: o.Record, Tensors: b.tensors, Meta: map[string]string{"format": "pt"}}
	if o.Card != nil {
		n.Files = map[string][]byte{"README.md": o.Card}
	}
	return merge.Create(ctx, out, n, o.Notify)
}

// back turns a GGUF file into a directory.
type back struct {
	file, dir string
	from      *merge.Checkpoint
	config    config
	kind      architecture
	keys      *keys
	names     map[string]string // of GGUF's names within a layer, those of the directory
	tensors   []merge.NewTensor
}

// read checks that the file and the directory belong together, and plans the
// tensors.
func (b *back) read() (err error) {
	var own bool
	if b.kind, own = architectures[b.config.architecture()]; !own || b.kind.experts {
		return remedy.Errorf(elsewhere, "%s: models of architecture %q are not converted back from GGUF", b.dir, b.config.architecture())
	}
	if b.keys, err = modelKeys(b.kind, b.config); err != nil {
		return fmt.Errorf("%s: %w", b.dir, err)
	}
	values, err := readMetadata(b.from.Header())
	if err != nil {
		return fmt.Errorf("%s: %w", b.file, err)
	}
	if err := b.matches(values); err != nil {
		return err
	}
	b.names = map[string]string{}
	for from, to := range b.kind.layer {
		b.names[to] = from
	}
	for _, t := range b.from.Tensors() {
		if t.Name == "rope_freqs.weight" {
			continue // computed from config.json
		}
		if err := b.add(t); err != nil {
			return err
		}
	}
	return nil
}

// compared are the keys in which file and directory must agree.
var compared = []string{
	"block_count", "embedding_length", "feed_forward_length", "attention.head_count", "attention.head_count_kv",
	"attention.key_length", "rope.freq_base", "attention.layer_norm_rms_epsilon",
}

// matches compares the file's keys and tokens with those of the directory.
func (b *back) matches(values map[string]any) error {
	other := func(what string, file, dir any) error {
		return remedy.Errorf("give the Hugging Face directory of the same model", "%s: not the model of %s: %s is %v there and %v here", b.dir, b.file, what, dir, file)
	}
	if name := values[architectureKey]; name != b.kind.name {
		return other("the architecture", name, b.kind.name)
	}
	for _, key := range compared {
		got, there := values[b.kind.name+"."+key].(float64)
		if want := plainNumber(b.keys.metadata[b.kind.name+"."+key]); there && got != want {
			return other(key, got, want)
		}
	}
	f, err := tokenizer.Read(b.dir)
	if err != nil {
		return remedy.Errorf("give the Hugging Face directory of the same model, with its tokenizer.json", "%w", err)
	}
	tokens, _ := values["tokenizer.ggml.tokens"].([]string)
	v := vocabulary{}
	if err := v.fill(f); err != nil {
		return err
	}
	if len(tokens) < len(v.tokens) {
		return other("the number of tokens", len(tokens), len(v.tokens))
	}
	for i, t := range v.tokens {
		if t != tokens[i] && v.types[i] != unusedToken {
			return other(fmt.Sprintf("token %d", i), fmt.Sprintf("%q", tokens[i]), fmt.Sprintf("%q", t))
		}
	}
	return nil
}

func plainNumber(v any) float64 {
	switch v := v.(type) {
	case uint32:
		return float64(v)
	case float32:
		return float64(v)
	}
	return 0
}

// inBlock takes a GGUF tensor's name apart.
var inBlock = regexp.MustCompile(`^blk\.(\d+)\.(.+)\.(weight|bias)$`)

// name returns a tensor's name in the directory.
func (b *back) name(of string) (string, bool) {
	for from, to := range outside {
		if to == of {
			return from, true
		}
	}
	m := inBlock.FindStringSubmatch(of)
	if m == nil {
		return "", false
	}
	from, ok := b.names[m[2]]
	return "model.layers." + m[1] + "." + from + "." + m[3], ok
}

// add plans one tensor.
func (b *back) add(t merge.Tensor) error {
	name, ok := b.name(t.Name)
	if !ok {
		return fmt.Errorf("%s: tensor %s is not known to belong to a %s model", b.file, t.Name, b.kind.name)
	}
	if !t.DType.Averageable() {
		return remedy.Errorf("convert from an F32, F16 or BF16 file", "%s: tensor %s is %s", b.file, t.Name, t.Stored)
	}
	heads := uint32(0)
	if b.kind.rotate && strings.Contains(t.Name, ".attn_q.") {
		heads = b.keys.shape.heads
	}
	if b.kind.rotate && strings.Contains(t.Name, ".attn_k.") {
		heads = b.keys.shape.kvHeads
	}
	if heads > 0 && t.Shape[0] != int64(heads)*int64(b.keys.shape.head) {
		return fmt.Errorf("%s: tensor %s has %d rows, not %d heads of %d", b.file, t.Name, t.Shape[0], heads, b.keys.shape.head)
	}
	plus := float32(0)
	if b.kind.shift && strings.HasSuffix(t.Name, "norm.weight") {
		plus = -1
	}
	store, err := b.store(t, plus)
	if err != nil {
		return err
	}
	b.tensors = append(b.tensors, merge.NewTensor{Name: name, DType: store, Shape: slices.Clone(t.Shape), Fill: func(dst []byte) error {
		return b.fill(dst, t, store, heads, plus)
	}})
	return nil
}

// store is the dtype of a tensor in the directory: its own, or, for one that
// GGUF widened, that of config.json where no value changes.
func (b *back) store(t merge.Tensor, plus float32) (merge.DType, error) {
	want, err := merge.ParseDType(b.config.text("dtype"))
	if want == merge.AsStored {
		want, err = merge.ParseDType(b.config.text("torch_dtype"))
	}
	if err != nil || want == merge.AsStored || t.DType != merge.F32 || want == merge.F32 {
		return t.DType, nil
	}
	data, err := b.from.Bytes(t.Name)
	if err != nil {
		return want, err
	}
	for at := 0; at < len(data); at += 4 {
		v := element(data[at:], merge.F32) + plus
		if w := element(narrowed(v, want), want); w != v {
			return merge.F32, nil
		}
	}
	return want, nil
}

// fill writes a tensor's elements with rows and values turned back.
func (b *back) fill(dst []byte, t merge.Tensor, store merge.DType, heads uint32, plus float32) error {
	data, err := b.from.Bytes(t.Name)
	if err != nil {
		return err
	}
	rows := 1
	if heads > 0 {
		rows = int(t.Shape[0])
	}
	row, wide := len(data)/rows, len(dst)/rows
	for i := range rows {
		to := i
		if heads > 0 {
			to = rotated(i, rows/int(heads))
		}
		put(dst[to*wide:(to+1)*wide], data[i*row:(i+1)*row], t.DType, store, plus)
	}
	return nil
}

// put copies elements, or writes them in another dtype.
func put(dst, data []byte, from, to merge.DType, plus float32) {
	if from == to && plus == 0 {
		copy(dst, data)
		return
	}
	size := int(from.Size())
	for at := 0; at < len(data); at += size {
		copy(dst[at/size*int(to.Size()):], narrowed(element(data[at:], from)+plus, to))
	}
}
