package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"gonum.org/v1/gonum/stat"

	"soup/results"
)

// chart is one drawing. Its option goes to ECharts as it is, save that colours
// that begin with @ are names from the page's style. A point's name is the number
// of its trial, where it is one.
type chart struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Text   string `json:"text"`   // what it shows
	Height int    `json:"height"` // pixels
	// Section is the ID of the part of the page that it belongs to; without one it is
	// among the charts.
	Section string         `json:"section,omitempty"`
	Option  map[string]any `json:"option"`
}

// parallelLines is how many candidates the chart of weights shows: more lines
// are a grey field.
const parallelLines = 300

// drawings are the charts that the study has data for.
func drawings(s Study, categories []string) []chart {
	list := []chart{}
	for _, draw := range []func(Study, []string) *chart{drawBest, drawWeights, drawCategories, drawOptimism, drawCorrelation, drawCost, drawRun, drawRunSoft, drawPath, drawLandscape, drawMidpoints, drawReliability} {
		if c := draw(s, categories); c != nil {
			list = append(list, *c)
		}
	}
	return list
}

// scored are the candidates with a search score, the base aside.
func scored(r results.Report) []results.TrialReport {
	return slices.DeleteFunc(slices.Clone(r.Trials), func(t results.TrialReport) bool { return !isScored(t) })
}

func isScored(t results.TrialReport) bool {
	return t.State == results.Complete && t.Strategy != "base" && t.Scores.Search != nil && t.Scores.Search.Mean != nil
}

func isWinner(r results.Report, t results.TrialReport) bool {
	return r.Winner != nil && r.Winner.Trial == t.Number
}

func points(mean float64) float64 { return 100 * mean }

func named(number int, value ...any) opts.ScatterData {
	return opts.ScatterData{Name: strconv.Itoa(number), Value: value}
}

func axes(x, y opts.XAxis) []charts.GlobalOpts {
	x.NameLocation, x.NameGap = "middle", 28
	return []charts.GlobalOpts{
		charts.WithXAxisOpts(x),
		charts.WithYAxisOpts(opts.YAxis{Name: y.Name, Type: y.Type, Data: y.Data, Scale: y.Scale, Inverse: y.Inverse, Min: y.Min, Max: y.Max, SplitNumber: y.SplitNumber}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "24", Top: "56", Bottom: "36", ContainLabel: opts.Bool(true)}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Type: "scroll", Top: "0", Left: "0"}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
	}
}

func number(name string) opts.XAxis {
	return opts.XAxis{Name: name, Type: "value", Scale: opts.Bool(true)}
}

// between is an axis that holds these values: ECharts does not look at the ends of
// lines. It begins and ends with a tick.
func between(name string, low, high float64) opts.XAxis {
	x := number(name)
	rough := max(high-low, 1e-9) / 6
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * unit
	for _, times := range []float64{1, 2, 5} {
		if times*unit >= rough {
			step = times * unit
			break
		}
	}
	first, last := math.Floor(low/step), math.Ceil(high/step)
	x.Min, x.Max, x.SplitNumber = first*step, last*step, int(max(last-first, 1))
	return x
}

func dots(color string) []charts.SeriesOpts {
	return []charts.SeriesOpts{
		charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 7}),
		charts.WithItemStyleOpts(opts.ItemStyle{Color: color, Opacity: opts.Float(.7)}),
	}
}

