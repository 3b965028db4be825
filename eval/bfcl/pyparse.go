package bfcl

import "slices"

// pythonParser reads one expression as ast.parse(text, mode="eval") does
// (https://docs.python.org/3.11/reference/grammar.html).
type pythonParser struct {
	tokens []token
	at     int
	depth  int
}

// maxDepth bounds recursion; Python's own bound is of the same size.
const maxDepth = 3000

func parsePython(text string) (*node, error) {
	tokens, err := scanPython(text)
	if err != nil {
		return nil, err
	}
	p := &pythonParser{tokens: tokens}
	n, err := p.expressions()
	if err != nil {
		return nil, err
	}
	for p.peek().kind == tokenNewline {
		p.at++
	}
	if p.peek().kind != tokenEnd {
		return nil, errSyntax
	}
	return n, nil
}

func (p *pythonParser) peek() token { return p.tokens[p.at] }

// sees reports whether the next token is this operator or keyword.
func (p *pythonParser) sees(text string) bool {
	t := p.peek()
	return (t.kind == tokenOperator || t.kind == tokenName) && t.text == text
}

func (p *pythonParser) seesAny(texts ...string) bool { return slices.ContainsFunc(texts, p.sees) }

// take passes over the operator or keyword if it is next.
func (p *pythonParser) take(text string) bool {
	if !p.sees(text) {
		return false
	}
	p.at++
	return true
}

func (p *pythonParser) want(text string) error {
	if !p.take(text) {
		return errSyntax
	}
	return nil
}

func (p *pythonParser) name() (string, error) {
	t := p.peek()
	if t.kind != tokenName || pythonKeywords[t.text] {
		return "", errSyntax
	}
	p.at++
	return t.text, nil
}

// expressions is one expression, or a tuple without brackets.
func (p *pythonParser) expressions() (*node, error) {
	first, err := p.expression()
	if err != nil || !p.sees(",") {
		return first, err
	}
	tuple := &node{kind: nodeTuple, kids: []*node{first}}
	for p.take(",") {
		if t := p.peek(); t.kind == tokenEnd || t.kind == tokenNewline {
			break
		}
		n, err := p.expression()
		if err != nil {
			return nil, err
		}
		tuple.kids = append(tuple.kids, n)
	}
	return tuple, nil
}

func (p *pythonParser) expression() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	if p.sees("lambda") {
		return p.lambda()
	}
	n, err := p.binary(0)
	if err != nil || !p.take("if") {
		return n, err
	}
	condition, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if err := p.want("else"); err != nil {
		return nil, err
	}
	other, err := p.expression()
	return &node{kind: nodeConditional, kids: []*node{n, condition, other}}, err
}

// named is an expression, or one with a name: name := value.
func (p *pythonParser) named() (*node, error) {
	t := p.peek()
	if t.kind == tokenName && !pythonKeywords[t.text] && p.tokens[p.at+1].text == ":=" {
		p.at += 2
		n, err := p.expression()
		return &node{kind: nodeNamed, text: t.text, kids: []*node{n}}, err
	}
	return p.expression()
}

// starred is what may stand in a list: an expression, or *iterable.
func (p *pythonParser) starred() (*node, error) {
	if !p.take("*") {
		return p.named()
	}
	n, err := p.binary(levelBitOr)
	return &node{kind: nodeStarred, kids: []*node{n}}, err
}

// Levels of binary operators, the weakest first.
const (
	levelOr = iota
	levelAnd
	levelNot
	levelCompare
	levelBitOr
	levelBitXor
	levelBitAnd
	levelShift
	levelSum
	levelProduct
	levelUnary
)

var binaryOperators = map[int][]string{
	levelBitOr: {"|"}, levelBitXor: {"^"}, levelBitAnd: {"&"}, levelShift: {"<<", ">>"},
	levelSum: {"+", "-"}, levelProduct: {"*", "/", "//", "%", "@"},
}

func (p *pythonParser) binary(level int) (*node, error) {
	switch level {
	case levelOr:
		return p.boolean("or", levelAnd)
	case levelAnd:
		return p.boolean("and", levelNot)
	case levelNot:
		return p.not()
	case levelCompare:
		return p.compare()
	case levelUnary:
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil && p.peek().kind == tokenOperator && p.seesAny(binaryOperators[level]...) {
		op := p.peek().text
		p.at++
		var right *node
		right, err = p.binary(level + 1)
		left = &node{kind: nodeBinary, text: op, kids: []*node{left, right}}
	}
	return left, err
}

func (p *pythonParser) boolean(op string, level int) (*node, error) {
	first, err := p.binary(level)
	if err != nil || !p.sees(op) {
		return first, err
	}
	n := &node{kind: nodeBool, text: op, kids: []*node{first}}
	for p.take(op) {
		next, err := p.binary(level)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, next)
	}
	return n, nil
}

func (p *pythonParser) not() (*node, error) {
	if !p.take("not") {
		return p.binary(levelCompare)
	}
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	n, err := p.not()
	return &node{kind: nodeUnary, text: "not", kids: []*node{n}}, err
}

func (p *pythonParser) compare() (*node, error) {
	left, err := p.binary(levelBitOr)
	if err != nil {
		return nil, err
	}
	n := &node{kind: nodeCompare, kids: []*node{left}}
	for {
		op := p.comparison()
		if op == "" {
			break
		}
		right, err := p.binary(levelBitOr)
		if err != nil {
			return nil, err
		}
		n.texts, n.kids = append(n.texts, op), append(n.kids, right)
	}
	if len(n.texts) == 0 {
		return left, nil
	}
	return n, nil
}

// comparison takes the operator that is next; "" if none is.
func (p *pythonParser) comparison() string {
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">", "in"} {
		if p.take(op) {
			return op
		}
	}
	switch {
	case p.sees("not") && p.tokens[p.at+1].text == "in":
		p.at += 2
		return "not in"
	case p.take("is"):
		if p.take("not") {
			return "is not"
		}
		return "is"
	}
	return ""
}

func (p *pythonParser) unary() (*node, error) {
	if !p.seesAny("+", "-", "~") {
		return p.power()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	op := p.peek().text
	p.at++
	n, err := p.unary()
	return &node{kind: nodeUnary, text: op, kids: []*node{n}}, err
}

func (p *pythonParser) power() (*node, error) {
	await := p.take("await")
	left, err := p.primary()
	if await {
		left = &node{kind: nodeAwait, kids: []*node{left}}
	}
	if err != nil || !p.take("**") {
		return left, err
	}
	right, err := p.unary()
	return &node{kind: nodeBinary, text: "**", kids: []*node{left, right}}, err
}
