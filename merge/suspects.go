package merge

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unsafe"

	"soup/merge/internal/kernel"
)

// The limits beyond which a checkpoint is pointed out. Fine-tunes of one base
// have a cosine with it above 0.9, two pre-training runs of one architecture about
// 0; what lies between is rare. In the garden a learning rate ten times too high
// moves a fine-tune six times as far as the others, while fine-tunes of very
// different length stay within twice their median.
const (
	unrelated = 0.5  // cosine of the weights with the base's, below
	rescaled  = 0.2  // how far the scale of the weights is from the base's, above
	straight  = 0.95 // cosine from which on a scale says something
	far       = 3.0  // times the median length of the other parents' task vectors
	same      = 0.05 // distance of two parents over the length of the longer task vector
	against   = -0.3 // cosine of two task vectors, below; with a base only
)

// Findings points out the parents that should not be averaged as they are: from
// another pre-training run, scaled, moved much farther than the others, with
// layers or rows of embeddings in each other's place, or nearly the same as
// another. Where values are not finite that alone is said: they spoil what was
// measured of all. All are warnings: they are measured, and some are wanted.
func (g Geometry) Findings() Findings {
	if len(g.broken) > 0 {
		return g.broken
	}
	var found Findings
	v := g.Groups[0]
	if len(g.Parents) == 1 && g.Base == "" {
		return nil // there is nothing to hold it against
	}
	for i := range g.Parents {
		found = append(found, g.parent(v, i)...)
	}
	return append(found, g.pairs(v)...)
}

