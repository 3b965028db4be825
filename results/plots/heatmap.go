package plots

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// WriteHeatmap draws a square matrix of correlations as SVG, blue for -1, red
// for 1, each with its number. What is NaN stays white. The names label rows and
// columns; the first row is on top.
func WriteHeatmap(w io.Writer, title, subtitle string, names []string, matrix [][]float64) error {
	if len(names) == 0 || len(names) != len(matrix) {
		return fmt.Errorf("heatmap: %d names for %d rows", len(names), len(matrix))
	}
	return heatmap(title, subtitle, names, matrix).WriteSVG(w)
}

func heatmap(title, subtitle string, names []string, matrix [][]float64) *Figure {
	colours := moreland.SmoothBlueRed() // diverging, safe for the colour-blind, fades to light grey at 0
	colours.SetMin(-1)
	colours.SetMax(1)
	heat := plotter.NewHeatMap(square{matrix}, colours.Palette(201))
	heat.Min, heat.Max, heat.NaN = -1, 1, color.White
	p := newPanel("", "")
	p.Add(heat, numbers{matrix})
	names = short(names, 24)
	side := max(vg.Length(150+30*len(names)), 320)
	turnTicks(p, names, (side-40-widest(names))/vg.Length(len(names)))
	p.Y.Tick.Marker = downwards(names)
	p.X.Padding, p.Y.Padding, p.X.Tick.Length, p.Y.Tick.Length = 0, 0, 0, 0
	return &Figure{Name: "correlation", title: title, subtitle: subtitle, width: side, height: side + 30, body: p.Draw}
}

// downwards are ticks from the last down to 0.
func downwards(names []string) plot.ConstantTicks {
	list := nameTicks(names)
	for i := range list {
		list[i].Value = float64(len(names) - 1 - i)
	}
	return list
}

// square is a matrix as plotter.GridXYZ, which counts rows from below.
type square struct{ rows [][]float64 }

func (s square) Dims() (columns, rows int) { return len(s.rows), len(s.rows) }
func (s square) Z(c, r int) float64        { return s.rows[len(s.rows)-1-r][c] }
func (s square) X(c int) float64           { return float64(c) }
func (s square) Y(r int) float64           { return float64(r) }

// numbers writes the values into the cells.
type numbers struct{ rows [][]float64 }

// Plot implements [plot.Plotter].
func (n numbers) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for r, row := range n.rows {
		for k, v := range row {
			if math.IsNaN(v) {
				continue
			}
			style := aligned(draw.XCenter, draw.YCenter)
			if math.Abs(v) > 0.8 {
				style.Color = white // on dark blue or red
			}
			write(c, style, vg.Point{X: x(float64(k)), Y: y(float64(len(n.rows) - 1 - r))}, decimal2(v))
		}
	}
}
