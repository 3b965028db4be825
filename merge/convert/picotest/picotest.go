// Package picotest makes tiny models for tests: every architecture that soup
// converts itself, with tokenizers of several kinds and with what transformers
// answers. tools/pico.py makes them and writes testdata; only the weights are
// computed here, from the tensors' names.
//
// Start with [Dir] and [Read].
package picotest

import (
	"context"
	"embed"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/merge"
)

//go:embed testdata
var testdata embed.FS

// Names lists the models.
func Names() []string {
	entries, _ := testdata.ReadDir("testdata") // embedded
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Golden is what transformers says of a model.
type Golden struct {
	Probe struct {
		Text        string  `json:"text"`
		IDs         []int32 `json:"ids"`
		WithSpecial []int32 `json:"with_special"`
	} `json:"probe"`
	Answers   []Answer           `json:"answers"`
	Quiet     []int32            `json:"quiet"`     // rows of the embeddings that are small
	Shifted   bool               `json:"shifted"`   // norms are stored less one
	Embedding float32            `json:"embedding"` // scale of the embeddings
	Tensors   map[string][]int64 `json:"tensors"`
}

// Answer is greedy decoding, computed in float32.
type Answer struct {
	Prompt    string  `json:"prompt"`
	IDs       []int32 `json:"ids"`
	AnswerIDs []int32 `json:"answer_ids"`
	Answer    string  `json:"answer"`
}

// Read returns what transformers says of a model.
func Read(tb testing.TB, name string) (g Golden) {
	tb.Helper()
	text, err := testdata.ReadFile("testdata/" + name + "/golden.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// Dir writes a model as a Hugging Face directory, its weights in float32, as
// they were for transformers' answers.
func Dir(tb testing.TB, name string) string {
	tb.Helper()
	return DirAs(tb, name, merge.F32)
}

// DirAs is Dir with weights in another dtype.
func DirAs(tb testing.TB, name string, store merge.DType) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), name)
	files, err := fs.Sub(testdata, "testdata/"+name)
	if err != nil {
		tb.Fatal(err)
	}
	small := map[string][]byte{}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if small[e.Name()], err = fs.ReadFile(files, e.Name()); err != nil {
			tb.Fatal(err)
		}
	}
	g := Read(tb, name)
	n := merge.NewCheckpoint{Files: small, Meta: map[string]string{"format": "pt"}}
	for _, tensor := range slices.Sorted(maps.Keys(g.Tensors)) {
		n.Tensors = append(n.Tensors, merge.NewTensor{Name: tensor, DType: store, Shape: g.Tensors[tensor], Fill: func(dst []byte) error {
			put(dst, g.Values(tensor), store)
			return nil
		}})
	}
	if _, err := merge.Create(context.Background(), dir, n, nil); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// Edit changes a JSON object in a directory.
func Edit(tb testing.TB, dir, file string, change func(map[string]any)) {
	tb.Helper()
	path := filepath.Join(dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		tb.Fatal(err)
	}
	change(object)
	if text, err = json.Marshal(object); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Values returns a tensor's elements: fill of tools/pico.py.
func (g Golden) Values(tensor string) []float32 {
	shape := g.Tensors[tensor]
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	values := noise(tensor, n)
	switch {
	case strings.HasSuffix(tensor, "norm.weight") && !g.Shifted:
		scale(values, 0.25, 1)
	case len(shape) == 1:
		scale(values, 0.25, 0)
	case strings.HasSuffix(tensor, "embed_tokens.weight"), strings.HasSuffix(tensor, "lm_head.weight"):
		for _, id := range g.Quiet {
			scale(values[int64(id)*shape[1]:int64(id+1)*shape[1]], 1./64, 0)
		}
		scale(values, g.Embedding, 0)
	default:
		scale(values, float32(math.Exp2(-math.RoundToEven(math.Log2(float64(shape[1]))/2-1))), 0)
	}
	return values
}

func scale(values []float32, by, plus float32) {
	for i := range values {
		values[i] = values[i]*by + plus
	}
}

// noise is n numbers in [-1, 1): splitmix64 (Steele, Lea and Flood,
// https://doi.org/10.1145/2714064.2660195) of the FNV-1a hash of a name.
func noise(name string, n int64) []float32 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	state := h.Sum64()
	values := make([]float32, n)
	for i := range values {
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		values[i] = float32(float64(z>>40)/(1<<23) - 1)
	}
	return values
}

// put stores values; those of narrower types are cut off, which is as good as
// rounding for weights that nobody compares with the original.
func put(dst []byte, values []float32, store merge.DType) {
	for i, v := range values {
		switch bits := math.Float32bits(v); store {
		case merge.F32:
			binary.LittleEndian.PutUint32(dst[4*i:], bits)
		default:
			binary.LittleEndian.PutUint16(dst[2*i:], uint16(bits>>16))
		}
	}
}
