package benchmarks

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ardanlabs/jinja"
)

// template is a Jinja template as lm-eval renders it (lm_eval/utils.py,
// apply_template, release 0.4.13): undefined names are errors, no line break is
// dropped around a tag, and values are written as Python's str writes them.
//
// The library is made for chat templates and does those three otherwise. So texts
// become expressions, which it does not trim, and every expression is written as
// JSON between marks, to be turned into Python's form afterwards. Macros, blocks,
// includes and raw sections are refused.
type template struct {
	compiled *jinja.Template
	names    []string // that the template reads and does not define or test for
}

// Marks that no text has: Unicode promises that these are no characters.
const (
	markOpen  = "\ufdd0"
	markFloat = "\ufdd1"
	markClose = "\ufdd2"
)

// segment is a piece of a template: text, or a tag without its braces.
type segment struct {
	kind                byte // 0 text, '{' expression, '%' statement, '#' comment
	text                string
	trimLeft, trimRight bool
}

func compileTemplate(source string) (template, error) {
	segments, err := divide(source)
	if err != nil {
		return template{}, err
	}
	var out strings.Builder
	names := namesOf{defined: map[string]bool{}}
	for i, s := range segments {
		if s.kind != 0 {
			s.text = withMethods(s.text)
		}
		switch s.kind {
		case 0:
			out.WriteString("{{ " + quoted(trimmed(segments, i)) + " }}")
		case '%':
			if err := understood(s.text); err != nil {
				return template{}, err
			}
			names.add(s.text)
			out.WriteString("{% " + s.text + " %}")
		case '{':
			names.add(s.text)
			fmt.Fprintf(&out, `{{ "%s" }}{{ ((%s)|tojson) if (%s) is defined else raise_exception("undefined: %s") }}{{ "%s" if (%s) is float else "%s" }}`,
				markOpen, s.text, s.text, strings.Trim(quoted(strings.TrimSpace(s.text)), `"`), markFloat, s.text, markClose)
		}
	}
	compiled, err := jinja.Compile(out.String())
	if err != nil {
		return template{}, errors.New(strings.TrimPrefix(err.Error(), "jinja "))
	}
	return template{compiled, names.free()}, nil
}

// divide finds the tags; quotes in them hide braces.
func divide(source string) ([]segment, error) {
	var segments []segment
	closers := map[byte]string{'{': "}}", '%': "%}", '#': "#}"}
	for source != "" {
		at := strings.IndexAny(source, "{")
		for at >= 0 && (at+1 >= len(source) || closers[source[at+1]] == "") {
			next := strings.IndexByte(source[at+1:], '{')
			if next < 0 {
				at = -1
				break
			}
			at += 1 + next
		}
		if at < 0 {
			return append(segments, segment{text: source}), nil
		}
		if at > 0 {
			segments = append(segments, segment{text: source[:at]})
		}
		kind := source[at+1]
		body, rest, ok := untilCloser(source[at+2:], closers[kind], kind != '#')
		if !ok {
			return nil, fmt.Errorf("no %s to end %.20q", closers[kind], source[at:])
		}
		s := segment{kind: kind, trimLeft: strings.HasPrefix(body, "-"), trimRight: strings.HasSuffix(body, "-")}
		body = strings.TrimSuffix(strings.TrimPrefix(body, "-"), "-")
		s.text = strings.TrimSpace(body)
		segments, source = append(segments, s), rest
	}
	return segments, nil
}

func untilCloser(source, closer string, quotes bool) (body, rest string, ok bool) {
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case strings.HasPrefix(source[i:], closer):
			return source[:i], source[i+len(closer):], true
		case quotes && (c == '"' || c == '\''):
			for i++; i < len(source) && source[i] != c; i++ {
				if source[i] == '\\' {
					i++
				}
			}
		}
	}
	return "", "", false
}

// trimmed is a text without the white space that the tags beside it take away.
func trimmed(segments []segment, i int) string {
	text := segments[i].text
	if i > 0 && segments[i-1].trimRight {
		text = strings.TrimLeft(text, " \t\r\n\v\f")
	}
	if i+1 < len(segments) && segments[i+1].trimLeft {
		text = strings.TrimRight(text, " \t\r\n\v\f")
	}
	return text
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text) + `"`
}

// understood refuses what captures the marks in a value, or reads other files.
func understood(statement string) error {
	word, _, _ := strings.Cut(statement, " ")
	known := []string{"if", "elif", "else", "endif", "for", "endfor", "set", "break", "continue"}
	if !slices.Contains(known, word) || word == "set" && !strings.Contains(statement, "=") {
		return fmt.Errorf("{%% %s %%} is not understood; use if, for and set", word)
	}
	return nil
}

