package plots

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// segment is a part of a bar, from and to in the unit of the axis.
type segment struct {
	from, to float64
	kind     int // which fill
	label    string
}

// stack lays values end to end: positive ones to the right of 0, negative ones to
// the left.
func stack(values []float64, labels []string) []segment {
	var out []segment
	up, down := 0.0, 0.0
	for i, v := range values {
		switch {
		case v > 0:
			out = append(out, segment{up, up + v, i, labels[i]})
			up += v
		case v < 0:
			out = append(out, segment{down, down + v, i, labels[i]})
			down += v
		}
	}
	return out
}

func drawGroups(r results.Report) (*Figure, string) {
	switch {
	case r.Winner == nil:
		return nil, "the study has no winner yet"
	case len(r.Winner.Groups) == 0:
		return nil, "the winner has the same weights for all tensors"
	}
	names := short(r.Parents, 20)
	used := make([]bool, len(names))
	b := bars{}
	f := &Figure{title: "Weights of the winner in each group of tensors", width: 6.5 * vg.Inch}
	data := f.series("group", r.Parents...)
	for _, g := range r.Winner.Groups {
		values, labels := data.add(g.Name, make([]float64, len(names))...).Values, make([]string, len(names))
		for i, parent := range r.Parents {
			values[i] = g.ByParent[parent]
			labels[i] = fmt.Sprintf("%s %s", names[i], decimal2(values[i]))
			used[i] = used[i] || values[i] != 0
		}
		b.names = append(b.names, g.Name)
		b.rows = append(b.rows, stack(values, labels))
	}
	f.subtitle = fmt.Sprintf("trial %d, %s; n = %s", r.Winner.Trial, shortName(r.Winner.Label, 60), plural(len(b.rows), "group"))
	if low, _, _, _ := b.DataRange(); low < 0 {
		f.subtitle += "; left of 0: negative weights"
	}
	for i, name := range names {
		if used[i] {
			f.keys = append(f.keys, fillKey(name, fillOf(i)))
		}
	}
	f.drawBars(b, "weight")
	return f, ""
}

func decimal2(x float64) string { return fmt.Sprintf("%.2f", x+0) }

// bars are stacked horizontal bars, the first on top.
type bars struct {
	names []string
	rows  [][]segment
	ends  []string // written behind each bar; may be nil
}

func (f *Figure) drawBars(b bars, x string) {
	p := newPanel(x, "")
	addGrid(p, true, false)
	p.Add(b)
	n := len(b.rows)
	labels := short(b.names, 28)
	var ticks plot.ConstantTicks
	for i, name := range labels {
		ticks = append(ticks, plot.Tick{Value: float64(n - 1 - i), Label: name})
	}
	p.Y.Tick.Marker, p.Y.Tick.Length, p.Y.LineStyle.Width = ticks, 0, 0
	p.Y.Min, p.Y.Max = -0.6, float64(n)-0.4
	f.height = vg.Length(n)*20 + 95 + 12*vg.Length(len(f.keys)/6)
	f.body = p.Draw
}

// Plot implements [plot.Plotter].
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := aligned(draw.XCenter, draw.YCenter)
	for i, row := range b.rows {
		mid := float64(len(b.rows) - 1 - i)
		end := x(0)
		for _, s := range row {
			box := vg.Rectangle{Min: vg.Point{X: x(s.from), Y: y(mid - 0.36)}, Max: vg.Point{X: x(s.to), Y: y(mid + 0.36)}}
			fillOf(s.kind).rectangle(&c, box)
			end = max(end, x(s.to))
			b.label(c, s.label, style, box)
		}
		if b.ends != nil {
			style := aligned(draw.XLeft, draw.YCenter)
			write(c, style, vg.Point{X: end + 4, Y: y(mid)}, b.ends[i])
		}
	}
	zero := x(0)
	c.StrokeLine2(stroke(black, 0.8), zero, c.Min.Y, zero, c.Max.Y)
}

// label writes into a segment that is wide enough, on white so that hatching
// does not run through the letters.
func (b bars) label(c draw.Canvas, words string, style textStyleOf, box vg.Rectangle) {
	wide := style.Width(words)
	low, high := min(box.Min.X, box.Max.X), max(box.Min.X, box.Max.X)
	if words == "" || wide+8 > high-low {
		return
	}
	mid := vg.Point{X: (low + high) / 2, Y: (box.Min.Y + box.Max.Y) / 2}
	back := vg.Rectangle{Min: vg.Point{X: mid.X - wide/2 - 2, Y: mid.Y - 5}, Max: vg.Point{X: mid.X + wide/2 + 2, Y: mid.Y + 5}}
	c.SetColor(white)
	c.Fill(back.Path())
	write(c, style, mid, words)
}

// DataRange implements [plot.DataRanger].
func (b bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	for _, row := range b.rows {
		for _, s := range row {
			xmin, xmax = min(xmin, s.to), max(xmax, s.to)
		}
	}
	return xmin, xmax, 0, float64(len(b.rows))
}

// GlyphBoxes implements [plot.GlyphBoxer]: there is room for what stands behind
// the bars.
func (b bars) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	var boxes []plot.GlyphBox
	for i, words := range b.ends {
		end := 0.0
		for _, s := range b.rows[i] {
			end = max(end, s.to)
		}
		boxes = append(boxes, plot.GlyphBox{X: p.X.Norm(end), Y: 0.5, Rectangle: vg.Rectangle{Max: vg.Point{X: 6 + aligned(0, 0).Width(words)}}})
	}
	return boxes
}
