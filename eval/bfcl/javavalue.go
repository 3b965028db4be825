package bfcl

import (
	"math/big"
	"regexp"
	"strings"
)

var javaKinds = map[string]kind{
	"byte": kindInt, "short": kindInt, "integer": kindInt, "float": kindFloat, "double": kindFloat, "long": kindInt,
	"boolean": kindBool, "char": kindStr, "Array": kindList, "ArrayList": kindList, "Set": kindSet, "HashMap": kindDict,
	"Hashtable": kindDict, "Queue": kindList, "Stack": kindList, "String": kindStr, "any": kindStr,
}

// Patterns of java_type_converter.py. Its $ also matches before a last newline.
var (
	wholeNumber   = regexp.MustCompile(`^-?\d+\n?$`)
	javaFloat     = regexp.MustCompile(`^-?\d+(\.\d+)?([eE][+-]?\d+)?[fF]\n?$`)
	javaDouble    = regexp.MustCompile(`^-?\d+(\.\d+)?([eE][+-]?\d+)?\n?$`)
	javaLong      = regexp.MustCompile(`^-?\d+[lL]\n?$`)
	javaAsList    = regexp.MustCompile(`new\s+ArrayList<[\pL\pN_]*>\(Arrays\.asList\((.+?)\)\)`)
	javaAddBlock  = regexp.MustCompile(`(?s)new\s+ArrayList<[\pL\pN_]*>\(\)\s*\{\{\s*(.+?)\s*\}\}`)
	javaAdd       = regexp.MustCompile(`add\((.+?)\)`)
	javaEmptyList = regexp.MustCompile(`new\s+ArrayList<[\pL\pN_]*>\(\)`)
	javaArray     = regexp.MustCompile(`new\s+[\pL\pN_]+\[\]\s*\{(.*?)\}`)
	javaMap       = regexp.MustCompile(`(?s)new\s+HashMap<.*?>\s*\(\)\s*\{\s*\{?\s*(.*?)\s*\}?\s*\}`)
	javaPut       = regexp.MustCompile(`put\("(.*?)",\s*(.*?)\)`)
	javaEmptyMap  = regexp.MustCompile(`new\s+HashMap<.*?>\s*\(\)`)
)

// javaValue converts the text of a value to its type, as the benchmark's
// java_type_converter does: text that is none of the type stays text. Not ok are
// types that it cannot convert.
func javaValue(text, typ, items string) (value, bool) {
	switch typ {
	case "byte", "short", "integer":
		return wholeOr(text, wholeNumber, text), true
	case "long":
		return wholeOr(text, javaLong, strings.TrimRight(strings.TrimSuffix(text, "\n"), "lL")), true
	case "float":
		if !javaFloat.MatchString(text) {
			return text, true
		}
		return pythonFloatOf(strings.TrimRight(strings.TrimSuffix(text, "\n"), "fF"))
	case "double":
		if !javaDouble.MatchString(text) {
			return text, true
		}
		return pythonFloatOf(text)
	case "boolean":
		if text == "true" || text == "false" {
			return text == "true", true
		}
		return text, true
	case "ArrayList":
		return javaArrayList(text, items)
	case "Array":
		return javaArrayValue(text, items)
	case "HashMap":
		return javaHashMap(text), true
	case "String", "any", "char":
		return text, true
	}
	return nil, false
}

// wholeOr is number as an int if the pattern matches text, else text.
func wholeOr(text string, pattern *regexp.Regexp, number string) value {
	if !pattern.MatchString(text) {
		return text
	}
	n, ok := new(big.Int).SetString(strings.TrimSuffix(number, "\n"), 10)
	if !ok {
		return text
	}
	return n
}

func pythonFloatOf(text string) (value, bool) {
	f, err := parseFloat(strings.TrimSuffix(text, "\n"))
	return f, err == nil
}

func javaArrayList(text, items string) (value, bool) {
	if m := javaAsList.FindStringSubmatch(text); m != nil {
		return javaElements(strings.Split(m[1], ","), items)
	}
	if m := javaAddBlock.FindStringSubmatch(text); m != nil {
		var parts []string
		for _, add := range javaAdd.FindAllStringSubmatch(m[1], -1) {
			parts = append(parts, add[1])
		}
		return javaElements(parts, items)
	}
	if javaEmptyList.MatchString(text) {
		return listValue{}, true
	}
	return text, true
}

func javaElements(parts []string, items string) (value, bool) {
	list := listValue{}
	for _, part := range parts {
		part = pythonStrip(part)
		var v value
		ok := true
		switch items {
		case "char", "String":
			v = inner(part)
		case "":
			v = javaPlainValue(part)
		default:
			v, ok = javaValue(part, items, "")
		}
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}

// inner is Python's text[1:-1].
func inner(text string) string {
	r := []rune(text)
	if len(r) < 2 {
		return ""
	}
	return string(r[1 : len(r)-1])
}

func javaArrayValue(text, items string) (value, bool) {
	m := javaArray.FindStringSubmatch(text)
	if m == nil {
		return text, true
	}
	list := listValue{}
	for part := range strings.SplitSeq(m[1], ",") {
		part = pythonStrip(part)
		if part == "" {
			continue
		}
		if items == "" {
			list = append(list, javaPlainValue(part))
			continue
		}
		v, ok := javaValue(part, items, "")
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}

func javaHashMap(text string) value {
	m := javaMap.FindStringSubmatch(text)
	if m == nil {
		if javaEmptyMap.MatchString(text) {
			return &dictValue{}
		}
		return text
	}
	d := &dictValue{}
	for _, put := range javaPut.FindAllStringSubmatch(m[1], -1) {
		d.set(put[1], javaPlainValue(pythonStrip(put[2])))
	}
	return d
}

// javaPlainValue reads a value whose type no schema gives.
func javaPlainValue(text string) value {
	switch {
	case text == "true" || text == "false":
		return text == "true"
	case strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`):
		return inner(text)
	case javaLong.MatchString(text):
		return plainNumber(inner(" " + text))
	case javaFloat.MatchString(text):
		v, _ := pythonFloatOf(strings.TrimRight(text, "fF"))
		return v
	}
	return plainNumber(text)
}

var (
	pythonIntText   = regexp.MustCompile(`^[+-]?\d(?:_?\d)*$`)
	pythonFloatText = regexp.MustCompile(`(?i)^[+-]?(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?(?:e[+-]?\d(?:_?\d)*)?|\.\d(?:_?\d)*(?:e[+-]?\d(?:_?\d)*)?|inf|infinity|nan)$`)
)

// plainNumber is Python's int(text), or else float(text), or else the text.
func plainNumber(text string) value {
	t := pythonStrip(text)
	digits := strings.ReplaceAll(t, "_", "")
	switch {
	case pythonIntText.MatchString(t):
		if n, ok := new(big.Int).SetString(digits, 10); ok {
			return n
		}
	case pythonFloatText.MatchString(t):
		if f, err := parseFloat(digits); err == nil {
			return f
		}
	}
	return text
}
