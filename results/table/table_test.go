package table

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"pgregory.net/rapid"
)

func text(t rapid.TB, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// No cell is lost: the tables are the result.
func TestTableKeepsCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 6).Draw(t, "columns")
		cell := rapid.StringMatching(`[A-Za-z0-9.+~\[-]{1,10}`)
		g := Grid{Header: rapid.SliceOfN(cell, width, width).Draw(t, "header"), LastText: rapid.Bool().Draw(t, "last")}
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			g.Add(rapid.SliceOfN(cell, width, width).Draw(t, "row")...)
		}
		p := &Page{Columns: 100}
		p.Table(g)
		lines := strings.Split(text(t, p), "\n")
		if len(lines) != len(g.Rows)+3 {
			t.Fatalf("%d lines: %q", len(lines), lines)
		}
		for i, want := range append([][]string{g.Header, nil}, g.Rows...) {
			if got := strings.Fields(lines[i]); want != nil && !cmp.Equal(want, got) {
				t.Fatalf("line %d: %q, want %q", i, got, want)
			}
		}
	})
}

// Spare columns go one after the other, and names are cut last.
func TestSpareColumns(t *testing.T) {
	rows := []string{"a-name-of-twenty-two-c", "1111", "2222", "3333", "better"}
	g := Grid{Header: []string{"name", "one", "two", "three", "verdict"}, LastText: true, Spare: []int{3, 1}}
	g.Add(rows...)
	check := func(columns int, want ...string) {
		t.Helper()
		p := &Page{Columns: columns}
		p.Table(g)
		lines := strings.Split(text(t, p), "\n")
		if got := strings.Fields(lines[2]); !cmp.Equal(got, want) {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
		for _, line := range lines {
			if twwidth.Width(line) > columns {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
		if p.Fits(g) != (columns >= 50) {
			t.Errorf("%d columns: fits: %v", columns, p.Fits(g))
		}
	}
	check(50, rows...)
	check(44, "a-name-of-twent…", "1111", "2222", "3333", "better")
	check(43, "a-name-of-twenty-two-c", "1111", "2222", "better")
	check(36, "a-name-of-twenty-two…", "2222", "better")
	check(24, "a-name-o…", "2222", "better")
}

func TestMarkdown(t *testing.T) {
	p := &Page{Markdown: true}
	p.Heading("a_b")
	p.Item("* the winner, ~ noise\nand more")
	p.Blank()
	g := Grid{Header: []string{"  name", "x", "verdict"}, LastText: true}
	g.Add("a|b`c`<i>", "1", "~ [-1.0, +2.0]")
	p.Table(g)
	want := `## a\_b

- \* the winner, \~ noise and more

| name | x | verdict |
| :-- | --: | :-- |
| a\|b\` + "`c\\`" + `\<i\> | 1 | \~ \[-1.0, +2.0\] |

`
	if got := text(t, p); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestParagraph(t *testing.T) {
	p := &Page{Columns: 200} // a paragraph is no wider than one can read
	p.Paragraph(strings.Repeat("word ", 40))
	for line := range strings.Lines(text(t, p)) {
		if len(line) > readable+1 {
			t.Errorf("%d columns: %q", len(line), line)
		}
	}
}

func TestClip(t *testing.T) {
	for in, want := range map[string]string{"abcdef": "abcdef", "abcdefg": "abcde…", "日本語語": "日本…"} {
		if got := Clip(in, 6); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
