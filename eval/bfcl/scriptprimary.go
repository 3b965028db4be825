package bfcl

import (
	"slices"
	"strings"
)

// primary is an atom with members, indices and calls behind it.
func (p scriptParser) primary() (scriptNode, bool) {
	n, ok := p.atom()
	for ok {
		switch {
		case p.sees("?.") && !scriptOptionalNumber.MatchString(p.rest()):
			p.take("?.")
			if p.sees("(") || p.sees("[") {
				ok = p.skipBalanced()
			} else {
				ok = p.property()
			}
			n = scriptNode{start: n.start, end: p.at}
		case p.sees(".") && !p.sees("..."):
			p.take(".")
			ok = p.property()
			n = scriptNode{kind: scriptAssignable, start: n.start, end: p.at}
		case p.sees("["):
			p.take("[")
			_, ok = p.sequence()
			ok = ok && p.take("]")
			n = scriptNode{kind: scriptAssignable, start: n.start, end: p.at}
		case p.sees("("):
			c := scriptNode{kind: scriptCall, start: n.start, function: [2]int{n.start, n.end}}
			c.arguments, ok = p.arguments()
			c.end = p.at
			n = c
		case p.sees("`"):
			ok = p.template()
			n = scriptNode{start: n.start, end: p.at}
		default:
			return n, true
		}
	}
	return n, false
}

// property is a name behind a dot; #private ones, too.
func (p scriptParser) property() bool {
	p.take("#")
	w := p.word()
	p.skip(w)
	return w != ""
}

// arguments: there may be none between two commas.
func (p scriptParser) arguments() ([]scriptNode, bool) {
	var list []scriptNode
	p.take("(")
	for !p.take(")") {
		if p.take(",") {
			continue
		}
		spread := p.take("...")
		n, ok := p.expression()
		if !ok || !p.sees(",") && !p.sees(")") {
			return nil, false
		}
		if spread {
			n = scriptNode{}
		}
		list = append(list, n)
		p.take(",")
	}
	return list, true
}

func (p scriptParser) atom() (scriptNode, bool) {
	p.space()
	start := p.at
	node := func(kind scriptKind, ok bool) (scriptNode, bool) {
		return scriptNode{kind: kind, start: start, end: p.at}, ok
	}
	switch {
	case p.match(scriptNumbers...):
		end := p.at
		w := p.word()
		return node(scriptOther, w == "" || p.at > end)
	case p.match(scriptStrings...), p.match(scriptRegexp):
		return node(scriptOther, true)
	case p.sees("`"):
		return node(scriptOther, p.template())
	case p.sees("("):
		return p.brackets()
	case p.sees("["):
		return node(scriptAssignable, p.array())
	case p.sees("{"):
		return node(scriptAssignable, p.object())
	}
	w := p.word()
	p.skip(w)
	switch {
	case w == "":
		return node(scriptOther, false)
	case p.operator(scriptOperators) == "=>":
		return node(scriptOther, p.arrow())
	}
	switch w {
	case "function", "class":
		return node(scriptOther, p.definition())
	case "async":
		return p.async(start)
	case "new":
		return p.creation(start)
	case "false", "null", "undefined", "this", "super":
		return node(scriptOther, true)
	}
	return node(scriptName, true)
}

// template is text between backquotes; what is in ${..} is passed over.
func (p scriptParser) template() bool {
	for i := p.at + 1; i < len(p.text); i++ {
		switch {
		case p.text[i] == '\\':
			i++
		case p.text[i] == '`':
			p.at = i + 1
			return true
		case strings.HasPrefix(p.text[i:], "${"):
			p.at = i + 1
			if !p.skipBalanced() {
				return false
			}
			i = p.at - 1
		}
	}
	return false
}

