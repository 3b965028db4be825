package langdetect

import (
	"math"
	"math/bits"

	"gonum.org/v1/gonum/mathext/prng"
)

// python draws what random.Random(seed) draws in CPython 3.11 (Lib/random.py).
type python struct {
	source *prng.MT19937
	second *float64 // normal deviates come in pairs
}

func newPython(seed uint32) *python {
	p := &python{source: prng.NewMT19937()}
	p.source.SeedFromKeys([]uint32{seed})
	return p
}

// uniform is random(): 53 bits, from 0 up to 1.
func (p *python) uniform() float64 {
	a, b := p.source.Uint32()>>5, p.source.Uint32()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// gauss is gauss(0, 1).
func (p *python) gauss() float64 {
	if p.second != nil {
		z := *p.second
		p.second = nil
		return z
	}
	turn := p.uniform() * 2 * math.Pi
	radius := math.Sqrt(-2 * math.Log(1-p.uniform()))
	second := math.Sin(turn) * radius
	p.second = &second
	return math.Cos(turn) * radius
}

// below is choice() of the numbers from 0 to n-1; n is below 2^32.
func (p *python) below(n int) int {
	width := bits.Len(uint(n))
	for {
		if r := int(p.source.Uint32() >> (32 - width)); r < n {
			return r
		}
	}
}
