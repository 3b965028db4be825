package plots

import (
	"fmt"
	"strconv"
	"strings"

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
		data := f.series(kind.name, intervalColumns("weight of "+h.To, "score")...)
		for _, x := range h.Line() {
			s, bar := kind.of(x), 0.0
			if s.SE != nil {
				bar = 100 * z95 * *s.SE
			}
			style := kind.style
			if isWinner(r, x.Trial) {
				style = winnerGlyph()
			}
			score := 100 * s.Mean
			p.Add(data.add(strconv.Itoa(x.Trial), x.At, score, score-bar, score+bar).whisker(style))
		}
		p.Add(polyline(stroke(kind.style.Color, 1), data.xys()...))
		f.keys = append(f.keys, glyphKey(kind.name, kind.style))
	}
	f.addWinnerKey(r)
	f.body = p.Draw
	return f, ""
}
