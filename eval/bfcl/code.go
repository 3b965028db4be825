package bfcl

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// code reads Java or JavaScript source from left to right. What it reads are
// calls as models write them with everything that an argument may be; statements
// that no answer needs are refused, which makes the answer no call.
type code struct {
	text    string
	at      int
	depth   int
	runes   []rune // of text if it is not plain ASCII
	isSpace func(rune) bool
}

func newCode(text string) *code {
	c := &code{text: text, isSpace: func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' }}
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			c.runes = []rune(text)
			break
		}
	}
	return c
}

// cut is the text from one byte to another. The benchmark's Java parser takes
// byte offsets for offsets of characters; byCharacters does the same.
func (c *code) cut(start, end int, byCharacters bool) string {
	if byCharacters && c.runes != nil {
		return string(c.runes[min(start, len(c.runes)):min(end, len(c.runes))])
	}
	return c.text[start:end]
}

// space passes over white space and comments and reports whether a line ended.
func (c *code) space() (lineEnded bool) {
	for c.at < len(c.text) {
		rest := c.text[c.at:]
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			c.at += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return lineEnded
			}
			c.at += end + 4
		case c.isSpace(r):
			lineEnded = lineEnded || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029'
			c.at += size
		default:
			return lineEnded
		}
	}
	return lineEnded
}

// rest is what is left behind white space. Looking ahead moves nothing, so that
// nodes end where their last token does.
func (c *code) rest() string {
	at := c.at
	c.space()
	rest := c.text[c.at:]
	c.at = at
	return rest
}

// skip passes over white space and a token that has been seen.
func (c *code) skip(token string) {
	c.space()
	c.at += len(token)
}

func (c *code) ended() bool { return c.rest() == "" }

// word is the name or keyword that is next, "" if none is.
func (c *code) word() string {
	rest := c.rest()
	for i, r := range rest {
		first := r == '_' || r == '$' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r)
		if !first && (i == 0 || !unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc)) {
			return rest[:i]
		}
	}
	return rest
}

func (c *code) takeWord(words ...string) bool {
	w := c.word()
	if w == "" || !slices.Contains(words, w) {
		return false
	}
	c.skip(w)
	return true
}

// take passes over an operator or bracket. A longer operator of the list that
// begins with it must not be meant: see operator.
func (c *code) take(text string) bool {
	if !c.sees(text) {
		return false
	}
	c.skip(text)
	return true
}

func (c *code) sees(text string) bool { return strings.HasPrefix(c.rest(), text) }

// operator is the longest of the operators that is next, "" if none is.
func (c *code) operator(all []string) string {
	rest, longest := c.rest(), ""
	for _, op := range all {
		if len(op) > len(longest) && strings.HasPrefix(rest, op) {
			longest = op
		}
	}
	return longest
}

// match passes over what a regular expression that begins with ^ matches.
func (c *code) match(all ...*regexp.Regexp) bool {
	rest, longest := c.rest(), 0
	for _, re := range all {
		longest = max(longest, len(re.FindString(rest)))
	}
	c.skip(rest[:longest])
	return longest > 0
}

// skipBalanced passes over brackets with all that is in them, strings as such.
func (c *code) skipBalanced() bool {
	var open []byte
	for c.space(); c.at < len(c.text); c.space() {
		switch b := c.text[c.at]; b {
		case '(', '[', '{':
			open = append(open, b)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != map[byte]byte{')': '(', ']': '[', '}': '{'}[b] {
				return false
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				c.at++
				return true
			}
		case '"', '\'', '`':
			if !c.skipQuoted(b) {
				return false
			}
			continue
		}
		c.at++
	}
	return false
}

func (c *code) skipQuoted(quote byte) bool {
	for i := c.at + 1; i < len(c.text); i++ {
		switch c.text[i] {
		case '\\':
			i++
		case quote:
			c.at = i + 1
			return true
		}
	}
	return false
}

// deeper counts nested expressions and refuses what would never end.
func (c *code) deeper() bool {
	c.depth++
	return c.depth <= maxDepth
}