// drawBest shows what the search had reached after how many answers.
func drawBest(s Study, _ []string) *chart {
	var tried, chosen []opts.ScatterData
	var best []opts.LineData
	answered, top := 0, 0.0
	for _, t := range s.Trials {
		answered += t.Answered
		if !isScored(t) {
			continue
		}
		mean := points(*t.Scores.Search.Mean)
		tried = append(tried, named(t.Number, answered, mean))
		if top = max(top, mean); len(best) == 0 || top == mean {
			best = append(best, opts.LineData{Name: strconv.Itoa(t.Number), Value: []any{answered, top}})
		}
		if sel := t.Scores.Selection; sel != nil && sel.Mean != nil {
			chosen = append(chosen, named(t.Number, answered, points(*sel.Mean)))
		}
	}
	if len(tried) < 2 {
		return nil
	}
	best = append(best, opts.LineData{Value: []any{answered, top}})
	c := charts.NewScatter()
	c.SetGlobalOptions(axes(number("search items answered"), number("score, points"))...)
	c.AddSeries("candidate on search", tried, dots("@muted")...)
	c.AddSeries("finalist on selection", chosen, append(dots("@second"), charts.WithScatterChartOpts(opts.ScatterChart{Symbol: "diamond", SymbolSize: 11}))...)
	line := charts.NewLine()
	line.AddSeries("best so far on search", best, charts.WithLineChartOpts(opts.LineChart{Step: "end", ShowSymbol: opts.Bool(false)}),
		charts.WithLineStyleOpts(opts.LineStyle{Color: "@accent", Width: 2.5}), charts.WithItemStyleOpts(opts.ItemStyle{Color: "@accent"}))
	c.Overlap(line)
	return &chart{ID: "best", Title: "How the search went", Text: "Score of every candidate on the search items, in the order of trying, the best so far, and the finalists on selection.", Height: 360, Option: c.JSON()}
}

// drawWeights sets each parent's weight beside the score. Of several groups of
// tensors it shows the mean.
func drawWeights(s Study, _ []string) *chart {
	all := scored(s.Report)
	slices.SortStableFunc(all, func(a, b results.TrialReport) int { return cmp.Compare(*b.Scores.Search.Mean, *a.Scores.Search.Mean) })
	all = all[:min(len(all), parallelLines)]
	var lines, winner []opts.ParallelData
	grouped := false
	for _, t := range all {
		grouped = grouped || len(t.Groups) > 1
		row := opts.ParallelData{Name: strconv.Itoa(t.Number), Value: weightRowOf(t, s.Parents)}
		if isWinner(s.Report, t) {
			winner = append(winner, row)
		} else {
			lines = append(lines, row)
		}
	}
	if len(all) < 2 {
		return nil
	}
	c := charts.NewParallel()
	list := make([]opts.ParallelAxis, 0, len(s.Parents)+1)
	for i, p := range s.Parents {
		list = append(list, opts.ParallelAxis{Dim: i, Name: p})
	}
	list = append(list, opts.ParallelAxis{Dim: len(s.Parents), Name: "search"})
	c.SetGlobalOptions(charts.WithParallelAxisList(list), charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
		charts.WithParallelComponentOpts(opts.ParallelComponent{Left: "32", Right: "48", Top: "56", Bottom: "24"}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Top: "0", Left: "0"}))
	c.AddSeries("candidate", lines, charts.WithLineStyleOpts(opts.LineStyle{Color: "@muted", Width: 1, Opacity: opts.Float(.35)}), charts.WithItemStyleOpts(opts.ItemStyle{Color: "@muted"}))
	c.AddSeries("winner", winner, charts.WithLineStyleOpts(opts.LineStyle{Color: "@accent", Width: 3, Opacity: opts.Float(1)}), charts.WithItemStyleOpts(opts.ItemStyle{Color: "@accent"}))
	text := fmt.Sprintf("One line a candidate, the best %d by search score: its weight of each parent, and its score on search in points.", len(all))
	if grouped {
		text += " Weights are means over the groups of tensors."
	}
	return &chart{ID: "weights", Title: "Weights and score", Text: text, Height: 360, Option: c.JSON()}
}

// weightRowOf are a candidate's weights, a parent each, and its score.
func weightRowOf(t results.TrialReport, parents []string) []float64 {
	row := make([]float64, 0, len(parents)+1)
	for _, p := range parents {
		sum := t.ByParent[p]
		for _, g := range t.Groups {
			sum += g.ByParent[p] / float64(len(t.Groups))
		}
		row = append(row, sum)
	}
	return append(row, points(*t.Scores.Search.Mean))
}

