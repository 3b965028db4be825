package search_test

import (
	"testing"

	"soup/search"
)

// These numbers are a promise: recorded studies continue with them.
func TestRandIsFixed(t *testing.T) {
	r := search.Rand(1, "random", 0)
	for i, want := range []uint64{0x13e355f458314611, 0x790a0df5d2d77e45} {
		if got := r.Uint64(); got != want {
			t.Errorf("number %d is %#x; want %#x", i, got, want)
		}
	}
}

func TestRandDiffers(t *testing.T) {
	seen := map[uint64]string{}
	for seed := range uint64(10) {
		for _, strategy := range []string{"", "random", "random1", "soce"} {
			for trial := range 10 {
				x := search.Rand(seed, strategy, trial).Uint64()
				if before, ok := seen[x]; ok {
					t.Fatalf("seed %d, %q, trial %d begins as %s", seed, strategy, trial, before)
				}
				seen[x] = strategy
				if search.Rand(seed, strategy, trial).Uint64() != x {
					t.Fatalf("seed %d, %q, trial %d does not repeat", seed, strategy, trial)
				}
			}
		}
	}
}
