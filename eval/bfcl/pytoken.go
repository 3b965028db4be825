package bfcl

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// errSyntax says that a text is not in the language that it is read as. What
// exactly is wrong does not matter: the answer is no call.
var errSyntax = errors.New("not valid syntax")

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenNewline
	tokenName
	tokenNumber
	tokenString
	tokenFString // formatted, whatever is in it
	tokenOperator
)

type token struct {
	kind  tokenKind
	text  string // of a name or an operator
	value value  // of a number or a string
}

// maxBrackets is how deep brackets may be nested in Python's tokenizer.
const maxBrackets = 200

// pythonKeywords cannot be names.
var pythonKeywords = map[string]bool{
	"False": true, "None": true, "True": true, "and": true, "as": true, "assert": true, "async": true, "await": true,
	"break": true, "class": true, "continue": true, "def": true, "del": true, "elif": true, "else": true, "except": true,
	"finally": true, "for": true, "from": true, "global": true, "if": true, "import": true, "in": true, "is": true,
	"lambda": true, "nonlocal": true, "not": true, "or": true, "pass": true, "raise": true, "return": true, "try": true,
	"while": true, "with": true, "yield": true,
}

// pythonOperators, the longer ones first.
var pythonOperators = []string{
	"...", "**=", "//=", ">>=", "<<=",
	"**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=",
	"+", "-", "*", "/", "%", "@", "&", "|", "^", "~", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "=",
}

// pythonScanner cuts Python source into tokens
// (https://docs.python.org/3.11/reference/lexical_analysis.html). Inside of
// brackets lines do not end.
type pythonScanner struct {
	text   string
	at     int
	open   []byte // brackets
	tokens []token
}

func scanPython(text string) ([]token, error) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	if strings.Contains(text, "\x00") || !utf8.ValidString(text) {
		return nil, errSyntax
	}
	s := &pythonScanner{text: text}
	for s.at < len(s.text) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	if len(s.open) > 0 {
		return nil, errSyntax
	}
	return append(s.tokens, token{kind: tokenEnd}), nil
}

func (s *pythonScanner) rest() string { return s.text[s.at:] }

func (s *pythonScanner) next() error {
	c := s.text[s.at]
	switch {
	case c == ' ' || c == '\t' || c == '\f':
		s.at++
	case c == '\n':
		s.at++
		if len(s.open) == 0 {
			s.tokens = append(s.tokens, token{kind: tokenNewline})
		}
	case c == '#':
		end := strings.IndexByte(s.rest(), '\n')
		if end < 0 {
			end = len(s.rest())
		}
		s.at += end
	case c == '\\':
		if !strings.HasPrefix(s.rest(), "\\\n") || s.at+2 == len(s.text) {
			return errSyntax
		}
		s.at += 2
	case isDigit(c) || c == '.' && s.at+1 < len(s.text) && isDigit(s.text[s.at+1]):
		return s.number()
	case c == '"' || c == '\'':
		return s.literal("")
	default:
		return s.wordOrOperator()
	}
	return nil
}

func (s *pythonScanner) wordOrOperator() error {
	if word := identifier(s.rest()); word != "" {
		s.at += len(word)
		if s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\'') && isStringPrefix(word) {
			return s.literal(strings.ToLower(word))
		}
		s.tokens = append(s.tokens, token{kind: tokenName, text: norm.NFKC.String(word)})
		return nil
	}
	for _, op := range pythonOperators {
		if strings.HasPrefix(s.rest(), op) {
			s.at += len(op)
			s.tokens = append(s.tokens, token{kind: tokenOperator, text: op})
			return s.bracket(op)
		}
	}
	return errSyntax
}

// bracket keeps account of what is open.
func (s *pythonScanner) bracket(op string) error {
	switch op {
	case "(", "[", "{":
		s.open = append(s.open, op[0])
		if len(s.open) >= maxBrackets {
			return errSyntax
		}
	case ")", "]", "}":
		left := map[string]byte{")": '(', "]": '[', "}": '{'}[op]
		if len(s.open) == 0 || s.open[len(s.open)-1] != left {
			return errSyntax
		}
		s.open = s.open[:len(s.open)-1]
	}
	return nil
}

// identifier is the name that a text starts with, "" if none.
func identifier(text string) string {
	for i, r := range text {
		start := r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) || unicode.Is(unicode.Other_ID_Start, r)
		if start || i > 0 && (unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc) || unicode.Is(unicode.Other_ID_Continue, r)) {
			continue
		}
		return text[:i]
	}
	return text
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isStringPrefix(word string) bool {
	switch strings.ToLower(word) {
	case "r", "u", "b", "f", "br", "rb", "fr", "rf":
		return true
	}
	return false
}
