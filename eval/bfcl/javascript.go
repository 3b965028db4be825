package bfcl

import (
	"regexp"
	"slices"
	"strings"
)

// scriptParser reads what the grammar tree-sitter-javascript 0.21 accepts, as far
// as answers need it. As in the benchmark's js_parser.py, a value is the text as
// it stands, without quotes where it begins and ends with them.
type scriptParser struct{ *code }

// scriptNode is a part of a JavaScript expression.
type scriptNode struct {
	kind       scriptKind
	start, end int
	function   [2]int // of a call
	arguments  []scriptNode
	left       [2]int // of an assignment
	right      [2]int
}

type scriptKind int

const (
	scriptOther scriptKind = iota
	scriptCall
	scriptName // also true, which the benchmark counts among them
	scriptAssignment
	scriptAssignable // a.b, a[b]; also [a] and {a}, which are patterns then
)

// decodeJavaScript returns the first statement that is a call.
func decodeJavaScript(text string) ([]call, error) {
	p := scriptParser{newCode(text)}
	statements, ok := p.statements("")
	if !ok {
		return nil, errSyntax
	}
	i := slices.IndexFunc(statements, func(n scriptNode) bool { return n.kind == scriptCall })
	if i < 0 {
		return nil, errDecode
	}
	n := statements[i]
	arguments := &dictValue{}
	for _, a := range n.arguments {
		var key, v value
		switch a.kind {
		case scriptAssignment:
			key, v = p.span(a.left), unquoted(p.span(a.right))
		case scriptName:
			v = p.text[a.start:a.end]
		default:
			continue
		}
		if _, twice := arguments.get(key); twice {
			return nil, errDecode
		}
		arguments.set(key, v)
	}
	return []call{{name: p.span(n.function), arguments: arguments}}, nil
}

func (p scriptParser) span(at [2]int) string { return p.text[at[0]:at[1]] }

// unquoted is text[1:-1] of Python if it begins and ends with the same quote.
func unquoted(text string) string {
	if !quoted(text) {
		return text
	}
	if len(text) < 2 {
		return ""
	}
	return text[1 : len(text)-1]
}

func quoted(text string) bool {
	return strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) || strings.HasPrefix(text, "'") && strings.HasSuffix(text, "'")
}

// statements reads until closing, or to the end if that is "". What is no
// expression is read and is no call.
func (p scriptParser) statements(closing string) ([]scriptNode, bool) {
	if !p.deeper() {
		return nil, false
	}
	defer func() { p.depth-- }()
	var all []scriptNode
	for {
		switch {
		case closing != "" && p.take(closing):
			return all, true
		case p.ended():
			return all, closing == ""
		case p.take(";"):
		case p.block():
			all = append(all, scriptNode{})
		default:
			n, ok := p.statement()
			if !ok {
				return nil, false
			}
			all = append(all, n)
		}
	}
}

// block reads { statements }; where it is none, such as an object, nothing is
// read.
func (p scriptParser) block() bool {
	at := p.at
	if p.take("{") {
		if _, ok := p.statements("}"); ok {
			return true
		}
	}
	p.at = at
	return false
}

func (p scriptParser) statement() (scriptNode, bool) {
	plain := true
	if p.takeWord("return", "throw") {
		plain = false
	} else if p.takeWord("var", "let", "const") {
		plain = false
	}
	n, ok := p.sequence()
	if !ok || !p.statementEnds() {
		return n, false
	}
	if !plain {
		return scriptNode{}, true
	}
	return n, true
}

// statementEnds: by a semicolon, the end of a line, a bracket or of everything.
func (p scriptParser) statementEnds() bool {
	line := p.space()
	return p.take(";") || line || p.ended() || p.sees("}")
}

// sequence is one expression or several with commas, which are no call together.
func (p scriptParser) sequence() (scriptNode, bool) {
	n, ok := p.expression()
	for ok && p.take(",") {
		start := n.start
		n, ok = p.expression()
		n = scriptNode{start: start, end: n.end}
	}
	return n, ok
}

