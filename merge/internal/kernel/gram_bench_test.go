package kernel

import "testing"

// BenchmarkGram measures each kernel alone, on nine vectors in the L2 cache.
func BenchmarkGram(b *testing.B) {
	const n = 16384
	for _, v := range variants() {
		for name, d := range map[string]Type{"BF16": BF16, "F16": F16, "F32": F32} {
			vectors := normals(d, 9, n)
			b.Run(v.name+"/"+name, func(b *testing.B) {
				g := NewGram(9)
				g.variant = v
				measureBest(b, 9*n*d.Size(), func() { g.Add(vectors, 0, n) })
			})
		}
	}
}
