package plots

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// fill is how an area looks: a colour, and lines over it.
type fill struct {
	colour color.NRGBA
	hatch  int // 0 plain, 1 rising, 2 falling, 3 crossed, 4 level, 5 upright
}

// fillOf is the fill of the i-th of several kinds; it repeats after 24.
func fillOf(i int) fill {
	hues := []color.NRGBA{skyBlue, orange, green, yellow, purple, blue, vermillion, {190, 190, 190, 255}}
	return fill{mix(hues[i%len(hues)], white, 0.25), i % 6}
}

// rectangle draws a filled area with a thin edge.
func (f fill) rectangle(c *draw.Canvas, r vg.Rectangle) {
	if r.Max.X < r.Min.X {
		r.Min.X, r.Max.X = r.Max.X, r.Min.X
	}
	c.SetColor(f.colour)
	c.Fill(r.Path())
	if r.Max.X-r.Min.X > 1 {
		f.lines(c, r)
	}
	c.SetLineStyle(stroke(black, 0.5))
	c.Stroke(r.Path())
}

func (f fill) lines(c *draw.Canvas, r vg.Rectangle) {
	const apart = 4
	style := stroke(color.NRGBA{0, 0, 0, 110}, 0.4)
	w, h := r.Max.X-r.Min.X, r.Max.Y-r.Min.Y
	if f.hatch == 1 || f.hatch == 3 {
		diagonals(w, h, apart, func(x0, y0, x1, y1 vg.Length) {
			c.StrokeLine2(style, r.Min.X+x0, r.Min.Y+y0, r.Min.X+x1, r.Min.Y+y1)
		})
	}
	if f.hatch == 2 || f.hatch == 3 {
		diagonals(w, h, apart, func(x0, y0, x1, y1 vg.Length) {
			c.StrokeLine2(style, r.Min.X+x0, r.Max.Y-y0, r.Min.X+x1, r.Max.Y-y1)
		})
	}
	for y := vg.Length(apart) / 2; f.hatch == 4 && y < h; y += apart {
		c.StrokeLine2(style, r.Min.X, r.Min.Y+y, r.Max.X, r.Min.Y+y)
	}
	for x := vg.Length(apart) / 2; f.hatch == 5 && x < w; x += apart {
		c.StrokeLine2(style, r.Min.X+x, r.Min.Y, r.Min.X+x, r.Max.Y)
	}
}

// diagonals calls with the ends of the rising lines within a rectangle at 0.
func diagonals(w, h, apart vg.Length, line func(x0, y0, x1, y1 vg.Length)) {
	for d := -h + apart/2; d < w; d += apart * math.Sqrt2 {
		from, to := max(d, 0), min(d+h, w)
		if to > from {
			line(from, from-d, to, to-d)
		}
	}
}

// starPath is a star of five points.
func starPath(at vg.Point, radius vg.Length) vg.Path {
	var p vg.Path
	for i := range 10 {
		r := float64(radius)
		if i%2 == 1 {
			r *= 0.45
		}
		sin, cos := math.Sincos(math.Pi/2 + float64(i)*math.Pi/5)
		corner := vg.Point{X: at.X + vg.Length(r*cos), Y: at.Y + vg.Length(r*sin)}
		if i == 0 {
			p.Move(corner)
		} else {
			p.Line(corner)
		}
	}
	p.Close()
	return p
}
