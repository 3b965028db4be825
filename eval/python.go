package eval

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// What the official scorers of benchmarks get from Python's str and re, where
// Go's own functions differ.

// isPythonSpace is what str.split divides at: Unicode white space and the four separators of
// ASCII, which Go leaves out.
func isPythonSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}

// isPythonWord is \w: letters and numbers of all kinds, no marks.
func isPythonWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
}

// pythonStrip is str.strip.
func pythonStrip(text string) string { return strings.TrimFunc(text, isPythonSpace) }

// pythonSplit is str.split.
func pythonSplit(text string) []string { return strings.FieldsFunc(text, isPythonSpace) }

// pythonLower is str.lower, which may make a text longer and knows the sigma at
// the end of a word.
func pythonLower(text string) string { return cases.Lower(language.Und).String(text) }

// pythonUpper is str.upper.
func pythonUpper(text string) string { return cases.Upper(language.Und).String(text) }

// replaceAny puts a space where one of the texts is.
func replaceAny(text string, olds ...string) string {
	for _, old := range olds {
		text = strings.ReplaceAll(text, old, " ")
	}
	return text
}

// asciiDigits writes the decimal digits of all scripts as 0 to 9, as int() and
// float() read them.
func asciiDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 || !unicode.Is(unicode.Nd, r) {
			return r
		}
		for _, span := range unicode.Nd.R16 {
			if uint16(r) >= span.Lo && uint16(r) <= span.Hi && r <= 0xffff {
				return '0' + (r-rune(span.Lo))%10
			}
		}
		for _, span := range unicode.Nd.R32 {
			if uint32(r) >= span.Lo && uint32(r) <= span.Hi {
				return '0' + (r-rune(span.Lo))%10
			}
		}
		return r
	}, text)
}
