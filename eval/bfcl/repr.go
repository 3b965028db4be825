package bfcl

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// repr is Python's repr(v).
func repr(v value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case *big.Int:
		return v.String()
	case float64:
		return formatFloat(v)
	case complex128:
		return reprComplex(v)
	case string:
		return reprString(v)
	case bytesValue:
		return reprBytes(v)
	case listValue:
		return "[" + reprAll(v) + "]"
	case tupleValue:
		if len(v) == 1 {
			return "(" + repr(v[0]) + ",)"
		}
		return "(" + reprAll(v) + ")"
	case *dictValue:
		return reprDict(v)
	}
	return fmt.Sprint(v)
}

func reprAll(list []value) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = repr(v)
	}
	return strings.Join(parts, ", ")
}

func reprDict(d *dictValue) string {
	parts := make([]string, len(d.keys))
	for i, k := range d.keys {
		parts[i] = repr(k) + ": " + repr(d.values[i])
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// formatFloat is repr of a float: the shortest digits that give it back, with an
// exponent below 1e-4 and from 1e16 on.
func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	case f != 0 && (math.Abs(f) < 1e-4 || math.Abs(f) >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func reprComplex(c complex128) string {
	im := strings.TrimSuffix(formatFloat(imag(c)), ".0")
	if real(c) == 0 && !math.Signbit(real(c)) {
		return im + "j"
	}
	if imag(c) >= 0 {
		im = "+" + im
	}
	return "(" + strings.TrimSuffix(formatFloat(real(c)), ".0") + im + "j)"
}

// quoteFor is the quote that Python's repr chooses.
func quoteFor(s string) rune {
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return '"'
	}
	return '\''
}

func reprString(s string) string {
	q := quoteFor(s)
	var b strings.Builder
	b.WriteRune(q)
	for _, r := range s {
		writeEscaped(&b, r, q)
	}
	b.WriteRune(q)
	return b.String()
}

func writeEscaped(b *strings.Builder, r, quote rune) {
	switch {
	case r == quote || r == '\\':
		b.WriteRune('\\')
		b.WriteRune(r)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r == ' ' || unicode.IsPrint(r):
		b.WriteRune(r)
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

func reprBytes(s bytesValue) string {
	q := quoteFor(string(s))
	var b strings.Builder
	b.WriteRune('b')
	b.WriteRune(q)
	for i := range len(s) {
		if s[i] < 0x80 {
			writeEscaped(&b, rune(s[i]), q)
		} else {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		}
	}
	b.WriteRune(q)
	return b.String()
}
