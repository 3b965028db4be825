package bfcl

import (
	"regexp"
	"slices"
	"strings"
)

// javaNode is a part of a Java expression: where it stands and, for an argument's
// value, what the benchmark's parser makes of it.
type javaNode struct {
	kind       javaKind
	start, end int
	rendered   string // without the space between tokens, see javaParser
	object     [2]int // of a call: what stands before the dot
	name       [2]int // of a call
	arguments  []javaNode
	kids       []javaNode // in which to look for calls, in order
	right      *javaNode  // of an assignment
	left       [2]int
}

type javaKind int

const (
	javaOther javaKind = iota
	javaString
	javaCharacter
	javaIdentifier
	javaClassLiteral
	javaCall
	javaAssignment
	javaAccess // a.b or a[b], which can be assigned to
	javaBroken // the parser finds it, the benchmark fails on it
)

// javaParser reads what the grammar tree-sitter-java 0.21 accepts, as far as
// answers need it. An argument's value becomes text as in the benchmark's
// java_parser.py: names, calls and class literals as they stand; strings and
// characters without their quotes where they are the whole value; object
// creations as "new T(a, b)", without a class body; everything else token by
// token without the space between.
type javaParser struct{ *code }

// shortestJava is how many bytes a statement without its semicolon must have
// more than: for shorter ones tree-sitter's error recovery takes the whole for an
// error (cost 600 + bytes + 30 a line) rather than the semicolon for missing (610).
const shortestJava = 10

