package fleet

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hoard is a coordinator with a file of a size that workers may copy.
func hoard(t *testing.T, size int) (*Hub, []byte) {
	t.Helper()
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i*i>>7 ^ i>>15)
	}
	path := filepath.Join(t.TempDir(), "model.bin")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	h, _ := openHub(t, t.TempDir(), func(o *Options) {
		o.Files = func(set string) (Files, error) {
			if set != "parent" {
				return nil, errors.New("no such parent")
			}
			f, err := FileAt(path)
			return Files{f}, err
		}
	})
	return h, content
}

func TestCopy(t *testing.T) {
	h, content := hoard(t, piece+piece/8)
	l, dir := join(t, h, "w"), t.TempDir()
	files, err := l.List(t.Context(), "parent")
	if err != nil || len(files) != 1 || files.Size() != int64(len(content)) {
		t.Fatalf("%+v, %v", files, err)
	}
	// A copy that was cut off in its second piece goes on there; its first is not asked again.
	out := filepath.Join(dir, "model.bin")
	begun := bytes.Clone(content[:piece+7])
	begun[5] ^= 1
	if err := os.WriteFile(out, begun, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Copy(t.Context(), "parent", files[0], dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	content[5] ^= 1
	if !bytes.Equal(got, content) {
		t.Error("the copy is another")
	}
	pieces, err := l.js.ObjectStore(t.Context(), l.pieces())
	if err != nil {
		t.Fatal(err)
	}
	if left, err := pieces.List(t.Context()); err == nil {
		t.Errorf("pieces are left in the queue: %d", len(left))
	}
}

func TestCopyRefused(t *testing.T) {
	h, _ := hoard(t, 100)
	l := join(t, h, "w")
	if _, err := l.List(t.Context(), "other"); err == nil || !strings.Contains(err.Error(), "the coordinator: no such parent") {
		t.Errorf("another set: %v", err)
	}
	for _, f := range []File{{Name: "../etc/passwd", Size: 1}, {Name: "model.bin", Size: 200}} {
		if err := l.Copy(t.Context(), "parent", f, t.TempDir()); err == nil {
			t.Errorf("%+v was copied", f)
		}
	}
	none, _ := openHub(t, t.TempDir(), nil)
	if _, err := join(t, none, "w").List(t.Context(), "parent"); err == nil || !strings.Contains(err.Error(), "no files are copied from here") {
		t.Errorf("none: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Copy(gone, "parent", File{Name: "model.bin", Size: 100}, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
