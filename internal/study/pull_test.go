package study

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A worker that has one of the parents copies the others, and the base. A copy that
// is not what it should be is made anew.
func TestPull(t *testing.T) {
	joined := make(chan struct{})
	m := &machine{asked: func(n int) error {
		if n > 3*36 { // something is known to probe it with
			<-joined
		}
		return nil
	}}
	file := smallStudy(t, "")
	r := coordinate(t, file, m)
	dir := t.TempDir()
	hash, err := contentHash(t.Context(), filepath.Join(garden, "finetune", "call"))
	if err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(dir, copiesName, hash+".part", "model.safetensors")
	want, err := os.ReadFile(filepath.Join(garden, "finetune", "call", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(weights), 0o777); err != nil {
		t.Fatal(err)
	}
	wrong := bytes.Clone(want)
	wrong[len(wrong)-4] ^= 1
	if err := os.WriteFile(weights, wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	pull := func(o *WorkOptions) {
		o.Dir, o.Pull, o.Parents, o.Info = dir, true, o.Parents[:1], &r.info
	}
	err = r.help(t, "unlucky", &machine{}, pull)
	if err == nil || !strings.Contains(err.Error(), "parent call: its copy has content ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("another byte: %v", err)
	}
	r.said.await(t, "worker unlucky does not join: parent call: ", "\n")
	ended := make(chan error, 1)
	go func() { ended <- r.help(t, "puller", &machine{}, pull) }()
	r.info.await(t, "worker puller copies parent call from the coordinator, ", " MB")
	r.info.await(t, "soup: worker puller has joined;", "\n")
	close(joined)
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, copiesName, hash, "model.safetensors"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the copy is another: %v", err)
	}
	if exists(filepath.Join(dir, copiesName, hash+".part")) {
		t.Error("the part is left")
	}
}
