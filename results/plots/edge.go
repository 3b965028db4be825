package plots

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

const (
	minOnEdge = 3  // candidates that make a curve: one between the ends at least
	maxEdges  = 12 // that a figure has room for
)

// edge is what was tried between two parents.
type edge struct {
	ends   [2]int // parents
	points []edgePoint
}

// edgePoint is a candidate; at is the weight of the second parent, the rest is
// the first's.
type edgePoint struct {
	at float64
	candidate
}

// edges are the pairs of parents with candidates enough between them, those with
// the most first, then those that rise the most above their ends.
func edges(r results.Report) []edge {
	list := candidates(r)
	var found []edge
	for i := range r.Parents {
		for j := i + 1; j < len(r.Parents); j++ {
			e := edge{ends: [2]int{i, j}}
			inner := 0
			for _, c := range list {
				if at, on := position(c, i, j); on {
					e.points = append(e.points, edgePoint{at, c})
					if at > 0 && at < 1 {
						inner++
					}
				}
			}
			if len(e.points) >= minOnEdge && inner > 0 {
				slices.SortStableFunc(e.points, func(a, b edgePoint) int { return cmp.Compare(a.at, b.at) })
				found = append(found, e)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b edge) int {
		return cmp.Or(cmp.Compare(len(b.points), len(a.points)), cmp.Compare(b.rise(), a.rise()))
	})
	return found
}

// position is the weight of parent j in a candidate of i and j alone that has the
// same weights in all groups; false for any other.
func position(c candidate, i, j int) (at float64, on bool) {
	for _, row := range c.rows {
		for k, w := range row {
			if w != 0 && k != i && k != j || w != c.rows[0][k] {
				return 0, false
			}
		}
	}
	return c.rows[0][j], true
}

// rise is how far the best inner point lies above the higher end, in points.
func (e edge) rise() float64 {
	top, ends := -inf, -inf
	for _, p := range e.points {
		if p.single {
			ends = max(ends, p.score)
		} else {
			top = max(top, p.score)
		}
	}
	return top - ends
}

func drawEdges(r results.Report) (*Figure, string) {
	if len(r.Parents) == 2 {
		return nil, "with two parents, the figure of weights shows it"
	}
	list := edges(r)
	if len(list) == 0 {
		return nil, fmt.Sprintf("no two parents have %d candidates on the line between them", minOnEdge)
	}
	f := &Figure{title: "Between two parents: score on search along the line"}
	f.subtitle = fmt.Sprintf("%s with %d candidates or more (n = %d items each)%s", plural(len(list), "pair"), minOnEdge, commonItems(r, search), noted(candidates(r), "; bars are 95 % intervals"))
	if len(list) > maxEdges {
		f.subtitle += fmt.Sprintf("; the %d with the most candidates, and of those that rise the most", maxEdges)
		list = list[:maxEdges]
	}
	names := short(r.Parents, 16)
	var panels []*plot.Plot
	for _, e := range list {
		panels = append(panels, f.edgePanel(r, e, names))
	}
	shareAxes(panels)
	f.keys = []key{
		glyphKey("soup", soupGlyph()), glyphKey("parent", parentGlyph()),
		lineKey("between the parents' scores", chordStyle()),
	}
	f.tile(panels)
	return f, ""
}

func (f *Figure) edgePanel(r results.Report, e edge, names []string) *plot.Plot {
	p := newPanel("weight of "+names[e.ends[1]], "points")
	p.Title.Text = names[e.ends[0]] + " to " + names[e.ends[1]]
	addGrid(p, false, true)
	from, to := r.Parents[e.ends[0]], r.Parents[e.ends[1]]
	points := f.series(from+" to "+to, intervalColumns("weight of "+to, "search")...)
	var ends [2]*candidate
	for i, x := range e.points {
		x.add(points, x.at)
		if x.single {
			ends[int(x.at)] = &e.points[i].candidate
		}
	}
	addChord(p, ends)
	p.Add(&plotter.Line{XYs: points.xys(), LineStyle: stroke(blue, 0.8)})
	for i, x := range e.points {
		p.Add(points.Rows[i].whisker(glyphOf(r, x.candidate)))
	}
	return p
}

// shareAxes gives panels the same range, so that they can be compared.
func shareAxes(panels []*plot.Plot) {
	low, high := inf, -inf
	for _, p := range panels {
		low, high = min(low, p.Y.Min), max(high, p.Y.Max)
	}
	for _, p := range panels {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = min(p.X.Min, 0), max(p.X.Max, 1), low, high
	}
}

// tile sets panels beside and below each other.
func (f *Figure) tile(panels []*plot.Plot) {
	const perRow = 3
	cols := min(perRow, len(panels))
	rows := (len(panels) + cols - 1) / cols
	grid := make([][]*plot.Plot, rows)
	for i := range grid {
		grid[i] = make([]*plot.Plot, cols)
		copy(grid[i], panels[i*cols:min((i+1)*cols, len(panels))])
	}
	f.width, f.height = 6.5*vg.Inch, (0.9+1.8*vg.Length(rows))*vg.Inch
	f.body = func(c draw.Canvas) {
		tiles := draw.Tiles{Rows: rows, Cols: cols, PadX: 10, PadY: 8}
		for i, row := range plot.Align(grid, tiles, c) {
			for j, canvas := range row {
				if grid[i][j] != nil {
					grid[i][j].Draw(canvas)
				}
			}
		}
	}
}
