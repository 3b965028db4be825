package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// benchHub is a queue with workers that connect over TCP.
func benchHub(b *testing.B, workers int, handler Handler) *Hub {
	b.Helper()
	o := Options{
		ID: "bench", Card: Card{Study: "bench", Fingerprint: "f00d"}, Dir: b.TempDir(), Warn: func(s string) { b.Log(s) },
		Listen: Listen{Address: "127.0.0.1:0", Token: secret},
		Admit:  func(string, json.RawMessage) Verdict { return Verdict{Admitted: true} },
	}
	h, err := Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(h.Close)
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	for i := range workers {
		l, err := Join(ctx, Remote{URL: h.Address(), Token: secret}, "", fmt.Sprint("w", i))
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() {
			defer l.Close()
			_ = l.Serve(ctx, ServeOptions{Warn: o.Warn}, handler)
		})
	}
	b.Cleanup(func() {
		cancel()
		all.Wait()
	})
	return h
}

// run has n tasks done, so many at once.
func run(b *testing.B, h *Hub, n, lanes int) {
	b.Helper()
	next := make(chan int)
	var all sync.WaitGroup
	for range lanes {
		all.Go(func() {
			for i := range next {
				if r, err := h.Do(b.Context(), Task{ID: fmt.Sprint("t", i), Payload: json.RawMessage("1")}); err != nil || r.Failed != "" {
					b.Error(err, r.Failed)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

// BenchmarkScaling has tasks of 200 ms done by 1, 2, 4 and 8 workers: linear is the
// share of so many times one stub without a queue.
func BenchmarkScaling(b *testing.B) {
	const latency = 200 * time.Millisecond
	stub := func(ctx context.Context, _ Task, beat func(int)) (json.RawMessage, error) {
		beat(1)
		return json.RawMessage("2"), pause(ctx, latency)
	}
	for _, workers := range []int{1, 2, 4, 8} {
		b.Run(strconv.Itoa(workers), func(b *testing.B) {
			h := benchHub(b, workers, stub)
			n := 25 * workers
			for b.Loop() {
				begun := time.Now()
				run(b, h, n, 2*workers)
				took := time.Since(begun)
				b.ReportMetric(float64(n)/took.Minutes(), "candidates/min")
				b.ReportMetric(25*latency.Seconds()/took.Seconds(), "linear")
			}
		})
	}
}

// BenchmarkTinyTasks puts SOUP_TASKS tasks (default 10,000) that take no time
// through one coordinator, and opens it again.
func BenchmarkTinyTasks(b *testing.B) {
	n := 10_000
	if given, err := strconv.Atoi(os.Getenv("SOUP_TASKS")); err == nil {
		n = given
	}
	for b.Loop() {
		h := benchHub(b, 8, func(context.Context, Task, func(int)) (json.RawMessage, error) { return json.RawMessage("2"), nil })
		begun := time.Now()
		run(b, h, n, 256)
		b.ReportMetric(float64(n)/time.Since(begun).Seconds(), "tasks/s")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.Sys)/1e6, "MB")
		b.ReportMetric(peak(), "peak-MB")
		o := h.o
		h.Close()
		begun = time.Now()
		again, err := Open(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "restart-s")
		again.Close()
	}
}

// peak is the most memory that this process had, in MB; 0 where it is not told.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.ParseFloat(strings.Fields(rest + " 0")[0], 64)
	if err != nil {
		return 0
	}
	return kilobytes / 1e3
}
