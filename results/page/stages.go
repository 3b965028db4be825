package page

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"soup/results"
)

// The charts of what a report shows beside the search itself; see results.Stage.

const z95 = 1.96 // half of a 95 % interval in standard errors

// ladder is a line of points with intervals, and what its axis has to hold.
type ladder struct {
	data      []opts.LineData
	intervals []any
	low, high float64
}

func newLadder() *ladder { return &ladder{low: 1e9, high: -1e9} }

func (l *ladder) add(trial int, x any, y float64, se *float64) {
	half := 0.0
	if se != nil {
		half = z95 * *se
	}
	l.data = append(l.data, opts.LineData{Name: fmt.Sprint(trial), Value: []any{x, y}, SymbolSize: 8})
	l.intervals = append(l.intervals, []any{span{x, y - half}, span{x, y + half}})
	l.low, l.high = min(l.low, y-half), max(l.high, y+half)
}

// draw adds it to a chart.
func (l *ladder) draw(c *charts.Line, name, color, symbol string) {
	c.AddSeries(name, l.data, charts.WithLineChartOpts(opts.LineChart{Symbol: symbol, SymbolSize: 8}), charts.WithLineStyleOpts(opts.LineStyle{Color: color, Width: 2}),
		charts.WithItemStyleOpts(opts.ItemStyle{Color: color}), withLines(l.intervals, opts.LineStyle{Color: color, Width: 1, Type: "solid", Opacity: opts.Float(.6)}))
}

// runLines are the single checkpoints and the means along a run.
func runLines(c *results.Curve, value func(results.RunScore) (y float64, se *float64, ok bool)) (raw, averaged *ladder) {
	raw, averaged = newLadder(), newLadder()
	for i, p := range c.Points {
		for _, of := range []struct {
			to    *ladder
			score *results.RunScore
		}{{raw, p.Raw}, {averaged, p.Averaged}} {
			if of.score == nil {
				continue
			}
			if y, se, ok := value(*of.score); ok {
				of.to.add(of.score.Trial, i, y, se)
			}
		}
	}
	return raw, averaged
}

func drawAlong(c *results.Curve, raw, averaged *ladder, y string) *charts.Line {
	var names []string
	for _, p := range c.Points {
		names = append(names, p.Checkpoint)
	}
	line := charts.NewLine()
	line.SetGlobalOptions(axes(opts.XAxis{Type: "category", Data: names}, between(y, min(raw.low, averaged.low), max(raw.high, averaged.high)))...)
	raw.draw(line, "single checkpoint", "@second", "rect")
	averaged.draw(line, fmt.Sprintf("mean of the last %d", c.Window), "@accent", "circle")
	return line
}

// drawRun sets the checkpoints of a run beside the means of the last few.
func drawRun(s Study, _ []string) *chart {
	if s.Curve == nil {
		return nil
	}
	raw, averaged := runLines(s.Curve, func(x results.RunScore) (float64, *float64, bool) {
		if x.SE == nil {
			return points(x.Score), nil, true
		}
		se := points(*x.SE)
		return points(x.Score), &se, true
	})
	c := drawAlong(s.Curve, raw, averaged, "score, points")
	return &chart{ID: "run", Section: "run", Title: "Score", Text: "On the search items, with 95 % intervals.", Height: 340, Option: c.JSON()}
}

// drawRunSoft does so with smooth scores.
func drawRunSoft(s Study, _ []string) *chart {
	if s.Curve == nil {
		return nil
	}
	raw, averaged := runLines(s.Curve, func(x results.RunScore) (float64, *float64, bool) {
		if x.Soft == nil {
			return 0, nil, false
		}
		return *x.Soft, nil, true
	})
	if len(raw.data) == 0 {
		return nil
	}
	c := drawAlong(s.Curve, raw, averaged, "smooth score, nats")
	return &chart{ID: "soft", Section: "run", Title: "Smooth score", Text: "Mean log-likelihood of the reference answers, of labels their lead: it moves before scores do.", Height: 340, Option: c.JSON()}
}

