package benchmarks

import (
	"math"
	"math/bits"

	"gonum.org/v1/gonum/mathext/prng"
)

// pythonRandom draws what Python's random.Random draws after the same seed, so
// that examples are the ones that lm-eval shows (Lib/random.py of Python 3.11:
// init_by_array, getrandbits, sample).
type pythonRandom struct{ twister *prng.MT19937 }

func newPythonRandom(seed uint32) pythonRandom {
	r := pythonRandom{prng.NewMT19937()}
	r.twister.SeedFromKeys([]uint32{seed})
	return r
}

// below returns a number from 0 to n-1.
func (r pythonRandom) below(n int) int {
	shift := 32 - bits.Len(uint(n))
	for {
		if v := int(r.twister.Uint32() >> shift); v < n {
			return v
		}
	}
}

// sample returns k different numbers below n in the order of random.sample.
func (r pythonRandom) sample(n, k int) []int {
	setSize := 21.0
	if k > 5 {
		setSize += math.Pow(4, math.Ceil(math.Log(float64(k*3))/math.Log(4)))
	}
	if float64(n) > setSize {
		return r.sampleFew(n, k)
	}
	pool, chosen := make([]int, n), make([]int, k)
	for i := range pool {
		pool[i] = i
	}
	for i := range chosen {
		j := r.below(n - i)
		chosen[i], pool[j] = pool[j], pool[n-i-1]
	}
	return chosen
}

// sampleFew draws again what it has drawn already.
func (r pythonRandom) sampleFew(n, k int) []int {
	chosen, drawn := make([]int, k), map[int]bool{}
	for i := range chosen {
		j := r.below(n)
		for drawn[j] {
			j = r.below(n)
		}
		chosen[i], drawn[j] = j, true
	}
	return chosen
}
