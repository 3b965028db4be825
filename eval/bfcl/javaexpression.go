package bfcl

import (
	"slices"
	"strings"
)

// expression reads operands with binary operators between them; how strongly
// these bind does not matter, as the text of all is the same.
func (p javaParser) expression() (javaNode, bool) {
	if !p.deeper() {
		return javaNode{}, false
	}
	defer func() { p.depth-- }()
	n, ok := p.operand()
	for ok {
		op := p.operator(javaOperators)
		at := p.at
		switch {
		case slices.Contains(javaBinary, op):
			p.skip(op)
			var right javaNode
			right, ok = p.operand()
			n = n.with(op, right)
		case op == "?":
			p.skip(op)
			var yes, no javaNode
			if yes, ok = p.expression(); !ok || !p.take(":") {
				return n, false
			}
			no, ok = p.expression()
			n = n.with("?", yes).with(":", no)
		case p.takeWord("instanceof"):
			t, isType := p.typeName()
			n, ok = n.with("instanceof", javaNode{rendered: t, end: p.at}), isType
		default:
			p.at = at
			return n, true
		}
	}
	return n, false
}

// with appends an operator and what stands right of it.
func (n javaNode) with(op string, right javaNode) javaNode {
	kind := javaOther
	if n.kind == javaBroken || right.kind == javaBroken {
		kind = javaBroken
	}
	return javaNode{kind: kind, start: n.start, end: right.end, rendered: n.rendered + op + right.rendered, kids: []javaNode{n, right}}
}

// operand is what stands between binary operators. An assignment is one, too:
// in a-b=1 it is the right operand.
func (p javaParser) operand() (javaNode, bool) {
	start := p.start()
	switch op := p.operator(javaOperators); op {
	case "+", "-", "!", "~", "++", "--":
		if !p.deeper() {
			return javaNode{}, false
		}
		defer func() { p.depth-- }()
		p.skip(op)
		n, ok := p.operand()
		return javaNode{start: start}.with(op, n), ok
	}
	n, ok := p.primary()
	if !ok {
		return n, false
	}
	op := p.operator(javaOperators)
	switch {
	case op == "++" || op == "--":
		p.skip(op)
		n = javaNode{start: start, end: p.at, rendered: n.rendered + op, kids: []javaNode{n}}
	case slices.Contains(javaAssignments, op) && (n.kind == javaIdentifier || n.kind == javaAccess):
		p.skip(op)
		right, ok := p.expression()
		a := n.with(op, right)
		a.kind, a.left, a.right, a.kids = javaAssignment, [2]int{n.start, n.end}, &right, []javaNode{n, right}
		return a, ok
	}
	return n, true
}

func (p javaParser) start() int {
	p.space()
	return p.at
}

// leaf is a token from start to here.
func (p javaParser) leaf(kind javaKind, start int) javaNode {
	return javaNode{kind: kind, start: start, end: p.at, rendered: p.cut(start, p.at, true)}
}

func (p javaParser) primary() (javaNode, bool) {
	n, ok := p.atom()
	for ok {
		switch {
		case p.operator(javaOperators) == "::":
			p.take("::")
			w := p.word()
			p.skip(w)
			n, ok = javaNode{start: n.start, end: p.at, rendered: n.rendered + "::" + w, kids: []javaNode{n}}, w != ""
		case p.sees(".") && !p.sees("..."):
			p.take(".")
			n, ok = p.member(n)
		case p.sees("["):
			n, ok = p.index(n)
		default:
			return n, true
		}
	}
	return n, false
}

// member is a field, a call, a class literal or an inner creation behind a dot.
func (p javaParser) member(of javaNode) (javaNode, bool) {
	if p.sees("<") {
		if _, ok := p.typeArguments(); !ok {
			return of, false
		}
	}
	start := p.start()
	w := p.word()
	p.skip(w)
	switch {
	case w == "":
		return of, false
	case w == "new":
		p.at = start
		n, ok := p.creation()
		n.start = of.start
		n.kids = append([]javaNode{of}, n.kids...)
		return n, ok
	case w == "class":
		n := p.leaf(javaClassLiteral, of.start)
		return n, of.kind == javaIdentifier || of.kind == javaAccess
	case p.sees("("):
		n := javaNode{kind: javaCall, start: of.start, object: [2]int{of.start, of.end}, name: [2]int{start, start + len(w)}}
		return p.call(n)
	}
	return javaNode{kind: javaAccess, start: of.start, end: p.at, rendered: of.rendered + "." + p.cut(start, p.at, true), kids: []javaNode{of}}, true
}

