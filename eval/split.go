package eval

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Split names the part of a benchmark that an item belongs to.
type Split string

// The three parts. An item is in one of them, for ever.
const (
	InSearch    Split = "search"    // chooses candidates
	InSelection Split = "selection" // chooses the winner among the finalists
	InTest      Split = "test"      // read once, for the winner
)

var splits = []Split{InSearch, InSelection, InTest}

// SplitOf returns the split of an item that names none: by the first hex digit
// of the SHA-256 of key, 0-7 search, 8-b selection, c-f test, hence 50/25/25 %.
// The key is the item's cluster, or its id where it has none, so that items that
// belong together stay together and adding items moves no other.
func SplitOf(key string) Split {
	switch sum := sha256.Sum256([]byte(key)); sum[0] >> 6 {
	case 0, 1:
		return InSearch
	case 2:
		return InSelection
	default:
		return InTest
	}
}

// Assigned returns the split that the item names, or SplitOf its cluster or id.
func (it Item) Assigned() Split {
	return cmp.Or(it.Split, SplitOf(cmp.Or(it.Cluster, it.ID)))
}

// The splits are types of their own, so that a function that chooses by one
// cannot be handed another by mistake. Each is a []Item.
type (
	Search    []Item // see InSearch
	Selection []Item // see InSelection
	Test      []Item // see InTest
)

// Set is a benchmark, or several, divided into splits. Each split is in the
// order of Interleave.
type Set struct {
	Search    Search
	Selection Selection
	Test      Test
}

// NewSet divides items into their splits. It is an error if an id occurs twice,
// if an item is not valid or if a cluster lies in two splits, for then the
// search would see what the test asks.
func NewSet(items []Item) (Set, error) {
	if err := checkItems(items); err != nil {
		return Set{}, err
	}
	if err := checkClusters(items); err != nil {
		return Set{}, err
	}
	parts := map[Split][]Item{}
	for _, it := range items {
		it.Split = it.Assigned()
		parts[it.Split] = append(parts[it.Split], it)
	}
	return Set{
		Search:    Interleave(parts[InSearch]),
		Selection: Interleave(parts[InSelection]),
		Test:      Interleave(parts[InTest]),
	}, nil
}

// Items returns the split of that name.
func (s Set) Items(split Split) ([]Item, error) {
	switch split {
	case InSearch:
		return s.Search, nil
	case InSelection:
		return s.Selection, nil
	case InTest:
		return s.Test, nil
	}
	return nil, fmt.Errorf("split %q is none of search, selection, test", split)
}

// checkItems refuses items that are not valid or share an id.
func checkItems(items []Item) error {
	seen := map[string]string{}
	for _, it := range items {
		if err := it.Validate(); err != nil {
			return err
		}
		if benchmark, twice := seen[it.ID]; twice {
			return fmt.Errorf("item id %q occurs twice: in benchmarks %q and %q", it.ID, benchmark, it.Benchmark)
		}
		seen[it.ID] = it.Benchmark
	}
	return nil
}

func checkClusters(items []Item) error {
	type key struct{ benchmark, cluster string }
	first := map[key]Item{}
	for _, it := range items {
		if it.Cluster == "" {
			continue
		}
		k := key{it.Benchmark, it.Cluster}
		other, seen := first[k]
		if seen && other.Assigned() != it.Assigned() {
			return fmt.Errorf("cluster %q is in %s (item %q) and in %s (item %q): give all its items one split",
				it.Cluster, other.Assigned(), other.ID, it.Assigned(), it.ID)
		}
		if !seen {
			first[k] = it
		}
	}
	return nil
}

// Interleave orders items by turns: the first of each category, the second of
// each and so on, categories by name, within a category as given. Any prefix of
// it has its items spread evenly over the categories that are not used up. The
// order depends on the items only.
func Interleave(items []Item) []Item {
	byCategory := map[string][]Item{}
	for _, it := range items {
		byCategory[it.Category] = append(byCategory[it.Category], it)
	}
	names := slices.Sorted(maps.Keys(byCategory))
	out := make([]Item, 0, len(items))
	for turn := 0; len(out) < len(items); turn++ {
		for _, name := range names {
			if in := byCategory[name]; turn < len(in) {
				out = append(out, in[turn])
			}
		}
	}
	return out
}

// Hash is the revision of the benchmark: the hexadecimal SHA-256 of every field
// of every item in order. Equal hashes promise equal questions and scoring.
func (s Set) Hash() string {
	h := sha256.New()
	h.Write([]byte("soup items 1\n"))
	enc := json.NewEncoder(h)
	for _, part := range [][]Item{s.Search, s.Selection, s.Test} {
		if err := enc.Encode(part); err != nil {
			// Only RawMessage fields can fail, and NewSet has parsed those.
			fmt.Fprintf(h, "broken item: %v\n", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
