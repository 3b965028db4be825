package plots

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// inf leaves an axis as it is in a DataRange.
var inf = math.Inf(1)

// whisker is a mark with a vertical interval.
type whisker struct {
	at        plotter.XY
	low, high float64
	style     draw.GlyphStyle
	level     bool // the interval lies along x
}

// Plot implements [plot.Plotter].
func (w *whisker) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	line := stroke(black, 0.8)
	if w.level {
		c.StrokeLine2(line, x(w.low), y(w.at.Y), x(w.high), y(w.at.Y))
	} else {
		c.StrokeLine2(line, x(w.at.X), y(w.low), x(w.at.X), y(w.high))
	}
	c.DrawGlyphNoClip(w.style, vg.Point{X: x(w.at.X), Y: y(w.at.Y)})
}

// DataRange implements [plot.DataRanger].
func (w *whisker) DataRange() (xmin, xmax, ymin, ymax float64) {
	if w.level {
		return min(w.low, w.at.X), max(w.high, w.at.X), w.at.Y, w.at.Y
	}
	return w.at.X, w.at.X, min(w.low, w.at.Y), max(w.high, w.at.Y)
}

// GlyphBoxes implements [plot.GlyphBoxer].
func (w *whisker) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	return []plot.GlyphBox{{X: p.X.Norm(w.at.X), Y: p.Y.Norm(w.at.Y), Rectangle: w.style.Rectangle()}}
}

// upright is a vertical line across the panel.
type upright struct {
	x     float64
	style draw.LineStyle
}

// Plot implements [plot.Plotter].
func (u upright) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	c.StrokeLine2(u.style, x(u.x), c.Min.Y, x(u.x), c.Max.Y)
}

// DataRange implements [plot.DataRanger].
func (u upright) DataRange() (xmin, xmax, ymin, ymax float64) {
	return u.x, u.x, inf, -inf
}

// note is text in the panel.
type note struct {
	at    plotter.XY
	text  string
	style textStyleOf
	dx    vg.Length
	dy    vg.Length
}

// Plot implements [plot.Plotter].
func (n note) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	write(c, n.style, vg.Point{X: x(n.at.X) + n.dx, Y: y(n.at.Y) + n.dy}, n.text)
}

// GlyphBoxes implements [plot.GlyphBoxer]: the panel leaves room for the text.
func (n note) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	box := n.style.Rectangle(printable(n.text))
	box.Min, box.Max = box.Min.Add(vg.Point{X: n.dx, Y: n.dy}), box.Max.Add(vg.Point{X: n.dx, Y: n.dy})
	return []plot.GlyphBox{{X: p.X.Norm(n.at.X), Y: p.Y.Norm(n.at.Y), Rectangle: box}}
}

// polyline is a line from data.
func polyline(style draw.LineStyle, points ...plotter.XY) *plotter.Line {
	return &plotter.Line{XYs: slices.Clone(points), LineStyle: style}
}

// How parents, soups and the winner look in every figure.
func parentGlyph() draw.GlyphStyle { return glyph(black, 2.8, draw.BoxGlyph{}) }
func soupGlyph() draw.GlyphStyle   { return glyph(blue, 2.6, draw.CircleGlyph{}) }
func winnerGlyph() draw.GlyphStyle { return glyph(vermillion, 5.5, star{black}) }

func glyphOf(r results.Report, c candidate) draw.GlyphStyle {
	switch {
	case isWinner(r, c.Number):
		return winnerGlyph()
	case c.single:
		return parentGlyph()
	}
	return soupGlyph()
}

// whisker is a mark at x and y with an interval from low to high, in this order.
func (r Row) whisker(style draw.GlyphStyle) *whisker {
	v := r.Values
	return &whisker{at: plotter.XY{X: v[0], Y: v[1]}, low: v[2], high: v[3], style: style}
}

// add adds a candidate's search score with its interval, somewhere along x.
func (c candidate) add(to *Series, x float64) Row {
	return to.add(c.name(), x, c.score, c.score-z95*c.se, c.score+z95*c.se)
}
