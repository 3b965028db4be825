package merge

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// weighing writes a checkpoint of n bytes of bfloat16.
func weighing(t testing.TB, n int64) *Checkpoint {
	f := fake{"w", BF16, []int64{n / 2}, make([]byte, n)}
	for i := range f.data {
		f.data[i] = byte(i * 7)
	}
	return open(t, write(t, filepath.Join(t.TempDir(), "w.safetensors"), safetensorsBytes(f)))
}

func TestProbeReading(t *testing.T) {
	parents := []*Checkpoint{weighing(t, 9<<20), small(t, 1), weighing(t, 3<<20)}
	p, err := ProbeReading(t.Context(), parents)
	if err != nil {
		t.Fatal(err)
	}
	if sum := p.Cached + p.Uncached + p.Unknown + p.Holes; math.Abs(sum-1) > 1e-9 {
		t.Errorf("shares add up to %g", sum)
	}
	if p.Bytes == 0 || p.Bytes > 16<<20 || p.Seconds <= 0 || p.HashRate <= 0 {
		t.Errorf("%+v", p)
	}
	if runtime.GOOS == "linux" && (p.Unknown > 0 || p.Cached < 0.5) { // they were written just now
		t.Errorf("%+v", p)
	}
	one, ok := p.ReadSeconds(1e9)
	if two, _ := p.ReadSeconds(2e9); !ok || one <= 0 || math.Abs(two-2*one) > 1e-9*two {
		t.Errorf("%g, %g, %v", one, two, ok)
	}
	if s, ok := p.HashSeconds(parents); !ok || s <= 0 {
		t.Errorf("%g, %v", s, ok)
	}
}

func TestProbeUnmapped(t *testing.T) {
	c, err := OpenWith(weighing(t, 2<<20).path, OpenOptions{Unmapped: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := ProbeReading(t.Context(), []*Checkpoint{c})
	if err != nil || p.Unknown != 1 || p.UnknownRate <= 0 || p.HashRate <= 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestProbeOfNothing(t *testing.T) {
	p, err := ProbeReading(t.Context(), nil)
	if err != nil || p.Bytes != 0 || p.Cached != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, ok := p.ReadSeconds(1); ok {
		t.Error("a time out of nothing")
	}
	if _, ok := p.HashSeconds(nil); ok {
		t.Error("a time out of nothing")
	}
}

func TestProbeErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ProbeReading(ctx, []*Checkpoint{weighing(t, 1<<20)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	cut := weighing(t, 1<<20)
	if err := os.Truncate(cut.files[0].path, 0); err != nil {
		t.Fatal(err)
	}
	if p, err := ProbeReading(t.Context(), []*Checkpoint{cut}); err == nil && p.Holes != 1 {
		t.Errorf("%+v", p)
	}
	closed := weighing(t, 1<<20)
	closed.Close()
	_, err := ProbeReading(t.Context(), []*Checkpoint{closed})
	wantError(t, err, "closed")
}

// TestProbeArithmetic checks the times that rates and shares give.
func TestProbeArithmetic(t *testing.T) {
	p := Probe{Cached: 0.5, Uncached: 0.25, Holes: 0.25, CachedRate: 8e9, DiskRate: 1e9, HashRate: 2e9}
	// Of 12 bytes that hold data, 8 are cached and 4 are not.
	if s, ok := p.ReadSeconds(12e9); !ok || math.Abs(s-5) > 1e-9 {
		t.Errorf("%g s, want 8/8 + 4/1", s)
	}
	p = Probe{Holes: 0.75, Cached: 0.25, CachedRate: 1e9}
	if _, ok := p.ReadSeconds(1); ok {
		t.Error("holes have no rate")
	}
	c := weighing(t, 1<<20)
	size := float64(c.size())
	p = Probe{Cached: 1, CachedRate: 4, HashRate: 2}
	if s, _ := p.HashSeconds([]*Checkpoint{c}); math.Abs(s-size/2) > 1 {
		t.Errorf("%g s for one stream of %g bytes at 2 a second", s, size)
	}
	p.CachedRate = 0.5
	if s, _ := p.HashSeconds([]*Checkpoint{c}); math.Abs(s-size*2) > 1 {
		t.Errorf("%g s, want the time to read at 0.5 bytes a second", s)
	}
}

func TestSpread(t *testing.T) {
	for _, sizes := range [][]int64{{1}, {5000, 1, 300000}, {3 << 20, 5 << 20}, {100 << 20, 1, 80 << 20}} {
		var files []*mapping
		var total int64
		for _, n := range sizes {
			path := write(t, filepath.Join(t.TempDir(), "f"), nil)
			if err := os.Truncate(path, n); err != nil {
				t.Fatal(err)
			}
			f, err := openFile(path, "f", false)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.unmap() })
			files, total = append(files, f), total+n
		}
		windows := spread(files)
		if want := min(probeWindows, (total+probeWindow-1)/probeWindow); int64(len(windows)) != want {
			t.Errorf("%v: %d windows, want %d", sizes, len(windows), want)
		}
		for _, w := range windows {
			if w.begin < 0 || w.end <= w.begin || w.end > w.file.size() || w.end-w.begin > probeWindow || w.begin%int64(os.Getpagesize()) != 0 {
				t.Errorf("%v: window %d-%d of %d", sizes, w.begin, w.end, w.file.size())
			}
		}
	}
}
