package plots

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// standing is how many of the best candidates stand out.
const standing = 10

// parallel is one line a candidate: its weights, then its score.
type parallel struct {
	low, high float64 // of the weights
	scale     scoreScale
}

func parallelOf(list []candidate) parallel {
	d := parallel{0, 1, scaleOf(list)}
	for _, c := range list {
		for _, w := range c.mean() {
			d.low, d.high = min(d.low, w), max(d.high, w)
		}
	}
	return d
}

// line is that of weights and a score, the score on an axis that is as long as that of weights.
func (d parallel) line(weights []float64, score float64) plotter.XYs {
	var line plotter.XYs
	for i, w := range weights {
		line = append(line, plotter.XY{X: float64(i), Y: w})
	}
	return append(line, plotter.XY{X: float64(len(line)), Y: d.height(score)})
}

// height is where a score is on the axis of weights.
func (d parallel) height(score float64) float64 { return d.low + d.scale.share(score)*(d.high-d.low) }

// drawParallel takes a list that is sorted by score.
func drawParallel(f *Figure, r results.Report, list []candidate) {
	d := parallelOf(list)
	p := newPanel("", "weight")
	n := len(r.Parents)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, float64(n), d.low, d.high
	labels := append(short(r.Parents, 20), "points")
	if turnTicks(p, labels, (f.width-60)/vg.Length(n+1)) {
		f.height += 0.6 * vg.Inch
	}
	p.X.LineStyle.Width, p.X.Tick.Length = 0, 0
	front := max(len(list)-standing, 0)
	marks := f.mixes(r)
	var winner plotter.XYs
	for i, c := range list {
		if i == front {
			for k := range n + 1 {
				p.Add(upright{float64(k), stroke(grey, 0.6)})
			}
		}
		style := stroke(pale, 0.6)
		if i >= front {
			style = stroke(ramp(0.35+0.65*float64(i-front+1)/float64(len(list)-front)), 1.1)
		}
		line := d.line(c.addMix(marks))
		if isWinner(r, c.Number) {
			winner = line
		}
		p.Add(&plotter.Line{XYs: line, LineStyle: style})
	}
	f.keys = []key{lineKey(fmt.Sprintf("the best %d, darker is better", len(list)-front), stroke(ramp(0.8), 1.1))}
	if front > 0 {
		f.keys = append(f.keys, lineKey("others", stroke(pale, 1)))
	}
	if winner != nil {
		addWinnerLine(f, p, winner)
	}
	p.Add(scoreAxis{d, float64(n)})
	f.body = func(c draw.Canvas) { p.Draw(draw.Crop(c, 0, -20, 0, -4)) }
}

func addWinnerLine(f *Figure, p *plot.Plot, line plotter.XYs) {
	style, mark := stroke(vermillion, 1.6, 5, 2), glyph(vermillion, 4, star{black})
	p.Add(&plotter.Line{XYs: line, LineStyle: style}, &plotter.Scatter{XYs: line, GlyphStyle: mark})
	f.keys = append(f.keys, key{"winner", func(c draw.Canvas) {
		c.StrokeLine2(style, c.Min.X, c.Center().Y, c.Max.X, c.Center().Y)
		c.DrawGlyphNoClip(mark, c.Center())
	}})
}

// scoreAxis labels the last axis with scores.
type scoreAxis struct {
	d  parallel
	at float64
}

// Plot implements [plot.Plotter].
func (s scoreAxis) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	scale := s.d.scale
	if scale.low == scale.high {
		write(c, aligned(draw.XLeft, draw.YCenter), vg.Point{X: x(s.at) + 6, Y: y(s.d.high)}, decimal(math.Round(10*scale.low)/10))
		return
	}
	for _, t := range plainTicks(scale.low, scale.high) {
		if t.Value < scale.low || t.Value > scale.high {
			continue
		}
		at := y(s.d.height(t.Value))
		c.StrokeLine2(stroke(black, 0.6), x(s.at), at, x(s.at)+3, at)
		write(c, aligned(draw.XLeft, draw.YCenter), vg.Point{X: x(s.at) + 5, Y: at}, t.Label)
	}
}

// turnTicks labels the x axis with names, turned where they are wider than the
// room for one, and says whether they are.
func turnTicks(p *plot.Plot, names []string, room vg.Length) bool {
	p.X.Tick.Marker = nameTicks(names)
	if widest(names) < room-6 {
		return false
	}
	apart := make([]string, len(names))
	for i, name := range names {
		apart[i] = name + "  " // keeps the turned text off the axis
	}
	p.X.Tick.Marker = nameTicks(apart)
	p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/3, draw.XRight, draw.YCenter
	return true
}

func widest(names []string) vg.Length {
	wide := vg.Length(0)
	for _, name := range names {
		wide = max(wide, textStyle(8).Width(name))
	}
	return wide
}

// nameTicks are at 0, 1, 2 and so on.
func nameTicks(names []string) plot.ConstantTicks {
	var list plot.ConstantTicks
	for i, name := range names {
		list = append(list, plot.Tick{Value: float64(i), Label: name})
	}
	return list
}
