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
// and of the same files read piece by piece into one buffer (share-file), which is
// what bounds the memory.
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
	limit, files := readBandwidth(parents), 0.0
	bytes, best := float64(len(parents))*128*float64(maxTile*BF16.Size()), math.Inf(1)
	for b.Loop() {
		started := time.Now()
		if _, err := Measure(b.Context(), parents, nil, Grouping{}); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(started).Seconds())
		b.StopTimer()
		files = max(files, readFiles(b, parents))
		limit = max(limit, readBandwidth(parents))
		b.StartTimer()
	}
	rate := bytes / best
	b.ReportMetric(rate/1e9, "GB/s")
	b.ReportMetric(limit/1e9, "GB/s-read")
	b.ReportMetric(rate/limit, "share")
	b.ReportMetric(rate/files, "share-file")
}

// readFiles reads all parents once, in parallel, in pieces as Measure does, and sums
// them up, in bytes/s.
func readFiles(b *testing.B, parents []*Checkpoint) float64 {
	started := time.Now()
	var total, next, kept atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		var opened []*mapping
		for _, p := range parents {
			opened = append(opened, p.files[0].reopened())
		}
		wg.Go(func() {
			room := make([]byte, measureTile*BF16.Size())
			for at := next.Add(measureTile) - measureTile; at < parents[0].tensors[0].Elements(); at = next.Add(measureTile) - measureTile {
				for k, p := range parents {
					data, err := p.windowOf(opened[k], 0, at, measureTile, room)
					if err != nil {
						b.Error(err)
					}
					kept.Add(int64(sum(data)))
					total.Add(int64(len(data)))
				}
			}
			for _, f := range opened {
				_ = f.unmap()
			}
		})
	}
	wg.Wait()
	sink += uint64(kept.Load())
	return float64(total.Load()) / time.Since(started).Seconds()
}
