package kernel

import "testing"

// BenchmarkSum measures the kernel alone on operands in the L2 cache.
func BenchmarkSum(b *testing.B) {
	for name, d := range map[string]Type{"BF16": BF16, "F16": F16, "F32": F32} {
		b.Run(name, func(b *testing.B) {
			const n = 16384
			var src []Operand
			for k := range uint64(4) {
				src = append(src, normal(d, k, n, 0.25))
			}
			dst := make([]byte, n*d.Size())
			b.SetBytes(int64(5 * n * d.Size()))
			for b.Loop() {
				Sum(dst, src, None, d)
			}
		})
	}
}
