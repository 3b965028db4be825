//go:build cgo

package embedded

import "slices"

// group is a set of jobs whose prompts start with the same shared tokens.
type group struct {
	jobs   []*job
	shared int
}

// A shared prefix is worth a sequence of its own from this many tokens and
// members on; both were chosen so that short chat templates do not count.
const (
	minShared  = 32
	minMembers = 4
)

// groupByPrefix sorts jobs by their prompts and joins neighbours that share a
// long prefix, such as the same examples or the same instructions. All others
// form one group that shares nothing. At least one token of every prompt stays
// unshared: its logits are needed.
func groupByPrefix(jobs []*job) []group {
	sorted := slices.Clone(jobs)
	slices.SortStableFunc(sorted, func(a, b *job) int { return slices.Compare(a.prompt, b.prompt) })
	rest := group{}
	var groups []group
	for len(sorted) > 0 {
		n, shared := 1, len(sorted[0].prompt)-1
		for n < len(sorted) {
			common := min(shared, commonPrefix(sorted[0].prompt, sorted[n].prompt), len(sorted[n].prompt)-1)
			if common < minShared {
				break
			}
			n, shared = n+1, common
		}
		if n >= minMembers {
			groups = append(groups, group{jobs: sorted[:n], shared: shared})
		} else {
			n = 1
			rest.jobs = append(rest.jobs, sorted[0])
		}
		sorted = sorted[n:]
	}
	if len(rest.jobs) > 0 {
		groups = append(groups, rest)
	}
	return groups
}

func commonPrefix(a, b []int32) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
