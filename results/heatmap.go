package results

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// WriteHeatmap draws a square matrix of correlations as SVG, blue for -1, red
// for 1, each with its number. What is NaN stays white. The names label rows and
// columns; the first row is on top.
func WriteHeatmap(w io.Writer, title string, names []string, matrix [][]float64) error {
	if len(names) == 0 || len(names) != len(matrix) {
		return fmt.Errorf("heatmap: %d names for %d rows", len(names), len(matrix))
	}
	cells := &square{matrix}
	colours := moreland.SmoothBlueRed() // diverging, safe for the colour-blind, fades to light grey at 0
	colours.SetMin(-1)
	colours.SetMax(1)
	heat := plotter.NewHeatMap(cells, colours.Palette(201))
	heat.Min, heat.Max, heat.NaN = -1, 1, color.White
	p := plot.New()
	p.Title.Text = title
	p.Add(heat)
	numbers, err := plotter.NewLabels(cells.labels())
	if err != nil {
		return fmt.Errorf("heatmap: %w", err)
	}
	for i := range numbers.TextStyle {
		numbers.TextStyle[i].XAlign, numbers.TextStyle[i].YAlign = text.XCenter, text.YCenter
		numbers.TextStyle[i].Font.Size = vg.Points(8)
	}
	p.Add(numbers)
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks(names, false), ticks(names, true)
	p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/3, text.XRight, text.YCenter
	side := vg.Points(float64(160 + 28*len(names)))
	canvas := vgsvg.New(side, side)
	p.Draw(draw.New(canvas))
	_, err = canvas.WriteTo(w)
	return err
}

// ticks are at 0, 1, 2 and so on, or from the last down.
func ticks(names []string, down bool) plot.ConstantTicks {
	var list plot.ConstantTicks
	for i, name := range names {
		at := i
		if down {
			at = len(names) - 1 - i
		}
		list = append(list, plot.Tick{Value: float64(at), Label: name})
	}
	return list
}

// square is a matrix as plotter.GridXYZ, which counts rows from below.
type square struct{ rows [][]float64 }

func (s *square) Dims() (columns, rows int) { return len(s.rows), len(s.rows) }
func (s *square) Z(c, r int) float64        { return s.rows[len(s.rows)-1-r][c] }
func (s *square) X(c int) float64           { return float64(c) }
func (s *square) Y(r int) float64           { return float64(r) }

func (s *square) labels() plotter.XYLabels {
	var l plotter.XYLabels
	for r := range s.rows {
		for c := range s.rows {
			if v := s.Z(c, r); !math.IsNaN(v) {
				l.XYs = append(l.XYs, plotter.XY{X: float64(c), Y: float64(r)})
				l.Labels = append(l.Labels, fmt.Sprintf("%.2f", v))
			}
		}
	}
	return l
}
