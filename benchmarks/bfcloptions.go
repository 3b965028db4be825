package benchmarks

import (
	"fmt"
	"slices"
	"strings"
)

// bfclElsewhere are categories of the benchmark that need more than one answer:
// Python programs that keep a state, a memory, the web.
var bfclElsewhere = []string{"multi_turn", "memory", "web_search", "agentic", "format_sensitivity", "exec", "rest", "sql", "chatable"}

func (s *bfclSet) options() error {
	o := settingsOf(s.Source)
	s.calling = o.choice("mode", "prompting", "fc") == "fc"
	s.maxTokens, s.version = o.count("max_tokens", bfclTokens, 1), o.count("version", 0, 3)
	if s.version > 4 {
		o.fail("version", "%d is neither 3 nor 4", s.version)
	}
	for _, name := range o.list("categories") {
		chosen, err := bfclNamed(name)
		if err != nil {
			o.fail("categories", "%s", err)
		}
		for _, c := range chosen {
			if !slices.Contains(s.categories, c) {
				s.categories = append(s.categories, c)
			}
		}
	}
	if err := o.done(); err != nil {
		return fmt.Errorf("bfcl: %w", err)
	}
	return nil
}

// bfclNamed are the categories of a name: one of version 4 or 3, or a group.
func bfclNamed(name string) ([]string, error) {
	live := func(c string) bool { return strings.HasPrefix(c, "live_") }
	switch {
	case slices.Contains(bfclCategories, name):
		return []string{name}, nil
	case name == "live":
		return slices.DeleteFunc(slices.Clone(bfclCategories), func(c string) bool { return !live(c) }), nil
	case name == "non_live":
		return slices.DeleteFunc(slices.Clone(bfclCategories), live), nil
	}
	for now, old := range bfclOldNames {
		if name == old {
			return []string{now}, nil
		}
	}
	if slices.ContainsFunc(bfclElsewhere, func(e string) bool { return strings.HasPrefix(name, e) }) {
		return nil, fmt.Errorf("%s: several turns, tools that run or an agent; only single-turn categories can be asked", name)
	}
	return nil, fmt.Errorf("unknown category %q: use some of %s, live, non_live", name, strings.Join(bfclCategories, ", "))
}
