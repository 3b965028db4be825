package merge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

const (
	// displaced is the distance of a row of an embedding from where any other
	// checkpoint has it, over its length, from which on it is pointed out. Unrelated
	// rows are 1.4 apart; a fine-tune moves the rows of frequent tokens by a tenth or two.
	displaced = 0.7
	// elsewhere is the same for rows that are in no other row's place.
	elsewhere = 1.0
	// rowsTried bounds the rows among which the right place of a row is looked for.
	rowsTried = 64
)

// rowsOf points out rows of embeddings that are where another checkpoint has
// other rows, as after a tokenizer was changed, and rows that lie far from all others.
func (g Geometry) rowsOf(i int) Findings {
	var found Findings
	for _, name := range sortedKeys(g.rows) {
		rows := g.displacedRows(name, i)
		if len(rows) == 0 {
			continue
		}
		f := Finding{Severity: Note, Code: "moved-rows", Parent: g.Parents[i], Tensor: name}
		f.Message = fmt.Sprintf("%d rows of %s, such as row %d, are far from where all others have them: tokens that only it was trained on", len(rows), name, rows[0])
		if moves := g.exchanged(name, i, rows[:min(len(rows), rowsTried)]); len(moves) > 0 {
			f.Severity, f.Code = Warn, "permuted-rows"
			f.Message = fmt.Sprintf("rows of %s are in each other's place: %s", name, some(moves, "rows"))
			f.Remedy = "its tokenizer was changed; leave this parent out, or put its rows into the order of the others"
		} else if g.distance(name, rows[0], i) < elsewhere {
			continue
		}
		found = append(found, f)
	}
	return found
}

// displacedRows are the rows of an embedding that lie far from all others, the
// farthest first.
func (g Geometry) displacedRows(name string, i int) []int {
	var rows []int
	for r := range len(g.rows[name]) / len(g.Parents) {
		if g.distance(name, r, i) > displaced {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(g.distance(name, b, i), g.distance(name, a, i)) })
	return rows
}

// distance is how far a parent's row of an embedding is from the nearest other one.
func (g Geometry) distance(name string, row, i int) float64 {
	return float64(g.rows[name][row*len(g.Parents)+i])
}

// exchanged says of which rows of the reference the given rows of a parent are
// much nearer than to their own.
func (g Geometry) exchanged(name string, i int, rows []int) []string {
	parent, reference := g.open[i], g.reference(i)
	var theirs [][]float32
	for _, r := range rows {
		theirs = append(theirs, row(reference, name, r))
	}
	var moves []string
	for k, r := range rows {
		x := row(parent, name, r)
		own := rowDistance(x, theirs[k])
		for m, s := range rows {
			if m != k && rowDistance(x, theirs[m]) < own/2 {
				moves = append(moves, fmt.Sprintf("%d is in the place of %d", s, r))
				break
			}
		}
	}
	return moves
}

// rowDistance is the distance of two rows; infinite if one could not be read.
func rowDistance(x, y []float32) float64 {
	if len(x) == 0 || len(x) != len(y) {
		return math.Inf(1)
	}
	sum := 0.0
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// row reads one row of a matrix; nil if it cannot be read.
func row(c *Checkpoint, name string, r int) []float32 {
	t, ok := c.Tensor(name)
	if !ok || len(t.Shape) != 2 {
		return nil
	}
	return floatsAt(c, name, int64(r)*t.Shape[1], t.Shape[1])
}