// decodeJava returns the first method invocation of the source.
func decodeJava(text string) ([]call, error) {
	p := javaParser{newCode(text)}
	p.isSpace = func(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' }
	statements, ok := p.statements("")
	if !ok {
		return nil, errSyntax
	}
	n := firstCall(statements)
	if n == nil {
		return nil, errDecode
	}
	name := p.cut(n.name[0], n.name[1], true)
	if n.object[1] > 0 {
		name = p.cut(n.object[0], n.object[1], true) + "." + name
	}
	arguments := &dictValue{}
	for _, a := range n.arguments {
		var key, v value
		switch a.kind {
		case javaAssignment:
			if a.right.kind == javaBroken {
				return nil, errDecode
			}
			key, v = p.cut(a.left[0], a.left[1], true), p.topText(*a.right)
		case javaIdentifier, javaClassLiteral:
			v = p.cut(a.start, a.end, true)
		default:
			continue
		}
		if _, twice := arguments.get(key); twice {
			return nil, errDecode
		}
		arguments.set(key, v)
	}
	return []call{{name: name, arguments: arguments}}, nil
}

// topText is the text of a whole argument: strings lose their quotes.
func (p javaParser) topText(n javaNode) string {
	if n.kind != javaString && n.kind != javaCharacter {
		return n.rendered
	}
	r := []rune(n.rendered)
	if len(r) < 2 {
		return ""
	}
	return string(r[1 : len(r)-1])
}

func firstCall(nodes []javaNode) *javaNode {
	for i := range nodes {
		if nodes[i].kind == javaCall {
			return &nodes[i]
		}
		if n := firstCall(nodes[i].kids); n != nil {
			return n
		}
	}
	return nil
}

// statements reads until closing, or to the end if that is "".
func (p javaParser) statements(closing string) ([]javaNode, bool) {
	if !p.deeper() {
		return nil, false
	}
	defer func() { p.depth-- }()
	var all []javaNode
	for {
		switch {
		case closing != "" && p.take(closing):
			return all, true
		case p.ended():
			return all, closing == ""
		case p.take(";"):
		case p.take("{"):
			inner, ok := p.statements("}")
			if !ok {
				return nil, false
			}
			all = append(all, javaNode{kids: inner})
		default:
			n, ok := p.statement(closing == "" && len(all) == 0)
			if !ok {
				return nil, false
			}
			all = append(all, n)
		}
	}
}

func (p javaParser) statement(only bool) (javaNode, bool) {
	start := p.at
	p.takeWord("return", "throw", "assert", "yield")
	n, ok := p.declaration()
	if !ok {
		if n, ok = p.expression(); !ok {
			return n, false
		}
	}
	size := p.at - start + 30*strings.Count(p.text[start:p.at], "\n")
	switch {
	case p.take(";"):
		return n, true
	case p.ended() && only:
		return n, size > shortestJava
	case p.ended() || p.sees("}"):
		return n, true
	}
	return n, n.kind == javaCall && size > shortestJava && p.statementAhead()
}

// statementAhead reports whether tree-sitter takes what is next for another
// statement, so that only a semicolon is missing before it, rather than for a
// call's continuation with a superfluous name before it: f() name.g() has an
// error if the name is short.
func (p javaParser) statementAhead() bool {
	at := p.at
	defer func() { p.at = at }()
	w := p.word()
	p.skip(w)
	if w == "" || p.ended() {
		return false
	}
	return p.sees("(") || p.word() != "" || len(w) >= shortestJava
}

// declaration is "Type name = value"; where it is none, nothing is read.
func (p javaParser) declaration() (javaNode, bool) {
	start := p.at
	p.takeWord("final")
	_, ok := p.typeName()
	name := p.word()
	if !ok || name == "" || name == "instanceof" {
		p.at = start
		return javaNode{}, false
	}
	p.skip(name)
	if p.operator(javaOperators) == "=" && p.take("=") {
		if n, ok := p.expression(); ok {
			return javaNode{kids: []javaNode{n}}, true
		}
	} else if p.sees(";") {
		return javaNode{}, true
	}
	p.at = start
	return javaNode{}, false
}

var javaPrimitives = []string{"int", "long", "short", "byte", "char", "float", "double", "boolean", "void"}

// typeName reads a type with its type arguments and dimensions; the text is
// without spaces.
func (p javaParser) typeName() (string, bool) {
	text := p.word()
	if text == "" || slices.Contains([]string{"new", "true", "false", "null", "this", "super"}, text) {
		return "", false
	}
	p.skip(text)
	for {
		switch {
		case p.sees("<"):
			arguments, ok := p.typeArguments()
			if !ok {
				return "", false
			}
			text += arguments
		case p.sees(".") && !p.sees("..."):
			at := p.at
			p.take(".")
			w := p.word()
			if w == "" || w == "class" {
				p.at = at
				return text, true
			}
			p.skip(w)
			text += "." + w
		case p.dimension():
			text += "[]"
		default:
			return text, true
		}
	}
}

// dimension reads [].
func (p javaParser) dimension() bool {
	at := p.at
	if p.take("[") && p.take("]") {
		return true
	}
	p.at = at
	return false
}

func (p javaParser) typeArguments() (string, bool) {
	if !p.deeper() {
		return "", false
	}
	defer func() { p.depth-- }()
	text := "<"
	p.take("<")
	for !p.take(">") {
		if p.take("?") {
			text += "?"
			if w := p.word(); w == "extends" || w == "super" {
				p.skip(w)
				text += w
			}
		}
		if !p.sees(">") && !p.sees(",") {
			t, ok := p.typeName()
			if !ok {
				return "", false
			}
			text += t
		}
		if p.take(",") {
			if text += ","; p.sees(">") {
				return "", false
			}
		} else if !p.sees(">") {
			return "", false
		}
	}
	return text + ">", true
}

var (
	javaAssignments = []string{"=", "+=", "-=", "*=", "/=", "&=", "|=", "^=", "%=", "<<=", ">>=", ">>>="}
	javaBinary      = []string{">", "<", ">=", "<=", "==", "!=", "&&", "||", "+", "-", "*", "/", "&", "|", "^", "%", "<<", ">>", ">>>"}
	javaOperators   = slices.Concat(javaAssignments, javaBinary, []string{"->", "::", "++", "--", "?", ":", "!", "~"})

	javaNumbers = []*regexp.Regexp{
		regexp.MustCompile(`^(?:0|[1-9](?:_?[0-9]+(?:_[0-9]+)*)?)[lL]?`),
		regexp.MustCompile(`^0[xX][A-Fa-f0-9]+(?:_[A-Fa-f0-9]+)*[lL]?`),
		regexp.MustCompile(`^0[oO]?[0-7]+(?:_[0-7]+)*[lL]?`),
		regexp.MustCompile(`^0[bB][01]+(?:_[01]+)*[lL]?`),
		regexp.MustCompile(`^[0-9]+(?:_[0-9]+)*\.(?:[0-9]+(?:_[0-9]+)*)?(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?[fFdD]?`),
		regexp.MustCompile(`^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?[fFdD]?`),
		regexp.MustCompile(`^(?:0|[1-9](?:_?[0-9]+(?:_[0-9]+)*)?)[eE][-+]?[0-9]+(?:_[0-9]+)*[fFdD]?`),
		regexp.MustCompile(`^(?:0|[1-9](?:_?[0-9]+(?:_[0-9]+)*)?)(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?[fFdD]`),
	}
	javaCharacters = regexp.MustCompile(`^'(?:[^\\'\n]|\\.|\\\n)+'`)
	javaStrings    = regexp.MustCompile(`^"(?:[^"\\]|\\(?:[^xu0-7]|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]+\}))*"`)
	javaTextBlock  = regexp.MustCompile(`(?s)^""".*?"""`)
)
