package mergekit

import (
	"cmp"
	"index/suffixarray"
	"maps"
	"slices"
	"strings"

	"soup/merge"
)

// filter puts the tensors whose names hold a text into a group; the first that
// matches holds. The last has no text and matches all.
type filter struct {
	text  string
	group int
}

// filtersOf expresses a grouping as filters: parts of names, such as ".mlp." or
// ".layers.3.", where they are in tensors of one group only, else full names.
// What remains is the group that leaves the fewest filters or, where there are
// many groups, the largest.
func filtersOf(g merge.Grouping) []filter {
	if g.Len() == 1 {
		return []filter{{}}
	}
	best := filtersBut(g, largest(g))
	for rest := range g.Len() {
		if g.Len() > 16 {
			break
		}
		if f := filtersBut(g, rest); len(f) < len(best) {
			best = f
		}
	}
	return best
}

// largest returns the group with the most tensors.
func largest(g merge.Grouping) int {
	count := make([]int, g.Len())
	for _, group := range g.Of {
		count[group]++
	}
	return slices.Index(count, slices.Max(count))
}

// filtersBut finds filters for all groups but one, which is what remains.
func filtersBut(g merge.Grouping, rest int) []filter {
	c := newCover(g, rest)
	for _, part := range c.parts() {
		c.take(part)
	}
	return append(append(c.filters, c.fullNames()...), filter{group: c.rest})
}

// cover is a search for filters.
type cover struct {
	of      map[string]int
	names   []string // sorted
	rest    int      // the group that needs no filter
	left    map[string]bool
	holding map[string][]string // part of a name: the names that hold it
	filters []filter
}

func newCover(g merge.Grouping, rest int) *cover {
	c := &cover{of: g.Of, names: slices.Sorted(maps.Keys(g.Of)), rest: rest, left: map[string]bool{}, holding: map[string][]string{}}
	for _, name := range c.names {
		c.left[name] = true
		for _, part := range partsOf(name) {
			c.holding[part] = append(c.holding[part], name)
		}
	}
	return c
}

// partsOf returns the runs of a name between dots, dots included, each once.
// As both ends are dots, a name holds a part just where it has the run. Runs
// that start with a number are left out: .layers.3. says more than .3. does.
func partsOf(name string) []string {
	var dots []int
	for i, b := range []byte(name) {
		if b == '.' {
			dots = append(dots, i)
		}
	}
	var parts []string
	for i := range dots {
		if next := name[dots[i]+1:]; next != "" && next[0] >= '0' && next[0] <= '9' {
			continue
		}
		for _, end := range dots[i+1:] {
			parts = append(parts, name[dots[i]:end+1])
		}
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// parts returns all parts, those that many names hold first, of these the
// shortest.
func (c *cover) parts() []string {
	return slices.SortedFunc(maps.Keys(c.holding), func(a, b string) int {
		return cmp.Or(len(c.holding[b])-len(c.holding[a]), len(a)-len(b), cmp.Compare(a, b))
	})
}

// take makes a filter of a part, if all names that hold it and are left are of
// one group. Names of the group that needs none are never taken.
func (c *cover) take(part string) {
	group, found := c.rest, 0
	for _, name := range c.holding[part] {
		if !c.left[name] {
			continue
		}
		if found > 0 && c.of[name] != group {
			return
		}
		group = c.of[name]
		found++
	}
	if found == 0 || group == c.rest {
		return
	}
	for _, name := range c.holding[part] {
		delete(c.left, name)
	}
	c.filters = append(c.filters, filter{part, group})
}

// fullNames makes filters of the names that are left. The longest come first,
// so that a name which is part of another is not taken for it; for the same
// reason those of the remaining group that hold another are listed too.
func (c *cover) fullNames() []filter {
	var names []string
	for _, name := range c.names {
		if c.left[name] && c.of[name] != c.rest {
			names = append(names, name)
		}
	}
	names = append(names, c.shadowed(names)...)
	slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
	list := make([]filter, len(names))
	for i, name := range names {
		list[i] = filter{name, c.of[name]}
	}
	return list
}

// shadowed returns the remaining group's names that hold one of the names.
func (c *cover) shadowed(names []string) []string {
	var rest []string
	for _, name := range c.names {
		if c.left[name] && c.of[name] == c.rest {
			rest = append(rest, name)
		}
	}
	index := suffixarray.New([]byte(strings.Join(rest, "\n")))
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return index.Lookup([]byte(name), 1) == nil })
	return slices.DeleteFunc(rest, func(r string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(r, name) })
	})
}
