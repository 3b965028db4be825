package punkt

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// token is a word of a context.
type token struct {
	text         string
	kind         string // in lower case, all numbers alike
	ends         bool   // the sentence ends with it
	abbreviation bool
	ellipsis     bool
}

const number = "##number##"

var numeric = regexp.MustCompile(`^-?[.,]?\p{Nd}[\p{Nd},.\-]*\.?$`)

func newToken(text string) token {
	kind := lower(text)
	if numeric.MatchString(kind) {
		kind = number
	}
	return token{text: text, kind: kind}
}

func lower(text string) string { return cases.Lower(language.Und).String(text) }

// withoutPeriod is a kind without its final period.
func withoutPeriod(kind string) string {
	if len(kind) > 1 {
		return strings.TrimSuffix(kind, ".")
	}
	return kind
}

// known is the kind that the model knows the word by.
func (t token) known() string {
	if t.ends {
		return withoutPeriod(t.kind)
	}
	return t.kind
}

func (t token) first() rune {
	for _, r := range t.text {
		return r
	}
	return 0
}

// isInitial: one letter and a period.
func (t token) isInitial() bool {
	letter, ok := strings.CutSuffix(t.text, ".")
	runes := []rune(letter)
	return ok && len(runes) == 1 && isWord(runes[0]) && !unicode.Is(unicode.Nd, runes[0])
}

// endsWithin reports whether a sentence ends before the last word of a text.
func (m *model) endsWithin(text string) bool {
	var tokens []token
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimFunc(line, isPythonSpace) == "" {
			continue
		}
		for _, word := range words([]rune(line)) {
			t := newToken(word)
			m.judgeAlone(&t)
			tokens = append(tokens, t)
		}
	}
	for i := 0; i+1 < len(tokens); i++ {
		m.judgeBefore(&tokens[i], tokens[i+1])
		if tokens[i].ends {
			return true
		}
	}
	return false
}

// judgeAlone is the first pass: what the word itself tells.
func (m *model) judgeAlone(t *token) {
	stem, period := strings.CutSuffix(t.text, ".")
	switch {
	case t.text == "." || t.text == "?" || t.text == "!":
		t.ends = true
	case len(t.text) > 1 && strings.Trim(t.text, ".") == "":
		t.ellipsis = true
	case period && !strings.HasSuffix(stem, "."):
		stem = lower(stem)
		t.abbreviation = m.Abbreviations[stem] > 0 || m.Abbreviations[stem[strings.LastIndex(stem, "-")+1:]] > 0
		t.ends = !t.abbreviation
	}
}

// judgeBefore is the second pass: what the next word tells.
func (m *model) judgeBefore(t *token, next token) {
	if !strings.HasSuffix(t.text, ".") {
		return
	}
	kind, nextKind := withoutPeriod(t.kind), next.known()
	if m.Collocations[kind+","+nextKind] > 0 {
		t.ends, t.abbreviation = false, true
		return
	}
	starts, known := m.startsSentence(next)
	if (t.abbreviation || t.ellipsis) && !t.isInitial() {
		if starts || isUpper(next.first()) && m.Starters[nextKind] > 0 {
			t.ends = true
			return
		}
	}
	if !t.isInitial() && kind != number {
		return
	}
	alwaysUpper := isUpper(next.first()) && m.Contexts[nextKind]&anywhereLower == 0
	if known && !starts || !known && t.isInitial() && alwaysUpper {
		t.ends, t.abbreviation = false, true
	}
}

// startsSentence tells by a word's case whether a sentence begins with it, if
// that is known.
func (m *model) startsSentence(t token) (starts, known bool) {
	if len(t.text) == 1 && strings.ContainsAny(t.text, ";:,.!?") {
		return false, true
	}
	seen := m.Contexts[t.known()]
	if isUpper(t.first()) && seen&anywhereLower != 0 && seen&middleUpper == 0 {
		return true, true
	}
	if isLower(t.first()) && (seen&anywhereUpper != 0 || seen&beginLower == 0) {
		return false, true
	}
	return false, false
}

// words divides a line: at white space, and before and after most punctuation
// save periods.
func words(line []rune) []string {
	var found []string
	for i := 0; i < len(line); {
		n := repeated(line[i:])
		if n == 0 && !isSpace(line[i]) {
			n = 1
			for isStart(line[i]) && i+n < len(line) && !endsWord(line[i+n:]) {
				n++
			}
		}
		if n > 0 {
			found = append(found, string(line[i:i+n]))
		}
		i += max(n, 1)
	}
	return found
}

// endsWord reports whether a word ends before a text.
func endsWord(text []rune) bool {
	if text[0] == ',' && (len(text) == 1 || endsAt(text[1:])) {
		return true
	}
	return endsAt(text)
}

func endsAt(text []rune) bool {
	return isSpace(text[0]) || isNonWord(text[0]) || repeated(text) > 0
}

// repeated is the length of the hyphens or periods that a text begins with: at
// least two, or three periods with white space between them.
func repeated(text []rune) int {
	for _, r := range []rune{'-', '.'} {
		n := 0
		for n < len(text) && text[n] == r {
			n++
		}
		if n > 1 {
			return n
		}
	}
	pairs := 0
	for 2*pairs+1 < len(text) && text[2*pairs] == '.' && isSpace(text[2*pairs+1]) {
		pairs++
	}
	if 2*pairs < len(text) && text[2*pairs] == '.' && pairs > 1 {
		return 2*pairs + 1
	}
	if pairs > 2 {
		return 2*pairs - 1
	}
	return 0
}

// isStart says what a word of more than one character may begin with.
func isStart(r rune) bool { return !strings.ContainsRune("(\"`{[:;&#*@)}]-,", r) }

// isNonWord says what no word has in it.
func isNonWord(r rune) bool {
	return strings.ContainsRune(")\";}]*:@'({[\u2018\u2019\u201c\u201d\u00ab\u00bb?!", r)
}

// isSpace is \s of the package regex, which NLTK's expressions run on.
func isSpace(r rune) bool { return unicode.IsSpace(r) }

// isPythonSpace is str.isspace, which has four separators more.
func isPythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// isWord is \w of the package regex: other than in Python's own re, marks belong
// to a word, and fractions and the like do not.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}

func isUpper(r rune) bool { return unicode.In(r, unicode.Lu, unicode.Other_Uppercase) }

func isLower(r rune) bool { return unicode.In(r, unicode.Ll, unicode.Other_Lowercase) }
