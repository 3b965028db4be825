package benchmarks

import (
	"fmt"

	"soup/eval"
)

// LoadJSONL reads a benchmark from a JSON Lines file, one eval.Item a line, in
// the order of the file. Every item becomes one of benchmark name; a category is
// name where the line has none. Keys that an item does not have are passed over.
//
// The error names file and line, and the field where there is one: a line that
// is broken or longer than 16 MB, an item that is not valid for its metric, an
// id that comes twice. A file without items is an error.
func LoadJSONL(name, path string) ([]eval.Item, error) {
	return loadLines(name, path, eval.CommandRule{})
}

// loadPlain reads soup's own format with its options: the program that scores items
// of metric command, and how long it may take.
func loadPlain(s Source) ([]eval.Item, error) {
	o := settingsOf(s)
	score := eval.CommandRule{Command: o.list("command"), Timeout: o.text("timeout")}
	if score.Timeout != "" && len(score.Command) == 0 {
		o.fail("timeout", "goes with command")
	}
	if err := o.done(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path, err)
	}
	return loadLines(s.Name, s.Path, score)
}

// loadLines puts the program into the items of metric command. One that a line
// names itself would run whatever came with the data, and is refused.
func loadLines(name, path string, score eval.CommandRule) ([]eval.Item, error) {
	var items []eval.Item
	seen := map[string]int{}
	err := eval.ReadJSONL(path, func(line int, it eval.Item) error {
		it.Benchmark = name
		if it.Category == "" {
			it.Category = name
		}
		if it.Metric == "command" {
			if len(it.Rule) > 0 {
				return fmt.Errorf("item %q: metric command: rule: a file of items cannot name a program; name it in the study or on the command line", it.ID)
			}
			it.Rule = ruleOf(score)
		}
		if err := it.Validate(); err != nil {
			return err
		}
		if first, twice := seen[it.ID]; twice {
			return fmt.Errorf("item id %q is on line %d already", it.ID, first)
		}
		seen[it.ID] = line
		items = append(items, it)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%s: no items", path)
	}
	return items, nil
}
