package table

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

const (
	gap       = 2  // between the columns of a table
	leastName = 8  // that a name is cut to
	wantName  = 16 // that spare columns make room for
)

// Grid is a table: the first column holds names, the others numbers, to the
// right. Names are cut where the table would be wider than the page.
type Grid struct {
	Header   []string
	Rows     [][]string
	LastText bool  // the last column holds text, to the left
	Spare    []int // columns that a narrow page goes without, the first of them first
}

// Add adds a row.
func (g *Grid) Add(cells ...string) { g.Rows = append(g.Rows, cells) }

// Fits says whether the table fits a page with its names and every column whole.
func (p *Page) Fits(g Grid) bool { return p.Markdown || g.room(p.Columns) >= g.widest(0) }

// Table adds a table.
func (p *Page) Table(g Grid) {
	if p.Keep {
		p.parts = append(p.parts, Part{Grid: g})
		return
	}
	if p.Markdown {
		p.markdown(g)
		return
	}
	g.fit(p.Columns)
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
	table.Header(g.Header)
	p.err = errors.Join(p.err, table.Bulk(g.Rows), table.Render())
	p.text.WriteString(trim(text.String()))
}

// markdown adds a table of GitHub's. Columns that are spare stay.
func (p *Page) markdown(g Grid) {
	line := func(cells []string) {
		p.text.WriteByte('|')
		for _, c := range cells {
			p.text.WriteString(" " + escape(strings.TrimSpace(c)) + " |")
		}
		p.text.WriteByte('\n')
	}
	line(g.Header)
	p.text.WriteByte('|')
	for _, a := range g.aligns() {
		p.text.WriteString(map[tw.Align]string{tw.AlignLeft: " :-- |", tw.AlignRight: " --: |"}[a])
	}
	p.text.WriteByte('\n')
	for _, row := range g.Rows {
		line(row)
	}
	p.text.WriteByte('\n')
}

var plainStyle = tw.Rendition{
	Borders: tw.BorderNone,
	Symbols: tw.NewSymbols(tw.StyleLight),
	Settings: tw.Settings{
		Separators: tw.Separators{ShowHeader: tw.On, BetweenColumns: tw.Off, BetweenRows: tw.Off},
		Lines:      tw.Lines{ShowHeaderLine: tw.On, ShowTop: tw.Off, ShowBottom: tw.Off},
	},
}

func (g *Grid) aligns() tw.Alignment {
	aligns := make(tw.Alignment, len(g.Header))
	for i := range aligns {
		aligns[i] = tw.AlignRight
	}
	aligns[0] = tw.AlignLeft
	if g.LastText {
		aligns[len(aligns)-1] = tw.AlignLeft
	}
	return aligns
}

// fit leaves spare columns out and cuts the names in the first one.
func (g *Grid) fit(columns int) {
	for g.room(columns) < min(g.widest(0), wantName) && len(g.Spare) > 0 {
		g.drop(g.Spare[0])
	}
	room := max(g.room(columns), leastName)
	cut := func(row []string) []string { return append([]string{Clip(row[0], room)}, row[1:]...) }
	rows := make([][]string, len(g.Rows)) // the caller's stay as they are
	for i, row := range g.Rows {
		rows[i] = cut(row)
	}
	g.Header, g.Rows = cut(g.Header), rows
}

// drop takes a spare column out.
func (g *Grid) drop(column int) {
	without := func(row []string) []string { return slices.Delete(slices.Clone(row), column, column+1) }
	g.LastText = g.LastText && column < len(g.Header)-1
	g.Header = without(g.Header)
	rows := make([][]string, len(g.Rows))
	for i, row := range g.Rows {
		rows[i] = without(row)
	}
	g.Rows = rows
	var spare []int
	for _, s := range g.Spare {
		switch {
		case s < column:
			spare = append(spare, s)
		case s > column:
			spare = append(spare, s-1)
		}
	}
	g.Spare = spare
}

// room is what the other columns leave for the names.
func (g *Grid) room(columns int) int {
	for i := 1; i < len(g.Header); i++ {
		columns -= g.widest(i) + gap
	}
	return columns
}

func (g *Grid) widest(column int) int {
	wide := twwidth.Width(g.Header[column])
	for _, row := range g.Rows {
		wide = max(wide, twwidth.Width(Printable(row[column])))
	}
	return wide
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
