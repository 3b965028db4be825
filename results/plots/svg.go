package plots

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// WriteSVG writes the figure as SVG. Its text is text: it can be searched, and
// takes the reader's font where Liberation Sans and Arial are not there. Each
// line keeps the length that it was measured with, so that nothing runs into
// anything in another font.
func (f *Figure) WriteSVG(w io.Writer) error {
	canvas := vgsvg.New(f.width, f.height)
	f.draw(draw.New(canvas))
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return fmt.Errorf("figure %s: %w", f.Name, err)
	}
	_, err := io.WriteString(w, portable(text.String()))
	return err
}

// portable names fonts that other computers have, and fixes the length of texts.
func portable(svg string) string {
	svg = strings.ReplaceAll(svg, "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")
	element := regexp.MustCompile(`<text ([^>]*)>([^<]*)</text>`)
	size := regexp.MustCompile(`font-size:([0-9.]+)px`)
	return element.ReplaceAllStringFunc(svg, func(text string) string {
		parts := element.FindStringSubmatch(text)
		words, found := html.UnescapeString(parts[2]), size.FindStringSubmatch(parts[1])
		if found == nil || strings.TrimSpace(words) == "" || foreign(words) {
			return text
		}
		points, _ := strconv.ParseFloat(found[1], 64)
		style := textStyle(points)
		if strings.Contains(parts[1], "font-weight:bold") {
			style = boldStyle(points)
		}
		words = strings.TrimRight(words, " ") // SVG drops them
		return fmt.Sprintf(`<text textLength="%.5g" lengthAdjust="spacingAndGlyphs" %s>%s</text>`, style.Width(words).Points(), parts[1], html.EscapeString(words))
	})
}

// foreign says whether text has letters that the measured font may lack.
func foreign(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r > 0x20ff })
}
