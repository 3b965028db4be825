package merge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// torchModel is one model three times, as torch and safetensors wrote it:
// tools/torch_golden.py.
const torchModel = "testdata/torch/"

// torchArchives are files that torch wrote.
const torchArchives = "internal/torchfile/testdata/"

// TestTorchIsSafetensors: one file and shards hold what the safetensors file
// does, and that is what torch says it is; mapped or not.
func TestTorchIsSafetensors(t *testing.T) {
	var golden struct {
		Directories []struct {
			Name, DType, SHA256 string
			Shape               []int64
		}
	}
	if err := json.Unmarshal(read(t, torchArchives+"golden.json"), &golden); err != nil || len(golden.Directories) != 3 {
		t.Fatalf("%+v, %v", golden, err)
	}
	for _, dir := range []string{"one", "shards", "safetensors"} {
		for _, unmapped := range []bool{false, true} {
			c, err := OpenWith(torchModel+dir, OpenOptions{Unmapped: unmapped})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range golden.Directories {
				got, ok := c.Tensor(want.Name)
				data, err := c.Bytes(want.Name)
				sum := sha256.Sum256(data)
				if !ok || err != nil || got.Stored != want.DType || !slices.Equal(got.Shape, want.Shape) || hex.EncodeToString(sum[:]) != want.SHA256 {
					t.Errorf("%s: %+v (%v), want %+v", dir, got, err, want)
				}
			}
			if len(c.Tensors()) != len(golden.Directories) {
				t.Errorf("%s: %v", dir, names(c))
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestTorchParents: a soup of pickled parents, or of both kinds, is the soup of
// the safetensors parents, in safetensors.
func TestTorchParents(t *testing.T) {
	plain, one, shards := open(t, torchModel+"safetensors"), open(t, torchModel+"one"), open(t, torchModel+"shards")
	other := retold(t, plain)
	want, _ := soup(t, []*Checkpoint{plain, other}, nil)
	for _, parents := range [][]*Checkpoint{{one, other}, {shards, other}, {other, one}, {one, shards, other}} {
		got, out := soup(t, parents, plain)
		if equal, tensor, err := equalTensors(got, want); len(parents) == 2 && (!equal || err != nil) {
			t.Errorf("%s and %s: %s differs, %v", parents[0].Path(), parents[1].Path(), tensor, err)
		}
		if got.Format() != Safetensors || got.meta["format"] != "pt" || !slices.Contains(listing(t, out), "config.json") {
			t.Errorf("%s: %s, %v, %v", out, got.Format(), got.meta, listing(t, out))
		}
	}
}

// retold is a checkpoint of the same names and types with other numbers.
func retold(t *testing.T, like *Checkpoint) *Checkpoint {
	var tensors []fake
	for i, x := range like.Tensors() {
		tensors = append(tensors, noise(x.Name, x.DType, uint64(i), x.Shape...))
	}
	return open(t, directory(t, map[string]string{
		"config.json": string(read(t, torchModel+"one/config.json")), "tokenizer.json": "", "tokenizer_config.json": "",
	}, tensors...))
}

// soup writes the uniform soup of parents and opens it.
func soup(t *testing.T, parents []*Checkpoint, base *Checkpoint) (*Checkpoint, string) {
	t.Helper()
	if err := Check(parents, base).Err(); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "soup")
	weights := slices.Repeat([]float64{1 / float64(len(parents))}, len(parents))
	if _, err := Write(t.Context(), out, parents, nil, global(weights...), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return open(t, out), out
}

// TestTorchCopy: weight 1 is a copy as safetensors, made once.
func TestTorchCopy(t *testing.T) {
	c := open(t, torchModel+"shards")
	out := filepath.Join(t.TempDir(), "cache", "copy")
	for range 2 {
		dir, err := c.AsSafetensors(t.Context(), out)
		if err != nil || dir != out {
			t.Fatal(dir, err)
		}
	}
	if equal, tensor, err := equalTensors(c, open(t, out)); !equal || err != nil {
		t.Errorf("%s differs: %v", tensor, err)
	}
	plain := open(t, torchModel+"safetensors")
	if dir, err := plain.AsSafetensors(t.Context(), out); err != nil || dir != plain.Path() {
		t.Error(dir, err)
	}
	if _, err := c.AsSafetensors(t.Context(), filepath.Join(out, "config.json", "x")); err == nil {
		t.Error("written below a file")
	}
}

// tiedAs is a copy of the pickled model whose configuration says something else
// about tied embeddings; "" removes it.
func tiedAs(t *testing.T, config string) *Checkpoint {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, torchName), read(t, torchModel+"one/"+torchName))
	if config != "" {
		write(t, filepath.Join(dir, "config.json"), []byte(config))
	}
	return open(t, dir)
}

// TestTiedNames: the second name of tied weights is left out where the
// configuration ties, or does not say, and kept where it does not or is absent.
func TestTiedNames(t *testing.T) {
	for config, want := range map[string]int{
		`{"model_type":"tiny","tie_word_embeddings":true}`:                  3,
		`{"model_type":"tiny"}`:                                             3,
		`{"model_type":"tiny","text_config":{"tie_word_embeddings":false}}`: 4,
		`{"model_type":"tiny","tie_word_embeddings":false,"hidden_size":4}`: 4,
		``: 4,
	} {
		c := tiedAs(t, config)
		if got := names(c); len(got) != want || got[0] != "model.embed.weight" {
			t.Errorf("%s: %v", config, got)
		}
		if _, err := c.Bytes(names(c)[want-1]); err != nil {
			t.Error(err)
		}
		told := slices.ContainsFunc(Check([]*Checkpoint{c}, nil), func(f Finding) bool { return f.Code == "tied-names" && f.Tensor == "lm_head.weight" })
		if told != (want == 3) {
			t.Errorf("%s: left out without a word, or told of nothing", config)
		}
	}
	untied := tiedAs(t, `{"model_type":"tiny","tie_word_embeddings":false}`)
	if f := Check([]*Checkpoint{untied, open(t, torchModel+"one")}, nil); f.Err() == nil || !strings.Contains(f.Err().Error(), "tie_word_embeddings") {
		t.Errorf("%v", f)
	}
	alias, _ := untied.Bytes("lm_head.weight")
	first, _ := untied.Bytes("model.embed.weight")
	if len(first) != 48 || !bytes.Equal(alias, first) {
		t.Error("tied names have different bytes")
	}
}

// TestTorchFiles: single files of any of the names, and no part of several.
func TestTorchFiles(t *testing.T) {
	dir := t.TempDir()
	data := read(t, torchModel+"one/"+torchName)
	for _, name := range []string{"x.bin", "x.pt", "x.pth", "consolidated.00.pth"} {
		c := open(t, write(t, filepath.Join(dir, name), data))
		if len(c.Tensors()) != 4 || c.Format() != Torch || c.Format().Soup() != Safetensors || c.Format().String() != "pytorch" {
			t.Errorf("%s: %s, %v", name, c.Format(), names(c))
		}
	}
	write(t, filepath.Join(dir, "consolidated.01.pth"), data)
	_, err := Open(filepath.Join(dir, "consolidated.00.pth"))
	wantError(t, err, "consolidated.00.pth: one of 2 parts")
	_, err = Open(dir)
	wantError(t, err, "no model.safetensors in this directory")
	_, err = Open(write(t, filepath.Join(dir, "x.ckpt"), data))
	wantError(t, err, "not a checkpoint")
	_, err = Open(filepath.Join(dir, "absent.bin"))
	wantError(t, err, "absent.bin: no such file")
	if err := os.Mkdir(filepath.Join(dir, "folder.bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = Open(filepath.Join(dir, "folder.bin"))
	wantError(t, err, "folder.bin: no weights in this directory")
}

// TestTorchRefusals: what the reader refuses, Open refuses with the path.
func TestTorchRefusals(t *testing.T) {
	_, err := Open(torchArchives + "system.bin")
	wantError(t, err, `system.bin: pickle, byte`, `class "posix.system" is refused`)
	var remedy interface{ Hint() string }
	if !errors.As(err, &remedy) || !strings.Contains(remedy.Hint(), "safetensors") {
		t.Errorf("no remedy: %v", err)
	}
	for name, c := range map[string]struct{ weightMap, says string }{
		"elsewhere":    {`"model.embed.weight":"../x.bin"`, "leads out of the directory"},
		"safetensors":  {`"model.embed.weight":"model.safetensors"`, "is of another format"},
		"absent":       {`"model.embed.weight":"pytorch_model-00009-of-00002.bin"`, "no such file"},
		"not indexed":  {`"model.embed.weight":"pytorch_model-00001-of-00002.bin"`, "is missing from the index"},
		"ghost":        {`"ghost":"pytorch_model-00001-of-00002.bin"`, `"ghost" is not in shard`},
		"pickled code": {`"x":"system.bin"`, `class "posix.system" is refused`},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(torchModel+"shards")); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "system.bin"), read(t, torchArchives+"system.bin"))
		write(t, filepath.Join(dir, torchIndexName), []byte(`{"weight_map":{`+c.weightMap+`}}`))
		_, err := Open(dir)
		t.Run(name, func(t *testing.T) { wantError(t, err, c.says) })
	}
	outside, leads := write(t, filepath.Join(t.TempDir(), "x.bin"), read(t, torchModel+"one/"+torchName)), t.TempDir()
	link(t, outside, filepath.Join(leads, torchName))
	_, err = Open(leads)
	wantError(t, err, "leads out of the checkpoint's directory")
}

// TestTorchReplaced: what a child found in one file is not looked for in another.
func TestTorchReplaced(t *testing.T) {
	from := torchArchives + "dtypes-2.bin"
	path := write(t, filepath.Join(t.TempDir(), "x.bin"), read(t, from))
	l, err := listTorch(path)
	if err != nil {
		t.Fatal(err)
	}
	var c Checkpoint
	defer c.Close()
	if err := os.Rename(write(t, path+".new", read(t, from)), path); err != nil {
		t.Fatal(err)
	}
	wantError(t, c.addTorch(l, path, "x.bin"), path, "was replaced while it was read")
	again, err := listTorch(path)
	if err != nil {
		t.Fatal(err)
	}
	again.tensors[0].Offset = 1 << 40
	wantError(t, c.addTorch(again, path, "x.bin"), path, "goes beyond the end of the file")
	again.tensors[0].Offset, again.tensors[0].Bytes = 0, 1
	wantError(t, c.addTorch(again, path, "x.bin"), path, "1 bytes do not hold")
	wantError(t, c.addTorch(again, path+".absent", "x.bin"), "no such file")
}

// TestTorchCutWhileOpen: a file that becomes shorter is an error when its
// weights are read, not a crash.
func TestTorchCutWhileOpen(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "x.bin"), read(t, torchArchives+"dtypes-2.bin"))
	c := open(t, path)
	if err := os.Truncate(path, 10); err != nil {
		t.Fatal(err)
	}
	_, err := Write(t.Context(), filepath.Join(t.TempDir(), "out"), []*Checkpoint{c}, nil, global(1), WriteOptions{})
	wantError(t, err, path)
}
