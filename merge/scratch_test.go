package merge

import (
	"os"
	"path/filepath"
	"testing"
)

func TestScratch(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.gguf")
	left := filepath.Join(filepath.Dir(out), ".x.gguf.1-0.partial") // of a process that was killed
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := NewScratch(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(left); err == nil {
		t.Error("what a killed process left is still there")
	}
	if err := s.Write("whole", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish("whole", out); err != nil {
		t.Fatal(err)
	}
	s.Remove()
	if got := listing(t, filepath.Dir(out)); len(got) != 1 || got[0] != filepath.Base(out) {
		t.Errorf("left: %v", got)
	}
}
