package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// drawWeights shows the score as the weights change it: on a line for two
// parents, in a triangle for three, as parallel coordinates for more.
func drawWeights(r results.Report) (*Figure, string) {
	list := candidates(r)
	if !slices.ContainsFunc(list, func(c candidate) bool { return !c.single }) {
		return nil, "no soup has been scored yet"
	}
	// The best are drawn last, above the others.
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(a.score, b.score) })
	f := &Figure{title: "Weights and score on search", width: 6.5 * vg.Inch, height: 4 * vg.Inch}
	f.subtitle = fmt.Sprintf("%s of %s; scores in points (n = %d items each)", plural(len(list), "candidate"), plural(len(r.Parents), "parent"), commonItems(r, search))
	if grouped(list) {
		f.subtitle += "; weights are means over the groups of tensors"
	}
	switch len(r.Parents) {
	case 1:
		return nil, "there is one parent only"
	case 2:
		drawLine(f, r, list)
	case 3:
		drawSimplex(f, r, list)
	default:
		drawParallel(f, r, list)
	}
	return f, ""
}

// drawLine puts the weight of the second parent on the x axis.
func drawLine(f *Figure, r results.Report, list []candidate) {
	names := short(r.Parents, 30)
	p := newPanel(fmt.Sprintf("weight of %s (the rest is %s)", names[1], names[0]), "score on search (points)")
	addGrid(p, false, true)
	var ends [2]*candidate
	for i, c := range list {
		if own := only(c.rows); own >= 0 {
			ends[own] = &list[i]
		}
	}
	addChord(p, ends)
	marks := f.series("candidate", intervalColumns("weight of "+r.Parents[1], "search")...)
	for _, c := range winnerLast(r, list) {
		p.Add(c.add(marks, c.mean()[1]).whisker(glyphOf(r, c)))
	}
	f.keys = []key{glyphKey("soup"+noted(list, ", 95 % interval"), soupGlyph()), glyphKey("parent", parentGlyph()), lineKey("between the parents' scores", chordStyle())}
	f.addWinnerKey(r)
	f.body = p.Draw
}

// mixes are candidates by their weights of each parent and their score.
func (f *Figure) mixes(r results.Report) *Series {
	return f.series("candidate", append(slices.Clone(r.Parents), "search")...)
}

func (c candidate) addMix(to *Series) (weights []float64, score float64) {
	v := to.add(c.name(), append(c.mean(), c.score)...).Values
	return v[:len(v)-1], v[len(v)-1]
}

func (f *Figure) addWinnerKey(r results.Report) {
	if r.Winner != nil {
		f.keys = append(f.keys, glyphKey("winner", winnerGlyph()))
	}
}

// winnerLast is an order in which nothing is drawn over the winner.
func winnerLast(r results.Report, list []candidate) []candidate {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b candidate) int {
		last := func(c candidate) int {
			if isWinner(r, c.Number) {
				return 1
			}
			return 0
		}
		return cmp.Compare(last(a), last(b))
	})
	return list
}

func chordStyle() draw.LineStyle { return stroke(grey, 0.8, 3, 2) }

// addChord joins the scores of two parents: what averaging scores would give.
func addChord(p *plot.Plot, ends [2]*candidate) {
	if ends[0] != nil && ends[1] != nil {
		p.Add(polyline(chordStyle(), plotter.XY{X: 0, Y: ends[0].score}, plotter.XY{X: 1, Y: ends[1].score}))
	}
}

// scoreScale is the range of scores that colours cover.
type scoreScale struct{ low, high float64 }

// scaleOf covers a list that is sorted by score.
func scaleOf(list []candidate) scoreScale {
	return scoreScale{list[0].score, list[len(list)-1].score}
}

func (s scoreScale) share(score float64) float64 {
	if s.high == s.low {
		return 1
	}
	return (score - s.low) / (s.high - s.low)
}

// corner is where the i-th of three parents is drawn: the first at the top.
func corner(i int) plotter.XY {
	return []plotter.XY{{X: 0.5, Y: math.Sqrt(3) / 2}, {X: 0, Y: 0}, {X: 1, Y: 0}}[i]
}

// onSimplex is where three weights that sum to 1 are drawn.
func onSimplex(w []float64) (at plotter.XY) {
	for i, x := range w {
		at.X += x * corner(i).X
		at.Y += x * corner(i).Y
	}
	return at
}