// drawCategories shows what the winner gained and lost, with intervals.
func drawCategories(s Study, _ []string) *chart {
	c := against(s.Report, results.OfBestSingle)
	if c == nil || len(c.Categories) == 0 {
		return nil
	}
	var names []string
	scatter := charts.NewScatter()
	low, high := 0.0, 0.0
	for _, x := range c.Categories {
		names = append(names, x.Category)
		low, high = min(low, points(x.Low)), max(high, points(x.High))
	}
	x := between("winner less best single, points, with 95 % interval", low, high)
	scatter.SetGlobalOptions(axes(x, opts.XAxis{Type: "category", Data: names, Inverse: opts.Bool(true)})...)
	for _, verdict := range []struct{ is, name, color string }{{results.Better, "better", "@better"}, {results.Worse, "worse", "@worse"}, {results.Noise, "~ noise", "@muted"}} {
		var dots []opts.ScatterData
		var intervals []any
		for i, x := range c.Categories {
			if x.Verdict != verdict.is {
				continue
			}
			dots = append(dots, opts.ScatterData{
				Name:  fmt.Sprintf("%s: %s %s, %s, n = %d", x.Category, results.Signed(x.Delta), x.Interval(), probability(x.P), x.N),
				Value: []any{points(x.Delta), i},
			})
			intervals = append(intervals, []any{span{points(x.Low), i}, span{points(x.High), i}})
		}
		scatter.AddSeries(verdict.name, dots, charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 11}),
			charts.WithItemStyleOpts(opts.ItemStyle{Color: verdict.color}), withLines(intervals, opts.LineStyle{Color: verdict.color, Width: 3, Type: "solid"}))
	}
	scatter.AddSeries("", nil, withLines([]any{opts.MarkLineNameXAxisItem{XAxis: 0}}, opts.LineStyle{Color: "@ink", Width: 1, Type: "dashed"}))
	return &chart{ID: "categories", Title: "Gains and losses", Text: "The winner less the best single checkpoint on the test items, by category. An interval that does not reach 0 is no noise.", Height: 120 + 36*len(names), Option: scatter.JSON()}
}

// span is one end of a line from point to point.
type span struct{ x, y any }

