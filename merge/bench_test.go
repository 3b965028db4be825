package merge

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkCook cooks 4 parents of 64 MB into a reused buffer and reports the
// traffic (reads and the write) and its share of what plain reading of the
// same parents reaches, by as many goroutines, in the same run.
func BenchmarkCook(b *testing.B) {
	for _, d := range []DType{BF16, F16, F32} {
		b.Run(d.String(), func(b *testing.B) { benchmarkCook(b, d) })
	}
}

func benchmarkCook(b *testing.B, d DType) {
	elements := (64 << 20) / d.Size()
	var parents []*Checkpoint
	for seed := range uint64(4) {
		f := noise("w", d, seed, elements/64)
		path := filepath.Join(b.TempDir(), "p.safetensors")
		for range 6 { // 64 copies of random values: drawing them all takes seconds
			f.data = append(f.data, f.data...)
		}
		f.shape = []int64{elements}
		parents = append(parents, open(b, write(b, path, safetensorsBytes(f))))
	}
	buf := buffer(b, parents[0], AsStored)
	r := global(0.1, 0.2, 0.3, 0.4)
	cook(b, buf, parents, r) // faults the pages in
	limit := readBandwidth(parents)
	b.SetBytes(5 * 64 << 20)
	var seconds float64
	for b.Loop() {
		seconds += cook(b, buf, parents, r).Seconds
	}
	rate := 5 * float64(64<<20) * float64(b.N) / seconds
	b.ReportMetric(rate/1e9, "GB/s")
	b.ReportMetric(limit/1e9, "GB/s-read")
	b.ReportMetric(rate/limit, "share")
}

// readBandwidth sums up all parents once, in parallel, best of five, in bytes/s.
func readBandwidth(parents []*Checkpoint) float64 {
	best := 0.0
	for range 5 {
		started := time.Now()
		var total int
		var wg sync.WaitGroup
		workers := runtime.GOMAXPROCS(0)
		sums := make([]uint64, workers)
		for _, p := range parents {
			data, _ := p.Bytes("w")
			total += len(data)
			part := len(data) / workers
			for w := range workers {
				wg.Go(func() { sums[w] = sum(data[w*part : (w+1)*part]) })
			}
			wg.Wait()
		}
		sink += sums[0]
		best = max(best, float64(total)/time.Since(started).Seconds())
	}
	return best
}

var sink uint64

// sum reads 64 bytes a turn.
func sum(data []byte) uint64 {
	var a, b, c, d uint64
	for len(data) >= 64 {
		a += binary.LittleEndian.Uint64(data) + binary.LittleEndian.Uint64(data[8:16])
		b += binary.LittleEndian.Uint64(data[16:24]) + binary.LittleEndian.Uint64(data[24:32])
		c += binary.LittleEndian.Uint64(data[32:40]) + binary.LittleEndian.Uint64(data[40:48])
		d += binary.LittleEndian.Uint64(data[48:56]) + binary.LittleEndian.Uint64(data[56:64])
		data = data[64:]
	}
	return a + b + c + d
}

// BenchmarkMeasure is the geometry of eight parents of 64 MB, and its share of what
// plain reading reaches in the same run: of memory that is mapped already (share),
// and of the same files where each page is mapped, read and let go of, as Measure
// does it (share-bounded).
func BenchmarkMeasure(b *testing.B) {
	var parents []*Checkpoint
	for seed := range uint64(8) {
		f := noise("w", BF16, seed, 2*maxTile)
		for range 6 {
			f.data = append(f.data, f.data...)
		}
		f.shape = []int64{128, maxTile}
		parents = append(parents, open(b, directory(b, nil, f)))
	}
	limit, bounded := readBandwidth(parents), 0.0
	bytes, best := float64(len(parents))*128*float64(maxTile*BF16.Size()), math.Inf(1)
	for b.Loop() {
		started := time.Now()
		if _, err := Measure(b.Context(), parents, nil, Grouping{}); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(started).Seconds())
		b.StopTimer()
		bounded = max(bounded, readAndLetGo(parents))
		limit = max(limit, readBandwidth(parents))
		b.StartTimer()
	}
	rate := bytes / best
	b.ReportMetric(rate/1e9, "GB/s")
	b.ReportMetric(limit/1e9, "GB/s-read")
	b.ReportMetric(rate/limit, "share")
	b.ReportMetric(rate/bounded, "share-bounded")
}

// readAndLetGo sums up all parents once, in parallel, tile by tile, and drops every
// tile's pages, in bytes/s.
func readAndLetGo(parents []*Checkpoint) float64 {
	started := time.Now()
	var total atomic.Int64
	var wg sync.WaitGroup
	var next atomic.Int64
	elements := parents[0].tensors[0].Elements()
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var s uint64
			for at := next.Add(maxTile) - maxTile; at < elements; at = next.Add(maxTile) - maxTile {
				for _, p := range parents {
					data, _ := p.window(0, at, maxTile, nil)
					s += sum(data)
					total.Add(int64(len(data)))
					p.letGo(0, at, maxTile)
				}
			}
			kept.Add(s)
		})
	}
	wg.Wait()
	return float64(total.Load()) / time.Since(started).Seconds()
}

var kept atomic.Uint64 // what was read, so that reading is not left out
