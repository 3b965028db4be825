package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// eachGram runs a test with every kernel of this machine.
func eachGram(t *testing.T, test func(t *testing.T, make func(count int) *Gram)) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			test(t, func(count int) *Gram {
				g := NewGram(count)
				g.variant = v
				return g
			})
		})
	}
}

// exactGram is what the sums are of, in float64, and the sums of absolute values.
func exactGram(vectors []Operand, from, n int) (sums, sizes [][]float64) {
	last := len(vectors) - 1
	at := func(k, e int) float64 {
		x := float64(value(vectors[k].Type, vectors[k].Data, e))
		if k != last {
			x -= float64(value(vectors[last].Type, vectors[last].Data, e))
		}
		return x
	}
	for i := range vectors {
		sums, sizes = append(sums, make([]float64, len(vectors))), append(sizes, make([]float64, len(vectors)))
		for j := i; j < len(vectors); j++ {
			for e := from; e < from+n; e++ {
				x := at(i, e) * at(j, e)
				sums[i][j] += x
				sizes[i][j] += math.Abs(x)
			}
		}
	}
	return sums, sizes
}

func sumsOf(g *Gram) [][]float64 {
	to := make([][]float64, g.count)
	for i := range to {
		to[i] = make([]float64, g.count)
	}
	g.Sums(to)
	return to
}

// TestGramIsWithinItsBound draws counts, lengths, types, alignments and scales, adds
// in pieces, and holds every sum to what the documentation promises.
func TestGramIsWithinItsBound(t *testing.T) {
	const bound = 131 * 0x1p-24
	eachGram(t, func(t *testing.T, make func(count int) *Gram) {
		rapid.Check(t, func(t *rapid.T) {
			count := rapid.IntRange(1, 11).Draw(t, "count")
			n := rapid.OneOf(rapid.IntRange(0, 70), rapid.SampledFrom([]int{511, 512, 513, 896, 1536, 2000})).Draw(t, "n")
			from := rapid.IntRange(0, 40).Draw(t, "from")
			types := rapid.SampledFrom([][]Type{{BF16}, {F16}, {F32}, {BF16, F16, F32}}).Draw(t, "types")
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
			var vectors []Operand
			for range count {
				o := normal(types[r.IntN(len(types))], r.Uint64(), from+n, 1)
				moved := at(len(o.Data), r.IntN(64))
				copy(moved, o.Data)
				vectors = append(vectors, Operand{Data: moved, Type: o.Type})
			}
			g := make(count)
			g.Add(vectors, 0, from) // forgotten
			g.Reset()
			first := rapid.IntRange(0, n).Draw(t, "first")
			g.Add(vectors, from, first)
			g.Add(vectors, from+first, n-first)
			want, sizes := exactGram(vectors, from, n)
			got := sumsOf(g)
			for i := range got {
				for j := i; j < count; j++ {
					if off := math.Abs(got[i][j] - want[i][j]); off > bound*sizes[i][j] {
						t.Fatalf("[%d][%d] is %v, want %v: off by %v of %v", i, j, got[i][j], want[i][j], off, sizes[i][j])
					}
				}
			}
		})
	})
}

// TestGramAddsLongSumsInFloat64: 2^20 times the same value, of which float32 loses
// its digits after some.
func TestGramAddsLongSumsInFloat64(t *testing.T) {
	const n = 1 << 20
	o := Operand{make([]byte, 4*n), F32, 1}
	values := make([]float32, n)
	for i := range values {
		values[i] = 1 + 0x1p-12
	}
	Round(o.Data, values, F32)
	want := float64(values[0]) * float64(values[0]) * n
	eachGram(t, func(t *testing.T, make func(count int) *Gram) {
		g := make(1)
		g.Add([]Operand{o}, 0, n)
		if got := sumsOf(g)[0][0]; math.Abs(got-want) > 131*0x1p-24*want {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// TestGramShowsWhatIsNotFinite: a single value spoils its vector's sums, and no
// other's unless it is the origin's.
func TestGramShowsWhatIsNotFinite(t *testing.T) {
	eachGram(t, func(t *testing.T, make func(count int) *Gram) {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for _, place := range []int{0, 7, 31, 32, 511, 512, 599} {
				for k := range 5 {
					vectors := normals(BF16, 5, 600)
					Round(vectors[k].Data[2*place:], []float32{bad}, BF16)
					g := make(5)
					g.Add(vectors, 0, 600)
					for i, row := range sumsOf(g) {
						if spoilt := math.IsNaN(row[i]) || math.IsInf(row[i], 0); spoilt != (i == k || k == 4) {
							t.Errorf("%v at %d of vector %d: the sum of %d is %v", bad, place, k, i, row[i])
						}
					}
				}
			}
		}
	})
}

func TestGramRefuses(t *testing.T) {
	eight := make([]byte, 8)
	for name, call := range map[string]func(){
		"another number": func() { NewGram(2).Add([]Operand{{eight, F32, 1}}, 0, 2) },
		"short vector":   func() { NewGram(2).Add([]Operand{{eight, F32, 1}, {eight, F32, 1}}, 1, 2) },
		"no type":        func() { NewGram(1).Add([]Operand{{eight, None, 1}}, 0, 1) },
	} {
		if !panics(call) {
			t.Errorf("%s: no panic", name)
		}
	}
}
