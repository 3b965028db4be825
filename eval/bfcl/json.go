package bfcl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
)

var errNotJSON = errors.New("not JSON")

// parseJSON reads one JSON value as Python's json.loads does: 5 is an int, 5.0
// and 5e0 are floats, keys keep their order, the last of equal keys counts.
func parseJSON(text []byte) (value, error) {
	if !json.Valid(text) {
		return nil, errNotJSON
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return nextJSON(d)
}

func nextJSON(d *json.Decoder) (value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		return jsonNumber(t.String())
	case json.Delim:
		if t == '[' {
			return jsonList(d)
		}
		return jsonDict(d)
	}
	return t, nil // string, bool, nil
}

func jsonNumber(text string) (value, error) {
	if strings.ContainsAny(text, ".eE") {
		f, err := strconv.ParseFloat(text, 64)
		if errors.Is(err, strconv.ErrRange) { // infinity or 0, as in Python
			err = nil
		}
		return f, err
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, errNotJSON
	}
	return n, nil
}

func jsonList(d *json.Decoder) (value, error) {
	list := listValue{}
	for d.More() {
		v, err := nextJSON(d)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func jsonDict(d *json.Decoder) (value, error) {
	dict := &dictValue{}
	at := map[string]int{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := t.(string)
		if !ok {
			return nil, errNotJSON
		}
		v, err := nextJSON(d)
		if err != nil {
			return nil, err
		}
		if i, twice := at[key]; twice {
			dict.values[i] = v
			continue
		}
		at[key] = len(dict.keys)
		dict.keys, dict.values = append(dict.keys, key), append(dict.values, v)
	}
	_, err := d.Token()
	return dict, err
}

// Indent writes JSON as Python's json.dumps(json.loads(text), indent=indent)
// does: keys in their order, everything beyond ASCII escaped, floats in Python's
// form. No indentation, and Python's ", " and ": ", if indent is 0.
func Indent(text []byte, indent int) (string, error) {
	v, err := parseJSON(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	dump(&b, v, indent, 0)
	return b.String(), nil
}

func dump(b *strings.Builder, v value, indent, depth int) {
	switch v := v.(type) {
	case listValue:
		dumpItems(b, '[', ']', len(v), indent, depth, func(i int) { dump(b, v[i], indent, depth+1) })
	case *dictValue:
		dumpItems(b, '{', '}', len(v.keys), indent, depth, func(i int) {
			dump(b, v.keys[i], 0, 0)
			b.WriteString(": ")
			dump(b, v.values[i], indent, depth+1)
		})
	case string:
		dumpString(b, v)
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case float64:
		b.WriteString(formatFloat(v))
	default:
		fmt.Fprint(b, v)
	}
}

func dumpItems(b *strings.Builder, left, right byte, n, indent, depth int, item func(int)) {
	b.WriteByte(left)
	for i := range n {
		switch {
		case indent > 0 && i > 0:
			b.WriteByte(',')
		case i > 0:
			b.WriteString(", ")
		}
		breakLine(b, indent, depth+1)
		item(i)
	}
	if n > 0 {
		breakLine(b, indent, depth)
	}
	b.WriteByte(right)
}

func breakLine(b *strings.Builder, indent, depth int) {
	if indent > 0 {
		b.WriteByte('\n')
		_, _ = io.WriteString(b, strings.Repeat(" ", indent*depth))
	}
}

func dumpString(b *strings.Builder, s string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`}
	b.WriteByte('"')
	for _, r := range s {
		switch e, ok := short[r]; {
		case ok:
			b.WriteString(e)
		case r >= 0x10000:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
		case r < ' ' || r > '~':
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
