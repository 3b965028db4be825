package plots

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// drawLandscape draws the plane through three checkpoints: its loss on search, or
// where the server gives none its error, and its error on test.
func drawLandscape(r results.Report) (*Figure, string) {
	l := r.Landscape
	if l == nil {
		return nil, fmt.Sprintf("no plane through three parents has %d scored points (the strategy plane asks for them)", results.FewestOnPlane)
	}
	f := &Figure{title: "The plane through " + sentence(l.Corners), width: 6.5 * vg.Inch}
	f.subtitle = fmt.Sprintf("%s were scored (dots); colours between them are interpolated. ", plural(len(l.Points), "point"))
	if l.Distances == nil {
		f.subtitle += "How far apart the checkpoints are was not measured: they are drawn at equal distances"
	} else {
		f.subtitle += "Distances are those of the weights"
	}
	f.keys = []key{glyphKey("parent", parentGlyph()), glyphKey("scored", scoredGlyph()), glyphKey("mean of the three", meanGlyph())}
	if l.Ordered {
		f.keys = append(f.keys, lineKey("the run", runStyle()))
	}
	if slices.ContainsFunc(l.Points, func(p results.PlanePoint) bool { return isWinner(r, p.Trial) }) {
		f.addWinnerKey(r)
	}
	loss := ground{"loss on search (nats)", func(p results.PlanePoint) *float64 { return p.Loss }}
	if l.Points[0].Loss == nil {
		loss = ground{"error on search (points)", func(p results.PlanePoint) *float64 { e := 100 * p.Search; return &e }}
	}
	var parts []*terrain
	for _, g := range []ground{loss, {"error on test (points)", func(p results.PlanePoint) *float64 {
		if p.Test == nil {
			return nil
		}
		e := 100 * *p.Test
		return &e
	}}} {
		if t := f.terrain(r, g); t != nil {
			parts = append(parts, t)
		}
	}
	if len(parts) == 1 {
		f.width = 4.6 * vg.Inch
	}
	f.height = parts[0].height(f.width/vg.Length(len(parts))-scaleWidth-12) + 84
	f.body = func(c draw.Canvas) {
		tiles := draw.Tiles{Rows: 1, Cols: len(parts), PadX: 12}
		for i, t := range parts {
			t.draw(tiles.At(c, i, 0))
		}
	}
	return f, ""
}

func scoredGlyph() draw.GlyphStyle { return glyph(black, 0.9, draw.CircleGlyph{}) }
func meanGlyph() draw.GlyphStyle   { return glyph(white, 3, edged{}) }
func runStyle() draw.LineStyle     { return stroke(black, 1, 4, 2) }

// scaleWidth is what the scale beside a panel takes.
const scaleWidth = 54

// ground is a value that points of the plane have.
type ground struct {
	name string
	of   func(results.PlanePoint) *float64
}

// terrain is one panel.
type terrain struct {
	title   string
	points  []vertex
	faces   [][3]int
	levels  []float64
	corners plotter.XYs
	names   []string
	ordered bool
	winner  *plotter.XY
}

// terrain takes the points that have a value; nil where they are too few.
func (f *Figure) terrain(r results.Report, g ground) *terrain {
	l := r.Landscape
	t := &terrain{title: g.name, names: short(l.Corners, 18), ordered: l.Ordered}
	for _, p := range l.Points[:len(l.Corners)] {
		t.corners = append(t.corners, plotter.XY{X: p.X, Y: p.Y})
	}
	rows := &Series{Name: g.name, Columns: []string{"x", "y", g.name}}
	var flat plotter.XYs
	for _, p := range l.Points {
		v := g.of(p)
		if v == nil {
			continue
		}
		rows.add(strconv.Itoa(p.Trial), p.X, p.Y, *v)
		at := plotter.XY{X: p.X, Y: p.Y}
		t.points, flat = append(t.points, vertex{at, *v}), append(flat, at)
		if isWinner(r, p.Trial) {
			t.winner = &at
		}
	}
	if len(rows.Rows) < results.FewestOnPlane {
		return nil
	}
	f.Data = append(f.Data, rows)
	t.faces, t.levels = triangles(flat), levels(t.points)
	return t
}

// levels divide the values into bands that are narrower towards the least: there the
// plane is looked at.
func levels(points []vertex) (list []float64) {
	const bands = 10
	byZ := func(a, b vertex) int { return cmp.Compare(a.z, b.z) }
	low, high := slices.MinFunc(points, byZ).z, slices.MaxFunc(points, byZ).z
	for i := range bands + 1 {
		share := float64(i) / bands
		list = append(list, low+(high-low)*math.Pow(share, 1.5))
	}
	return list
}

// height is that of a panel of some width, with the plane's own proportions.
func (t *terrain) height(width vg.Length) vg.Length {
	low, high := t.frame()
	return min(max(width*vg.Length((high.Y-low.Y)/(high.X-low.X)), 0.6*width), 1.3*width)
}

