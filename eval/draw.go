package eval

import (
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"slices"
)

const bootstrapSeed = "soup bootstrap 1\n" // the category's name follows

// source gives the units of one resample after the other. What it returns is
// good until it is called again.
type source func() []uint32

// generator draws a stratum's units with replacement. The seed depends on the
// category's name only: a category alone gives what it gives among others. Where
// units are items, each random number gives two draws; the bias of that,
// units/2^32, is far below the noise of 10,000 resamples.
func (s stratum) generator() source {
	random := rand.NewChaCha8(sha256.Sum256([]byte(bootstrapSeed + s.categories[0])))
	drawn, n := make([]uint32, s.units), uint64(s.units)
	if !s.single() {
		return func() []uint32 {
			for i := range drawn {
				drawn[i] = uint32((random.Uint64() >> 32) * n >> 32)
			}
			return drawn
		}
	}
	return func() []uint32 {
		for i := 0; i+1 < len(drawn); i += 2 {
			r := random.Uint64()
			drawn[i], drawn[i+1] = uint32((r>>32)*n>>32), uint32((r&math.MaxUint32)*n>>32)
		}
		if n%2 == 1 {
			drawn[n-1] = uint32((random.Uint64() >> 32) * n >> 32)
		}
		return drawn
	}
}

// memory holds what was drawn of each stratum, by its first category, for
// comparisons of the same items over and over; nil remembers nothing.
type memory map[string]*remembered

type remembered struct {
	drawn [][]uint32
	more  source
}

// source gives what was drawn before, then draws on.
func (m memory) source(s stratum) source {
	if m == nil {
		return s.generator()
	}
	r := m[s.categories[0]]
	if r == nil {
		r = &remembered{more: s.generator()}
		m[s.categories[0]] = r
	}
	at := 0
	return func() []uint32 {
		if at == len(r.drawn) {
			r.drawn = append(r.drawn, slices.Clone(r.more()))
		}
		at++
		return r.drawn[at-1]
	}
}
