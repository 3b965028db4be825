// Package canary names the weights that a server has loaded by what they say
// about a fixed prompt: equal weights give equal names, other weights others.
// Servers that go on answering with stale weights are found out by it.
//
// Start with Canary.Version.
package canary

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"sync"

	"soup/eval"
)

// What every driver asks after a load: the raw prompt, greedy, with the
// log-probabilities of the likeliest tokens at each place.
const (
	Prompt = "The sum of 17 and 25 is 42. The capital of France is"
	Tokens = 2  // to generate
	Top    = 20 // likeliest tokens to name at each place; fewer where the server shows fewer
)

// Reading is one token with its log-probability (natural logarithm).
type Reading struct {
	Token   string
	LogProb float64
}

// Canary remembers what earlier weights said. The zero value wants answers to
// repeat to the last bit. It is safe for concurrent use.
type Canary struct {
	// Tolerance is how far, in nats, two readings of equal weights may be apart:
	// 0 on servers that repeat exactly.
	Tolerance float64

	mu   sync.Mutex
	seen []sighting
}

type sighting struct {
	readings []Reading
	version  eval.Version
}

// Version names what was read. Readings within the tolerance of earlier ones
// get their name. No reading is eval.ErrReply, one that is not a number
// eval.ErrNotNumbers.
func (c *Canary) Version(readings []Reading) (eval.Version, error) {
	if len(readings) == 0 {
		return "", fmt.Errorf("canary: %w: no log-probabilities", eval.ErrReply)
	}
	h := sha256.New()
	for _, r := range readings {
		if math.IsNaN(r.LogProb) {
			return "", fmt.Errorf("canary: %w", eval.ErrNotNumbers)
		}
		fmt.Fprintf(h, "%q %x\n", r.Token, math.Float64bits(r.LogProb))
	}
	version := eval.Version(hex.EncodeToString(h.Sum(nil)[:8]))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.seen {
		if c.near(s.readings, readings) {
			return s.version, nil
		}
	}
	c.seen = append(c.seen, sighting{readings, version})
	return version, nil
}

// apart is how far readings may be from the nearest known ones to be recognised:
// more than any cache or batch moves them, in nats.
const apart = 0.1

// Recognise names what is read again from weights that were named before: the
// nearest known readings are theirs. A cache that is warm now may have moved the
// numbers a little, which Version takes for other weights. Readings that are like
// none get a name that none has.
func (c *Canary) Recognise(readings []Reading) eval.Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	nearest, least := eval.Version("unknown weights"), apart
	for _, s := range c.seen {
		if d := distance(s.readings, readings); d <= least {
			nearest, least = s.version, d
		}
	}
	return nearest
}

// distance is the largest difference of two log-probabilities, infinite where the
// numbers of readings differ.
func distance(a, b []Reading) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	most := 0.0
	for i := range a {
		if a[i].LogProb == b[i].LogProb {
			continue
		}
		if d := math.Abs(a[i].LogProb - b[i].LogProb); !(d <= most) {
			most = d
		}
	}
	return most
}

// near compares token by token; where tokens of nearly equal probability have
// changed places, only their probabilities count.
func (c *Canary) near(a, b []Reading) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		equal := a[i].LogProb == b[i].LogProb // both -Inf too
		if !equal && !(math.Abs(a[i].LogProb-b[i].LogProb) <= c.Tolerance) {
			return false
		}
		if a[i].Token != b[i].Token && c.Tolerance == 0 {
			return false
		}
	}
	return true
}
