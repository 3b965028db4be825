package plots

import (
	"fmt"
	"strings"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// drawPath draws, between a parent to keep up with and another one, what is gained
// and what must be kept.
func drawPath(r results.Report) (*Figure, string) {
	h := r.Path
	if h == nil {
		return nil, "not a study of two or three parents that keeps up with one of them (objective.keep)"
	}
	p := newPanel("weight of "+printable(h.To), "score (points)")
	addGrid(p, false, true)
	f := &Figure{title: fmt.Sprintf("From %s to %s", h.From, h.To), width: 6.5 * vg.Inch, height: 3.6 * vg.Inch}
	f.subtitle = fmt.Sprintf("%s on search (n = %d items each); bars are 95 %% intervals", plural(len(h.Line()), "soup"), commonItems(r, search))
	for _, kind := range []struct {
		name  string
		style draw.GlyphStyle
		of    func(results.PathPoint) results.PathScore
	}{
		{strings.Join(h.Target, ", "), glyph(blue, 2.6, draw.CircleGlyph{}), func(x results.PathPoint) results.PathScore { return x.Target }},
		{"to keep: " + strings.Join(h.Keep, ", "), glyph(green, 2.8, draw.BoxGlyph{}), func(x results.PathPoint) results.PathScore { return x.Keep }},
	} {
		var line plotter.XYs
		for _, x := range h.Line() {
			s, bar := kind.of(x), 0.0
			if s.SE != nil {
				bar = 100 * z95 * *s.SE
			}
			at := plotter.XY{X: x.At, Y: 100 * s.Mean}
			line = append(line, at)
			style := kind.style
			if isWinner(r, x.Trial) {
				style = winnerGlyph()
			}
			p.Add(&whisker{at: at, low: at.Y - bar, high: at.Y + bar, style: style})
		}
		p.Add(polyline(stroke(kind.style.Color, 1), line...))
		f.keys = append(f.keys, glyphKey(kind.name, kind.style))
	}
	f.addWinnerKey(r)
	f.body = p.Draw
	return f, ""
}
