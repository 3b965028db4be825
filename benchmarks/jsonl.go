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
	var items []eval.Item
	seen := map[string]int{}
	err := eval.ReadJSONL(path, func(line int, it eval.Item) error {
		it.Benchmark = name
		if it.Category == "" {
			it.Category = name
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