// drawPath shows what is gained and what must be kept between two parents.
func drawPath(s Study, _ []string) *chart {
	h := s.Path
	if h == nil {
		return nil
	}
	target, keep := newLadder(), newLadder()
	on := h.Line()
	for _, x := range on {
		target.score(x, x.Target)
		keep.score(x, x.Keep)
	}
	line := charts.NewLine()
	x := between("weight of "+h.To, on[0].At, on[len(on)-1].At)
	line.SetGlobalOptions(axes(x, between("score, points", min(target.low, keep.low), max(target.high, keep.high)))...)
	target.draw(line, "gained", "@accent", "circle")
	keep.draw(line, "to keep", "@second", "rect")
	marked := slices.DeleteFunc(slices.Clone(target.data), func(d opts.LineData) bool { return s.Winner == nil || d.Name != fmt.Sprint(s.Winner.Trial) })
	var winner []opts.ScatterData
	for _, d := range marked {
		winner = append(winner, opts.ScatterData{Name: d.Name, Value: d.Value})
	}
	dots := charts.NewScatter()
	dots.AddSeries("winner", winner, append(opaque("@third"), charts.WithScatterChartOpts(opts.ScatterChart{Symbol: "diamond", SymbolSize: 15}))...)
	line.Overlap(dots)
	return &chart{
		ID: "path", Section: "path", Title: "Gained and kept", Height: 340, Option: line.JSON(),
		Text: fmt.Sprintf("From %s to %s, on the search items, with 95 %% intervals.", h.From, h.To),
	}
}

func (l *ladder) score(x results.PathPoint, s results.PathScore) {
	se := s.SE
	if se != nil {
		hundredfold := points(*se)
		se = &hundredfold
	}
	l.add(x.Trial, x.At, points(s.Mean), se)
}

// opaque is a series in one colour.
func opaque(color string) []charts.SeriesOpts {
	return []charts.SeriesOpts{charts.WithItemStyleOpts(opts.ItemStyle{Color: color})}
}

// drawLandscape colours the scored points of the plane through three checkpoints.
func drawLandscape(s Study, _ []string) *chart {
	l := s.Landscape
	if l == nil {
		return nil
	}
	name, text := "loss", "loss on search, nats"
	if l.Points[0].Loss == nil {
		name, text = "error", "error on search, points"
	}
	var scored, corners []opts.ScatterData
	low, high, x, y := 1e9, -1e9, newLadder(), newLadder()
	for i, p := range l.Points {
		z := points(p.Search)
		if p.Loss != nil {
			z = *p.Loss
		}
		scored = append(scored, named(p.Trial, p.X, p.Y, z))
		low, high = min(low, z), max(high, z)
		x.add(0, 0, p.X, nil)
		y.add(0, 0, p.Y, nil)
		if i < len(l.Corners) {
			corners = append(corners, opts.ScatterData{Name: l.Corners[i], Value: []any{p.X, p.Y}})
		}
	}
	across := "distance of weights"
	if l.Distances == nil {
		across, text = "", text+"; how far apart the checkpoints are was not measured"
	}
	left, right, bottom, top := framed(x, y)
	c := charts.NewScatter()
	c.SetGlobalOptions(axes(between(across, left, right), between("", bottom, top))...)
	c.AddSeries(name, scored, charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 26}))
	c.AddSeries("corner", corners, append(opaque("@ink"), charts.WithScatterChartOpts(opts.ScatterChart{Symbol: "rect", SymbolSize: 9}),
		charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Formatter: "\n{b}", Position: "bottom", Color: "@ink"}))...)
	option := c.JSON()
	option["visualMap"] = map[string]any{ // opts.VisualMap cannot be of one series only
		"type": "continuous", "min": low, "max": high, "dimension": 2, "seriesIndex": 0, "orient": "horizontal", "right": 0, "top": 0, "precision": 3,
		"calculable": true, "inRange": map[string]any{"color": []string{"@accent", "@cold", "@warm"}},
	}
	return &chart{ID: "landscape", Section: "landscape", Title: "The plane of weights", Text: "Every point was scored; its colour is its " + text + ".", Height: 400, Option: option}
}

