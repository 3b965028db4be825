//go:build unix

package kernel

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"testing"

	"golang.org/x/sys/unix"
)

// guarded returns whole pages between two that cannot be touched.
func guarded(t *testing.T, pages int) []byte {
	page := os.Getpagesize()
	all, err := unix.Mmap(-1, 0, (pages+2)*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(all) })
	for _, side := range [][]byte{all[:page], all[(pages+1)*page:]} {
		if err := unix.Mprotect(side, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return all[page : (pages+1)*page]
}

// TestNothingOutsideIsTouched puts operands and dst against forbidden pages,
// at their beginning and at their end. A touch kills the test.
func TestNothingOutsideIsTouched(t *testing.T) {
	a, b, to := guarded(t, 1), guarded(t, 1), guarded(t, 1)
	edge := func(room []byte, n int, end bool) []byte {
		if end {
			return room[len(room)-n:]
		}
		return room[:n]
	}
	eachKernel(t, func(t *testing.T, sum kernel) {
		r := rand.New(rand.NewPCG(7, 7))
		for n := range 200 {
			for _, d := range stores {
				for _, store := range stores {
					for _, end := range []bool{false, true} {
						src := []Operand{{edge(a, n*d.Size(), end), d, 0.5}, {edge(b, n*d.Size(), end), d, 0.5}}
						fill(src[0].Data, d, r)
						sum(edge(to, n*store.Size(), end), src, None, store, end == (n%2 == 0))
					}
				}
			}
		}
	})
}

// TestFaultIsAPanic: a mapped file that became shorter must not take the
// program down, so a fault in assembly has to unwind like one in Go.
func TestFaultIsAPanic(t *testing.T) {
	room := guarded(t, 2)
	if err := unix.Mprotect(room[len(room)/2:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, len(room))
	eachKernel(t, func(t *testing.T, sum kernel) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // this goroutine's
		for _, stream := range []bool{false, true} {
			if !panics(func() { sum(dst, []Operand{{room, BF16, 1}}, None, BF16, stream) }) {
				t.Error("reading a forbidden page did not panic")
			}
			if !panics(func() { sum(room, []Operand{{dst, BF16, 1}}, None, BF16, stream) }) {
				t.Error("writing a forbidden page did not panic")
			}
		}
	})
}
