package plots

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// gain is a row of the figure: a paired difference, in points.
type gain struct {
	label            string
	delta, low, high float64
	n                int
	verdict          string
	overall          bool
}

func gainOf(label string, d results.Difference) gain {
	return gain{label: label, delta: 100 * d.Delta, low: 100 * d.Low, high: 100 * d.High, n: d.N, verdict: d.Verdict}
}

// gains are the winner's differences to the best single checkpoint, in the
// report's order, and over all categories last; and to each category's best
// parent, where that was scored.
func gains(r results.Report) (single, specialists []gain) {
	for _, c := range r.Comparisons {
		if c.Of != results.OfWinner || c.Against != results.OfBestSingle || c.Split != results.Test {
			continue
		}
		for _, x := range c.Categories {
			single = append(single, gainOf(x.Category, x.Difference))
		}
		all := gainOf("all categories", c.Difference)
		all.overall = true
		single = append(single, all)
	}
	if r.Inheritance != nil {
		for _, s := range r.Inheritance.Specialists {
			specialists = append(specialists, gainOf(s.Category+": "+s.Parent, s.Difference))
		}
	}
	return single, specialists
}

// drawCategories sets the winner against the best single checkpoint, and below
// against the best parent of each category.
func drawCategories(r results.Report) (*Figure, string) {
	single, specialists := gains(r)
	switch {
	case r.Winner == nil:
		return nil, "the study has no winner yet"
	case len(single) == 0:
		return nil, "the winner was not compared with the best single checkpoint: it is that, or test items lack scores"
	}
	f := &Figure{title: "The winner on test, category by category", width: 6.5 * vg.Inch}
	f.subtitle = "difference in points with its paired 95 % interval; right of 0 the winner is better, left of it worse; n items answered by both"
	sure, noise := glyph(black, 3, draw.BoxGlyph{}), glyph(black, 3, edgedBox{})
	f.keys = []key{glyphKey("better or worse", sure), glyphKey("may be noise (~)", noise)}
	top := f.gainPanel("winner less best single checkpoint"+bestSingle(r), single, sure, noise)
	panels, rows := [][]*plot.Plot{{top}}, []int{len(single)}
	if len(specialists) > 0 {
		panels = append(panels, []*plot.Plot{f.gainPanel("winner less each category's best parent (by search)", specialists, sure, noise)})
		rows = append(rows, len(specialists))
	}
	low, high := inf, -inf
	for _, p := range panels {
		low, high = min(low, p[0].X.Min), max(high, p[0].X.Max)
	}
	total := 0
	for i, p := range panels {
		p[0].X.Min, p[0].X.Max = low, high
		total += rows[i] + 3
	}
	f.height = vg.Length(total)*15 + 70
	f.body = func(c draw.Canvas) {
		// A row is as high in one panel as in the other.
		h := (c.Max.Y - c.Min.Y) / vg.Length(total)
		upper := plot.Align([][]*plot.Plot{{panels[0][0]}}, draw.Tiles{Rows: 1, Cols: 1}, draw.Crop(c, 0, 0, c.Max.Y-c.Min.Y-h*vg.Length(rows[0]+3), 0))
		if len(panels) == 1 {
			panels[0][0].Draw(upper[0][0])
			return
		}
		alignedLeft(panels[0][0], panels[1][0], upper[0][0], draw.Crop(c, 0, 0, 0, -h*vg.Length(rows[0]+3)-4))
	}
	return f, ""
}

// alignedLeft draws two plots, one above the other, over the same x axis.
func alignedLeft(a, b *plot.Plot, above, below draw.Canvas) {
	left := func(p *plot.Plot, c draw.Canvas) (l, r vg.Length) {
		d := p.DataCanvas(c)
		return d.Min.X - c.Min.X, c.Max.X - d.Max.X
	}
	al, ar := left(a, above)
	bl, br := left(b, below)
	l, r := max(al, bl), max(ar, br)
	a.Draw(draw.Crop(above, l-al, ar-r, 0, 0))
	b.Draw(draw.Crop(below, l-bl, br-r, 0, 0))
}

func bestSingle(r results.Report) string {
	for _, s := range r.Strategies {
		if s.Strategy == "single" {
			return ", " + shortName(s.Label, 30)
		}
	}
	return ""
}

func (f *Figure) gainPanel(title string, rows []gain, sure, noise draw.GlyphStyle) *plot.Plot {
	p := newPanel("points", "")
	p.Title.Text = title
	addGrid(p, true, false)
	p.Add(upright{0, stroke(black, 0.8)})
	data := f.series(title, "difference", "low", "high", "n")
	labels := make([]string, len(rows))
	for i, g := range rows {
		labels[i] = g.label
	}
	labels = short(labels, 34)
	var ticks plot.ConstantTicks
	for i, g := range rows {
		y := float64(len(rows) - 1 - i)
		ticks = append(ticks, plot.Tick{Value: y, Label: labels[i]})
		style := sure
		if g.verdict == results.Noise {
			style = noise
		}
		if g.overall {
			style.Radius *= 1.4
			p.Add(level{y + 0.5, stroke(pale, 0.8)})
		}
		shown := data.add(g.label, g.delta, g.low, g.high, float64(g.n)).Values
		p.Add(&whisker{at: plotter.XY{X: shown[0], Y: y}, low: shown[1], high: shown[2], style: style, level: true})
	}
	p.Add(figures{rows})
	p.Y.Tick.Marker, p.Y.Tick.Length, p.Y.LineStyle.Width = ticks, 0, 0
	p.Y.Min, p.Y.Max = -0.5, float64(len(rows))-0.5
	return p
}

// figures writes the numbers of the rows right of the panel.
type figures struct{ rows []gain }

func (f figures) text(i int) string {
	g := f.rows[i]
	delta := signed(g.delta)
	if g.verdict == results.Noise {
		delta = results.Noise
	}
	return fmt.Sprintf("%s [%s, %s] n = %d", delta, signed(g.low), signed(g.high), g.n)
}

func signed(points float64) string { return fmt.Sprintf("%+.1f", points+0) }

// Plot implements [plot.Plotter].
func (f figures) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for i := range f.rows {
		style := aligned(draw.XLeft, draw.YCenter)
		if f.rows[i].overall {
			style.Font.Weight = boldStyle(8).Font.Weight
		}
		write(c, style, vg.Point{X: c.Max.X + 8, Y: y(float64(len(f.rows) - 1 - i))}, f.text(i))
	}
}

// GlyphBoxes implements [plot.GlyphBoxer]: the panel leaves room for the text.
func (f figures) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	wide := vg.Length(0)
	for i := range f.rows {
		wide = max(wide, boldStyle(8).Width(f.text(i)))
	}
	return []plot.GlyphBox{{X: 1, Y: 0.5, Rectangle: vg.Rectangle{Max: vg.Point{X: wide + 10}}}}
}

// level is a horizontal line across the panel.
type level struct {
	y     float64
	style draw.LineStyle
}

// Plot implements [plot.Plotter].
func (l level) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	c.StrokeLine2(l.style, c.Min.X, y(l.y), c.Max.X, y(l.y))
}

// edgedBox is a square that hides the line behind it.
type edgedBox struct{}

// DrawGlyph implements [draw.GlyphDrawer].
func (edgedBox) DrawGlyph(c *draw.Canvas, g draw.GlyphStyle, at vg.Point) {
	c.SetColor(white)
	draw.BoxGlyph{}.DrawGlyph(c, glyph(white, g.Radius.Points(), nil), at)
	draw.SquareGlyph{}.DrawGlyph(c, g, at)
}
