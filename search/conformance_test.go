package search_test

import (
	"testing"

	"soup/search"
	"soup/search/searchtest"
)

func TestConformance(t *testing.T) {
	for _, name := range search.Names() {
		t.Run(name, func(t *testing.T) {
			err := searchtest.Test(func(space search.Space, seed uint64) (search.Strategy, error) {
				options := map[string]any{}
				switch name {
				case "grid":
					options["step"] = gridStep(space)
				case "subsets":
					options["budget"] = 1<<len(space.Parents) - 1
				case "cmaes":
					options["budget"] = 40
				case "itemwise":
					options["budget"] = len(space.Parents) + 2
				case "gp":
					options["budget"] = len(space.Parents) + 3
				case "auto":
					options["budget"] = len(space.Parents) + 5
				case "tpe":
					options["budget"], options["startup"] = 16, 8
				}
				return search.New(name, options, space, seed)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// gridStep is a step that keeps a grid of the space small.
func gridStep(s search.Space) float64 {
	switch {
	case len(s.Parents)*max(1, len(s.Groups)) > 12:
		return 1
	case s.Max == 0.4, s.Min == 0.1:
		return 0.1
	}
	return 0.5
}
