//go:build unix

package kernel

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// large is the bytes of an operand that no cache holds.
const large = 256 << 20

// BenchmarkMemory sums four operands of 256 MB with two goroutines and reports
// the traffic of each way, in GB/s and as a share of what plain reading of the
// operands reaches: the best of all rounds, taken in turns, since the machine's
// other work disturbs some. -benchtime 5x is enough. It takes 1.3 GB of memory.
func BenchmarkMemory(b *testing.B) {
	for name, d := range map[string]Type{"BF16": BF16, "F16": F16, "F32": F32} {
		b.Run(name, func(b *testing.B) { benchmarkMemory(b, d) })
	}
}

func benchmarkMemory(b *testing.B, d Type) {
	dst := pages(b)
	var src []Operand
	for k := range uint64(4) {
		o := Operand{pages(b), d, 0.1 * float32(k+1)}
		part := normal(d, k, 1<<16, 1).Data
		for i := 0; i < large; i += len(part) {
			copy(o.Data[i:], part)
		}
		src = append(src, o)
	}
	ways := map[string]func(begin, end int){
		"memcpy": func(begin, end int) { copy(dst[begin:end], src[0].Data[begin:end]) },
		"read":   func(begin, end int) { readAll(src, begin, end) },
	}
	for _, v := range variants() {
		ways[v.name] = func(begin, end int) { tiles(v.sum, dst, src, begin, end, false) }
		ways[v.name+"-stream"] = func(begin, end int) { tiles(v.sum, dst, src, begin, end, true) }
	}
	delete(ways, "portable-stream")
	times := map[string]float64{}
	for b.Loop() {
		for _, name := range slices.Sorted(maps.Keys(ways)) {
			if times[name] == 0 {
				times[name] = math.Inf(1)
			}
			times[name] = fastest(times[name], func() { halves(ways[name]) })
		}
	}
	read := 4 * large / times["read"]
	for name, seconds := range times {
		bytes := map[string]float64{"memcpy": 2 * large, "read": 4 * large}[name]
		if bytes == 0 {
			bytes = 5 * large
		}
		b.ReportMetric(bytes/seconds/1e9, "GB/s-"+name)
		b.ReportMetric(bytes/seconds/read, "share-"+name)
	}
}

// pages returns memory in huge pages where there are such: its speed is to be
// the limit, not the page table's.
func pages(b *testing.B) []byte {
	data, err := unix.Mmap(-1, 0, large, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		b.Fatal(err)
	}
	advise(data)
	for i := 0; i < large; i += 4096 {
		data[i] = 1
	}
	b.Cleanup(func() { _ = unix.Munmap(data) })
	return data
}

// halves works on two halves at once.
func halves(work func(begin, end int)) {
	var wg sync.WaitGroup
	wg.Go(func() { work(0, large/2) })
	wg.Go(func() { work(large/2, large) })
	wg.Wait()
}

// tiles sums in tiles of 256 Ki elements, as a merge does. All types are alike.
func tiles(sum kernel, dst []byte, src []Operand, begin, end int, stream bool) {
	tile := src[0].Type.Size() << 18
	part := make([]Operand, len(src))
	for at := begin; at < end; at += tile {
		for k, o := range src {
			part[k] = Operand{o.Data[at : at+tile], o.Type, o.Weight}
		}
		sum(dst[at:at+tile], part, None, src[0].Type, stream)
	}
}

// readAll sums up all operands, 64 bytes a turn.
func readAll(src []Operand, begin, end int) {
	var a, b, c, d uint64
	for _, o := range src {
		for data := o.Data[begin:end]; len(data) >= 64; data = data[64:] {
			a += binary.LittleEndian.Uint64(data) + binary.LittleEndian.Uint64(data[8:16])
			b += binary.LittleEndian.Uint64(data[16:24]) + binary.LittleEndian.Uint64(data[24:32])
			c += binary.LittleEndian.Uint64(data[32:40]) + binary.LittleEndian.Uint64(data[40:48])
			d += binary.LittleEndian.Uint64(data[48:56]) + binary.LittleEndian.Uint64(data[56:64])
		}
	}
	kept(a + b + c + d)
}

//go:noinline
func kept(uint64) {}