// Two methods of Python that the library lacks become functions.
var (
	indexMethod = regexp.MustCompile(`([A-Za-z_]\w*(?:\.\w+|\[\w+\])*)\.index\(`)
	joinMethod  = regexp.MustCompile(`("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\.join\(`)
	methods     = map[string]func([]jinja.Value) (jinja.Value, error){"python_index": pythonIndex, "python_join": pythonJoin}
)

func withMethods(code string) string {
	return joinMethod.ReplaceAllString(indexMethod.ReplaceAllString(code, "python_index($1, "), "python_join($1, ")
}

// pythonIndex is list.index.
func pythonIndex(args []jinja.Value) (jinja.Value, error) {
	if len(args) != 2 || !args[0].IsList() {
		return jinja.Undefined(), errors.New("index: want a list and a value")
	}
	for i, v := range args[0].AsList().Items {
		if v.Equals(args[1]) {
			return jinja.NewInt(int64(i)), nil
		}
	}
	return jinja.Undefined(), fmt.Errorf("index: %s is not in the list", args[1])
}

// pythonJoin is str.join.
func pythonJoin(args []jinja.Value) (jinja.Value, error) {
	if len(args) != 2 || !args[1].IsList() {
		return jinja.Undefined(), errors.New("join: want a list of texts")
	}
	var texts []string
	for _, v := range args[1].AsList().Items {
		if !v.IsString() {
			return jinja.Undefined(), fmt.Errorf("join: %s is no text", v)
		}
		texts = append(texts, v.AsString())
	}
	return jinja.NewString(strings.Join(texts, args[0].AsString())), nil
}

// render fills in a document.
func (t template) render(doc map[string]any) (string, error) {
	values := map[string]jinja.Value{}
	for name, call := range methods {
		values[name] = jinja.NewCallable(name, func(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) { return call(args) })
	}
	for name, v := range doc {
		values[name] = jinja.FromGoValue(v)
	}
	raw, err := t.compiled.RenderValues(values)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(raw, markOpen)
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		end := strings.IndexAny(rest, markFloat+markClose)
		if end < 0 {
			return "", errors.New("a value holds characters that are none")
		}
		text, err := pythonText(rest[:end], strings.HasPrefix(rest[end:], markFloat))
		if err != nil {
			return "", err
		}
		out.WriteString(text)
		raw = rest[end+len(markClose):]
	}
}

// pythonText is str() of a value that was written as JSON.
func pythonText(raw string, float bool) (string, error) {
	v, err := decodeJSON([]byte(raw))
	if err != nil {
		return "", err
	}
	if n, ok := v.(json.Number); ok && float && !strings.ContainsAny(n.String(), ".eE") {
		v = json.Number(n.String() + ".0")
	}
	return pythonStr(v), nil
}

// namesOf collects the names of variables, so that one that no document has is an
// error where the library would see nothing.
type namesOf struct {
	read    []string
	defined map[string]bool
}

var (
	textLiterals = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`)
	nameTokens   = regexp.MustCompile(`([.|]\s*|\bis\s+(?:not\s+)?)?\b([A-Za-z_][A-Za-z0-9_]*)\b(\s*(?:\(|=(?:[^=]|$)|is\s+(?:not\s+)?(?:un)?defined))?`)
	nameTargets  = regexp.MustCompile(`^(?:for\s+(.*?)\s+in\b|set\s+([^=]*?)\s*=)`)
	noNames      = []string{
		"if", "elif", "else", "endif", "for", "endfor", "in", "set", "is", "not", "and", "or", "true", "false", "none", "True", "False", "None",
		"loop", "recursive", "break", "continue", "namespace", "range", "dict",
	}
)

func (n *namesOf) add(code string) {
	code = textLiterals.ReplaceAllString(code, "''")
	if m := nameTargets.FindStringSubmatch(code); m != nil {
		for _, name := range strings.FieldsFunc(m[1]+m[2], func(r rune) bool { return r == ',' || r == ' ' || r == '(' || r == ')' }) {
			n.defined[name] = true
		}
	}
	for _, m := range nameTokens.FindAllStringSubmatch(code, -1) {
		if strings.HasSuffix(m[3], "defined") {
			n.defined[m[2]] = true
		}
		if m[1] == "" && m[3] == "" && !slices.Contains(noNames, m[2]) {
			n.read = append(n.read, m[2])
		}
	}
}

func (n *namesOf) free() []string {
	return slices.DeleteFunc(n.read, func(name string) bool { return n.defined[name] })
}
