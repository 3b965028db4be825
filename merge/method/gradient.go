package method

import (
	"math"
	"regexp"
	"strconv"
)

// Gradient interpolates between numbers that are spread evenly over 0 to 1, the
// first at 0 and the last at 1. One number holds everywhere. t must lie in 0 to
// 1 and numbers must not be empty. As evaluate_setting of mergekit/config.py at
// a6e4028.
func Gradient(numbers []float64, t float64) float64 {
	at := t * float64(len(numbers)-1)
	i := int(math.Floor(at))
	next := min(len(numbers)-1, i+1)
	part := at - float64(i)
	return float64((1-part)*numbers[i]) + float64(part*numbers[next])
}

// Layers says which layer each tensor belongs to.
type Layers struct {
	Of    map[string]int // tensors outside of the layers are absent
	Count int
	// Stacks are what stands before the layers' numbers, such as
	// "model.layers"; more than one in models with several towers.
	Stacks []string
}

var layerNumber = regexp.MustCompile(`\.(\d+)\.`)

// LayersOf finds layers by the first number in each tensor's name, as mergekit
// does for architectures it has no list of (mergekit/architecture/auto.py at
// a6e4028).
func LayersOf(tensors []string) Layers {
	l := Layers{Of: map[string]int{}}
	seen := map[string]bool{}
	for _, name := range tensors {
		at := layerNumber.FindStringSubmatchIndex(name)
		if at == nil {
			continue
		}
		n, err := strconv.Atoi(name[at[2]:at[3]])
		if err != nil || n > 1<<20 {
			continue // no layer's number
		}
		l.Of[name], l.Count = n, max(l.Count, n+1)
		if stack := name[:at[0]]; !seen[stack] {
			seen[stack], l.Stacks = true, append(l.Stacks, stack)
		}
	}
	return l
}

// Depth returns where tensors of a layer lie in a gradient: 0 for the first of
// count layers, 1 for the last, 1 for the only one. As plan_slice of
// mergekit/plan.py at a6e4028; what lies before and behind the layers is at 0.
func Depth(layer, count int) float64 {
	if count < 2 {
		return 1
	}
	return float64(layer) / float64(count-1)
}

// at returns a gradient's number for a tensor.
func (l Layers) at(numbers []float64, tensor string) float64 {
	layer, ok := l.Of[tensor]
	if !ok {
		return Gradient(numbers, 0)
	}
	return Gradient(numbers, Depth(layer, l.Count))
}
