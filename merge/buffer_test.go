package merge

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestBufferIsACheckpoint(t *testing.T) {
	for name, parents := range map[string][]*Checkpoint{
		"safetensors": {small(t, 1), small(t, 2)},
		"shards":      {open(t, sharded(t, 1, fullMap())), small(t, 2)},
		"gguf":        {smallGGUF(t, 1), smallGGUF(t, 2)},
	} {
		b := buffer(t, parents[0], AsStored)
		cook(t, b, parents, global(0.5, 0.5))
		path := b.Path() + "." + parents[0].Format().String()
		if err := os.Link(b.Path(), path); err != nil {
			t.Fatal(err)
		}
		c := open(t, path)
		for _, x := range parents[0].Tensors() {
			got, err := c.Bytes(x.Name)
			want, _ := b.Bytes(x.Name)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %s read back differs (%v)", name, x.Name, err)
			}
		}
		if info, err := os.Stat(b.Path()); err != nil || info.Size() != b.Size() {
			t.Errorf("%s: size %d (%v)", name, b.Size(), err)
		}
	}
}

func TestOneHotGGUFIsTheParentsFile(t *testing.T) {
	parents := []*Checkpoint{smallGGUF(t, 1), smallGGUF(t, 2)}
	b := buffer(t, parents[0], AsStored)
	cook(t, b, parents, global(0, 1))
	if !bytes.Equal(read(t, b.Path()), read(t, parents[1].Path())) {
		t.Error("the soup of one GGUF parent is not its file")
	}
}

func TestNewHeaderAlignsTensors(t *testing.T) {
	like := open(t, directory(t, nil, noise("a", BF16, 1, 3), noise("b", F32, 2, 3), fake{"c", U8, []int64{1}, []byte{1}}))
	l, err := newLayout(like.tensors, like.meta, AsStored)
	if err != nil {
		t.Fatal(err)
	}
	header := l.parts[0].header
	for i, x := range l.tensors {
		if l.spots[i].begin%x.DType.Size() != 0 {
			t.Errorf("%s begins at %d", x.Name, l.spots[i].begin)
		}
	}
	entries, meta, err := parseHeader(header[8:], uint64(l.size())-uint64(len(header)))
	if err != nil || len(entries) != 3 || meta["format"] != "pt" || len(header)%8 != 0 {
		t.Errorf("header %s: %v", header, err)
	}
}

func TestBufferReplacesOnlyWorkingFiles(t *testing.T) {
	p := small(t, 1)
	path := write(t, filepath.Join(t.TempDir(), "b"), []byte("left by a killed run"))
	b, err := NewBuffer(path, p, AsStored)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("Close left the file: %v", err)
	}
	_, err = b.Cook(t.Context(), []*Checkpoint{p}, global(1))
	wantError(t, err, "closed")
	_, err = b.Bytes("lm_head.weight")
	wantError(t, err, "no tensor")
	before := read(t, p.Files()[0])
	_, err = NewBuffer(p.Files()[0], p, AsStored)
	wantError(t, err, "is a weight file of the parent")
	if !slices.Equal(before, read(t, p.Files()[0])) {
		t.Error("the parent changed")
	}
	_, err = NewBuffer(t.TempDir(), p, AsStored)
	wantError(t, err, "not a regular file")
	_, err = NewBuffer(filepath.Join(t.TempDir(), "no", "b"), p, AsStored)
	wantError(t, err, "no such file")
}

// TestDiskTooSmall plans a soup of 8 TB after a file that is one hole.
func TestDiskTooSmall(t *testing.T) {
	const size = 8 << 40
	path := filepath.Join(t.TempDir(), "huge.safetensors")
	header := `{"w":{"dtype":"BF16","shape":[4398046511104],"data_offsets":[0,8796093022208]}}`
	write(t, path, withHeader(header, nil))
	if err := os.Truncate(path, size+8+int64(len(header))); err != nil {
		t.Fatal(err)
	}
	huge := open(t, path)
	at := filepath.Join(t.TempDir(), "b")
	_, err := NewBuffer(at, huge, AsStored)
	wantError(t, err, "disk too small", "8796.11 GB needed")
	_, err = Write(t.Context(), at, []*Checkpoint{huge}, nil, global(1), WriteOptions{})
	wantError(t, err, "disk too small")
	if entries, _ := os.ReadDir(filepath.Dir(at)); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestZeroFill(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "z"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := zeroFill(f, 3<<20+5); err != nil {
		t.Fatal(err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 3<<20+5 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestGGUFKeepsItsDTypes(t *testing.T) {
	_, err := NewBuffer(filepath.Join(t.TempDir(), "b"), smallGGUF(t, 1), F16)
	wantError(t, err, "keeps its parents' dtypes")
	q := open(t, write(t, filepath.Join(t.TempDir(), "q.gguf"), ggufBytes(smallKVs, fake{"q", Quantised, []int64{32}, make([]byte, 34)})))
	_, err = NewBuffer(filepath.Join(t.TempDir(), "b"), q, AsStored)
	wantError(t, err, "tensor q is quantised (Q8_0)")
}
