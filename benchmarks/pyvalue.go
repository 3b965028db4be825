package benchmarks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Values of documents are nil, bool, json.Number, string, []any and map[string]any.

// decodeJSON keeps numbers as they are written.
func decodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// pythonStr is str(v) of Python.
func pythonStr(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return pythonRepr(v)
}

// pythonRepr is repr(v) of Python.
func pythonRepr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case json.Number:
		return pythonNumber(v)
	case string:
		return pythonQuoted(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = pythonRepr(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, pythonQuoted(key)+": "+pythonRepr(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// pythonNumber writes a float as repr does: the shortest digits, an exponent only
// below 1e-4 and from 1e16 on.
func pythonNumber(n json.Number) string {
	text := n.String()
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	f, err := n.Float64()
	if err != nil {
		return text
	}
	if size := math.Abs(f); size != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func pythonQuoted(text string) string {
	quote := "'"
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		quote = `"`
	}
	var b strings.Builder
	b.WriteString(quote)
	for _, r := range text {
		switch {
		case string(r) == quote || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String() + quote
}

// parsePython reads what ast.literal_eval reads, as far as it is made of lists,
// tuples, texts, numbers, True, False and None.
func parsePython(text string) (any, error) {
	p := literal{strings.TrimSpace(text)}
	v, err := p.value()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("%.20q after a value", p.rest)
	}
	return v, err
}

type literal struct{ rest string }

func (p *literal) take(prefix string) bool {
	if !strings.HasPrefix(p.rest, prefix) {
		return false
	}
	p.rest = strings.TrimSpace(p.rest[len(prefix):])
	return true
}

func (p *literal) value() (any, error) {
	switch {
	case p.take("["):
		return p.list("]")
	case p.take("("):
		return p.list(")")
	case strings.HasPrefix(p.rest, `"`), strings.HasPrefix(p.rest, "'"):
		return p.text()
	}
	for word, v := range map[string]any{"None": nil, "True": true, "False": false} {
		if p.take(word) {
			return v, nil
		}
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool { return !strings.ContainsRune("0123456789+-.eE", r) })
	if end < 0 {
		end = len(p.rest)
	}
	number := p.rest[:end]
	if _, err := strconv.ParseFloat(number, 64); err != nil {
		return nil, fmt.Errorf("%.20q is no list, text or number", p.rest)
	}
	p.take(number)
	return json.Number(number), nil
}

func (p *literal) list(closer string) (any, error) {
	list := []any{}
	for !p.take(closer) {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if !p.take(",") && !strings.HasPrefix(p.rest, closer) {
			return nil, fmt.Errorf("no %s to end a list", closer)
		}
	}
	return list, nil
}

// text reads a string with Python's escapes; Go's are the same but for the quotes.
func (p *literal) text() (any, error) {
	quote := p.rest[0]
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case quote:
			body := p.rest[1:i]
			p.rest = strings.TrimSpace(p.rest[i+1:])
			return unescape(body)
		}
	}
	return nil, errors.New("a text without an end")
}

func unescape(body string) (string, error) {
	var b strings.Builder
	for body != "" {
		if body[0] != '\\' {
			end := strings.IndexByte(body, '\\')
			if end < 0 {
				end = len(body)
			}
			b.WriteString(body[:end])
			body = body[end:]
			continue
		}
		if len(body) > 1 && (body[1] == '\'' || body[1] == '"') {
			b.WriteByte(body[1])
			body = body[2:]
			continue
		}
		r, _, rest, err := strconv.UnquoteChar(body, 0)
		if err != nil {
			return "", fmt.Errorf("escape %.4q", body)
		}
		b.WriteRune(r)
		body = rest
	}
	return b.String(), nil
}
