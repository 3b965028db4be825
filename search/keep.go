package search

import "fmt"

// Keep is a category that a soup must not lose: its mean shall be at least that
// of a parent, less a margin.
type Keep struct {
	Category string
	Parent   int     // index in Space.Parents, or BestParent
	Margin   float64 // in the unit of a score
}

// BestParent stands for whichever parent has the highest mean in the category.
const BestParent = -1

// KeepCost is what falling below a floor costs: so many times the shortfall is
// taken off the score, so that no gain elsewhere makes up for it.
const KeepCost = 10

// checkKeep finds parents that do not exist.
func (s Space) checkKeep() error {
	for _, k := range s.Keep {
		if k.Parent < BestParent || k.Parent >= len(s.Parents) {
			return fmt.Errorf("keep %s: there is no parent %d", k.Category, k.Parent)
		}
	}
	return nil
}

// floors are the least means of the categories to keep, as far as the parents
// they refer to have been scored.
func (s Space) floors(done []Trial) map[string]float64 {
	floors := map[string]float64{}
	for _, k := range s.Keep {
		for _, t := range done {
			parent, single := s.singleOf(t.Point)
			c, measured := t.Categories[k.Category]
			if t.State != StateComplete || !single || !measured || !finite(c.Mean) || k.Parent != BestParent && k.Parent != parent {
				continue
			}
			if floor, known := floors[k.Category]; !known || c.Mean-k.Margin > floor {
				floors[k.Category] = c.Mean - k.Margin
			}
		}
	}
	return floors
}

// singleOf is the parent that a point is.
func (s Space) singleOf(p Point) (int, bool) {
	key := Key(p)
	for i, single := range s.singles() {
		if Key(single) == key {
			return i, true
		}
	}
	return 0, false
}
