package plots

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The palette of Okabe and Ito, which the colour-blind can tell apart: "Color
// Universal Design", 2008, https://jfly.uni-koeln.de/color/.
var (
	black      = color.NRGBA{A: 255}
	orange     = color.NRGBA{230, 159, 0, 255}
	skyBlue    = color.NRGBA{86, 180, 233, 255}
	green      = color.NRGBA{0, 158, 115, 255}
	yellow     = color.NRGBA{240, 228, 66, 255}
	blue       = color.NRGBA{0, 114, 178, 255}
	vermillion = color.NRGBA{213, 94, 0, 255}
	purple     = color.NRGBA{204, 121, 167, 255}
)

var (
	white = color.NRGBA{255, 255, 255, 255}
	pale  = color.NRGBA{225, 225, 225, 255} // rules behind the data
	grey  = color.NRGBA{130, 130, 130, 255} // what is no result: identity, zero
)

// hue and shape are those of the i-th of several kinds; together they repeat
// after 56.
func hue(i int) color.NRGBA {
	hues := []color.NRGBA{blue, vermillion, green, orange, purple, skyBlue, black, yellow}
	return hues[i%len(hues)]
}

func shape(i int) draw.GlyphDrawer {
	shapes := []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PlusGlyph{},
	}
	return shapes[i%len(shapes)]
}

// ramp is the colour of a share of the way from the worst, 0, to the best, 1:
// from light to dark, so that it survives grey print.
func ramp(share float64) color.NRGBA {
	stops := []color.NRGBA{{250, 240, 170, 255}, yellow, green, blue, {0, 20, 60, 255}}
	at := min(max(share, 0), 1) * float64(len(stops)-1)
	i := min(int(at), len(stops)-2)
	return mix(stops[i], stops[i+1], at-float64(i))
}

func mix(a, b color.NRGBA, share float64) color.NRGBA {
	of := func(x, y uint8) uint8 { return uint8(float64(x) + share*(float64(y)-float64(x)) + 0.5) }
	return color.NRGBA{of(a.R, b.R), of(a.G, b.G), of(a.B, b.B), 255}
}

type textStyleOf = text.Style

// textStyle is black text of a size in points.
func textStyle(size float64) text.Style {
	return text.Style{
		Color:   black,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)},
		Handler: plot.DefaultTextHandler,
	}
}

func boldStyle(size float64) text.Style {
	const bold = 3 // WeightBold of golang.org/x/image/font, which need not be a dependency for this
	s := textStyle(size)
	s.Font.Weight = bold
	return s
}

// write puts text at a point. What is centred is centred on its small letters,
// where gonum has the whole line in mind.
func write(c draw.Canvas, style text.Style, at vg.Point, words string) {
	if style.YAlign == draw.YCenter && style.Rotation == 0 {
		at.Y += style.Font.Size * 0.14
	}
	c.FillText(style, at, printable(words))
}

// aligned is small text around its point.
func aligned(x draw.XAlignment, y draw.YAlignment) text.Style {
	s := textStyle(8)
	s.XAlign, s.YAlign = x, y
	return s
}

func stroke(c color.Color, width float64, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: vg.Points(width), Dashes: dashes}
}

func glyph(c color.Color, radius float64, s draw.GlyphDrawer) draw.GlyphStyle {
	return draw.GlyphStyle{Color: c, Radius: vg.Points(radius), Shape: s}
}

// newPanel is a plot with axes in the style of all figures.
func newPanel(x, y string) *plot.Plot {
	p := plot.New()
	p.Title.TextStyle = boldStyle(9)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	p.Title.Padding = 3
	p.BackgroundColor = nil
	for _, a := range []struct {
		axis *plot.Axis
		name string
	}{{&p.X, x}, {&p.Y, y}} {
		a.axis.Label.Text, a.axis.Label.TextStyle.Font = a.name, textStyle(9).Font
		a.axis.Label.Padding = 3
		a.axis.Tick.Label.Font = textStyle(8).Font
		a.axis.Tick.Length = 3
		a.axis.LineStyle, a.axis.Tick.LineStyle = stroke(black, 0.6), stroke(black, 0.6)
		a.axis.Padding = 2
		a.axis.Tick.Marker = plot.TickerFunc(plainTicks)
	}
	return p
}

// addGrid draws rules behind what comes after it.
func addGrid(p *plot.Plot, vertical, horizontal bool) {
	g := plotter.NewGrid()
	g.Vertical, g.Horizontal = stroke(nil, 0), stroke(nil, 0)
	if vertical {
		g.Vertical = stroke(pale, 0.5)
	}
	if horizontal {
		g.Horizontal = stroke(pale, 0.5)
	}
	p.Add(g)
}

// plainTicks are at about six round numbers, thousands as k.
func plainTicks(low, high float64) []plot.Tick {
	if !(high > low) {
		return []plot.Tick{{Value: low, Label: thousands(round(low, 3))}}
	}
	rough := (high - low) / 6
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * unit
	for _, x := range []float64{1, 2, 2.5, 5} {
		if x*unit >= rough {
			step = x * unit
			break
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(low / step); i*step <= high; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: thousands(i * step)})
	}
	return ticks
}

func thousands(x float64) string {
	if x >= 10000 || x <= -10000 {
		return decimal(x/1000) + "k"
	}
	return decimal(x)
}

// decimal is a short number without an exponent, never -0.
func decimal(x float64) string {
	s := strconv.FormatFloat(x, 'f', 3, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// round rounds to so many digits after the point.
func round(x float64, digits int) float64 {
	unit := math.Pow10(digits)
	return math.Round(x*unit) / unit
}
