package plots

import (
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"soup/results"
)

// Figure is one picture.
type Figure struct {
	Name     string    // of its file, without ending
	Data     []*Series // what it shows
	title    string
	subtitle string // how many of what, and how to read it
	width    vg.Length
	height   vg.Length
	keys     []key
	body     func(draw.Canvas) // draws below title and keys
}

// Missing is a picture that a report has no data for.
type Missing struct{ Name, Reason string }

// Draw returns the figures of a report, in the order to look at them, and those
// that it has no data for, with the reason.
func Draw(r results.Report) (figures []*Figure, missing []Missing) {
	for _, kind := range []struct {
		name string
		draw func(results.Report) (*Figure, string)
	}{
		{"best-so-far", drawProgress},
		{"categories", drawCategories},
		{"weights", drawWeights},
		{"groups", drawGroups},
		{"interpolation", drawEdges},
		{"run", drawRun},
		{"path", drawPath},
		{"landscape", drawLandscape},
		{"search-test", drawCurse},
		{"reliability", drawReliability},
		{"correlation", drawCorrelation},
		{"cost", drawCost},
	} {
		f, reason := kind.draw(r)
		if f == nil {
			missing = append(missing, Missing{kind.name, reason})
			continue
		}
		f.Name = kind.name
		figures = append(figures, f)
	}
	return figures, missing
}

// pngDPI makes a figure as wide as a page 1,300 pixels wide.
const pngDPI = 200

// WritePNG writes the figure as PNG, 200 pixels an inch.
func (f *Figure) WritePNG(w io.Writer) error {
	canvas := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(pngDPI))
	f.draw(draw.New(canvas))
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
	return err
}

// margin is around everything.
const margin = 6 * vg.Millimeter / 2

func (f *Figure) draw(c draw.Canvas) {
	c.SetColor(white)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	c = heading(c, f.title, boldStyle(11))
	c = heading(c, f.subtitle, textStyle(8.5))
	c = drawKeys(c, f.keys)
	f.body(c)
}

// heading writes lines at the top and returns what is left below them.
func heading(c draw.Canvas, words string, style textStyleOf) draw.Canvas {
	for _, line := range wrap(words, c.Max.X-c.Min.X, style) {
		style.YAlign = draw.YTop
		c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, line)
		c.Max.Y -= style.Font.Size * 1.3
	}
	c.Max.Y -= 2
	return c
}
