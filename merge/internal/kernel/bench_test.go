package kernel

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// BenchmarkSum measures each kernel alone, on operands in the L2 cache.
func BenchmarkSum(b *testing.B) {
	const n = 16384
	for _, v := range variants() {
		for name, d := range map[string]Type{"BF16": BF16, "F16": F16, "F32": F32} {
			dst, src := make([]byte, n*d.Size()), normals(d, 4, n)
			b.Run(v.name+"/"+name, func(b *testing.B) { measure(b, v.sum, dst, src, None, d) })
		}
		dst, src := make([]byte, n*4), normals(BF16, 4, n)
		for name, round := range map[string]Type{"BF16-F32": None, "BF16-BF16-F32": BF16} {
			b.Run(v.name+"/"+name, func(b *testing.B) { measure(b, v.sum, dst, src, round, F32) })
		}
	}
}

// BenchmarkOperands measures the chosen kernel with few and with many operands.
func BenchmarkOperands(b *testing.B) {
	for _, count := range []int{1, 2, 4, 8, 16, 32, 64} {
		dst, src := make([]byte, 2*8192), normals(BF16, count, 8192)
		b.Run(fmt.Sprint(count), func(b *testing.B) { measure(b, chosen().sum, dst, src, None, BF16) })
	}
}

func normals(d Type, count, n int) []Operand {
	var src []Operand
	for k := range count {
		src = append(src, normal(d, uint64(k), n, 1/float32(count)))
	}
	return src
}

// measure reports the traffic, of operands and dst, of the fastest call: other
// work on the machine disturbs the mean.
func measure(b *testing.B, sum kernel, dst []byte, src []Operand, round, store Type) {
	bytes := len(dst)
	for _, o := range src {
		bytes += len(o.Data)
	}
	measureBest(b, bytes, func() { sum(dst, src, round, store, false) })
}

// measureBest reports the bytes a second of the fastest call.
func measureBest(b *testing.B, bytes int, call func()) {
	best := math.Inf(1)
	for b.Loop() {
		best = fastest(best, call)
	}
	b.ReportMetric(float64(bytes)/best/1e9, "GB/s-best")
}

// fastest returns the shortest time of some tries, in seconds.
func fastest(best float64, try func()) float64 {
	started := time.Now()
	try()
	return min(best, time.Since(started).Seconds())
}