var (
	scriptAssignments = []string{"=", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", ">>=", ">>>=", "<<=", "**=", "&&=", "||=", "??="}
	scriptBinary      = []string{"&&", "||", "??", "|", "^", "&", "==", "===", "!=", "!==", "<", "<=", ">", ">=", "<<", ">>", ">>>", "+", "-", "*", "/", "%", "**"}
	scriptOperators   = slices.Concat(scriptAssignments, scriptBinary, []string{"=>", "?.", "?", ":", "!", "~", "++", "--", "..."})

	scriptNumbers = []*regexp.Regexp{
		regexp.MustCompile(`^(?:0[xX][\da-fA-F](?:_?[\da-fA-F])*|0[bB][01](?:_?[01])*|0[oO][0-7](?:_?[0-7])*)n?`),
		regexp.MustCompile(`^(?:0|0?[1-9](?:_?\d(?:_?\d)*)?)\.(?:\d(?:_?\d)*)?(?:[eE][-+]?\d(?:_?\d)*)?`),
		regexp.MustCompile(`^\.\d(?:_?\d)*(?:[eE][-+]?\d(?:_?\d)*)?`),
		regexp.MustCompile(`^(?:0|0?[1-9](?:_?\d(?:_?\d)*)?)(?:[eE][-+]?\d(?:_?\d)*)?`),
		regexp.MustCompile(`^\d(?:_?\d)*n?`),
	}
	scriptStrings = []*regexp.Regexp{
		regexp.MustCompile(`^"(?:[^"\\\n]|\\(?:\r?\n|[^xu0-7\r\n]|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]+\}))*"`),
		regexp.MustCompile(`^'(?:[^'\\\n]|\\(?:\r?\n|[^xu0-7\r\n]|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]+\}))*'`),
	}
	scriptOptionalNumber = regexp.MustCompile(`^\?\.\d`) // a?.5:b
	scriptRegexp         = regexp.MustCompile(`^/(?:\[(?:\\.|[^\]\n\\])*\]|\\.|[^/\\\[\n])+/[a-z]*`)
)

// expression reads operands with binary operators between them; how strongly
// these bind does not matter.
func (p scriptParser) expression() (scriptNode, bool) {
	if !p.deeper() {
		return scriptNode{}, false
	}
	defer func() { p.depth-- }()
	n, ok := p.operand()
	for ok {
		op := p.operator(scriptOperators)
		switch {
		case slices.Contains(scriptBinary, op):
			p.skip(op)
			_, ok = p.operand()
		case op == "?":
			p.skip(op)
			if _, ok = p.expression(); !ok || !p.take(":") {
				return n, false
			}
			_, ok = p.expression()
		case p.takeWord("instanceof", "in"):
			_, ok = p.operand()
		default:
			return n, true
		}
		n = scriptNode{start: n.start, end: p.at}
	}
	return n, false
}

// operand is what stands between binary operators, an assignment included.
func (p scriptParser) operand() (scriptNode, bool) {
	p.space()
	start := p.at
	op := p.operator(scriptOperators)
	if slices.Contains([]string{"+", "-", "!", "~", "++", "--"}, op) || p.prefixWord() {
		if !p.deeper() {
			return scriptNode{}, false
		}
		defer func() { p.depth-- }()
		p.skip(op)
		_, ok := p.operand()
		return scriptNode{start: start, end: p.at}, ok
	}
	n, ok := p.primary()
	if !ok {
		return n, false
	}
	at := p.at
	line := p.space()
	op = p.operator(scriptOperators)
	p.at = at
	switch {
	case (op == "++" || op == "--") && !line:
		p.take(op)
		return scriptNode{start: start, end: p.at}, true
	case slices.Contains(scriptAssignments, op) && (n.kind == scriptName && p.text[n.start:n.end] != "true" || n.kind == scriptAssignable):
		p.take(op)
		right, ok := p.expression()
		a := scriptNode{start: start, end: p.at, left: [2]int{n.start, n.end}, right: [2]int{right.start, right.end}}
		if op == "=" {
			a.kind = scriptAssignment
		}
		return a, ok
	}
	return n, true
}

// prefixWord takes a keyword that is an operator, if an operand can follow it.
func (p scriptParser) prefixWord() bool {
	at := p.at
	if !p.takeWord("typeof", "void", "delete", "await", "yield") {
		return false
	}
	if next := p.rest(); next == "" || strings.ContainsAny(next[:1], "=,).;:]}") {
		p.at = at
		return false
	}
	return true
}