func (s span) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"coord":[%v,%v]}`, s.x, s.y), nil
}

func withLines(data []any, style opts.LineStyle) charts.SeriesOpts {
	return func(s *charts.SingleSeries) {
		s.MarkLines = &opts.MarkLines{Data: data, MarkLineStyle: opts.MarkLineStyle{
			Symbol: []string{"none", "none"}, Label: &opts.Label{Show: opts.Bool(false)}, LineStyle: &style,
		}}
	}
}

// drawOptimism sets search against test: what was chosen by search looks better
// there than it is.
func drawOptimism(s Study, _ []string) *chart {
	var others, winner []opts.ScatterData
	low, high := 100.0, 0.0
	for _, t := range scored(s.Report) {
		test := t.Scores.Test
		if test == nil || test.Mean == nil {
			continue
		}
		x, y := points(*t.Scores.Search.Mean), points(*test.Mean)
		low, high = min(low, x, y), max(high, x, y)
		if isWinner(s.Report, t) {
			winner = append(winner, named(t.Number, x, y))
		} else {
			others = append(others, named(t.Number, x, y))
		}
	}
	if len(others)+len(winner) < 2 {
		return nil
	}
	c := charts.NewScatter()
	c.SetGlobalOptions(axes(between("score on search, points", low, high), between("score on test, points", low, high))...)
	style := opts.LineStyle{Color: "@ink", Width: 1, Type: "dashed", Opacity: opts.Float(.5)}
	c.AddSeries("candidate", others, append(dots("@muted"), withLines([]any{[]any{span{low, low}, span{high, high}}}, style))...)
	c.AddSeries("winner", winner, append(dots("@accent"), charts.WithScatterChartOpts(opts.ScatterChart{SymbolSize: 14}))...)
	return &chart{ID: "optimism", Title: "Search against test", Text: "Candidates that were scored on both. Below the dashed line a candidate looked better on search, where it was chosen, than it is.", Height: 360, Option: c.JSON()}
}

// drawCorrelation shows which categories go together over the candidates.
func drawCorrelation(s Study, categories []string) *chart {
	columns := make([][]float64, len(categories))
	n := 0
	for _, t := range scored(s.Report) {
		row := make([]float64, 0, len(categories))
		for _, name := range categories {
			if m := t.Scores.Search.Categories[name].Mean; m != nil {
				row = append(row, *m)
			}
		}
		if len(row) < len(categories) {
			continue
		}
		n++
		for i, x := range row {
			columns[i] = append(columns[i], x)
		}
	}
	if n < 3 || len(categories) < 2 {
		return nil
	}
	var cells []opts.HeatMapData
	for i := range categories {
		for k := range categories {
			r := stat.Correlation(columns[i], columns[k], nil)
			if !math.IsNaN(r) { // where a category is the same for all
				cells = append(cells, opts.HeatMapData{Value: []any{i, k, math.Round(100*r) / 100}})
			}
		}
	}
	h := charts.NewHeatMap()
	h.SetGlobalOptions(axes(opts.XAxis{Type: "category", Data: categories}, opts.XAxis{Type: "category", Data: categories, Inverse: opts.Bool(true)})...)
	h.SetGlobalOptions(charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}),
		charts.WithVisualMapOpts(opts.VisualMap{
			Type: "continuous", Min: -1, Max: 1, Orient: "horizontal", Left: "0", Top: "0", Text: []string{"1", "−1"},
			InRange: &opts.VisualMapInRange{Color: []string{"@warm", "@paper", "@cold"}},
		}))
	h.AddSeries("correlation", cells, charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Color: "@ink"}))
	return &chart{ID: "correlation", Title: "Which categories go together", Text: fmt.Sprintf("Correlation of search scores over %d candidates. Where it is low, parents have different strengths: there a soup can gain.", n), Height: 120 + 40*len(categories), Option: h.JSON()}
}

// drawCost shows where the time went, by strategy.
func drawCost(s Study, _ []string) *chart {
	var names []string
	spent := map[string]results.Seconds{"selection and test": s.Later()}
	for _, t := range s.Trials {
		if !slices.Contains(names, t.Strategy) {
			names = append(names, t.Strategy)
		}
		sum := spent[t.Strategy]
		sum.Add(t.Seconds)
		spent[t.Strategy] = sum
	}
	if s.Cost.Total() == 0 {
		return nil
	}
	if s.Later().Total() > 0 {
		names = append(names, "selection and test")
	}
	bar := charts.NewBar()
	x := opts.XAxis{Name: "seconds", Type: "value"}
	bar.SetGlobalOptions(axes(x, opts.XAxis{Type: "category", Data: names, Inverse: opts.Bool(true)})...)
	for _, part := range []struct {
		name, color string
		of          func(results.Seconds) float64
	}{
		{"evaluating", "@accent", func(x results.Seconds) float64 { return x.Eval }},
		{"swapping", "@second", func(x results.Seconds) float64 { return x.Swap }},
		{"merging", "@third", func(x results.Seconds) float64 { return x.Merge }},
	} {
		var data []opts.BarData
		for _, name := range names {
			data = append(data, opts.BarData{Name: name, Value: part.of(spent[name])})
		}
		bar.AddSeries(part.name, data, charts.WithBarChartOpts(opts.BarChart{Stack: "all"}), charts.WithItemStyleOpts(opts.ItemStyle{Color: part.color}))
	}
	return &chart{ID: "cost", Title: "What it cost", Text: "Seconds by strategy, on this server.", Height: 130 + 30*len(names), Option: bar.JSON()}
}
