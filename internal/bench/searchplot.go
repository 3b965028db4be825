package bench

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// hues are the colours of Okabe and Ito (2008), which the colour-blind can tell
// apart; with more strategies than hues lines are dashed.
var hues = [...]color.RGBA{
	{0xd5, 0x5e, 0x00, 0xff},
	{0x00, 0x72, 0xb2, 0xff},
	{0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff},
	{0xe6, 0x9f, 0x00, 0xff},
	{0x56, 0xb4, 0xe9, 0xff},
	{0x00, 0x00, 0x00, 0xff},
}

// WritePlots draws a file a problem, regret-PROBLEM.svg, into a folder, which is
// made if it is not there: median and quartiles against items answered.
func (r SearchReport) WritePlots(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, rows := range r.byProblem() {
		var b bytes.Buffer
		if err := drawRegret(&b, rows); err != nil {
			return fmt.Errorf("%s: %w", rows[0].Problem, err)
		}
		path := filepath.Join(dir, "regret-"+rows[0].Problem+".svg")
		if err := renameio.WriteFile(path, b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// drawRegret draws the rows of a problem. Regret is on a logarithmic axis, where
// less than a twentieth of a point, which nobody can measure, is drawn as that.
func drawRegret(w io.Writer, rows []SearchResult) error {
	p := plot.New()
	p.Title.Text = rows[0].Problem
	p.X.Label.Text, p.Y.Label.Text = "search items answered", "regret on test, points"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, regretTicks()
	p.X.Min, p.Y.Min, p.Y.Max = 0, leastRegret, 2*leastRegret
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	for i, line := range byStrategy(rows) {
		if err := addLine(p, i, line); err != nil {
			return err
		}
	}
	canvas := vgsvg.New(vg.Points(520), vg.Points(360))
	p.Draw(draw.New(canvas))
	_, err := canvas.WriteTo(w)
	return err
}

const leastRegret = 0.05

func regretTicks() plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, v := range []float64{0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100} {
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprint(v)})
	}
	return ticks
}

// quartiles are the points of a line with bars to the quartiles.
type quartiles struct {
	plotter.XYs
	plotter.YErrors
}

func addLine(p *plot.Plot, i int, rows []SearchResult) error {
	var q quartiles
	for _, r := range rows {
		median, low, high := max(leastRegret, r.Median), max(leastRegret, r.Low), max(leastRegret, r.High)
		q.XYs = append(q.XYs, plotter.XY{X: float64(r.Items), Y: median})
		q.YErrors = append(q.YErrors, struct{ Low, High float64 }{median - low, high - median})
	}
	line, points, err := plotter.NewLinePoints(q.XYs)
	if err != nil {
		return err
	}
	bars, err := plotter.NewYErrorBars(q)
	if err != nil {
		return err
	}
	line.Color, points.Color, bars.Color = hues[i%len(hues)], hues[i%len(hues)], hues[i%len(hues)]
	if i >= len(hues) {
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	}
	line.Width = vg.Points(1.5)
	bars.Width = vg.Points(0.5)
	p.Add(line, points, bars)
	p.Legend.Add(rows[0].Strategy, line)
	return nil
}

// byProblem cuts the rows where the problem changes.
func (r SearchReport) byProblem() [][]SearchResult {
	return cut(r.Rows, func(s SearchResult) string { return s.Problem })
}

func byStrategy(rows []SearchResult) [][]SearchResult {
	return cut(rows, func(s SearchResult) string { return s.Strategy })
}

// cut divides rows where a name changes.
func cut(rows []SearchResult, name func(SearchResult) string) (parts [][]SearchResult) {
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(s SearchResult) bool { return name(s) != name(rows[0]) })
		if n < 0 {
			n = len(rows)
		}
		parts, rows = append(parts, rows[:n]), rows[n:]
	}
	return parts
}

// WriteMarkdown prints a table a problem, as it stands in the documentation.
func (r SearchReport) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	for _, rows := range r.byProblem() {
		lines := byStrategy(rows)
		fmt.Fprintf(&b, "| %s |", rows[0].Problem)
		for _, c := range lines[0] {
			fmt.Fprintf(&b, " %d |", c.Evaluations)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(lines[0])) + "\n")
		for _, line := range lines {
			fmt.Fprintf(&b, "| %s |", line[0].Strategy)
			for _, c := range line {
				b.WriteString(" " + c.short() + " |")
			}
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// short is the median with its quartiles, but where all are the same.
func (r SearchResult) short() string {
	if math.Round(100*r.Low) == math.Round(100*r.High) {
		return fmt.Sprintf("%.2f", r.Median)
	}
	return fmt.Sprintf("%.2f (%.2f-%.2f)", r.Median, r.Low, r.High)
}
