package torchfile

import (
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

// list reads an archive as merge does, through a child process.
func list(t *testing.T, path string) ([]Tensor, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return List(t.Context(), f)
}

// fact is a tensor as torch holds it.
type fact struct {
	Name, DType, SHA256 string
	Shape               []int64
}

// TestGolden: names, types, shapes and bytes are those that torch has, whatever
// protocol it pickled with, for parameters, modules, views and wrapped dicts.
func TestGolden(t *testing.T) {
	raw, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string][]fact
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	delete(golden, "directories")
	if len(golden) != 7 {
		t.Fatalf("%d archives", len(golden))
	}
	for name, want := range golden {
		path := filepath.Join("testdata", name)
		tensors, err := list(t, path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(tensors) != len(want) {
			t.Errorf("%s: %d tensors, want %d", name, len(tensors), len(want))
		}
		for i, got := range tensors {
			sum := sha256.Sum256(file[got.Offset : got.Offset+got.Bytes])
			w := want[i]
			if got.Name != w.Name || got.DType != w.DType || !slices.Equal(got.Shape, w.Shape) || hex.EncodeToString(sum[:]) != w.SHA256 {
				t.Errorf("%s: %+v, want %+v", name, got, w)
			}
		}
	}
}

// refusals are what torch writes and is not read, each with a part of the
// message and of the remedy.
var refusals = map[string][2]string{
	"strided.bin":       {`tensor "x": sizes [6 4] with strides [1 6] are not contiguous`, ".contiguous()"},
	"expanded.bin":      {`tensor "x": sizes [4 6] with strides [0 1] are not contiguous`, ".contiguous()"},
	"overlap.bin":       {`tensors "x" and "y" share some of their bytes`, ".clone()"},
	"sparse.bin":        {"a sparse tensor (torch._utils._rebuild_sparse_tensor)", "safetensors"},
	"quantised.bin":     {"a quantised tensor (torch._utils._rebuild_qtensor)", "safetensors"},
	"complex.bin":       {`tensor "x" is of class torch.ComplexFloatStorage`, "safetensors"},
	"conjugate.bin":     {`tensor "x" is`, "safetensors"},
	"float8.bin":        {`tensor "x" is of dtype torch.float8_e4m3fn`, "safetensors"},
	"uint16.bin":        {`tensor "x" is of dtype torch.uint16`, "safetensors"},
	"meta.bin":          {"a tensor without data", "safetensors"},
	"module-object.bin": {`class "torch.nn.modules.linear.Linear" is refused`, "safetensors"},
	"bare.bin":          {"does not hold a state dict", "safetensors"},
	"system.bin":        {`class "posix.system" is refused`, "safetensors"},
	"legacy.bin":        {"legacy format, before torch 1.6", "safetensors"},
	"not-a-dict.bin":    {"does not hold a state dict: its top level is not a dict", "safetensors"},
	"number-beside.bin": {`entry "step" of the state dict is not a tensor`, "safetensors"},
	"int-key.bin":       {"has a key that is not a string", "safetensors"},
	"script.pt":         {"a TorchScript archive", "state_dict()"},
	"compressed.bin":    {"is compressed or encrypted", "without compression"},
}

func TestRefused(t *testing.T) {
	for name, want := range refusals {
		refused(t, filepath.Join("testdata", name), want[0], want[1])
	}
	files, err := filepath.Glob("testdata/*.[bp]*")
	if err != nil || len(files) != len(refusals)+7 {
		t.Errorf("%d archives in testdata (%v), %d refused", len(files), err, len(refusals))
	}
	if _, err := os.Stat("executed"); err == nil {
		t.Error("a pickle was run")
	}
}

// refused wants an archive to be refused in one line that names it, with a
// remedy.
func refused(t *testing.T, path, message, remedy string) {
	t.Helper()
	tensors, err := list(t, path)
	var hint interface{ Hint() string }
	switch {
	case err == nil:
		t.Errorf("%s: %d tensors, not refused", path, len(tensors))
	case !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), message) || strings.ContainsAny(err.Error(), "\n\r"):
		t.Errorf("%s: %q, want %q", path, err, message)
	case !errors.As(err, &hint) || !strings.Contains(hint.Hint(), remedy):
		t.Errorf("%s: no remedy %q: %v", path, remedy, err)
	}
}
