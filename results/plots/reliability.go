package plots

import (
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"soup/results"
)

// drawReliability draws accuracy against confidence, bin by bin (Guo et al. 2017,
// https://arxiv.org/abs/1706.04599, figure 1), for the winner, the ensemble and the
// best single checkpoint.
func drawReliability(r results.Report) (*Figure, string) {
	c := r.Calibration
	if c == nil {
		return nil, "no test items whose labels the server scored"
	}
	p := newPanel("probability of the chosen label (%)", "chosen rightly (%)")
	addGrid(p, true, true)
	ideal := stroke(grey, 1)
	p.Add(polyline(ideal, plotter.XY{}, plotter.XY{X: 100, Y: 100}))
	f := &Figure{title: "Reliability: how often a label of this probability is right", width: 5 * vg.Inch, height: 4.4 * vg.Inch}
	f.subtitle = fmt.Sprintf("test items with labels, n = %d, in bins of a fifteenth; ece: mean distance from the diagonal in points", c.N)
	f.keys = []key{lineKey("as sure as right", ideal)}
	for i, row := range r.Diagrammed() {
		if row == nil {
			continue
		}
		style := glyph(hue(i), 2.8, shape(i))
		data := f.series(row.Name, "probability", "right", "n")
		for _, b := range row.Bins {
			data.add("", 100*b.Confidence, 100*b.Accuracy, float64(b.N))
		}
		p.Add(polyline(stroke(hue(i), 1), data.xys()...), &plotter.Scatter{XYs: data.xys(), GlyphStyle: style})
		f.keys = append(f.keys, glyphKey(fmt.Sprintf("%s (ece %.1f)", row.Name, 100*row.ECE), style))
	}
	f.body = p.Draw
	return f, ""
}
