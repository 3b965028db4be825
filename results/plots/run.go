package plots

import (
	"fmt"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// drawRun sets the checkpoints of a run beside the means of the last few: scores
// and log-likelihoods.
func drawRun(r results.Report) (*Figure, string) {
	c := r.Curve
	if c == nil {
		return nil, "not a study of one training run with means along it"
	}
	f := &Figure{title: "Along the run: single checkpoints and means of the last few", width: 6.5 * vg.Inch, height: 3.4 * vg.Inch}
	f.subtitle = fmt.Sprintf("%s, means of the last %d or as many as there are yet; on search (n = %d items each), bars are 95 %% intervals",
		plural(len(c.Points), "checkpoint"), c.Window, commonItems(r, search))
	for _, kind := range runKinds(c) {
		f.keys = append(f.keys, glyphKey(kind.name, kind.style))
	}
	panels := []*plot.Plot{f.runPanel(c, "score (points)", func(s results.RunScore) (y, bar float64, ok bool) {
		if s.SE != nil {
			bar = 100 * z95 * *s.SE
		}
		return 100 * s.Score, bar, true
	})}
	soft := func(s results.RunScore) (y, bar float64, ok bool) {
		if s.Soft == nil {
			return 0, 0, false
		}
		return *s.Soft, 0, true
	}
	if first := c.Points[0].Raw; first != nil && first.Soft != nil {
		panels = append(panels, f.runPanel(c, "smooth score (nats)", soft))
	}
	f.body = func(canvas draw.Canvas) {
		tiles := plot.Align([][]*plot.Plot{panels}, draw.Tiles{Rows: 1, Cols: len(panels), PadX: 14}, canvas)
		for i, p := range panels {
			p.Draw(tiles[0][i])
		}
	}
	return f, ""
}

// runKind is one of the two lines of a panel.
type runKind struct {
	name  string
	style draw.GlyphStyle
	line  draw.LineStyle
	of    func(results.CurveStep) *results.RunScore
}

func runKinds(c *results.Curve) []runKind {
	return []runKind{
		{"single checkpoint", parentGlyph(), stroke(black, 0.8, 3, 2), func(s results.CurveStep) *results.RunScore { return s.Raw }},
		{fmt.Sprintf("mean of the last %d", c.Window), soupGlyph(), stroke(blue, 1.2), func(s results.CurveStep) *results.RunScore { return s.Averaged }},
	}
}

// runPanel draws one value of a run's candidates, checkpoint by checkpoint.
func (f *Figure) runPanel(c *results.Curve, name string, value func(results.RunScore) (y, bar float64, ok bool)) *plot.Plot {
	p := newPanel("checkpoint", name)
	addGrid(p, false, true)
	for _, kind := range runKinds(c) {
		data := f.series(kind.name, intervalColumns("checkpoint", name)...)
		for i, s := range c.Points {
			score := kind.of(s)
			if score == nil {
				continue
			}
			if y, bar, ok := value(*score); ok {
				p.Add(data.add(strconv.Itoa(score.Trial), float64(i), y, y-bar, y+bar).whisker(kind.style))
			}
		}
		if len(data.Rows) > 1 {
			p.Add(polyline(kind.line, data.xys()...))
		}
	}
	p.X.Tick.Marker = plot.ConstantTicks(stepTicks(c.Points))
	return p
}

// stepTicks name at most six checkpoints, without what all names begin with.
func stepTicks(points []results.CurveStep) (ticks []plot.Tick) {
	common := points[0].Checkpoint
	for _, s := range points {
		for !strings.HasPrefix(s.Checkpoint, common) {
			common = common[:len(common)-1]
		}
	}
	common = strings.TrimRight(common, "0123456789") // not the first digits of numbers
	every := (len(points) + 5) / 6
	for i := len(points) - 1; i >= 0; i -= every {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: printable(strings.TrimPrefix(points[i].Checkpoint, common))})
	}
	return ticks
}
