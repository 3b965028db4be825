package benchmarks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// bfclElsewhere are categories of the benchmark that need more than one answer:
// Python programs that keep a state, a memory, the web.
var bfclElsewhere = []string{"multi_turn", "memory", "web_search", "agentic", "format_sensitivity", "exec", "rest", "sql", "chatable"}

func (s *bfclSet) options() error {
	for _, name := range slices.Sorted(maps.Keys(s.Options)) {
		var err error
		switch v := s.Options[name]; name {
		case "categories":
			err = s.chooseCategories(v)
		case "mode":
			err = s.chooseMode(v)
		case "max_tokens":
			s.maxTokens, err = positive(v)
		case "version":
			s.version, err = positive(v)
			if err == nil && s.version != 3 && s.version != 4 {
				err = fmt.Errorf("%d is neither 3 nor 4", s.version)
			}
		default:
			return fmt.Errorf("bfcl: unknown option %q: use categories, mode, max_tokens, version", name)
		}
		if err != nil {
			return fmt.Errorf("bfcl: option %s: %w", name, err)
		}
	}
	return nil
}

func (s *bfclSet) chooseMode(v any) error {
	switch v {
	case "prompting":
	case "fc":
		s.calling = true
	default:
		return fmt.Errorf("%v is neither prompting nor fc", v)
	}
	return nil
}

// positive is an option that must be a whole number from 1 on.
func positive(v any) (int, error) {
	switch n := v.(type) {
	case int:
		if n > 0 {
			return n, nil
		}
	case int64:
		if n > 0 {
			return int(n), nil
		}
	case uint64:
		if n > 0 {
			return int(n), nil
		}
	}
	return 0, fmt.Errorf("%v is not a whole number from 1 on", v)
}

func (s *bfclSet) chooseCategories(v any) error {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return fmt.Errorf("want a list of names, such as [simple_python, live]")
	}
	for _, e := range list {
		name, _ := e.(string)
		chosen, err := bfclNamed(name)
		if err != nil {
			return err
		}
		for _, c := range chosen {
			if !slices.Contains(s.categories, c) {
				s.categories = append(s.categories, c)
			}
		}
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