// index is [i], or the [] of a type, behind which stands .class or ::.
func (p javaParser) index(of javaNode) (javaNode, bool) {
	if p.dimension() {
		for p.dimension() {
		}
		n := javaNode{start: of.start, end: p.at, kind: javaIdentifier, rendered: of.rendered + "[]"}
		return n, p.sees("::") || p.sees(".")
	}
	p.take("[")
	i, ok := p.expression()
	if !ok || !p.take("]") {
		return of, false
	}
	return javaNode{kind: javaAccess, start: of.start, end: p.at, rendered: of.rendered + "[" + i.rendered + "]", kids: []javaNode{of, i}}, true
}

// call reads the arguments in round brackets.
func (p javaParser) call(n javaNode) (javaNode, bool) {
	var ok bool
	if n.arguments, ok = p.arguments(); !ok {
		return n, false
	}
	n.end = p.at
	n.rendered = p.cut(n.start, n.end, true)
	return n, true
}

// arguments: behind two and more of them tree-sitter takes a comma at the end for
// one with a name missing behind it, behind a single one for an error.
func (p javaParser) arguments() ([]javaNode, bool) {
	var list []javaNode
	p.take("(")
	if p.take(")") {
		return nil, true
	}
	for {
		n, ok := p.expression()
		if !ok {
			return nil, false
		}
		list = append(list, n)
		switch {
		case p.take(")"):
			return list, true
		case !p.take(","):
			return nil, false
		case len(list) > 1 && p.take(")"):
			return append(list, javaNode{kind: javaIdentifier, start: p.at, end: p.at}), true
		}
	}
}

func (p javaParser) atom() (javaNode, bool) {
	start := p.start()
	switch {
	case p.match(javaNumbers...):
		return p.leaf(javaOther, start), p.word() == ""
	case p.match(javaTextBlock), p.match(javaStrings):
		return p.leaf(javaString, start), true
	case p.match(javaCharacters):
		return p.leaf(javaCharacter, start), true
	case p.sees("("):
		return p.brackets()
	}
	w := p.word()
	switch {
	case w == "":
		return javaNode{}, false
	case w == "new":
		return p.creation()
	case slices.Contains(javaPrimitives, w) || p.genericAhead():
		return p.typed(start)
	}
	p.skip(w)
	switch {
	case w == "true" || w == "false" || w == "null":
		return p.leaf(javaOther, start), true
	case w == "super":
		return p.leaf(javaOther, start), p.sees(".") || p.sees("::")
	case p.operator(javaOperators) == "->":
		return p.lambda(start)
	case p.sees("(") && w != "this":
		return p.call(javaNode{kind: javaCall, start: start, name: [2]int{start, start + len(w)}})
	case w == "this":
		return p.leaf(javaOther, start), true
	}
	return p.leaf(javaIdentifier, start), true
}

// genericAhead reports whether a type with type arguments is next, as in
// List<String>.class.
func (p javaParser) genericAhead() bool {
	at := p.at
	defer func() { p.at = at }()
	t, ok := p.typeName()
	return ok && strings.Contains(t, "<") && (p.sees(".") || p.sees("::"))
}

// typed is a type where an expression should be: int.class, int[]::new.
func (p javaParser) typed(start int) (javaNode, bool) {
	t, ok := p.typeName()
	switch {
	case !ok:
		return javaNode{}, false
	case p.operator(javaOperators) == "::":
		return javaNode{start: start, end: p.at, rendered: t}, true
	case p.take(".") && p.takeWord("class"):
		return p.leaf(javaClassLiteral, start), true
	}
	return javaNode{}, false
}

