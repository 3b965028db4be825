package mergekit

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"soup/merge/internal/remedy"
)

const (
	maxBytes = 8 << 20 // of a recipe
	maxDepth = 100     // of nesting in a line or by lines; the parser recurses
	maxTerms = 1 << 10 // between two list items; keys take the parser quadratic time
	maxNodes = 1 << 20 // read, aliases counted each time
)

// reader walks over a YAML document. Its methods return errors that name file,
// line and column.
type reader struct {
	file    string
	anchors map[string]ast.Node
	nodes   int
}

// parse returns the only document of a file.
func (r *reader) parse(text []byte) (n ast.Node, err error) {
	if err := r.sane(text); err != nil {
		return nil, err
	}
	defer func() {
		if bug := recover(); bug != nil {
			n, err = nil, fmt.Errorf("%s: not readable as YAML: %v", r.file, oneLine(fmt.Sprint(bug)))
		}
	}()
	doc, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, r.located(err)
	}
	if len(doc.Docs) == 0 || doc.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: empty, there is no recipe", r.file)
	}
	if len(doc.Docs) > 1 {
		return nil, remedy.Errorf("give one recipe a file", "%s: %d YAML documents, a recipe is one", r.file, len(doc.Docs))
	}
	r.anchors = map[string]ast.Node{}
	ast.Walk(r, doc.Docs[0].Body)
	return doc.Docs[0].Body, nil
}

// sane refuses what the parser would need very much time or memory for. Each
// level of nesting takes a bracket, a column of indentation, or a mark.
func (r *reader) sane(text []byte) error {
	if len(text) > maxBytes {
		return fmt.Errorf("%s: longer than %d bytes, which no recipe is", r.file, maxBytes)
	}
	if !utf8.Valid(text) {
		return fmt.Errorf("%s: not valid UTF-8", r.file)
	}
	brackets, terms := 0, 0
	for i, line := range bytes.Split(text, []byte("\n")) {
		inner := bytes.TrimLeft(line, " ")
		if terms++; bytes.HasPrefix(inner, []byte("- ")) {
			terms = 0
		}
		terms += bytes.Count(line, []byte(",")) + bytes.Count(line, []byte("\r")) // which may end lines, too
		brackets += bytes.Count(line, []byte("[")) + bytes.Count(line, []byte("{"))
		switch {
		case brackets > maxDepth || len(line)-len(inner) > maxDepth || marks(line) > maxDepth:
			return fmt.Errorf("%s:%d: nested too deeply", r.file, i+1)
		case terms > maxTerms:
			return fmt.Errorf("%s:%d: more keys or values in one place than a recipe has", r.file, i+1)
		}
		brackets = max(0, brackets-bytes.Count(line, []byte("]"))-bytes.Count(line, []byte("}")))
	}
	return nil
}

// marks counts what opens a level within a line.
func marks(line []byte) int {
	n := 0
	for _, mark := range []string{"- ", "? ", "&", "*", "!", ": "} {
		n += bytes.Count(line, []byte(mark))
	}
	return n
}

// Visit implements ast.Visitor: it collects anchors.
func (r *reader) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil {
		r.anchors[a.Name.GetToken().Value] = a.Value
	}
	return r
}

// located takes file, line and column from the parser's error.
func (r *reader) located(err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return fmt.Errorf("%s: %s", r.file, oneLine(err.Error()))
	}
	p := at.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s", r.file, p.Line, p.Column, oneLine(at.GetMessage()))
}

// at builds an error about a node.
func (r *reader) at(n ast.Node, hint, format string, args ...any) error {
	where := r.file
	if n != nil && n.GetToken() != nil {
		p := n.GetToken().Position
		where = fmt.Sprintf("%s:%d:%d", r.file, p.Line, p.Column)
	}
	return remedy.Errorf(hint, "%s: %s", where, fmt.Sprintf(format, args...))
}

