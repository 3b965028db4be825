package benchmarks

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// asks are the templates that make question, choices and target of a document.
// Each is the name of a column, a template, or for choices and target a value that
// stands in the YAML.
type asks struct {
	text, target, choice field
}

// field is one of doc_to_text, doc_to_target and doc_to_choice.
type field struct {
	key      string
	name     string // a column, if the data has it
	compiled *template
	fixed    any // where the YAML has a number or a list
}

func (t *taskFile) field(key string, v any) (field, error) {
	f := field{key: key}
	switch v := v.(type) {
	case nil:
		return f, nil
	case string:
		f.name = v
		compiled, err := compileTemplate(v)
		if err != nil {
			return f, t.fail(key, "%s", err)
		}
		f.compiled = &compiled
	case uint64, int64, int, float64:
		f.fixed = json.Number(fmt.Sprint(v))
	case []any:
		f.fixed = plainList(v)
	default:
		return f, t.fail(key, "want a template, not %v", v)
	}
	return f, nil
}

func plainList(values []any) []any {
	list := make([]any, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case string, nil, bool:
			list[i] = v
		default:
			list[i] = json.Number(fmt.Sprint(v))
		}
	}
	return list
}

func (f field) given() bool { return f.compiled != nil || f.fixed != nil }

// value is the column's, the fixed value, or the rendered template.
func (f field) value(doc document) (v any, rendered bool, err error) {
	if f.fixed != nil {
		return f.fixed, false, nil
	}
	if v, ok := doc[f.name]; ok {
		return v, false, nil
	}
	text, err := f.compiled.render(doc)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", f.key, err)
	}
	return text, true, nil
}

func (a asks) hasChoices() bool { return a.choice.given() }

func (a asks) textOf(doc document) (string, error) {
	v, rendered, err := a.text.value(doc)
	if err != nil {
		return "", err
	}
	text, ok := v.(string)
	if !ok || rendered && a.hasChoices() && digitsOnly(text) {
		return "", fmt.Errorf("%s gives %s: prompts that differ by choice are not understood", a.text.key, pythonRepr(v))
	}
	return text, nil
}

// targetOf is a text, or where it looks like one a number or a list.
func (a asks) targetOf(doc document) (any, error) {
	v, rendered, err := a.target.value(doc)
	if err != nil || !rendered {
		return v, err
	}
	text := v.(string)
	switch {
	case a.hasChoices() && digitsOnly(text):
		return json.Number(text), nil
	case len(text) >= 2 && text[0] == '[' && text[len(text)-1] == ']':
		if list, err := parsePython(text); err == nil {
			return list, nil
		}
	}
	return text, nil
}

func (a asks) choicesOf(doc document) ([]string, error) {
	v, rendered, err := a.choice.value(doc)
	if err != nil {
		return nil, err
	}
	if rendered {
		if v, err = parsePython(v.(string)); err != nil {
			return nil, fmt.Errorf("%s: not a list: %w", a.choice.key, err)
		}
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s gives %s, not a list", a.choice.key, pythonRepr(v))
	}
	choices := make([]string, len(list))
	for i, c := range list {
		if choices[i], ok = c.(string); !ok {
			return nil, fmt.Errorf("%s gives %s, which is not a text", a.choice.key, pythonRepr(c))
		}
	}
	return choices, nil
}

// answerOf is the target as an example shows it.
func (a asks) answerOf(doc document) (string, error) {
	target, err := a.targetOf(doc)
	if err != nil {
		return "", err
	}
	if i, whole := wholeOf(target); whole && a.hasChoices() {
		choices, err := a.choicesOf(doc)
		if err != nil {
			return "", err
		}
		if i < 0 || i >= len(choices) {
			return "", fmt.Errorf("%s gives %d, and there are %d choices", a.target.key, i, len(choices))
		}
		return choices[i], nil
	}
	if list, ok := target.([]any); ok && len(list) > 0 {
		target = list[0]
	}
	text, ok := target.(string)
	if !ok {
		return "", fmt.Errorf("%s gives %s, which no example can show as text; write it as a template, {{...}}", a.target.key, pythonRepr(target))
	}
	return text, nil
}

func digitsOnly(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// wholeOf is the value of a whole number.
func wholeOf(v any) (int, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(n.String())
	return i, err == nil
}

// textOr is the text of a description or a gen_prefix, "" without one.
func (f field) textOr(doc document) (string, error) {
	if !f.given() {
		return "", nil
	}
	v, _, err := f.value(doc)
	if err != nil || v == nil {
		return "", err
	}
	return pythonStr(v), nil
}

// needsDelimiter: nothing at the seam of two texts is white space.
func needsDelimiter(before, after string) bool {
	if before == "" {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	return !unicode.IsSpace(last) && !unicode.IsSpace(first)
}

// joined puts a space between two texts where they need one.
func joined(before, after string) string {
	if before != "" && after != "" && needsDelimiter(before, after) {
		return before + " " + after
	}
	return before + after
}
