package search

import (
	"fmt"
	"math/bits"
	"slices"
)

// subsets asks for the equal-share soup of every set of parents, small sets
// first: all that exact Shapley values need ([Shapley]), and the whole of what
// choosing parents without weights can give. It refuses what the budget cannot
// hold: with n parents there are 2^n - 1 sets. Sets that the bounds of the space
// do not allow are left out.
func newSubsets(space Space, _ uint64, o options) (Strategy, error) {
	n := len(space.Parents)
	if n >= 20 || 1<<n-1 > o.whole("budget") {
		return nil, fmt.Errorf("2^%d - 1 sets of %d parents, above the budget of %d; leave parents out or take greedy", n, n, o.whole("budget"))
	}
	sets := make([]uint, 0, 1<<n-1)
	for set := uint(1); set < 1<<n; set++ {
		sets = append(sets, set)
	}
	slices.SortStableFunc(sets, func(a, b uint) int { return bits.OnesCount(a) - bits.OnesCount(b) })
	var points []Point
	for _, set := range sets {
		members := membersOf(set)
		p := space.equal("equal "+space.names(members, "+"), members)
		if len(members) == 1 || space.within(p) {
			points = append(points, p)
		}
	}
	s := once("subsets", points)
	s.note("%d of the %d sets of %d parents, equal shares", len(points), len(sets), n)
	return s, nil
}

// membersOf lists the parents of a set, which has bit i for parent i.
func membersOf(set uint) (members []int) {
	for ; set != 0; set &= set - 1 {
		members = append(members, bits.TrailingZeros(set))
	}
	return members
}

// SetOf is the set of parents, bit i for parent i, whose equal-share soup a point
// is; false if it is none.
func SetOf(p Point) (set uint, ok bool) {
	for g, row := range p.Weights {
		var members uint
		share := 0.0
		for i, w := range row {
			if w == 0 {
				continue
			}
			if share != 0 && !(w-share < slack && share-w < slack) {
				return 0, false
			}
			share, members = w, members|1<<i
		}
		if members == 0 || g > 0 && members != set {
			return 0, false
		}
		set = members
	}
	return set, set != 0
}

// Shapley returns each of n players' share of what all of them reach together:
// its marginal gain, value(S with it) - value(S), averaged over all orders in which
// the players may join (Shapley, A value for n-person games, 1953), by the sum over
// sets with weights |S|! (n-|S|-1)! / n!. Shares sum to value(all) - value(none).
// Sets have bit i for player i; it calls value once a set, the empty one included.
func Shapley(n int, value func(set uint) float64) []float64 {
	values := make([]float64, 1<<n)
	for set := range values {
		values[set] = value(uint(set))
	}
	// weight[k] is k! (n-k-1)! / n! = 1 / (n * C(n-1, k)).
	weight := make([]float64, n)
	choose := 1.0
	for k := range weight {
		weight[k] = 1 / (float64(n) * choose)
		choose = choose * float64(n-1-k) / float64(k+1)
	}
	shares := make([]float64, n)
	for i := range shares {
		for set, v := range values {
			if set>>i&1 == 0 {
				shares[i] += weight[bits.OnesCount(uint(set))] * (values[set|1<<i] - v)
			}
		}
	}
	return shares
}