// resolve follows anchors and aliases. An empty value is nil.
func (r *reader) resolve(n ast.Node) (ast.Node, error) {
	for {
		if r.nodes++; r.nodes > maxNodes {
			return nil, r.at(n, "write values out instead of repeating them by aliases", "more than %d values", maxNodes)
		}
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			to, ok := r.anchors[v.Value.GetToken().Value]
			if !ok {
				return nil, r.at(n, "", "no anchor %q", v.Value.GetToken().Value)
			}
			n = to
		case *ast.TagNode:
			return nil, r.at(n, "leave the tag out", "a recipe has no tags")
		case nil, *ast.NullNode:
			return nil, nil
		default:
			return n, nil
		}
	}
}

// member is one key of a mapping with its value, which may be nil.
type member struct {
	key   string
	name  ast.Node
	value ast.Node
}

// members reads a mapping whose keys must be among the known ones.
func (r *reader) members(n ast.Node, what string, known ...string) ([]member, error) {
	m, ok := n.(ast.MapNode)
	if !ok {
		return nil, r.at(n, "", "%s must be a mapping", what)
	}
	var all []member
	for it := m.MapRange(); it.Next(); {
		key, ok := it.Key().(*ast.StringNode)
		if !ok {
			return nil, r.at(it.Key(), "", "%s: this is not a key that recipes have", what)
		}
		value, err := r.resolve(it.Value())
		if err != nil {
			return nil, err
		}
		if !contains(known, key.Value) {
			return nil, r.at(key, known[0], "%s has no key %q", what, key.Value)
		}
		all = append(all, member{key.Value, key, value})
	}
	return all, nil
}

// contains looks behind the first element, which is the hint.
func contains(known []string, key string) bool {
	for _, k := range known[1:] {
		if k == key {
			return true
		}
	}
	return false
}

// items reads a list.
func (r *reader) items(n ast.Node, what string) ([]ast.Node, error) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		return nil, r.at(n, "", "%s must be a list", what)
	}
	if len(s.Values) == 0 {
		return nil, r.at(n, "", "%s is empty", what)
	}
	list := make([]ast.Node, len(s.Values))
	for i, v := range s.Values {
		item, err := r.resolve(v)
		if err != nil {
			return nil, err
		}
		if item == nil {
			return nil, r.at(v, "", "%s has an empty item", what)
		}
		list[i] = item
	}
	return list, nil
}

// text reads a string.
func (r *reader) text(n ast.Node, what string) (string, error) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return v.Value.Value, nil
	}
	return "", r.at(n, "put it in quotes", "%s must be text", what)
}

// decimal leaves out numbers that YAML 1.1 and 1.2 read differently, such as
// 010 and 1:30.
var decimal = regexp.MustCompile(`^[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// number reads a finite number, also one in quotes and true or false.
func (r *reader) number(n ast.Node, what string) (float64, error) {
	if b, ok := boolean(n); ok {
		if b {
			return 1, nil
		}
		return 0, nil
	}
	s, ok := scalar(n)
	if !ok || !decimal.MatchString(s) {
		return 0, r.at(n, "write a decimal number, such as 0.5", "%s must be a number", what)
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, r.at(n, "", "%s: %s is out of range", what, s)
	}
	return x, nil
}

// flag reads true or false, also as 1 or 0.
func (r *reader) flag(n ast.Node, what string) (float64, error) {
	x, err := r.number(n, what)
	if err != nil || x != 0 && x != 1 {
		return 0, r.at(n, "", "%s must be true or false", what)
	}
	return x, nil
}

// scalar returns the text of a number, in quotes or not.
func scalar(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.IntegerNode:
		return v.Token.Value, true
	case *ast.FloatNode:
		return v.Token.Value, true
	case *ast.StringNode:
		return v.Value, true
	}
	return "", false
}

// boolean reads the words for true and false of YAML 1.1, which mergekit reads.
func boolean(n ast.Node) (value, ok bool) {
	switch v := n.(type) {
	case *ast.BoolNode:
		return v.Value, true
	case *ast.StringNode:
		switch strings.ToLower(v.Value) {
		case "true", "yes", "on":
			return true, true
		case "false", "no", "off":
			return false, true
		}
	}
	return false, false
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
