package web

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"soup/internal/follow"
	"soup/results"
)

// chart is a picture of search scores against items answered.
type chart struct {
	W, H                     int
	Left, Right, Top, Bottom float64 // of the area of the plot
	Cloud, Below, Parents    string  // paths of marks: candidates, those below the axis, single checkpoints
	Line                     string  // best so far
	Single                   *mark   // height of the best single checkpoint
	Best                     *mark
	X, Y                     []tick
	N                        int // candidates
}

type mark struct{ X, Y float64 }

type tick struct {
	At    float64
	Label string
}

// point is a scored trial.
type point struct {
	items, score float64
	single       bool
}

// scored are the trials with a search score, by the items answered until then: as
// far as the ledger has been read.
func scored(s *follow.Study) (list []point, items float64) {
	for i := range s.Trials {
		t := &s.Trials[i]
		if t.Unread() {
			break
		}
		items += float64(t.Splits[results.Search].N)
		if t.Search != nil && t.Strategy != "base" {
			list = append(list, point{items, *t.Search, t.Strategy == "single"})
		}
	}
	return list, items
}

// draw makes a chart of a size in pixels; nil while there is nothing to draw.
func draw(s *follow.Study, w, h int) *chart {
	list, items := scored(s)
	if len(list) == 0 {
		return nil
	}
	c := &chart{W: w, H: h, Left: 44, Right: float64(w) - 14, Top: 14, Bottom: float64(h) - 40, N: len(list)}
	low, high := window(list)
	ticks := steps(low, high, 5)
	low, high = math.Min(low, ticks[0]), math.Max(high, ticks[len(ticks)-1])
	x := func(v float64) float64 { return c.Left + (c.Right-c.Left)*v/items }
	y := func(v float64) float64 { return c.Bottom - (c.Bottom-c.Top)*(v-low)/(high-low) }
	for _, t := range ticks {
		c.Y = append(c.Y, tick{pixel(y(t)), trimZero(100 * t)})
	}
	for _, t := range steps(0, items, max(3, w/130)) {
		if t <= items {
			c.X = append(c.X, tick{pixel(x(t)), short(t)})
		}
	}
	c.trace(list, x, y, low)
	c.label(s, x, y)
	return c
}

// pixel is a place to a tenth of a pixel.
func pixel(v float64) float64 { return math.Round(10*v) / 10 }

// window is the range of scores that is drawn: a broken parent far below the rest
// must not squeeze the rest into a line.
func window(list []point) (low, high float64) {
	scores := make([]float64, len(list))
	for i, p := range list {
		scores[i] = p.score
	}
	slices.Sort(scores)
	low, high = scores[0], scores[len(scores)-1]
	if median := scores[len(scores)/2]; median < high {
		low = max(low, high-4*(high-median))
	}
	if high-low < .01 {
		low, high = low-.005, high+.005
	}
	return low, high
}

// steps are round numbers from low or below to high or above, about n of them.
func steps(low, high float64, n int) []float64 {
	size := (high - low) / float64(n)
	unit := math.Pow(10, math.Floor(math.Log10(size)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*unit >= size {
			unit *= m
			break
		}
	}
	var list []float64
	for i := math.Floor(low / unit); ; i++ {
		list = append(list, i*unit)
		if i*unit >= high {
			return list
		}
	}
}

// dots are the most marks that a cloud has: thousands lie upon one another.
const dots = 700

// trace draws the marks and the line.
func (c *chart) trace(list []point, x, y func(float64) float64, low float64) {
	var cloud, below, parents [][2]float64
	var line strings.Builder
	best := math.Inf(-1)
	for _, p := range list {
		at := [2]float64{x(p.items), y(p.score)}
		switch {
		case p.score < low:
			below = append(below, [2]float64{at[0], c.Bottom - 4})
		case p.single:
			parents = append(parents, at)
		default:
			cloud = append(cloud, at)
		}
		if p.score > best {
			step(&line, at, best >= low)
			best = p.score
		}
	}
	fmt.Fprintf(&line, "H%.1f", c.Right)
	c.Line = line.String()
	c.Cloud = paths(thin(cloud), "h0")
	c.Parents = paths(thin(parents), "m-4 0l4-4 4 4-4 4z")
	c.Below = paths(thin(below), "m-3-3h6l-3 5z")
}

// step goes on with a line to the right, then up. What is below the axis begins
// no line.
func step(line *strings.Builder, to [2]float64, goesOn bool) {
	if !goesOn {
		line.Reset()
		fmt.Fprintf(line, "M%.1f %.1f", to[0], to[1])
		return
	}
	fmt.Fprintf(line, "H%.1fV%.1f", to[0], to[1])
}

// thin leaves one mark of those that nobody could tell apart.
func thin(marks [][2]float64) [][2]float64 {
	for cell := 1.0; len(marks) > dots; cell *= 1.5 {
		seen := map[[2]int]bool{}
		marks = slices.DeleteFunc(slices.Clone(marks), func(m [2]float64) bool {
			at := [2]int{int(m[0] / cell), int(m[1] / cell)}
			was := seen[at]
			seen[at] = true
			return was
		})
	}
	return marks
}

// paths is one path with the shape at each mark.
func paths(marks [][2]float64, shape string) string {
	var b strings.Builder
	for _, m := range marks {
		fmt.Fprintf(&b, "M%.1f %.1f%s", m[0], m[1], shape)
	}
	return b.String()
}

// label points out the best of all and the best single checkpoint.
func (c *chart) label(s *follow.Study, x, y func(float64) float64) {
	if s.Single != nil {
		c.Single = &mark{c.Right, pixel(y(*s.Single.Search))}
	}
	if s.Best == nil {
		return
	}
	answered := 0.0
	for i := 0; i <= s.Best.Number && i < len(s.Trials); i++ {
		answered += float64(s.Trials[i].Splits[results.Search].N)
	}
	c.Best = &mark{pixel(x(answered)), pixel(y(*s.Best.Search))}
}
