package merge

import "math"

// Geometry is how checkpoints lie to one another and to what they were
// fine-tuned from: lengths, and angles between task vectors, which are a
// parent's weights less the base's (https://arxiv.org/abs/2212.04089). Where no
// base is known, the mean of the parents stands for it.
type Geometry struct {
	Parents []string      `json:"parents"` // paths
	Base    string        `json:"base"`    // path; "" if the mean of the parents stands for it
	Groups  []GroupVector `json:"groups"`  // all tensors first, then the groups if there are several

	layers map[int]GroupVector  // of a model's blocks; -1 is what belongs to none
	rows   map[string][]float32 // by embedding: of each row and parent, how far it is from the nearest other checkpoint, over the longer
	open   []*Checkpoint        // the parents, and the base or nil
	broken Findings             // tensors with values that are not finite, by checkpoint
}

// GroupVector is the geometry of one group of tensors, as one vector each.
// Tensors that are not averaged are left out.
type GroupVector struct {
	Name     string      `json:"name"`
	Elements int64       `json:"elements"`
	Base     float64     `json:"base"`    // Euclidean length of the base's weights
	Lengths  []float64   `json:"lengths"` // of the parents' weights
	Moved    []float64   `json:"moved"`   // of their task vectors
	Along    []float64   `json:"along"`   // task vector times base, over the square of the base's length
	Cosines  [][]float64 `json:"cosines"` // of task vectors; 0 where one has no length
}

// Distance is the Euclidean distance of two parents.
func (g GroupVector) Distance(i, j int) float64 {
	square := g.Moved[i]*g.Moved[i] + g.Moved[j]*g.Moved[j] - 2*g.Cosines[i][j]*g.Moved[i]*g.Moved[j]
	return math.Sqrt(max(0, square))
}

// Alike is the cosine of a parent's weights with the base's.
func (g GroupVector) Alike(i int) float64 {
	return ratio(g.Base*(1+g.Along[i]), g.Lengths[i])
}

// Scale is how many times the base's weights a parent's are, by least squares.
func (g GroupVector) Scale(i int) float64 { return 1 + g.Along[i] }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// vector is the geometry of sums that were taken from the base, or else from the
// first parent: then they are moved to the mean of the parents first.
func (p *products) vector(name string, based bool) GroupVector {
	n := len(p.of) - 1
	along, square, of := make([]float64, n), p.of[n][n], symmetric(p.of, n)
	length := make([]float64, n)
	for i := range n {
		along[i] = p.of[i][n]
		length[i] = math.Sqrt(max(0, of[i][i]+2*along[i]+square))
	}
	if !based {
		along, square = recentre(of, along, square)
	}
	v := GroupVector{Name: name, Elements: p.elements, Base: math.Sqrt(max(0, square)), Lengths: length}
	for i := range n {
		v.Moved = append(v.Moved, math.Sqrt(max(0, of[i][i])))
		v.Along = append(v.Along, ratio(along[i], square))
	}
	for i := range n {
		row := make([]float64, n)
		for j := range row {
			row[j] = max(-1, min(1, ratio(of[i][j], v.Moved[i]*v.Moved[j])))
		}
		v.Cosines = append(v.Cosines, row)
	}
	return v
}

// symmetric copies the first n rows and columns of an upper triangle to both.
func symmetric(upper [][]float64, n int) [][]float64 {
	of := make([][]float64, n)
	for i := range of {
		of[i] = make([]float64, n)
		for j := range of[i] {
			of[i][j] = upper[min(i, j)][max(i, j)]
		}
	}
	return of
}

// recentre moves products of differences from an origin o to those from the mean
// m of the checkpoints, in place, and returns the products with m, and m times m.
func recentre(of [][]float64, along []float64, square float64) ([]float64, float64) {
	n := float64(len(of))
	rows, all, ahead := make([]float64, len(of)), 0.0, 0.0
	for i := range of {
		for _, x := range of[i] {
			rows[i] += x / n
		}
		all += rows[i] / n
		ahead += along[i] / n
	}
	moved := make([]float64, len(of))
	for i := range of {
		moved[i] = along[i] - ahead + rows[i] - all
		for j := range of[i] {
			of[i][j] += all - rows[i] - rows[j]
		}
	}
	return moved, square + 2*ahead + all
}
