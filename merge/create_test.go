package merge

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
)

// made is a new checkpoint with the small files of another.
func made(from string) NewCheckpoint {
	fill := func(b byte) func([]byte) error {
		return func(dst []byte) error {
			copy(dst, bytes.Repeat([]byte{b}, len(dst)))
			return nil
		}
	}
	return NewCheckpoint{
		Meta: map[string]string{"format": "pt"}, From: from, Store: F16, Files: map[string][]byte{"tokenizer_config.json": []byte(`{"new":true}`)},
		Tensors: []NewTensor{{"b", F16, []int64{3, 2}, fill(1)}, {"a", F32, []int64{2}, fill(2)}, {"c", F16, []int64{0}, fill(3)}, {"d", I64, nil, fill(4)}},
	}
}

func TestCreate(t *testing.T) {
	from, out := small(t, 1).Path(), filepath.Join(t.TempDir(), "new")
	var last, total int64
	s, err := Create(t.Context(), out, made(from), func(done, of int64) { last, total = done, of })
	if err != nil || len(s.SHA256) != 64 || s.BytesWritten != 12+8+8 || last != total {
		t.Fatalf("%+v, %d of %d: %v", s, last, total, err)
	}
	c := open(t, out)
	for name, want := range map[string][]byte{"b": bytes.Repeat([]byte{1}, 12), "a": bytes.Repeat([]byte{2}, 8), "c": {}, "d": bytes.Repeat([]byte{4}, 8)} {
		if got, err := c.Bytes(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is %x (%v)", name, got, err)
		}
	}
	if got := string(read(t, filepath.Join(out, "tokenizer_config.json"))); got != `{"new":true}` {
		t.Errorf("tokenizer_config.json: %s", got)
	}
	if got := read(t, filepath.Join(out, "config.json")); !bytes.Contains(got, []byte(`"torch_dtype":"float16"`)) {
		t.Errorf("config.json: %s", got)
	}
	other := made("")
	other.Weights = "adapter_model.safetensors"
	out = filepath.Join(t.TempDir(), "adapter")
	if _, err := Create(t.Context(), out, other, nil); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, out); len(got) != 2 || got[0] != other.Weights {
		t.Errorf("files %v", got)
	}
}

func TestCreateRecords(t *testing.T) {
	out, c := filepath.Join(t.TempDir(), "new"), made("")
	c.Record = &SavedRecipe{Method: "made up", Parents: []SavedParent{{"a", "a", "00"}}, Weights: [][]float64{{0.5}}}
	s, err := Create(t.Context(), out, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := ReadRecipe(filepath.Join(out, recordName))
	if err != nil || saved.SHA256 != s.SHA256 || saved.Method != "made up" || len(saved.Parents) != 1 {
		t.Errorf("%+v: %v", saved, err)
	}
	if c.Record.SHA256 != "" {
		t.Error("the caller's record was changed")
	}
}

func TestCreateRefuses(t *testing.T) {
	from := small(t, 1).Path()
	for says, change := range map[string]func(*NewCheckpoint){
		"there twice":    func(c *NewCheckpoint) { c.Tensors[1].Name = "b" },
		"of shape [-1]":  func(c *NewCheckpoint) { c.Tensors[0].Shape = []int64{-1} },
		"cannot be stor": func(c *NewCheckpoint) { c.Tensors[0].DType = Quantised },
		"not the name":   func(c *NewCheckpoint) { c.Files["../x"] = nil },
		"mine":           func(c *NewCheckpoint) { c.Tensors[0].Fill = func([]byte) error { return errors.New("mine") } },
		"no such file":   func(c *NewCheckpoint) { c.From = "/absent" },
		"/gone: no such": func(c *NewCheckpoint) { c.Apart = []string{"/gone"} },
	} {
		c := made(from)
		change(&c)
		dir := t.TempDir()
		_, err := Create(t.Context(), filepath.Join(dir, "o"), c, nil)
		wantError(t, err, says)
		if got := listing(t, dir); len(got) > 0 {
			t.Errorf("%s: left %v", says, got)
		}
	}
	_, err := Create(t.Context(), filepath.Join(from, "o"), made(from), nil)
	wantError(t, err, "lies in the parent")
	c := made("")
	c.Apart = []string{from}
	_, err = Create(t.Context(), filepath.Join(from, "o"), c, nil)
	wantError(t, err, "lies in the parent")
	_, err = Create(t.Context(), from, made(""), nil)
	wantError(t, err, "exists already")
}
