//go:build servers

package agreement

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ollama/ollama/api"

	"soup/eval"
	driver "soup/eval/server/ollama"
	"soup/internal/launch"
)

// BenchmarkOllamaSwap compares an exchange of weights, canary included, with what
// it takes Ollama to load the same file when nothing is loaded. One thread: the
// runner's spin, and two on one core would be measured instead.
func BenchmarkOllamaSwap(b *testing.B) {
	smollm2 := b.TempDir()
	python(b, "smollm2.py", smollm2)
	files := []string{wide(b, filepath.Join(smollm2, "bfloat16"), 1), wide(b, filepath.Join(smollm2, "bfloat16"), 2)}
	b.Setenv("HOME", b.TempDir())
	for _, linked := range []bool{true, false} {
		b.Run(map[bool]string{true: "linked", false: "uploaded"}[linked], func(b *testing.B) {
			p := startOllama(b)
			o := driver.Options{URL: p.URL, Context: 512, Threads: 1}
			if linked {
				o.Models = modelsOf(p)
			}
			benchmarkSwap(b, newDriver(b, o), newClient(b, p.URL), files)
		})
	}
}

func benchmarkSwap(b *testing.B, s *driver.Server, client *api.Client, files []string) {
	b.Helper()
	var swaps, loads []time.Duration
	i := 0
	for b.Loop() {
		i++
		started := time.Now()
		if _, err := s.Load(b.Context(), eval.Model{Path: files[i%2]}); err != nil {
			b.Fatal(err)
		}
		if i > 1 { // the first one makes the model
			swaps = append(swaps, time.Since(started))
		}
		loads = append(loads, loadTime(b, client))
	}
	if len(swaps) == 0 {
		return
	}
	b.ReportMetric(median(swaps).Seconds(), "s/swap")
	b.ReportMetric(median(loads).Seconds(), "s/load")
	b.ReportMetric(float64(median(swaps))/float64(median(loads)), "swap/load")
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

// loadTime unloads the driver's model and times how Ollama loads it again.
func loadTime(tb testing.TB, client *api.Client) time.Duration {
	tb.Helper()
	no := false
	request := &api.GenerateRequest{Model: "soup", Stream: &no, KeepAlive: &api.Duration{}}
	answered := func(api.GenerateResponse) error { return nil }
	if err := client.Generate(tb.Context(), request, answered); err != nil {
		tb.Fatal(err)
	}
	for {
		running, err := client.ListRunning(tb.Context())
		if err != nil {
			tb.Fatal(err)
		}
		if len(running.Models) == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	request.KeepAlive, request.Options = nil, map[string]any{"num_ctx": 512, "num_thread": 1}
	started := time.Now()
	if err := client.Generate(tb.Context(), request, answered); err != nil {
		tb.Fatal(err)
	}
	return time.Since(started)
}

// Fifty candidates leave as many files as one, and one runner.
func TestOllamaLeavesNothing(t *testing.T) {
	for name, linked := range map[string]bool{"linked": true, "uploaded": false} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OLLAMA_MODELS", "")
			t.Setenv("HOME", t.TempDir())
			p := startOllama(t)
			o := driver.Options{URL: p.URL, Threads: 1}
			if linked {
				o.Models = modelsOf(p)
			}
			s := newDriver(t, o)
			folder := t.TempDir()
			var files []string
			for _, from := range []string{gguf(t, "finetune/arith"), gguf(t, "finetune/order")} {
				files = append(files, variants(t, from, folder, 25)...)
			}
			leavesNothing(t, p, s, files)
		})
	}
}

func leavesNothing(t *testing.T, p *launch.Process, s *driver.Server, files []string) {
	t.Helper()
	before := 0
	versions := map[eval.Version]bool{}
	for i, file := range files {
		v, err := s.Load(t.Context(), eval.Model{Path: file})
		if err != nil {
			t.Fatal(err)
		}
		versions[v] = true
		n := len(stored(t, modelsOf(p)))
		if i == 0 {
			before = n
		}
		if n != before {
			t.Fatalf("candidate %d: %d files at the server, %d with the first:\n%s", i+1, n, before, strings.Join(stored(t, modelsOf(p)), "\n"))
		}
		if n := len(children(t, p.PID())); n != 1 {
			t.Fatalf("candidate %d: %d runners", i+1, n)
		}
	}
	if len(versions) != len(files) {
		t.Errorf("%d candidates, %d versions", len(files), len(versions))
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left := stored(t, modelsOf(p)); len(left) > 0 {
		t.Errorf("left after the study:\n%s", strings.Join(left, "\n"))
	}
	if n := len(children(t, p.PID())); n != 0 {
		t.Errorf("%d runners after the study", n)
	}
}

// variants are copies of a file that differ in the last tensor's last bytes.
func variants(t *testing.T, from, folder string, n int) []string {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for i := range n {
		for k := range 64 { // bfloat16: the low byte of 64 numbers
			data[len(data)-2-2*k] = byte(i * 10)
		}
		file := filepath.Join(folder, fmt.Sprintf("%s-%d.gguf", filepath.Base(from), i))
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// stored are all files below a folder.
func stored(t *testing.T, folder string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// children are the processes that a process has started and that run, by /proc.
func children(t *testing.T, parent int) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Fatalf("no processes to be seen: %v", err)
	}
	var found []string
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[0] != "Z" && fields[1] == fmt.Sprint(parent) {
			found = append(found, file)
		}
	}
	return found
}
