package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// openBench opens a queue that workers reach over TCP.
func openBench(b *testing.B, dir string) *Hub {
	b.Helper()
	h, err := Open(b.Context(), Options{
		ID: "bench", Card: Card{Study: "bench", Fingerprint: "f00d"}, Dir: dir, Warn: func(s string) { b.Log(s) },
		Listen: Listen{Address: "127.0.0.1:0", Token: secret},
		Admit:  func(string, json.RawMessage) Verdict { return Verdict{Admitted: true} },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(h.Close)
	return h
}

// employ has workers serve until the benchmark ends.
func employ(b *testing.B, h *Hub, workers int, handler Handler) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	for i := range workers {
		l, err := Join(ctx, Remote{URL: h.Address(), Token: secret}, "", fmt.Sprint("w", i))
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() {
			defer l.Close()
			_ = l.Serve(ctx, ServeOptions{Warn: h.o.Warn}, handler)
		})
	}
	b.Cleanup(func() {
		cancel()
		all.Wait()
	})
}

func tiny(i int) Task { return Task{ID: fmt.Sprint("t", i), Payload: json.RawMessage("1")} }

// inLanes calls do with 0 to n-1, so many at once.
func inLanes(n, lanes int, do func(i int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range lanes {
		all.Go(func() {
			for i := range next {
				do(i)
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
			h := openBench(b, b.TempDir())
			employ(b, h, workers, stub)
			n := 25 * workers
			for b.Loop() {
				begun := time.Now()
				inLanes(n, 2*workers, func(i int) {
					if r, err := h.Do(b.Context(), tiny(i)); err != nil || r.Failed != "" {
						b.Error(err, r.Failed)
					}
				})
				took := time.Since(begun)
				b.ReportMetric(float64(n)/took.Minutes(), "candidates/min")
				b.ReportMetric(25*latency.Seconds()/took.Seconds(), "linear")
			}
		})
	}
}

// BenchmarkTinyTasks puts SOUP_TASKS tasks (default 10,000) that take no time into
// the queue of one coordinator before a worker comes, opens the coordinator again
// with all of them waiting, has them done by 8 workers, and opens it once more.
func BenchmarkTinyTasks(b *testing.B) {
	n := 10_000
	if given, err := strconv.Atoi(os.Getenv("SOUP_TASKS")); err == nil {
		n = given
	}
	for b.Loop() {
		h := openBench(b, b.TempDir())
		begun := time.Now()
		putAll(b, h, n)
		took := time.Since(begun)
		b.ReportMetric(float64(n)/took.Seconds(), "put/s")
		h, again := reopen(b, h)
		b.ReportMetric(again.Seconds(), "restart-waiting-s")
		begun = time.Now()
		answers := putAll(b, h, n) // all are there
		if info, err := h.tasks.Info(b.Context()); err != nil || info.State.Msgs != uint64(n) {
			b.Fatalf("%+v wait, want %d: %v", info.State, n, err)
		}
		employ(b, h, 8, func(context.Context, Task, func(int)) (json.RawMessage, error) { return json.RawMessage("2"), nil })
		for _, answer := range answers {
			if r := <-answer; r.Failed != "" {
				b.Error(r.Failed)
			}
		}
		took += time.Since(begun)
		b.ReportMetric(float64(n)/took.Seconds(), "tasks/s")
		b.ReportMetric(peak(), "peak-MB")
		_, again = reopen(b, h)
		b.ReportMetric(again.Seconds(), "restart-done-s")
	}
}

// putAll puts n tasks, many at once, and returns where their results come.
func putAll(b *testing.B, h *Hub, n int) []<-chan Result {
	b.Helper()
	answers := make([]<-chan Result, n)
	inLanes(n, 256, func(i int) {
		var err error
		if answers[i], err = h.Put(b.Context(), tiny(i)); err != nil {
			b.Error(err)
		}
	})
	return answers
}

// reopen opens the queue of a coordinator again and says how long it took.
func reopen(b *testing.B, h *Hub) (*Hub, time.Duration) {
	b.Helper()
	h.Close()
	begun := time.Now()
	again := openBench(b, h.o.Dir)
	return again, time.Since(begun)
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
