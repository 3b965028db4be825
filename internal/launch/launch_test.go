package launch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// options start this test program as the server.
func options(t *testing.T, behaviour string) Options {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Program: program, Folder: filepath.Join(t.TempDir(), "server"), Wait: 20 * time.Second,
		Env: []string{fakeVariable + "=" + behaviour},
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	reply, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func mustEnd(t *testing.T, p *Process) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Done():
	default:
		t.Error("Close returned before the process had ended")
	}
	if reply, err := http.Get(p.URL); err == nil {
		reply.Body.Close()
		t.Errorf("%s still answers", p.URL)
	}
	if err := p.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

// A server can be started again where it was.
func TestPort(t *testing.T) {
	o := options(t, "well")
	first, err := Ollama(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	mustEnd(t, first)
	o.Port = first.Port()
	second, err := Ollama(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer mustEnd(t, second)
	if second.URL != first.URL || second.Port() != o.Port {
		t.Errorf("at %s, then at %s (port %s)", first.URL, second.URL, second.Port())
	}
}

func TestOllama(t *testing.T) {
	t.Setenv("OLLAMA_HOST", "127.0.0.1:11434")
	t.Setenv("OLLAMA_NUM_PARALLEL", "8")
	o := options(t, "well")
	o.Env = append(o.Env, "OLLAMA_KEEP_ALIVE=1h")
	p, err := Ollama(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got := get(t, p.URL+"/args"); got != "serve" {
		t.Errorf("arguments %q", got)
	}
	env := strings.Split(get(t, p.URL+"/env"), "\n")
	for _, want := range []string{
		"OLLAMA_HOST=" + strings.TrimPrefix(p.URL, "http://"), "OLLAMA_MODELS=" + OllamaModels(o.Folder),
		"OLLAMA_KEEP_ALIVE=1h", "HOME=" + o.Folder,
	} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s in its environment", want)
		}
	}
	if slices.Contains(env, "OLLAMA_NUM_PARALLEL=8") {
		t.Error("it was told what is meant for the user's own server")
	}
	mustEnd(t, p)
}

func TestLlamaServer(t *testing.T) {
	t.Setenv("LLAMA_ARG_CTX_SIZE", "16")
	o := options(t, "well")
	o.Args = []string{"-c", "512"}
	p, err := LlamaServer(t.Context(), "some.gguf", o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	args := strings.Split(get(t, p.URL+"/args"), "\n")
	model, err := filepath.Abs("some.gguf")
	if err != nil {
		t.Fatal(err)
	}
	if args[0] != "-m" || args[1] != model || !slices.Contains(args, loopback) || !slices.Equal(args[len(args)-2:], o.Args) {
		t.Errorf("arguments %q", args)
	}
	if env := get(t, p.URL+"/env"); strings.Contains(env, "LLAMA_ARG_CTX_SIZE") {
		t.Error("it was told what is meant for the user's own server")
	}
	if p.Err() != nil {
		t.Errorf("it runs and has ended: %v", p.Err())
	}
	mustEnd(t, p)
}

// Every start that fails says why, leaves no process and no goroutine.
func TestFailingStarts(t *testing.T) {
	for _, c := range []struct {
		name, behaviour string
		change          func(*Options)
		want            []string
	}{
		{"ends at once", "broken", nil, []string{"exit status 3", "cannot load the model", "llama-server.log"}},
		{"never answers", "silent", func(o *Options) { o.Wait = 300 * time.Millisecond }, []string{"within 300ms", "the fake is silent"}},
		{"no program", "well", func(o *Options) { o.Program += "-not" }, []string{"llama-server: no such program at "}},
		{"no folder", "well", func(o *Options) { o.Folder = os.Args[0] }, []string{"llama-server: mkdir"}},
		{"not a program", "well", func(o *Options) { o.Program = notAProgram(t) }, []string{"llama-server: ", "exec format error"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			o := options(t, c.behaviour)
			if c.change != nil {
				c.change(&o)
			}
			p, err := LlamaServer(t.Context(), "some.gguf", o)
			if err == nil {
				p.Close()
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: no %q", err, want)
				}
			}
		})
	}
}

func notAProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server")
	if err := os.WriteFile(path, []byte("not a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProgramIsNamedByTheEnvironment(t *testing.T) {
	t.Setenv("SOUP_OLLAMA", filepath.Join(t.TempDir(), "nothing"))
	_, err := Ollama(t.Context(), Options{Folder: t.TempDir()})
	var hint interface{ Hint() string }
	if !errors.As(err, &hint) || !strings.Contains(err.Error(), "SOUP_OLLAMA names") || !strings.Contains(hint.Hint(), "SOUP_OLLAMA") {
		t.Errorf("%v", err)
	}
	t.Setenv("SOUP_OLLAMA", "")
	t.Setenv("PATH", t.TempDir())
	if _, err := Ollama(t.Context(), Options{Folder: t.TempDir()}); err == nil || err.Error() != "ollama: no such program in PATH" {
		t.Errorf("%v", err)
	}
}

func TestCancelledStart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if _, err := LlamaServer(ctx, "some.gguf", options(t, "silent")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestStubbornIsForced(t *testing.T) {
	o := options(t, "stubborn")
	o.Grace = 200 * time.Millisecond
	p, err := LlamaServer(t.Context(), "some.gguf", o)
	if err != nil {
		t.Fatal(err)
	}
	mustEnd(t, p)
}

func TestDeathIsNoticed(t *testing.T) {
	p, err := LlamaServer(t.Context(), "some.gguf", options(t, "well"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if reply, err := http.Get(p.URL + "/die"); err == nil {
		reply.Body.Close()
	}
	select {
	case <-p.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("not noticed")
	}
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "exit status 6") || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("%v", err)
	}
	mustEnd(t, p)
}

// A port that was free when it was looked for and is taken when the server
// wants it costs another attempt and no more.
func TestPortTakenInBetween(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var ports []string
	s := server{name: "fake", program: program, health: "/health", hidden: "NOTHING", command: func(port string) (args, env []string) {
		if len(ports) == 0 {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", net.JoinHostPort(loopback, port))
			if err != nil {
				t.Error(err)
				return nil, nil
			}
			t.Cleanup(func() { l.Close() })
		}
		ports = append(ports, port)
		return []string{"--port", port}, nil
	}}
	p, err := start(t.Context(), s, options(t, "well"))
	if err != nil {
		t.Fatal(err)
	}
	if len(ports) != 2 || !strings.HasSuffix(p.URL, ":"+ports[1]) {
		t.Errorf("ports %v, %s", ports, p.URL)
	}
	mustEnd(t, p)
}
