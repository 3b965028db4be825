package table

import (
	"bytes"
	"io"
	"strings"
	"unicode"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// readable is how wide a paragraph is at most: longer lines are hard to follow.
const readable = 100

// Page is text that grows. It keeps the first error, as bufio.Writer does.
type Page struct {
	Columns  int  // that the text fits; not for Markdown, which has no width
	Markdown bool // GitHub's, in place of text for a terminal
	// Keep has tables and items kept as they are, for who sets pages of another kind;
	// see Parts.
	Keep bool

	parts []Part
	text  bytes.Buffer
	err   error
}

// Part is a table with the items below it.
type Part struct {
	Grid
	Items []string
}

// Parts are the tables that were added to a page that keeps them.
func (p *Page) Parts() []Part { return p.parts }

// WriteTo writes the page, or returns the first error that its tables had.
func (p *Page) WriteTo(w io.Writer) (int64, error) {
	if p.err != nil {
		return 0, p.err
	}
	return p.text.WriteTo(w)
}

// Blank adds an empty line. Markdown has one after every table anyway.
func (p *Page) Blank() {
	if !p.Markdown || !bytes.HasSuffix(p.text.Bytes(), []byte("\n\n")) {
		p.text.WriteByte('\n')
	}
}

// Heading adds a title, for Markdown only: on a terminal the line below it says
// enough.
func (p *Page) Heading(words string) {
	if p.Markdown {
		p.text.WriteString("## " + escape(words) + "\n\n")
	}
}

// Item is a paragraph among others that belong together.
func (p *Page) Item(words string) {
	if p.Keep && len(p.parts) > 0 {
		last := &p.parts[len(p.parts)-1]
		last.Items = append(last.Items, words)
		return
	}
	if p.Markdown {
		p.text.WriteString("- ")
	}
	p.Paragraph(words)
}

// Paragraph adds text, broken between words; further lines are indented by two.
func (p *Page) Paragraph(words string) {
	if p.Markdown {
		p.text.WriteString(escape(strings.Join(strings.Fields(words), " ")) + "\n")
		return
	}
	columns, width := min(p.Columns, readable), 0
	for i, word := range strings.Fields(Printable(words)) {
		word = Clip(word, columns-gap)
		n := twwidth.Width(word)
		switch {
		case i == 0:
			width = n
		case width+1+n > columns:
			p.text.WriteString("\n  ")
			width = gap + n
		default:
			p.text.WriteByte(' ')
			width += 1 + n
		}
		p.text.WriteString(word)
	}
	p.text.WriteByte('\n')
}

// Clip shortens text to a width, with an ellipsis.
func Clip(text string, width int) string {
	text = Printable(text)
	if twwidth.Width(text) <= width {
		return text
	}
	return twwidth.Truncate(text, width-1) + "…"
}

// Printable keeps control characters of foreign names out of the terminal.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// escape takes its meaning in Markdown from every character that has one.
func escape(text string) string {
	var out strings.Builder
	for _, r := range Printable(text) {
		if strings.ContainsRune("\\`*_{}[]<>#|~", r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
