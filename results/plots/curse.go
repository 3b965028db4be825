package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// curse is what search scores were worth on items that chose nothing.
type curse struct {
	points []scoredTwice
	// mean and keep are of all candidates on search: a search score x is expected to
	// be mean + keep (x - mean) on new items of the same kind. keep is
	// tau^2 / (tau^2 + SE^2), tau^2 the variance of the scores less SE^2: Efron &
	// Morris 1975, https://doi.org/10.1080/01621459.1975.10479864.
	mean, keep float64
	shrinks    bool // false where standard errors are unknown
	candidates int
}

// scoredTwice is a candidate with scores on search and on test, in points.
type scoredTwice struct {
	candidate
	test, testSE float64
}

func curseOf(r results.Report) curse {
	all := candidates(r)
	d := curse{candidates: len(all)}
	var scores []float64
	noise := 0.0
	d.shrinks = len(all) > 2
	for _, c := range all {
		scores = append(scores, c.score)
		noise += c.se * c.se / float64(len(all))
		d.shrinks = d.shrinks && c.se > 0
		if t := c.Scores.Test; t != nil && t.Mean != nil {
			x := scoredTwice{candidate: c}
			x.test, x.testSE = inPoints(t)
			d.points = append(d.points, x)
		}
	}
	if len(scores) > 1 {
		var spread float64
		d.mean, spread = stat.MeanVariance(scores, nil)
		d.keep = 1
		if spread > 0 {
			d.keep = max(spread-noise, 0) / spread
		}
	}
	slices.SortStableFunc(d.points, func(a, b scoredTwice) int { return cmp.Compare(a.score, b.score) })
	return d
}

// falls are how much lower test is than search: for the best on search, and on
// the mean of all that were scored on both.
func (d curse) falls() (best, mean float64) {
	for _, p := range d.points {
		mean += (p.score - p.test) / float64(len(d.points))
	}
	top := d.points[len(d.points)-1]
	return top.score - top.test, mean
}

func drawCurse(r results.Report) (*Figure, string) {
	d := curseOf(r)
	if len(d.points) < 3 {
		return nil, "fewer than three candidates were scored on test"
	}
	f := &Figure{title: "Scores on search against scores on test", width: 6.5 * vg.Inch, height: 4 * vg.Inch}
	falls := f.series("search less test", "points")
	top, mean := d.falls()
	falls.add("best on search", top)
	falls.add("mean", mean)
	f.subtitle = fmt.Sprintf("%s scored on both (search n = %d, test n = %d items); test less search: %s points for the best on search, %s on the mean%s",
		plural(len(d.points), "candidate"), commonItems(r, search), commonItems(r, test), signed(-top), signed(-mean), noted(candidates(r), "; bars are 95 % intervals"))
	both, lost := newPanel("score on search (points)", "score on test (points)"), newPanel("score on search (points)", "test less search (points)")
	addGrid(both, true, true)
	addGrid(lost, true, true)
	f.keys = []key{glyphKey("soup", soupGlyph()), glyphKey("parent", parentGlyph())}
	f.addWinnerKey(r)
	across := f.series("search", intervalColumns("search", "test")...)
	upright := f.series("test", intervalColumns("search", "test")...)
	differ := f.series("test less search", intervalColumns("search", "test less search")...)
	for _, x := range d.points {
		style, name := glyphOf(r, x.candidate), x.name()
		level := across.add(name, x.score, x.test, x.score-z95*x.se, x.score+z95*x.se).whisker(style)
		level.level = true
		both.Add(level, upright.add(name, x.score, x.test, x.test-z95*x.testSE, x.test+z95*x.testSE).whisker(style))
		less, se := x.test-x.score, math.Hypot(x.se, x.testSE)
		lost.Add(differ.add(name, x.score, less, less-z95*se, less+z95*se).whisker(style))
	}
	f.addExpected(d, both, lost)
	f.body = func(c draw.Canvas) {
		row := [][]*plot.Plot{{both, lost}}
		canvases := plot.Align(row, draw.Tiles{Rows: 1, Cols: 2, PadX: 14}, c)
		both.Draw(canvases[0][0])
		lost.Draw(canvases[0][1])
	}
	return f, ""
}

// addExpected draws where points lie if search scores hold, and if they keep what
// shrinking leaves of them.
func (f *Figure) addExpected(d curse, both, lost *plot.Plot) {
	low, high := d.points[0].score, d.points[len(d.points)-1].score
	for _, line := range []struct {
		label string
		style draw.LineStyle
		test  func(search float64) float64
		drawn bool
	}{
		{"test = search", stroke(grey, 1), func(x float64) float64 { return x }, true},
		{
			fmt.Sprintf("search scores shrunk by their noise (keep %.0f %%, n = %s)", 100*d.keep, plural(d.candidates, "candidate")),
			stroke(vermillion, 1, 4, 2), func(x float64) float64 { return d.mean + d.keep*(x-d.mean) }, d.shrinks,
		},
	} {
		if !line.drawn {
			continue
		}
		ends := f.series(line.label, "search", "test")
		ends.add("", low, line.test(low))
		ends.add("", high, line.test(high))
		both.Add(polyline(line.style, ends.xys()...))
		lost.Add(polyline(line.style, plotter.XY{X: low, Y: line.test(low) - low}, plotter.XY{X: high, Y: line.test(high) - high}))
		f.keys = append(f.keys, lineKey(line.label, line.style))
	}
}
