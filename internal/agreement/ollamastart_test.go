//go:build servers

package agreement

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"soup/eval"
	driver "soup/eval/server/ollama"
	"soup/internal/serve"
)

// A server that is killed with one candidate is started again and answers as
// before; the second time it stays dead until the next candidate.
func TestOllamaIsStartedAgain(t *testing.T) {
	folder := serverLogs(t)
	s, err := serve.Open(t.Context(), serve.Options{Kind: "ollama", Start: true, Folder: folder, Threads: 1, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	model := eval.Model{Path: gguf(t, "finetune/arith")}
	version, err := s.Load(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (eval.Reply, error) {
		return s.Generate(t.Context(), eval.Request{Messages: []eval.Message{{Role: "user", Content: "785+878"}}})
	}
	want, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	killOllama(t, folder)
	if got, err := ask(); err != nil || got.Text != want.Text {
		t.Errorf("after a kill: %q, %v", got.Text, err)
	}
	killOllama(t, folder)
	if _, err := ask(); err == nil {
		t.Error("a server that ended twice with one candidate is there again")
	}
	if again, err := s.Load(t.Context(), model); err != nil || again != version {
		t.Errorf("the next candidate: version %s, %v; before %s", again, err, version)
	}
	if got, err := ask(); err != nil || got.Text != want.Text {
		t.Errorf("the next candidate: %q, %v", got.Text, err)
	}
}

// killOllama kills the server of a folder, found by its home directory.
func killOllama(t *testing.T, folder string) {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, file := range environments {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains("\x00"+string(text), "\x00HOME="+folder+"\x00") {
			continue
		}
		pid := filepath.Base(filepath.Dir(file))
		line, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
		number, wrong := strconv.Atoi(pid)
		if err != nil || wrong != nil || !strings.HasSuffix(string(line), "\x00serve\x00") {
			continue
		}
		if err := syscall.Kill(number, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed++
	}
	if killed != 1 {
		t.Fatalf("%d servers of %s", killed, folder)
	}
}

// A model of the server's own lends its template: the server renders, and the
// candidate is asked as that model would be.
func TestOllamaBase(t *testing.T) {
	p := startOllama(t)
	own := &ollama{newClient(t, p.URL)}
	path := gguf(t, "finetune/arith")
	if err := own.make(t, path, "{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}<|end|>{{ end }}<|assistant|>"); err != nil {
		t.Fatal(err)
	}
	plain := newDriver(t, driver.Options{URL: p.URL, Models: modelsOf(p), Threads: 1})
	base := newDriver(t, driver.Options{URL: p.URL, Models: modelsOf(p), Threads: 1, Name: "soup-base", Base: modelName})
	for _, text := range []string{"785+878", "sort 4312", "reverse ABCD"} {
		var replies []string
		for _, s := range []*driver.Server{plain, base} {
			if _, err := s.Load(t.Context(), eval.Model{Path: path}); err != nil {
				t.Fatal(err)
			}
			r, err := s.Generate(t.Context(), eval.Request{Messages: []eval.Message{{Role: "user", Content: text}}})
			if err != nil {
				t.Fatal(err)
			}
			replies = append(replies, r.Text)
		}
		if replies[0] != replies[1] {
			t.Errorf("%q: %q rendered by soup, %q by the server", text, replies[0], replies[1])
		}
	}
	scores, err := base.ScoreLabels(t.Context(), eval.Request{Messages: []eval.Message{{Role: "user", Content: "odd A big B star C quiet D tiny"}}}, []string{"A", "B", "C", "D"})
	if err != nil || len(scores) != 4 {
		t.Errorf("labels: %v, %v", scores, err)
	}
}