// framed are bounds with room around the points, for a field of this shape: the same
// distance is as long across as upwards, where the page is wide enough.
func framed(x, y *ladder) (left, right, bottom, top float64) {
	const shape, room = 1.33, 1.25
	half := room / 2 * max(x.high-x.low, shape*(y.high-y.low))
	middle, level := (x.low+x.high)/2, (y.low+y.high)/2
	return middle - half, middle + half, level - half/shape, level + half/shape
}

// drawMidpoints colours the barriers between parents.
func drawMidpoints(s Study, _ []string) *chart {
	if s.Midpoints == nil || len(s.Midpoints.Barriers) == 0 {
		return nil
	}
	var cells []opts.HeatMapData
	most := 0.0
	for _, b := range s.Midpoints.Barriers {
		i, k := slices.Index(s.Parents, b.First), slices.Index(s.Parents, b.Second)
		height := math.Round(10*points(b.Delta)) / 10
		name := fmt.Sprintf("%s and %s: %s %s, n = %d", b.First, b.Second, results.Signed(b.Delta), b.Interval(), b.N)
		cells = append(cells, opts.HeatMapData{Name: name, Value: []any{i, k, height}}, opts.HeatMapData{Name: name, Value: []any{k, i, height}})
		most = max(most, height, -height)
	}
	h := charts.NewHeatMap()
	h.SetGlobalOptions(axes(opts.XAxis{Type: "category", Data: s.Parents}, opts.XAxis{Type: "category", Data: s.Parents, Inverse: opts.Bool(true)})...)
	h.SetGlobalOptions(charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}),
		charts.WithVisualMapOpts(opts.VisualMap{
			Type: "continuous", Min: float32(-most), Max: float32(most), Orient: "horizontal", Left: "0", Top: "0", Text: []string{"barrier", "gain"},
			InRange: &opts.VisualMapInRange{Color: []string{"@cold", "@paper", "@warm"}},
		}))
	h.AddSeries("barrier", cells, charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Color: "@ink"}))
	return &chart{
		ID: "midpoints", Section: "midpoints", Title: "Barriers", Height: 130 + 40*len(s.Parents), Option: h.JSON(),
		Text: "Points by which the midpoint of two parents lies below the mean of their scores; below 0 it lies above.",
	}
}

// drawReliability sets accuracy against confidence, for the winner, the ensemble and
// the best single checkpoint.
func drawReliability(s Study, _ []string) *chart {
	if s.Calibration == nil {
		return nil
	}
	line := charts.NewLine()
	line.SetGlobalOptions(axes(between("probability of the chosen label, %", 0, 100), between("chosen rightly, %", 0, 100))...)
	for i, row := range s.Diagrammed() {
		if row == nil {
			continue
		}
		var data []opts.LineData
		for _, b := range row.Bins {
			label := fmt.Sprintf("%s: n = %d, as sure as %.0f %%, right in %.0f %%", row.Name, b.N, points(b.Confidence), points(b.Accuracy))
			data = append(data, opts.LineData{Name: label, Value: []any{points(b.Confidence), points(b.Accuracy)}})
		}
		color := []string{"@accent", "@second", "@third"}[i]
		options := []charts.SeriesOpts{charts.WithLineStyleOpts(opts.LineStyle{Color: color, Width: 2}), charts.WithItemStyleOpts(opts.ItemStyle{Color: color})}
		if i == 0 {
			options = append(options, withLines([]any{[]any{span{0, 0}, span{100, 100}}}, opts.LineStyle{Color: "@muted", Width: 1, Type: "dashed"}))
		}
		line.AddSeries(row.Name, data, options...)
	}
	return &chart{
		ID: "reliability", Section: "reliability", Title: "Reliability", Height: 380, Option: line.JSON(),
		Text: "How often a label of this probability is right, on test. On the dashed line a model is as sure as it is right.",
	}
}
