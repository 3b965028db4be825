package search

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Rand returns the random numbers of one trial: ChaCha8 with the SHA-256 of seed,
// trial (8 bytes each, little endian) and strategy as its key. Equal arguments
// give equal numbers on every machine; others have nothing to do with each other.
func Rand(seed uint64, strategy string, trial int) *rand.Rand {
	key := binary.LittleEndian.AppendUint64(nil, seed)
	key = binary.LittleEndian.AppendUint64(key, uint64(trial))
	return rand.New(rand.NewChaCha8(sha256.Sum256(append(key, strategy...))))
}
