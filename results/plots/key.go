package plots

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// key explains one kind of mark above a plot.
type key struct {
	label string
	mark  func(draw.Canvas) // draws into a small field
}

// drawKeys sets the keys in rows at the top and returns what is left below.
func drawKeys(c draw.Canvas, keys []key) draw.Canvas {
	if len(keys) == 0 {
		return c
	}
	const field, row, between = 16, 12, 12
	style := aligned(draw.XLeft, draw.YCenter)
	x, y := c.Min.X, c.Max.Y-row/2
	for _, k := range keys {
		wide := field + 3 + style.Width(printable(k.label))
		if x > c.Min.X && x+wide > c.Max.X {
			x, y = c.Min.X, y-row
		}
		k.mark(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: x, Y: y - 4}, Max: vg.Point{X: x + field, Y: y + 4}}})
		write(c, style, vg.Point{X: x + field + 3, Y: y}, k.label)
		x += wide + between
	}
	c.Max.Y = y - row/2 - 3
	return c
}

func glyphKey(label string, g draw.GlyphStyle) key {
	return key{label, func(c draw.Canvas) { c.DrawGlyphNoClip(g, c.Center()) }}
}

func lineKey(label string, s draw.LineStyle) key {
	return key{label, func(c draw.Canvas) { c.StrokeLine2(s, c.Min.X, c.Center().Y, c.Max.X, c.Center().Y) }}
}

func fillKey(label string, f fill) key {
	return key{label, func(c draw.Canvas) { f.rectangle(&c, c.Rectangle) }}
}

// star is the mark of the winner.
type star struct{ edge color.Color }

// DrawGlyph implements [draw.GlyphDrawer].
func (s star) DrawGlyph(c *draw.Canvas, g draw.GlyphStyle, at vg.Point) {
	path := starPath(at, g.Radius)
	c.SetColor(g.Color)
	c.Fill(path)
	c.SetLineStyle(stroke(s.edge, 0.6))
	c.Stroke(path)
}