// parent looks for what explains a parent best: an outlier may be one because
// its layers were permuted.
func (g Geometry) parent(v GroupVector, i int) Findings {
	if !finite(v.Lengths[i]) || !finite(v.Moved[i]) {
		return Findings{{"outlier", Warn, g.Parents[i], "", "its weights are too large to be measured", "leave this parent out or repair it"}}
	}
	inside := append(g.layersOf(i), g.rowsOf(i)...)
	for _, f := range inside {
		if f.Severity == Warn {
			return inside
		}
	}
	if f := g.whole(v, i); f != nil {
		return Findings{*f}
	}
	return inside
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// whole looks at all of a parent's weights at once; nil if nothing is unusual.
func (g Geometry) whole(v GroupVector, i int) *Finding {
	related, scale := g.related(v, i)
	others := "the other parents"
	if g.Base != "" {
		others = g.Base
	}
	message, remedy, code := "", "", ""
	switch {
	case related < unrelated:
		code, remedy = "other-origin", "average only checkpoints that come from one pre-training run; leave this parent out"
		message = fmt.Sprintf("the cosine of its weights with those of %s is %.2f: another pre-training run, or units in another order", others, related)
	case math.Abs(scale-1) > rescaled && related >= straight:
		code, remedy = "scaled", "undo the scaling, or leave this parent out"
		message = fmt.Sprintf("its weights are %.2f times those of %s", scale, others)
	case g.farther(v, i) > far:
		code, remedy = "outlier", "look at how it was trained (learning rate, divergence); leave it out unless its own scores are good"
		message = fmt.Sprintf("it moved %.1f times as far as the median of the other parents", g.farther(v, i))
	default:
		return nil
	}
	return &Finding{code, Warn, g.Parents[i], "", message, remedy}
}

// related is the cosine of a parent's weights with the base's, and how many times
// those it is; without a base, with the most alike of the other parents, and the
// median of what it is of them.
func (g Geometry) related(v GroupVector, i int) (cosine, scale float64) {
	if g.Base != "" {
		return v.Alike(i), v.Scale(i)
	}
	cosine = 1
	var scales []float64
	for j := range g.Parents {
		if j == i {
			continue
		}
		product := (v.Lengths[i]*v.Lengths[i] + v.Lengths[j]*v.Lengths[j] - math.Pow(v.Distance(i, j), 2)) / 2
		alike := ratio(product, v.Lengths[i]*v.Lengths[j])
		if len(scales) == 0 || alike > cosine {
			cosine = alike
		}
		scales = append(scales, ratio(product, v.Lengths[j]*v.Lengths[j]))
	}
	if len(scales) < 2 { // of two, which one is scaled cannot be told
		return cosine, 1
	}
	return cosine, median(scales)
}

// farther is the length of a task vector over the median of the others'; 0 where
// there are too few to tell.
func (g Geometry) farther(v GroupVector, i int) float64 {
	others := slices.Delete(slices.Clone(v.Moved), i, i+1)
	if len(others) < 2 {
		return 0
	}
	return ratio(v.Moved[i], median(others))
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}

// pairs points out parents that say the same, and the opposite.
func (g Geometry) pairs(v GroupVector) Findings {
	var found Findings
	for i := range g.Parents {
		for j := range i {
			switch d, longer := v.Distance(i, j), max(v.Moved[i], v.Moved[j]); {
			case longer > 0 && d < same*longer && (g.Base != "" || len(g.Parents) > 2):
				found = append(found, Finding{
					"near-duplicate", Warn, g.Parents[i], "",
					fmt.Sprintf("nearly the same as %s: they differ by %.1f %% of what they moved", g.Parents[j], 100*d/longer),
					"keep one of them: together they only get twice the weight",
				})
			case g.Base != "" && v.Cosines[i][j] < against:
				found = append(found, Finding{
					"opposed", Note, g.Parents[i], "",
					fmt.Sprintf("the cosine of its task vector with that of %s is %.2f: averaging undoes part of both", g.Parents[j], v.Cosines[i][j]), "",
				})
			}
		}
	}
	return found
}

// misplacedLayers are the layers of a parent whose weights are nothing like the
// reference's, if other weights are.
func (g Geometry) misplacedLayers(i int) []int {
	var low []int
	other := false
	for l, v := range g.layers {
		cosine, _ := g.related(v, i)
		if l >= 0 && cosine < unrelated {
			low = append(low, l)
		}
		other = other || cosine > straight
	}
	if !other {
		return nil
	}
	slices.Sort(low)
	return low
}

// layersOf says where the layers of a parent are, if not in their places.
func (g Geometry) layersOf(i int) Findings {
	layers := g.misplacedLayers(i)
	if len(layers) == 0 {
		return nil
	}
	f := Finding{
		"other-layers", Warn, g.Parents[i], "",
		fmt.Sprintf("%s of it %s nothing like the same of %s", layerNames(layers), isOrAre(layers), g.reference(i).path), "leave this parent out: its layers were replaced, or their units are in another order",
	}
	at := g.places(i, layers)
	if at == nil {
		return Findings{f}
	}
	var moves []string
	for k, l := range layers {
		moves = append(moves, fmt.Sprintf("%d is in the place of %d", at[k], l))
	}
	f.Code, f.Remedy = "permuted-layers", "put its layers into the order of the others, or leave this parent out"
	f.Message = fmt.Sprintf("its layers are permuted: %s", some(moves, "layers"))
	return Findings{f}
}

func layerNames(layers []int) string {
	names := strings.Trim(strings.ReplaceAll(fmt.Sprint(layers), " ", ", "), "[]")
	if len(layers) == 1 {
		return "layer " + names
	}
	return "layers " + names
}

func isOrAre(layers []int) string {
	if len(layers) == 1 {
		return "is"
	}
	return "are"
}

// reference is what a parent is held against where one checkpoint is needed: the
// base, or the most alike of the other parents.
func (g Geometry) reference(i int) *Checkpoint {
	if base := g.open[len(g.Parents)]; base != nil {
		return base
	}
	v, best := g.Groups[0], -1
	for j := range g.Parents {
		if j != i && (best < 0 || v.Distance(i, j) < v.Distance(i, best)) {
			best = j
		}
	}
	return g.open[best]
}

// places finds, for each of a parent's layers, the layer of the reference whose
// weights it has; nil unless all are found.
func (g Geometry) places(i int, layers []int) []int {
	reference := g.reference(i)
	at := make([]int, len(layers))
	for k, l := range layers {
		at[k] = -1
		for _, m := range layers {
			if cosineOfLayers(g.open[i], reference, l, m) > unrelated {
				at[k] = m
			}
		}
		if at[k] < 0 {
			return nil
		}
	}
	return at
}

// cosineOfLayers compares the beginnings of the largest tensors that two layers
// have: 65,536 elements tell.
func cosineOfLayers(a, b *Checkpoint, l, m int) float64 {
	var name string
	most := int64(-1)
	for _, t := range a.tensors {
		if layer(t.Name) == l && t.DType.Averageable() && t.Elements() > most {
			name, most = t.Name, t.Elements()
		}
	}
	own := layerName.FindStringSubmatchIndex(name)
	if own == nil {
		return 0
	}
	x := floatsAt(a, name, 0, 1<<16)
	y := floatsAt(b, fmt.Sprintf("%s%d%s", name[:own[2]], m, name[own[3]:]), 0, 1<<16)
	if len(x) == 0 || len(x) != len(y) {
		return 0
	}
	return cosine(x, y)
}

// floatsAt reads at most n elements of a tensor from one on; nil if it cannot,
// which says no more than that this cannot be compared.
func floatsAt(c *Checkpoint, name string, begin, n int64) []float32 {
	i, ok := c.index[name]
	if !ok {
		return nil
	}
	n = min(n, c.tensors[i].Elements()-begin)
	values := make([]float32, n)
	err := guarded(c.files, func() error {
		data, err := c.window(i, begin, n, nil)
		if err == nil {
			o := kernel.Operand{Data: data, Type: kernel.Type(c.tensors[i].DType), Weight: 1}
			kernel.Sum(bytesOf(values), []kernel.Operand{o}, kernel.None, kernel.F32)
		}
		return err
	})
	if err != nil {
		return nil
	}
	return values
}

// bytesOf is the memory of float32 values, which the kernel writes as on every
// processor that soup runs on: little-endian.
func bytesOf(values []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values))
}

func cosine(x, y []float32) float64 {
	return ratio(product(x, y), math.Sqrt(product(x, x)*product(y, y)))
}

func product(x, y []float32) float64 {
	sum := 0.0
	for i := range x {
		sum += float64(x[i]) * float64(y[i])
	}
	return sum
}
