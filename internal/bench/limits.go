package bench

import (
	"context"
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// step is what is copied or read between two looks at the context.
const step = 1 << 20

// inParallel cuts n bytes into steps, shares them out among all cores, and
// returns the seconds of the fastest of several runs.
func inParallel(ctx context.Context, runs int, n int64, do func(begin, end int64)) (float64, error) {
	best := 0.0
	for range runs {
		var next atomic.Int64
		var wg sync.WaitGroup
		started := time.Now()
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				for at := next.Add(step) - step; at < n && ctx.Err() == nil; at = next.Add(step) - step {
					do(at, min(at+step, n))
				}
			})
		}
		wg.Wait()
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if took := time.Since(started).Seconds(); best == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

// memcpyRate copies from memory to memory by all cores, and counts both sides.
func memcpyRate(ctx context.Context, o MergeOptions) (float64, error) {
	n := min(o.Bytes, 512<<20)
	from, to := make([]byte, n), make([]byte, n)
	for i := range from {
		from[i], to[i] = byte(i), 1 // pages that were never written are no memory yet
	}
	seconds, err := inParallel(ctx, o.Runs+1, n, func(begin, end int64) { copy(to[begin:end], from[begin:end]) })
	return 2 * float64(n) / seconds, err
}

// readRate reads the parents' tensors one parent after another by all cores.
func (k *kitchen) readRate(ctx context.Context) (float64, error) {
	total, best := 0.0, 0.0
	for range k.o.Runs + 1 {
		total = 0
		seconds := 0.0
		for _, p := range k.parents {
			for _, t := range p.Tensors() {
				data, err := p.Bytes(t.Name)
				if err != nil {
					return 0, err
				}
				s, err := inParallel(ctx, 1, int64(len(data)), func(begin, end int64) { sink.Add(sum(data[begin:end])) })
				if err != nil {
					return 0, err
				}
				total, seconds = total+float64(len(data)), seconds+s
			}
		}
		if best == 0 || seconds < best {
			best = seconds
		}
	}
	return total / best, nil
}

// sink keeps compilers from leaving out sums that nobody needs.
var sink atomic.Uint64

// sum reads 64 bytes a turn: enough at once not to be what limits the rate.
func sum(data []byte) uint64 {
	var a, b, c, d uint64
	for ; len(data) >= 64; data = data[64:] {
		a += binary.LittleEndian.Uint64(data) + binary.LittleEndian.Uint64(data[8:16])
		b += binary.LittleEndian.Uint64(data[16:24]) + binary.LittleEndian.Uint64(data[24:32])
		c += binary.LittleEndian.Uint64(data[32:40]) + binary.LittleEndian.Uint64(data[40:48])
		d += binary.LittleEndian.Uint64(data[48:56]) + binary.LittleEndian.Uint64(data[56:64])
	}
	for _, x := range data {
		a += uint64(x)
	}
	return a + b + c + d
}
