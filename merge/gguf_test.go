package merge

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"
)

func TestOpenGGUF(t *testing.T) {
	c := smallGGUF(t, 1)
	up, ok := c.Tensor("blk.0.ffn_up.weight")
	if !ok || up.DType != F16 || !slices.Equal(up.Shape, []int64{5, 8}) || c.Format() != GGUF {
		t.Fatalf("%+v", up)
	}
	for _, f := range ggufTensors(1) {
		if data, err := c.Bytes(f.name); err != nil || !bytes.Equal(data, f.data) {
			t.Errorf("%s: bytes differ (%v)", f.name, err)
		}
	}
	v, err := c.gguf.vocab()
	tokens, _ := v.tokens()
	if err != nil || tokens[1] != " b" {
		t.Errorf("token 1 is %q, want a leading blank (%v)", tokens[1], err)
	}
}

func TestOpenRefusesBadGGUF(t *testing.T) {
	good := ggufBytes(smallKVs, ggufTensors(1)...)
	edit := func(at int, b byte) []byte {
		data := slices.Clone(good)
		data[at] = b
		return data
	}
	offsetOf := func(name string) int { return bytes.Index(good, []byte(name)) + len(name) + 4 }
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"empty":           {nil, "empty file"},
		"magic":           {edit(0, 'X'), "not a GGUF file"},
		"version":         {edit(4, 1), "version 1"},
		"big-endian":      {edit(7, 3), "big-endian"},
		"header cut off":  {good[:200], ""},
		"data cut off":    {good[:len(good)-40], ""},
		"tensor count":    {edit(15, 0x7f), ""},
		"string length":   {edit(31, 0x7f), ""},
		"dimension":       {edit(offsetOf("token_embd.weight")+7, 0x7f), ""},
		"overlap":         {edit(offsetOf("blk.0.attn_norm.weight")+12, 0), "overlaps"},
		"beyond end":      {edit(offsetOf("output.weight")+22, 9), "beyond the end"},
		"twice":           {ggufBytes(smallKVs, ggufTensors(1)[0], ggufTensors(1)[0]), "twice"},
		"split model":     {ggufBytes(append(slices.Clone(smallKVs), ggufValue{"split.count", uint32(2)}), ggufTensors(1)...), "split model"},
		"nothing follows": {good[:24], ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "x.gguf"), c.data)
			_, err := Open(path)
			wantError(t, err, path, c.says)
		})
	}
	_, err := Open(write(t, filepath.Join(t.TempDir(), "x-00001-of-00002.gguf"), good))
	wantError(t, err, "split model")
}

func TestGGUFStrings(t *testing.T) {
	for _, cut := range []int{0, 12 + 4, 12 + 8 + 0, 12 + 9 + 8 + 1} {
		array := smallGGUF(t, 1).gguf.arrays["tokenizer.ggml.tokens"]
		if _, err := ggufStrings(array[:cut]); err == nil {
			t.Errorf("array cut to %d bytes is read", cut)
		}
	}
}

// FuzzOpenGGUF: no file crashes, and every tensor of one that opens can be read.
func FuzzOpenGGUF(f *testing.F) {
	f.Add(ggufBytes(smallKVs, ggufTensors(1)...))
	f.Add(ggufBytes(nil, fake{"q", Quantised, []int64{32}, make([]byte, 34)}))
	f.Add([]byte("GGUF\x03\x00\x00\x00"))
	path := filepath.Join(f.TempDir(), "x.gguf")
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Open(write(t, path, data))
		if err != nil {
			return
		}
		defer c.Close()
		for _, x := range c.Tensors() {
			b, err := c.Bytes(x.Name)
			if err != nil || int64(len(b)) != x.Bytes() {
				t.Errorf("%s: %d bytes (%v)", x.Name, len(b), err)
			}
		}
		Check([]*Checkpoint{c, c}, c)
	})
}