// frame has room for the corners' names.
func (t *terrain) frame() (low, high plotter.XY) {
	var all plotter.XYs
	for _, p := range t.points {
		all = append(all, p.XY)
	}
	low, high = bounds(all)
	pad := 0.12 * max(high.X-low.X, high.Y-low.Y)
	return plotter.XY{X: low.X - pad, Y: low.Y - pad}, plotter.XY{X: high.X + pad, Y: high.Y + pad}
}

// draw draws the plane with its scale beside it.
func (t *terrain) draw(c draw.Canvas) {
	title := boldStyle(9)
	title.XAlign, title.YAlign = draw.XCenter, draw.YTop
	c.FillText(title, vg.Point{X: c.Center().X - scaleWidth/2, Y: c.Max.Y}, t.title)
	c.Max.Y -= 14
	low, high := t.frame()
	field := shaped(draw.Crop(c, 0, -scaleWidth, 0, 0), (high.Y-low.Y)/(high.X-low.X))
	t.drawLevels(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: c.Max.X - scaleWidth + 10, Y: field.Min.Y + 12}, Max: vg.Point{X: c.Max.X, Y: field.Max.Y - 12},
	}})
	p := plot.New()
	p.BackgroundColor = nil
	p.HideAxes()
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low.X, high.X, low.Y, high.Y
	p.Add(t)
	p.Draw(field)
}

// Plot implements [plot.Plotter].
func (t *terrain) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := func(q plotter.XY) vg.Point { return vg.Point{X: x(q.X), Y: y(q.Y)} }
	for _, face := range t.faces {
		polygon := []vertex{t.points[face[0]], t.points[face[1]], t.points[face[2]]}
		for i := range len(t.levels) - 1 {
			t.fill(c, at, between(polygon, t.levels[i], t.levels[i+1]), t.colour(i))
		}
	}
	if t.ordered {
		c.StrokeLines(runStyle(), []vg.Point{at(t.corners[0]), at(t.corners[1]), at(t.corners[2])})
	}
	for _, q := range t.points {
		c.DrawGlyphNoClip(scoredGlyph(), at(q.XY))
	}
	var mean plotter.XY
	for _, q := range t.corners {
		mean.X, mean.Y = mean.X+q.X/3, mean.Y+q.Y/3
		c.DrawGlyphNoClip(parentGlyph(), at(q))
	}
	for i, q := range t.corners {
		t.name(c, at(q), i, q.Y > mean.Y)
	}
	c.DrawGlyphNoClip(meanGlyph(), at(mean))
	if t.winner != nil {
		c.DrawGlyphNoClip(winnerGlyph(), at(*t.winner))
	}
}

// name writes a corner's name away from the mean of the three.
func (t *terrain) name(c draw.Canvas, at vg.Point, i int, above bool) {
	style := aligned(draw.XCenter, draw.YTop)
	at.Y -= 6
	if above {
		style.YAlign = draw.YBottom
		at.Y += 12
	}
	half := style.Width(printable(t.names[i])) / 2
	at.X = min(max(at.X, c.Min.X+half), c.Max.X-half)
	write(c, style, at, t.names[i])
}

// fill also strokes: without that, hairs of white remain between faces.
func (t *terrain) fill(c draw.Canvas, at func(plotter.XY) vg.Point, polygon []vertex, colour color.NRGBA) {
	if len(polygon) < 3 {
		return
	}
	var path vg.Path
	path.Move(at(polygon[0].XY))
	for _, v := range polygon[1:] {
		path.Line(at(v.XY))
	}
	path.Close()
	c.SetColor(colour)
	c.Fill(path)
	c.SetLineStyle(stroke(colour, 0.3))
	c.Stroke(path)
}

// colour is that of a band: the lower the darker.
func (t *terrain) colour(band int) color.NRGBA {
	return ramp(1 - float64(band)/float64(len(t.levels)-2))
}

// drawLevels says which colour is which value, the least at the bottom.
func (t *terrain) drawLevels(c draw.Canvas) {
	bands := len(t.levels) - 1
	h := (c.Max.Y - c.Min.Y) / vg.Length(bands)
	label := aligned(draw.XLeft, draw.YCenter)
	for i, v := range t.levels {
		y := c.Min.Y + h*vg.Length(i)
		if i < bands {
			c.SetColor(t.colour(i))
			c.Fill(vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: y}, Max: vg.Point{X: c.Min.X + 9, Y: y + h}}.Path())
		}
		if i%2 == 0 {
			write(c, label, vg.Point{X: c.Min.X + 12, Y: y}, strconv.FormatFloat(v, 'g', 3, 64))
		}
	}
}

// sentence lists three names.
func sentence(names []string) string {
	return fmt.Sprintf("%s, %s and %s", names[0], names[1], names[2])
}
