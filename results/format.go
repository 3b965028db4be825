package results

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

const (
	columns = 100 // that the text report fits
	gap     = 2   // between the columns of a table
	none    = "-" // where there is no number
)

// String is the mean in points with its standard error: "81.8 ± 0.9".
func (s *Score) String() string {
	if s == nil || s.Mean == nil {
		return none
	}
	if s.SE == nil {
		return points(*s.Mean)
	}
	return points(*s.Mean) + " ± " + points(*s.SE)
}

func (c CategoryScore) String() string {
	if c.Mean == nil {
		return none
	}
	return points(*c.Mean)
}

// String gives difference, interval and p-value, with "~" in place of a
// difference that may be noise.
func (d Difference) String() string {
	delta := signed(d.Delta)
	if d.Verdict == Noise {
		delta = Noise
	}
	p := probability(d.P)
	if !strings.HasPrefix(p, "<") {
		p = "=" + p
	}
	return fmt.Sprintf("%s %s p%s", delta, d.interval(), p)
}

func (d Difference) interval() string {
	return fmt.Sprintf("[%s, %s]", signed(d.Low), signed(d.High))
}

// probability has two digits that count, as far down as resampling can tell.
func probability(p float64) string {
	switch {
	case p < 0.0001:
		return "<0.0001"
	case p < 0.001:
		return fmt.Sprintf("%.4f", p)
	case p < 0.1:
		return fmt.Sprintf("%.3f", p)
	}
	return fmt.Sprintf("%.2f", p)
}

// points is 100 times a mean score.
func points(x float64) string { return fmt.Sprintf("%.1f", tenth(x)) }

func signed(x float64) string { return fmt.Sprintf("%+.1f", tenth(x)) }

// tenth rounds to a tenth of a point, and never to -0.
func tenth(x float64) float64 { return math.Round(1000*x)/10 + 0 }

// share is how many of how many, as a rate.
func share(part, all int) string {
	rate := 100 * float64(part) / float64(all)
	if rate < 0.1 {
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", rate)
}

// coefficient is a weight.
func coefficient(x float64) string { return fmt.Sprintf("%.3f", math.Round(1000*x)/1000+0) }

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// plural is "1 trial", "2 trials".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// page is text that grows. It keeps the first error, as bufio.Writer does.
type page struct {
	bytes.Buffer
	err error
}

// blank adds an empty line.
func (p *page) blank() { p.WriteByte('\n') }

// grid is a table: the first column holds names, the others numbers, to the
// right. Names are cut where the table would be wider than the page.
type grid struct {
	header   []string
	rows     [][]string
	lastText bool // the last column holds text, to the left
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// table adds a table.
func (p *page) table(g grid) {
	g.fit()
	aligns := g.aligns()
	var text bytes.Buffer
	table := tablewriter.NewTable(&text,
		tablewriter.WithRenderer(renderer.NewBlueprint(plainStyle)),
		tablewriter.WithEastAsian(tw.Off), // not by locale: equal reports give equal text
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithPadding(tw.Padding{Right: strings.Repeat(" ", gap), Overwrite: true}),
		tablewriter.WithAlignment(aligns),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: aligns}),
	)
	table.Header(g.header)
	p.err = errors.Join(p.err, table.Bulk(g.rows), table.Render())
	p.WriteString(trim(text.String()))
}

var plainStyle = tw.Rendition{
	Borders: tw.BorderNone,
	Symbols: tw.NewSymbols(tw.StyleLight),
	Settings: tw.Settings{
		Separators: tw.Separators{ShowHeader: tw.On, BetweenColumns: tw.Off, BetweenRows: tw.Off},
		Lines:      tw.Lines{ShowHeaderLine: tw.On, ShowTop: tw.Off, ShowBottom: tw.Off},
	},
}

func (g *grid) aligns() tw.Alignment {
	aligns := make(tw.Alignment, len(g.header))
	for i := range aligns {
		aligns[i] = tw.AlignRight
	}
	aligns[0] = tw.AlignLeft
	if g.lastText {
		aligns[len(aligns)-1] = tw.AlignLeft
	}
	return aligns
}

// fit cuts the names in the first column.
func (g *grid) fit() {
	room := columns
	for i := 1; i < len(g.header); i++ {
		widest := twwidth.Width(g.header[i])
		for _, row := range g.rows {
			widest = max(widest, twwidth.Width(row[i]))
		}
		room -= widest + gap
	}
	for _, row := range g.rows {
		row[0] = clip(row[0], max(room, 8))
	}
}

// clip shortens text to a width, with an ellipsis.
func clip(text string, width int) string {
	text = printable(text)
	if twwidth.Width(text) <= width {
		return text
	}
	return twwidth.Truncate(text, width-1) + "…"
}

// printable keeps control characters of foreign names out of the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// trim takes the gap after the last column away, also from the rule below the
// header. (Padding by column would not make one, but tablewriter 1.1.5 then
// cuts the cells.)
func trim(table string) string {
	lines := strings.Split(table, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	if len(lines) > 1 {
		lines[1] = strings.TrimSuffix(lines[1], strings.Repeat("─", gap))
	}
	return strings.Join(lines, "\n")
}

// paragraph adds text, broken between words; further lines are indented by two.
func (p *page) paragraph(text string) {
	width := 0
	for i, word := range strings.Fields(printable(text)) {
		word = clip(word, columns-gap)
		n := twwidth.Width(word)
		switch {
		case i == 0:
			width = n
		case width+1+n > columns:
			p.WriteString("\n  ")
			width = gap + n
		default:
			p.WriteByte(' ')
			width += 1 + n
		}
		p.WriteString(word)
	}
	p.WriteByte('\n')
}