func drawSimplex(f *Figure, r results.Report, list []candidate) {
	p := newPanel("", "")
	p.HideAxes()
	for i := range 3 { // rules at quarters, parallel to the sides
		for _, w := range []float64{0, 0.25, 0.5, 0.75} {
			a, b := []float64{w, w, w}, []float64{w, w, w}
			a[(i+1)%3], a[(i+2)%3] = 1-w, 0
			b[(i+1)%3], b[(i+2)%3] = 0, 1-w
			style := stroke(pale, 0.6)
			if w == 0 {
				style = stroke(black, 0.8)
			}
			p.Add(polyline(style, onSimplex(a), onSimplex(b)))
		}
	}
	scale := scaleOf(list)
	marks := f.mixes(r)
	for _, c := range winnerLast(r, list) {
		mix, score := c.addMix(marks)
		style := glyph(ramp(scale.share(score)), 3.5, edged{})
		if isWinner(r, c.Number) {
			style = winnerGlyph()
		}
		at := onSimplex(mix)
		p.Add(&whisker{at: at, low: at.Y, high: at.Y, style: style})
	}
	for i, words := range cornerLabels(r, list) {
		n := note{at: corner(i), text: words, style: aligned(draw.XCenter, draw.YTop), dy: -8}
		if i == 0 {
			n.style.YAlign, n.dy = draw.YBottom, 8
		}
		p.Add(n)
	}
	f.addWinnerKey(r)
	f.height = 4.6 * vg.Inch
	f.body = func(c draw.Canvas) {
		bar := draw.Crop(c, c.Max.X-c.Min.X-56, 0, 20, -30)
		drawScale(bar, scale)
		p.Draw(shaped(draw.Crop(c, 10, -66, 4, -4), math.Sqrt(3)/2))
	}
}

// shaped is the largest middle part of a canvas with sides in a ratio.
func shaped(c draw.Canvas, heightToWidth float64) draw.Canvas {
	w, h := c.Max.X-c.Min.X, c.Max.Y-c.Min.Y
	if float64(h) > float64(w)*heightToWidth {
		cut := (h - w*vg.Length(heightToWidth)) / 2
		return draw.Crop(c, 0, 0, cut, -cut)
	}
	cut := (w - h/vg.Length(heightToWidth)) / 2
	return draw.Crop(c, cut, -cut, 0, 0)
}

// cornerLabels are the parents' names with their scores.
func cornerLabels(r results.Report, list []candidate) []string {
	labels := short(r.Parents, 34)
	for _, c := range list {
		if own := only(c.rows); own >= 0 {
			labels[own] += fmt.Sprintf(" (%.1f)", c.score)
		}
	}
	return labels
}

// drawScale draws which colour is which score, upright.
func drawScale(c draw.Canvas, s scoreScale) {
	const steps, wide = 60, 10
	h := c.Max.Y - c.Min.Y
	for i := range steps {
		share := float64(i) / (steps - 1)
		y := c.Min.Y + h*vg.Length(i)/steps
		c.SetColor(ramp(share))
		c.Fill(vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: y}, Max: vg.Point{X: c.Min.X + wide, Y: y + h/steps + 0.3}}.Path())
	}
	frame := vg.Rectangle{Min: c.Min, Max: vg.Point{X: c.Min.X + wide, Y: c.Max.Y}}
	c.SetLineStyle(stroke(black, 0.5))
	c.Stroke(frame.Path())
	label := aligned(draw.XLeft, draw.YCenter)
	for _, t := range plainTicks(s.low, s.high) {
		if t.Value < s.low || t.Value > s.high || s.low == s.high {
			continue
		}
		y := c.Min.Y + h*vg.Length(s.share(t.Value))
		c.StrokeLine2(stroke(black, 0.5), c.Min.X+wide, y, c.Min.X+wide+3, y)
		write(c, label, vg.Point{X: c.Min.X + wide + 5, Y: y}, t.Label)
	}
	label.YAlign = draw.YBottom
	write(c, label, vg.Point{X: c.Min.X, Y: c.Max.Y + 4}, "points")
}

// edged is a filled circle with a thin edge, so that light ones are seen.
type edged struct{}

// DrawGlyph implements [draw.GlyphDrawer].
func (edged) DrawGlyph(c *draw.Canvas, g draw.GlyphStyle, at vg.Point) {
	draw.CircleGlyph{}.DrawGlyph(c, g, at)
	draw.RingGlyph{}.DrawGlyph(c, glyph(black, g.Radius.Points(), nil), at)
}
