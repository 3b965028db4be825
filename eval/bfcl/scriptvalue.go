package bfcl

import (
	"regexp"
	"strings"
)

var javaScriptKinds = map[string]kind{
	"String": kindStr, "integer": kindInt, "float": kindFloat, "Bigint": kindInt, "Boolean": kindBool, "dict": kindDict,
	"array": kindList, "any": kindStr,
}

// Patterns of js_type_converter.py.
var (
	scriptFloat   = regexp.MustCompile(`^-?\d+(\.\d+)?\n?$`)
	scriptBigint  = regexp.MustCompile(`^-?\d+n\n?$`)
	scriptArrays  = regexp.MustCompile(`^(?:\[\s*\[.*?\]\s*(,\s*\[.*?\]\s*)*\]|\bnew\s+Array\(\s*\[.*?\]\s*(,\s*\[.*?\]\s*)*\))`)
	scriptInner   = regexp.MustCompile(`\[(.*?)\]`)
	scriptArray   = regexp.MustCompile(`^(?:\[(.*?)\]|\bnew\s+Array\((.*?)\))`)
	scriptObject  = regexp.MustCompile(`^\{(.*?)\}`)
	scriptNesting = "" // elements of elements have no type
)

// javaScriptValue converts the text of a value to its type, as the benchmark's
// js_type_converter does: text that is none of the type stays text.
func javaScriptValue(text, typ, items string) (value, bool) {
	switch typ {
	case "String":
		return unquoted(text), true
	case "integer":
		return wholeOr(text, wholeNumber, text), true
	case "float":
		if !scriptFloat.MatchString(text) {
			return text, true
		}
		return pythonFloatOf(text)
	case "Bigint":
		if strings.HasSuffix(text, "\n") && scriptBigint.MatchString(text) {
			return nil, false
		}
		return wholeOr(text, scriptBigint, strings.TrimSuffix(text, "n")), true
	case "Boolean":
		if text == "true" || text == "false" {
			return text == "true", true
		}
		return text, true
	case "dict":
		return scriptDict(pythonStrip(text)), true
	case "array":
		return scriptList(pythonStrip(text), items), true
	case "any":
		return text, true
	}
	return nil, false
}

func scriptList(code, items string) value {
	if m := scriptArrays.FindString(code); m != "" {
		return scriptNested(m)
	}
	m := scriptArray.FindStringSubmatchIndex(code)
	if m == nil {
		return code
	}
	group := 2
	if m[2] < 0 {
		group = 4
	}
	list := listValue{}
	elements := pythonStrip(code[m[group]:m[group+1]])
	if elements == "" {
		return list
	}
	for e := range strings.SplitSeq(elements, ",") {
		e = pythonStrip(e)
		if items == "" {
			list = append(list, scriptPlainValue(e))
			continue
		}
		v, ok := javaScriptValue(e, items, scriptNesting)
		if !ok {
			return code
		}
		list = append(list, v)
	}
	return list
}

// scriptNested reads [[..], [..]]: one list a pair of brackets.
func scriptNested(text string) value {
	list := listValue{}
	for i, m := range scriptInner.FindAllStringSubmatch(text, -1) {
		row := pythonStrip(m[1])
		if i == 0 {
			row = strings.TrimPrefix(row, "[")
		}
		elements := listValue{}
		for e := range strings.SplitSeq(row, ",") {
			elements = append(elements, scriptPlainValue(pythonStrip(e)))
		}
		list = append(list, elements)
	}
	return list
}

func scriptDict(code string) value {
	if code == "{}" {
		return &dictValue{}
	}
	m := scriptObject.FindStringSubmatch(code)
	if m == nil {
		return code
	}
	d := &dictValue{}
	for _, pair := range scriptPairs(m[1]) {
		key := strings.Trim(pythonStrip(pair[0]), `'"`)
		text := pythonStrip(pair[1])
		var v value
		switch {
		case strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]"):
			v = scriptList(text, "")
		case strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}"):
			v = scriptDict(text)
		default:
			v = scriptPlainValue(strings.Trim(text, `'"`))
		}
		d.set(key, v)
	}
	return d
}

// scriptPairs is Python's findall of ([^:]+):\s*(.*?)(?:,\s*(?=[^,]+:)|$), which
// looks ahead and is therefore no regular expression of Go's.
func scriptPairs(text string) [][2]string {
	var pairs [][2]string
	for at := 0; at < len(text); {
		colon := strings.IndexByte(text[at:], ':')
		if colon < 0 {
			break
		}
		if colon == 0 {
			at++
			continue
		}
		key := text[at : at+colon]
		rest := at + colon + 1
		start := len(text) - len(strings.TrimLeftFunc(text[rest:], isPythonSpace))
		end, next, ok := scriptPairEnd(text, start)
		if !ok {
			at++
			continue
		}
		pairs = append(pairs, [2]string{key, text[start:end]})
		at = next
	}
	return pairs
}

// scriptPairEnd finds where the value that begins at start ends: before a comma
// behind which another key comes, or at the end.
func scriptPairEnd(text string, start int) (end, next int, ok bool) {
	for end = start; ; end++ {
		if end == len(text) || end == len(text)-1 && text[end] == '\n' {
			return end, end, true
		}
		if text[end] == ',' {
			after := len(text) - len(strings.TrimLeftFunc(text[end+1:], isPythonSpace))
			for ; after > end; after-- {
				if keyAhead(text[after:]) {
					return end, after, true
				}
			}
		}
		if text[end] == '\n' {
			return 0, 0, false
		}
	}
}

// keyAhead is the look-ahead [^,]+: .
func keyAhead(text string) bool {
	if i := strings.IndexByte(text, ','); i >= 0 {
		text = text[:i]
	}
	return strings.LastIndexByte(text, ':') >= 1
}

// scriptPlainValue reads a value whose type no schema gives.
func scriptPlainValue(text string) value {
	text = pythonStrip(text)
	switch {
	case text == "true" || text == "false":
		return text == "true"
	case quoted(text):
		return unquoted(text)
	}
	return plainNumber(text)
}