// brackets are parameters of an arrow function, or expressions.
func (p scriptParser) brackets() (scriptNode, bool) {
	start := p.at
	if p.skipBalanced() && p.operator(scriptOperators) == "=>" {
		ok := p.arrow()
		return scriptNode{start: start, end: p.at}, ok
	}
	p.at = start
	p.take("(")
	n, ok := p.sequence()
	ok = ok && p.take(")")
	kind := scriptOther
	if n.kind == scriptName || n.kind == scriptAssignable {
		kind = scriptAssignable
	}
	return scriptNode{kind: kind, start: start, end: p.at}, ok
}

// arrow is => with the body behind it.
func (p scriptParser) arrow() bool {
	p.take("=>")
	if p.sees("{") {
		return p.body()
	}
	_, ok := p.expression()
	return ok
}

// body is the body of a function: statements that this parser does not know are
// passed over.
func (p scriptParser) body() bool {
	return p.block() || p.skipBalanced()
}

// definition is what stands behind the keyword of a function or a class.
func (p scriptParser) definition() bool {
	p.take("*")
	w := p.word()
	p.skip(w)
	if p.takeWord("extends") {
		if _, ok := p.primary(); !ok {
			return false
		}
	}
	if p.sees("(") && !p.skipBalanced() {
		return false
	}
	return p.sees("{") && p.body()
}

func (p scriptParser) async(start int) (scriptNode, bool) {
	switch {
	case p.takeWord("function"):
		ok := p.definition()
		return scriptNode{start: start, end: p.at}, ok
	case p.sees("("):
		at := p.at
		if p.skipBalanced() && p.operator(scriptOperators) == "=>" {
			ok := p.arrow()
			return scriptNode{start: start, end: p.at}, ok
		}
		p.at = at
	}
	return scriptNode{kind: scriptName, start: start, end: p.at}, true
}

func (p scriptParser) creation(start int) (scriptNode, bool) {
	n, ok := p.atom()
	for ok && (p.sees(".") && !p.sees("...") || p.sees("[")) {
		if p.take(".") {
			ok = p.property()
			continue
		}
		p.take("[")
		_, ok = p.sequence()
		ok = ok && p.take("]")
	}
	ok = ok && n.kind != scriptOther
	if ok && p.sees("(") {
		_, ok = p.arguments()
	}
	return scriptNode{start: start, end: p.at}, ok
}

func (p scriptParser) array() bool {
	p.take("[")
	for !p.take("]") {
		if p.take(",") {
			continue
		}
		p.take("...")
		if _, ok := p.expression(); !ok || !p.sees(",") && !p.sees("]") {
			return false
		}
		p.take(",")
	}
	return true
}

func (p scriptParser) object() bool {
	p.take("{")
	for !p.take("}") {
		if p.take(",") {
			continue
		}
		if !p.entry() || !p.sees(",") && !p.sees("}") {
			return false
		}
		p.take(",")
	}
	return true
}

// entry is one of an object: key: value, a name alone, ...object, or a method.
func (p scriptParser) entry() bool {
	if p.take("...") {
		_, ok := p.expression()
		return ok
	}
	modified := false
	for p.take("*") || p.modifier() {
		modified = true
	}
	name := p.word()
	switch {
	case p.sees("["):
		p.take("[")
		if _, ok := p.expression(); !ok || !p.take("]") {
			return false
		}
	case name != "":
		p.skip(name)
	case !p.match(scriptNumbers...) && !p.match(scriptStrings...):
		return false
	}
	switch {
	case p.sees("("):
		return p.skipBalanced() && p.sees("{") && p.body()
	case p.take(":"):
		_, ok := p.expression()
		return ok
	case p.operator(scriptOperators) == "=":
		p.take("=")
		_, ok := p.expression()
		return ok && name != ""
	}
	return name != "" && !modified && !slices.Contains([]string{"this", "null", "true", "false"}, name)
}

// modifier is get, set, async or static before a method's name.
func (p scriptParser) modifier() bool {
	at := p.at
	if p.takeWord("get", "set", "async", "static") && (p.word() != "" || p.sees("*") || p.sees("[")) {
		return true
	}
	p.at = at
	return false
}
