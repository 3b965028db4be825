package study

import (
	"fmt"
	"slices"
	"strings"

	"soup/internal/usage"
	"soup/merge/method"
	"soup/search"
)

// windowStrategy averages along one training run, whose checkpoints are the
// parents, oldest first. It is here, not in package search: its soups are known
// before any outcome, and their weights are those of soup average.
const windowStrategy = "window"

// strategyNames are all that a study file can name.
func strategyNames() []string { return append(search.Names(), windowStrategy, planeStrategy) }

// window says which averages are tried: every method over the last K checkpoints,
// K from 2 to Last, and over the K before the newest, up to Offsets of those left
// out.
type window struct {
	Methods  []string
	Last     int     // default all checkpoints
	Offsets  int     // default 0
	HalfLife float64 // of the method ema, in checkpoints; default half of K
	Curve    int     // see trail; default 4
}

// windowSizes are the K that are tried, the last one beside them.
var windowSizes = []int{2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64}

// readWindow reads the options of the study file for n checkpoints.
func readWindow(given map[string]any, n int) (window, error) {
	w := window{Last: n, Curve: 4}
	for _, m := range method.RunNames() {
		if m != "wsm-linear" { // the same as uniform
			w.Methods = append(w.Methods, m)
		}
	}
	for name, value := range given {
		ok := false
		switch name {
		case "methods":
			w.Methods, ok = texts(value)
			for _, m := range w.Methods {
				if !slices.Contains(method.RunNames(), m) {
					return w, fmt.Errorf("strategy window: option methods: %q is none of %s", m, strings.Join(method.RunNames(), ", "))
				}
			}
		case "last":
			w.Last, ok = wholeNumber(value, 2, n)
		case "offsets":
			w.Offsets, ok = wholeNumber(value, 0, n-2)
		case "curve":
			w.Curve, ok = wholeNumber(value, 0, n)
		case "half_life":
			w.HalfLife, ok = positive(value)
		default:
			return w, fmt.Errorf("strategy window: unknown option %q; it takes methods, last, offsets, half_life, curve", name)
		}
		if !ok {
			return w, fmt.Errorf("strategy window: option %s: %v is not possible with %d checkpoints", name, value, n)
		}
	}
	return w, nil
}

// texts is a list of texts, or one.
func texts(value any) ([]string, bool) {
	if one, ok := value.(string); ok {
		return []string{one}, true
	}
	list, ok := value.([]any)
	var out []string
	for _, v := range list {
		text, isText := v.(string)
		ok = ok && isText
		out = append(out, text)
	}
	return out, ok && len(out) > 0
}

// wholeNumber is a whole number of the study file between two bounds.
func wholeNumber(value any, low, high int) (int, bool) {
	n, ok := value.(uint64)
	return int(n), ok && int(n) >= low && n <= uint64(max(0, high))
}

func positive(value any) (float64, bool) {
	switch v := value.(type) {
	case uint64:
		return float64(v), v > 0
	case float64:
		return v, v > 0
	}
	return 0, false
}

// newWindow makes the strategy.
func newWindow(given map[string]any, space search.Space) (search.Strategy, error) {
	n := len(space.Parents)
	if n < 2 {
		return nil, fmt.Errorf("strategy window: %d checkpoint; a window needs two", n)
	}
	w, err := readWindow(given, n)
	if err != nil {
		return nil, err
	}
	var points []search.Point
	for offset := 0; offset <= w.Offsets; offset++ {
		for _, size := range w.sizes(n - offset) {
			for _, name := range w.Methods {
				p, err := w.point(name, size, offset, space)
				if err != nil {
					return nil, err
				}
				points = append(points, p)
			}
		}
	}
	trail, err := w.trail(n, space)
	if err != nil {
		return nil, err
	}
	return search.Listed(windowStrategy, append(points, trail...)), nil
}

// trail are the means of the last Curve checkpoints, or of as many as there are
// yet, as they were at every earlier step of the run: what the report draws beside
// the single checkpoints. 0 and 1 are none.
func (w window) trail(n int, space search.Space) (points []search.Point, err error) {
	for offset := 1; offset <= n-2 && w.Curve > 1; offset++ {
		p, err := w.point("uniform", min(w.Curve, n-offset), offset, space)
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}

// sizes are the windows over at most n checkpoints.
func (w window) sizes(n int) []int {
	most := min(w.Last, n)
	var sizes []int
	for _, k := range windowSizes {
		if k < most {
			sizes = append(sizes, k)
		}
	}
	return append(sizes, most)
}

// point averages size checkpoints, the newest of them offset before the end.
func (w window) point(name string, size, offset int, space search.Space) (search.Point, error) {
	o := method.Options{Last: size}
	label := fmt.Sprintf("%s, last %d", name, size)
	if name == "ema" {
		if o.HalfLife = w.HalfLife; o.HalfLife == 0 {
			o.HalfLife = float64(size) / 2
		}
		label = fmt.Sprintf("ema, last %d, half-life %v", size, o.HalfLife)
	}
	if offset > 0 {
		label += fmt.Sprintf(", without the newest %d", offset)
	}
	row, err := method.Run(name, len(space.Parents)-offset, o)
	if err != nil {
		return search.Point{}, usage.Errorf("strategy window: %s", err)
	}
	row = append(row, make([]float64, offset)...)
	for i := range row {
		row[i] *= space.Sum
	}
	p := search.Point{Label: label}
	for range space.Groups {
		p.Weights = append(p.Weights, slices.Clone(row))
	}
	return p, nil
}
