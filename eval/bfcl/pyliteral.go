package bfcl

import (
	"errors"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDigits is how long a decimal integer may be before Python refuses it.
const maxDigits = 4300

var (
	pythonFloat   = regexp.MustCompile(`^(?:(?:\d(?:_?\d)*)?\.\d(?:_?\d)*(?:[eE][+-]?\d(?:_?\d)*)?|\d(?:_?\d)*\.(?:[eE][+-]?\d(?:_?\d)*)?|\d(?:_?\d)*[eE][+-]?\d(?:_?\d)*)`)
	pythonInteger = regexp.MustCompile(`^(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|\d(?:_?\d)*)`)
	decimalZero   = regexp.MustCompile(`^0(?:_?0)*$`)
)

// number reads an integer, a float or an imaginary number.
func (s *pythonScanner) number() error {
	text := pythonFloat.FindString(s.rest())
	isFloat := text != ""
	if !isFloat {
		text = pythonInteger.FindString(s.rest())
	}
	s.at += len(text)
	imaginary := s.at < len(s.text) && (s.text[s.at] == 'j' || s.text[s.at] == 'J') && !strings.HasPrefix(text, "0x")
	if imaginary {
		s.at++
	}
	if err := s.afterNumber(); err != nil {
		return err
	}
	plain := strings.ReplaceAll(text, "_", "")
	var v value
	var err error
	switch {
	case imaginary:
		var f float64
		f, err = parseFloat(plain)
		v = complex(0, f)
	case isFloat:
		v, err = parseFloat(plain)
	default:
		v, err = parseInteger(plain, text)
	}
	s.tokens = append(s.tokens, token{kind: tokenNumber, value: v})
	return err
}

func parseFloat(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return f, err
}

func parseInteger(plain, text string) (value, error) {
	if len(plain) > 1 && plain[0] == '0' && isDigit(plain[1]) {
		if !decimalZero.MatchString(text) {
			return nil, errSyntax // 007
		}
		return new(big.Int), nil
	}
	n, ok := new(big.Int).SetString(plain, 0)
	if !ok || len(plain) > maxDigits && isDigit(plain[1]) {
		return nil, errSyntax
	}
	return n, nil
}

// afterNumber: a word right behind a number is an error, unless it is one of the
// operators.
func (s *pythonScanner) afterNumber() error {
	word := identifier("_" + s.rest())[1:]
	if word == "" || slices.ContainsFunc([]string{"and", "else", "for", "if", "in", "is", "not", "or"}, func(k string) bool { return strings.HasPrefix(word, k) }) {
		return nil
	}
	return errSyntax
}

// literal reads a string whose prefix has been read, in lower case.
func (s *pythonScanner) literal(prefix string) error {
	quote := s.rest()[:1]
	if strings.HasPrefix(s.rest(), strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	s.at += len(quote)
	start := s.at
	for !strings.HasPrefix(s.rest(), quote) {
		switch {
		case s.at >= len(s.text) || len(quote) == 1 && s.text[s.at] == '\n':
			return errSyntax
		case s.text[s.at] == '\\':
			s.at++
		}
		s.at++
		if s.at > len(s.text) {
			return errSyntax
		}
	}
	body := s.text[start:s.at]
	s.at += len(quote)
	t, err := stringToken(prefix, body)
	s.tokens = append(s.tokens, t)
	return err
}

func stringToken(prefix, body string) (token, error) {
	raw, isBytes := strings.Contains(prefix, "r"), strings.Contains(prefix, "b")
	t := token{kind: tokenString, value: body}
	var err error
	switch {
	case strings.Contains(prefix, "f"):
		return token{kind: tokenFString}, nil
	case isBytes && strings.ContainsFunc(body, func(r rune) bool { return r >= utf8.RuneSelf }):
		return t, errSyntax
	case !raw:
		body, err = unescape(body, isBytes)
		t.value = body
	}
	if isBytes {
		t.value = bytesValue(body)
	}
	return t, err
}

var plainEscapes = map[byte]string{'\n': "", '\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

// unescape resolves escapes; unknown ones stay as they are. Characters by name,
// \N{..}, are taken for errors.
func unescape(s string, isBytes bool) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		c := s[i]
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
		plain, ok := plainEscapes[c]
		switch {
		case ok:
			b.WriteString(plain)
		case '0' <= c && c <= '7':
			end := i + 1
			for end < len(s) && end < i+3 && '0' <= s[end] && s[end] <= '7' {
				end++
			}
			n, _ := strconv.ParseUint(s[i:end], 8, 32)
			writeCode(&b, rune(n), isBytes)
			i = end - 1
		case digits > 0 && (c == 'x' || !isBytes):
			if i+1+digits > len(s) {
				return "", errSyntax
			}
			n, err := strconv.ParseUint(s[i+1:i+1+digits], 16, 32)
			if err != nil || n > utf8.MaxRune {
				return "", errSyntax
			}
			writeCode(&b, rune(n), isBytes)
			i += digits
		case c == 'N' && !isBytes:
			return "", errSyntax
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func writeCode(b *strings.Builder, r rune, isBytes bool) {
	if isBytes {
		b.WriteByte(byte(r))
		return
	}
	b.WriteRune(r)
}
