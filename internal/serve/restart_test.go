package serve

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"
)

// fakeOllama makes this test program behave as an Ollama that only tells its
// version.
const fakeOllama = "SOUP_FAKE_OLLAMA"

func init() {
	if os.Getenv(fakeOllama) == "" {
		return
	}
	http.HandleFunc("/api/version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"version":"0.0.1"}`) })
	server := http.Server{Addr: os.Getenv("OLLAMA_HOST"), ReadHeaderTimeout: time.Second}
	fmt.Println(server.ListenAndServe())
	os.Exit(1)
}

// kill ends the server and waits until its end has been seen to.
func kill(t *testing.T, p *ollamaProcess) {
	t.Helper()
	p.mu.Lock()
	process, before := p.process, p.ends
	p.mu.Unlock()
	running, err := os.FindProcess(process.PID())
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Kill(); err != nil {
		t.Fatal(err)
	}
	for seen := false; !seen; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock() // held while the next one starts
		seen = p.ends > before
		p.mu.Unlock()
	}
}

func TestOllamaStartsAgain(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(fakeOllama, "yes")
	s, err := Open(t.Context(), Options{Kind: "ollama", Start: true, Program: program, Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p := s.(*ollamaProcess)
	address := p.process.URL
	answers := func(within time.Duration) bool {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		_, err := p.Identity(ctx)
		return err == nil
	}
	for _, c := range []struct {
		name string
		do   func()
		want bool
	}{
		{"started", func() {}, true},
		{"killed once", func() { kill(t, p) }, true},
		{"killed twice", func() { kill(t, p) }, false},
		{"the next candidate", func() { must(t, p.revive(t.Context())) }, true},
		{"killed once again", func() { kill(t, p) }, true},
		{"closed", func() { must(t, s.Close()) }, false},
	} {
		within := 200 * time.Millisecond // a server that is gone refuses at once
		if c.want {
			within = 20 * time.Second
		}
		if c.do(); answers(within) != c.want {
			t.Errorf("%s: answers %t", c.name, !c.want)
		}
		if p.process.URL != address {
			t.Errorf("%s: at %s, not %s", c.name, p.process.URL, address)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
