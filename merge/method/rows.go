package method

import (
	"encoding/binary"
	"fmt"
	"math"

	"soup/merge"
)

// Rows makes a recipe of weights that each tensor has: one group for each
// distinct row, named after its tensors. names and rows go together.
func Rows(names []string, rows [][]float64) merge.Recipe {
	var r merge.Recipe
	r.Groups.Of = make(map[string]int, len(names))
	index := map[string]int{}
	var members []int
	for i, name := range names {
		key := bits(rows[i])
		g, known := index[key]
		if !known {
			g = len(r.Weights)
			index[key], r.Weights, members = g, append(r.Weights, rows[i]), append(members, 0)
			r.Groups.Names = append(r.Groups.Names, name)
		}
		r.Groups.Of[name] = g
		members[g]++
	}
	if len(r.Weights) == 1 {
		r.Groups = merge.Grouping{}
	}
	for g := range r.Groups.Names {
		if n := members[g]; n > 1 {
			r.Groups.Names[g] += fmt.Sprintf(" and %d more", n-1)
		}
	}
	return r
}

// bits returns the row's bytes.
func bits(row []float64) string {
	var key []byte
	for _, w := range row {
		key = binary.LittleEndian.AppendUint64(key, math.Float64bits(w))
	}
	return string(key)
}

// tensorNames returns the names of a checkpoint's tensors, in their order.
func tensorNames(c *merge.Checkpoint) []string {
	var names []string
	for _, t := range c.Tensors() {
		names = append(names, t.Name)
	}
	return names
}
