package merge

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/x448/float16"

	"soup/merge/internal/kernel"
)

// q8 returns a tensor of random blocks and the values that they stand for.
func q8(name string, seed uint64, shape ...int64) (fake, []float32) {
	r := rand.New(rand.NewPCG(seed, 3))
	n := Tensor{Shape: shape}.Elements()
	var data []byte
	var values []float32
	for range n / q8Elements {
		scale := float16.Fromfloat32(float32(r.NormFloat64() * 0.01))
		data = append(data, byte(scale), byte(scale>>8))
		for range q8Elements {
			q := int8(r.IntN(256) - 128)
			data = append(data, byte(q))
			values = append(values, scale.Float32()*float32(q))
		}
	}
	return fake{name, Quantised, shape, data}, values
}

func quantisedParent(t testing.TB, seed uint64, unmapped bool) (*Checkpoint, []float32) {
	x, values := q8("token_embd.weight", seed, 300, 96)
	kvs := append([]ggufValue{{"general.file_type", uint32(7)}}, smallKVs...)
	path := write(t, filepath.Join(t.TempDir(), "m.gguf"), ggufBytes(kvs, noise("blk.0.attn_norm.weight", F32, seed, 9), x, noise("output.weight", BF16, seed, 3, 8)))
	c, err := OpenWith(path, OpenOptions{Dequantise: true, Unmapped: unmapped})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, values
}

// TestDequantisedSoup: Q8_0 parents are averaged by their exact values and
// stored as F16, in a header that says so; the rest is as ever.
func TestDequantisedSoup(t *testing.T) {
	a, x := quantisedParent(t, 1, false)
	b, y := quantisedParent(t, 2, true)
	for store, want := range map[DType]uint32{AsStored: 1, F16: 1, BF16: 32, F32: 0} {
		if store == BF16 || store == F32 { // which the other tensors of the file are not
			_, err := Write(t.Context(), filepath.Join(t.TempDir(), "o.gguf"), []*Checkpoint{a}, nil, global(1), WriteOptions{Store: store})
			wantError(t, err, "keeps its parents' dtypes")
			continue
		}
		if store == F16 {
			continue
		}
		out := open(t, writeSoup(t, []*Checkpoint{a, b}, global(0.25, 0.75), WriteOptions{Store: store}))
		info, _ := out.Tensor("token_embd.weight")
		got, err := out.Bytes("token_embd.weight")
		if err != nil || info.DType != F16 || out.gguf.values["general.file_type"] != "1" {
			t.Fatalf("%+v, file type %s, want %d: %v", info, out.gguf.values["general.file_type"], want, err)
		}
		sums := make([]float32, len(x))
		for i := range x {
			sums[i] = float32(0.25*x[i]) + float32(0.75*y[i])
		}
		expected := make([]byte, 2*len(sums))
		kernel.Round(expected, sums, kernel.F16)
		if !bytes.Equal(got, expected) {
			t.Error("the soup is not the sum of the dequantised values")
		}
		for _, name := range []string{"output.weight", "blk.0.attn_norm.weight"} {
			if d, err := out.Bytes(name); err != nil || len(d) == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
		if fs := Check([]*Checkpoint{out}, nil); fs.Err() != nil {
			t.Error(fs)
		}
	}
}

func TestQuantisedIsRefusedWithTheRemedy(t *testing.T) {
	a, _ := quantisedParent(t, 1, false)
	c := open(t, a.Path())
	err := Check([]*Checkpoint{c}, nil).Err()
	wantError(t, err, "token_embd.weight is quantised (Q8_0)")
	if !strings.Contains(hint(err), "--dequantize") {
		t.Errorf("hint %q", hint(err))
	}
}

func TestRetypeRefusesBrokenHeaders(t *testing.T) {
	a, _ := quantisedParent(t, 1, false)
	for cut := 24; cut < len(a.header)-40; cut += 7 {
		l := layout{parts: []part{{header: bytes.Clone(a.header[:cut])}}, tensors: a.tensors, spots: make([]spot, len(a.tensors))}
		if err := l.retype(); err == nil {
			t.Fatalf("a header of %d bytes of %d was taken", cut, len(a.header))
		}
	}
}

// TestRowsOfBlocks: rows that do not consist of whole blocks are refused where
// they would be read.
func TestRowsOfBlocks(t *testing.T) {
	x, _ := q8("token_embd.weight", 1, 2, 32)
	x.shape = []int64{8, 8}
	path := write(t, filepath.Join(t.TempDir(), "m.gguf"), ggufBytes(smallKVs, x))
	_, err := OpenWith(path, OpenOptions{Dequantise: true})
	wantError(t, err, "token_embd.weight", "8 elements")
}