// creation is new T(..), with or without a class body, or new T[]{..}.
func (p javaParser) creation() (javaNode, bool) {
	start := p.start()
	p.takeWord("new")
	t, ok := p.typeName()
	if !ok {
		return javaNode{}, false
	}
	n := javaNode{start: start}
	element, isArray := strings.CutSuffix(t, "[]")
	switch {
	case isArray:
		element = strings.TrimRight(element, "[]")
		v, ok := p.initializer()
		n.rendered, n.end, n.kids = "new "+element+"[]"+v.rendered, p.at, v.kids
		return n, ok
	case p.sees("["):
		for p.sees("[") && !p.dimension() {
			if _, ok := p.index(javaNode{}); !ok {
				return n, false
			}
		}
		n.kind, n.end = javaBroken, p.at // an array without values
		return n, true
	case !p.sees("("):
		return n, false
	}
	arguments, ok := p.arguments()
	if !ok {
		return n, false
	}
	texts := make([]string, len(arguments))
	for i, a := range arguments {
		texts[i] = a.rendered
		if a.kind == javaBroken {
			n.kind = javaBroken
		}
	}
	n.rendered, n.kids = "new "+t+"("+strings.Join(texts, ", ")+")", arguments
	if p.sees("{") {
		ok = p.classBody()
	}
	n.end = p.at
	return n, ok
}

// classBody is read for its form only. Initialisers, {{ put(..); }}, must be
// statements; other members are passed over.
func (p javaParser) classBody() bool {
	at := p.at
	p.take("{")
	for !p.take("}") {
		if !p.take("{") {
			p.at = at
			return p.skipBalanced()
		}
		if _, ok := p.statements("}"); !ok {
			return false
		}
	}
	return true
}

// initializer is {a, b, {c}}; a comma may stand at its end.
func (p javaParser) initializer() (javaNode, bool) {
	n := javaNode{start: p.start(), rendered: "{"}
	if !p.take("{") || !p.deeper() {
		return n, false
	}
	defer func() { p.depth-- }()
	for !p.take("}") {
		var e javaNode
		var ok bool
		if p.sees("{") {
			e, ok = p.initializer()
		} else {
			e, ok = p.expression()
		}
		if !ok {
			return n, false
		}
		n.rendered += e.rendered
		n.kids = append(n.kids, e)
		if p.take(",") {
			n.rendered += ","
		} else if !p.sees("}") {
			return n, false
		}
	}
	n.rendered += "}"
	n.end = p.at
	return n, true
}

// brackets are a lambda's parameters, a cast, or an expression in brackets.
func (p javaParser) brackets() (javaNode, bool) {
	start := p.at
	if p.skipBalanced() && p.operator(javaOperators) == "->" {
		return p.lambda(start)
	}
	p.at = start
	if n, ok := p.cast(); ok {
		return n, true
	}
	p.at = start
	p.take("(")
	n, ok := p.expression()
	if !ok || !p.take(")") {
		return n, false
	}
	return javaNode{kind: n.kindIfBroken(), start: start, end: p.at, rendered: "(" + n.rendered + ")", kids: []javaNode{n}}, true
}

func (n javaNode) kindIfBroken() javaKind {
	if n.kind == javaBroken {
		return javaBroken
	}
	return javaOther
}

func (p javaParser) cast() (javaNode, bool) {
	start := p.at
	p.take("(")
	t, ok := p.typeName()
	if !ok || !p.take(")") || p.operator(javaOperators) != "" && !slices.Contains(javaPrimitives, t) {
		return javaNode{}, false
	}
	v, ok := p.operand()
	return javaNode{kind: v.kindIfBroken(), start: start, end: p.at, rendered: "(" + t + ")" + v.rendered, kids: []javaNode{v}}, ok
}

// lambda: the parameters have been read.
func (p javaParser) lambda(start int) (javaNode, bool) {
	n := javaNode{start: start, rendered: strings.Join(strings.Fields(p.text[start:p.at]), "") + "->"}
	p.take("->")
	if !p.take("{") {
		body, ok := p.expression()
		n.rendered, n.end, n.kids = n.rendered+body.rendered, p.at, []javaNode{body}
		return n, ok
	}
	body := p.at - 1
	kids, ok := p.statements("}")
	n.rendered, n.end, n.kids = n.rendered+strings.Join(strings.Fields(p.text[body:p.at]), ""), p.at, kids
	return n, ok
}
