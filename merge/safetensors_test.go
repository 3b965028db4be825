package merge

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"soup/merge/internal/remedy"
)

func TestOpenReadsTensorsInOrder(t *testing.T) {
	c := small(t, 1)
	var names []string
	for i, x := range c.Tensors() {
		names = append(names, x.Name)
		data, err := c.Bytes(x.Name)
		if err != nil || !slices.Equal(data, smallTensors(1, BF16)[i].data) {
			t.Errorf("%s: bytes differ (%v)", x.Name, err)
		}
	}
	if names[0] != "lm_head.weight" || len(names) != 6 {
		t.Errorf("tensors %v", names)
	}
	q, ok := c.Tensor("model.layers.0.mlp.up_proj.weight")
	want := Tensor{Name: "model.layers.0.mlp.up_proj.weight", DType: BF16, Stored: "BF16", Shape: []int64{9, 7}, bytes: 126}
	if d := cmp.Diff(want, q, cmp.AllowUnexported(Tensor{})); !ok || d != "" {
		t.Error(d)
	}
	if q.Elements() != 63 || q.Bytes() != 126 || c.Format() != Safetensors || c.Parameters() != 24+24+8+63+64+8 {
		t.Errorf("elements %d, bytes %d, format %v, parameters %d", q.Elements(), q.Bytes(), c.Format(), c.Parameters())
	}
	if files := c.Files(); len(files) != 1 || filepath.Base(files[0]) != weightsName {
		t.Errorf("files %v", files)
	}
}

func TestOpenOneFile(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "x.safetensors"), safetensorsBytes(smallTensors(1, F16)...))
	if c := open(t, path); c.Path() != path || len(c.Tensors()) != 6 {
		t.Errorf("path %s, %d tensors", c.Path(), len(c.Tensors()))
	}
}

func TestOpenScalarsAndEmptyTensors(t *testing.T) {
	file := safetensorsBytes(fake{"s", F32, []int64{}, floats(F32, 2)}, fake{"e", BF16, []int64{0, 4}, nil})
	c := open(t, write(t, filepath.Join(t.TempDir(), "x.safetensors"), file))
	s, _ := c.Tensor("s")
	e, _ := c.Tensor("e")
	if s.Elements() != 1 || e.Elements() != 0 {
		t.Errorf("elements %d and %d", s.Elements(), e.Elements())
	}
}

// badHeaders are malformed files of 8 bytes of data and what is said of them.
var badHeaders = []struct{ name, header, says string }{
	{"blank first", ` {}`, "does not begin with {"},
	{"no JSON", `{]`, "broken JSON"},
	{"cut off", `{"a":{"dtype":"F32","shape":[2]`, "broken JSON"},
	{"text after", `{} x`, "text after"},
	{"UTF-8", "{\"\xff\":1}", "UTF-8"},
	{"array", `{"a":[1]}`, "not a JSON object"},
	{"duplicate tensor", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, `"a" is there twice`},
	{"duplicate key", `{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, `"dtype" is there twice`},
	{"unknown dtype", `{"a":{"dtype":"Q7","shape":[2],"data_offsets":[0,8]}}`, `unknown dtype "Q7"`},
	{"no shape", `{"a":{"dtype":"F32","data_offsets":[0,8]}}`, "no shape"},
	{"no offsets", `{"a":{"dtype":"F32","shape":[2]}}`, "data_offsets"},
	{"negative offset", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}`, "-8"},
	{"reversed offsets", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, "not [begin, end]"},
	{"fractional shape", `{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}`, "2.5"},
	{"size", `{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, "8 bytes do not hold F32 of shape [3]"},
	{"shape overflow", `{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, "too large"},
	{"bits overflow", `{"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}}`, "too large"},
	{"beyond end", `{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, "truncated"},
	{"overlap", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, `"b" overlaps "a"`},
	{"gap", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, "gap of 4 bytes"},
	{"rest", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "4 bytes follow"},
	{"metadata", `{"__metadata__":{"a":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "__metadata__"},
}

func TestOpenRefusesBadHeaders(t *testing.T) {
	for _, bad := range badHeaders {
		t.Run(bad.name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "x.safetensors"), withHeader(bad.header, make([]byte, 8)))
			_, err := Open(path)
			wantError(t, err, path, bad.says)
		})
	}
}

func TestOpenRefusesBadFiles(t *testing.T) {
	good := safetensorsBytes(smallTensors(1, BF16)...)
	long := slices.Clone(good)
	long[5] = 1
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"empty":                {nil, "empty file"},
		"seven bytes":          {good[:7], "too few"},
		"header beyond end":    {good[:100], "beyond the end"},
		"header above limit":   {long, "above the format's limit"},
		"data cut off by half": {good[:len(good)-50], "truncated"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "x.safetensors"), c.data)
			_, err := Open(path)
			wantError(t, err, path, c.says)
			if hint(err) == "" {
				t.Error("no remedy")
			}
		})
	}
}

func TestOpenRefusesOtherPaths(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "absent"))
	wantError(t, err, "absent: no such file")
	_, err = Open(write(t, filepath.Join(dir, "model.ckpt"), []byte("x")))
	wantError(t, err, "model.ckpt: not a checkpoint")
	if !strings.Contains(hint(err), ".safetensors") {
		t.Errorf("hint %q", hint(err))
	}
	if err := os.Mkdir(filepath.Join(dir, "d.safetensors"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = openFile(filepath.Join(dir, "d.safetensors"), "d", false)
	wantError(t, err, "not a regular file")
	wantError(t, remedy.Opening("x", os.ErrPermission), "x: no permission")
	err = remedy.Opening("x", fmt.Errorf("open x: %w", syscall.EMFILE))
	if wantError(t, err, "x: this process may not open more files"); !strings.Contains(hint(err), "--no-mmap") {
		t.Errorf("hint %q", hint(err))
	}
}

func TestClosedCheckpoint(t *testing.T) {
	c := small(t, 1)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := c.Bytes("lm_head.weight")
	wantError(t, err, "closed")
	_, err = c.Hash(t.Context())
	wantError(t, err, "closed")
	_, err = c.Bytes("none")
	wantError(t, err, `no tensor "none"`)
}
