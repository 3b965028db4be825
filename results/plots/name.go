package plots

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// short cuts the middle out of names that are longer than so many characters:
// what tells checkpoints apart is mostly at an end. Names that become equal get
// a number.
func short(names []string, longest int) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = shortName(name, longest)
		for n := 2; slices.Contains(out[:i], out[i]); n++ {
			mark := fmt.Sprintf("…%d", n)
			out[i] = shortName(name, longest-len([]rune(mark))) + mark
		}
	}
	return out
}

func shortName(name string, longest int) string {
	runes := []rune(printable(name))
	if len(runes) <= longest {
		return string(runes)
	}
	longest = max(longest, 4)
	head := (longest - 1) / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(longest-1-head):])
}

// printable keeps what XML forbids out of a picture.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// wrap breaks text into lines that fit a width.
func wrap(words string, width vg.Length, style text.Style) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(printable(words)) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && style.Width(longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	if line == "" {
		return lines
	}
	return append(lines, line)
}

// plural is "1 trial", "2 trials".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
