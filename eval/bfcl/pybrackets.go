package bfcl

import "strings"

// group is what stands in round brackets: an expression, a tuple, a generator.
func (p *pythonParser) group() (*node, error) {
	start := p.at
	switch {
	case p.take(")"):
		return &node{kind: nodeTuple}, nil
	case p.sees("yield"):
		return p.yield()
	}
	first, err := p.starred()
	if err != nil {
		return nil, err
	}
	switch {
	case p.seesAny("for", "async") && first.kind != nodeStarred:
		if err := p.comprehension(); err != nil {
			return nil, err
		}
		return p.opaque(nodeComprehension, "()", start), p.want(")")
	case p.sees(","):
		rest, err := p.items(")")
		return &node{kind: nodeTuple, kids: append([]*node{first}, rest...)}, err
	case first.kind == nodeStarred:
		return nil, errSyntax
	}
	return first, p.want(")")
}

func (p *pythonParser) yield() (*node, error) {
	p.at++
	if p.take("from") {
		if _, err := p.expression(); err != nil {
			return nil, err
		}
		return &node{kind: nodeYield}, p.want(")")
	}
	if !p.sees(")") {
		if _, err := p.starred(); err != nil {
			return nil, err
		}
		_, err := p.items(")")
		return &node{kind: nodeYield}, err
	}
	return &node{kind: nodeYield}, p.want(")")
}

func (p *pythonParser) list() (*node, error) {
	start := p.at
	if p.take("]") {
		return &node{kind: nodeList}, nil
	}
	first, err := p.starred()
	if err != nil {
		return nil, err
	}
	if p.seesAny("for", "async") && first.kind != nodeStarred {
		if err := p.comprehension(); err != nil {
			return nil, err
		}
		return p.opaque(nodeComprehension, "[]", start), p.want("]")
	}
	rest, err := p.items("]")
	return &node{kind: nodeList, kids: append([]*node{first}, rest...)}, err
}

// items reads ", item" until the closing bracket, which it passes over. A comma
// may stand before it.
func (p *pythonParser) items(closing string) ([]*node, error) {
	var items []*node
	for !p.take(closing) {
		if err := p.want(","); err != nil {
			return nil, err
		}
		if p.take(closing) {
			break
		}
		n, err := p.starred()
		if err != nil {
			return nil, err
		}
		items = append(items, n)
	}
	return items, nil
}

// braces are a dict or a set.
func (p *pythonParser) braces() (*node, error) {
	start := p.at
	if p.take("}") {
		return &node{kind: nodeDict}, nil
	}
	var key *node
	if !p.sees("**") {
		first, err := p.starred()
		switch {
		case err != nil:
			return nil, err
		case first.kind != nodeStarred && p.seesAny("for", "async"):
			if err := p.comprehension(); err != nil {
				return nil, err
			}
			return p.opaque(nodeComprehension, "{}", start), p.want("}")
		case !p.sees(":"):
			rest, err := p.items("}")
			return &node{kind: nodeSet, kids: append([]*node{first}, rest...)}, err
		case first.kind == nodeStarred || first.kind == nodeNamed:
			return nil, errSyntax
		}
		key = first
	}
	return p.dict(start, key)
}

// dict reads the pairs; the first key, if there is one, has been read.
func (p *pythonParser) dict(start int, first *node) (*node, error) {
	n := &node{kind: nodeDict}
	for !p.take("}") {
		key, v, err := p.pair(first)
		first = nil
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, key, v)
		switch {
		case len(n.kids) == 2 && key != nil && p.seesAny("for", "async"):
			if err := p.comprehension(); err != nil {
				return nil, err
			}
			return p.opaque(nodeComprehension, "{}", start), p.want("}")
		case !p.sees("}"):
			if err := p.want(","); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// pair is key: value, or ** of a dict with no key; a key that has been read is
// given.
func (p *pythonParser) pair(first *node) (key, v *node, err error) {
	key = first
	switch {
	case key != nil:
	case p.take("**"):
		v, err = p.binary(levelBitOr)
		return nil, v, err
	default:
		if key, err = p.expression(); err != nil {
			return nil, nil, err
		}
	}
	if err = p.want(":"); err != nil {
		return nil, nil, err
	}
	v, err = p.expression()
	return key, v, err
}

// comprehension reads the clauses: for .. in .. if ..
func (p *pythonParser) comprehension() error {
	for p.seesAny("for", "async") {
		p.take("async")
		if err := p.want("for"); err != nil {
			return err
		}
		if err := p.targets(); err != nil {
			return err
		}
		if err := p.want("in"); err != nil {
			return err
		}
		if _, err := p.binary(levelOr); err != nil {
			return err
		}
		for p.take("if") {
			if _, err := p.binary(levelOr); err != nil {
				return err
			}
		}
	}
	return nil
}

// targets are what a loop assigns to.
func (p *pythonParser) targets() error {
	for {
		p.take("*")
		n, err := p.primary()
		if err != nil || !isTarget(n) {
			return errSyntax
		}
		if !p.take(",") || p.sees("in") {
			return nil
		}
	}
}

func isTarget(n *node) bool {
	switch n.kind {
	case nodeName, nodeAttribute, nodeSubscript:
		return true
	case nodeStarred:
		return isTarget(n.kids[0])
	case nodeTuple, nodeList:
		for _, k := range n.kids {
			if !isTarget(k) {
				return false
			}
		}
		return true
	}
	return false
}

// lambda reads parameters by their form only: names, defaults, stars.
func (p *pythonParser) lambda() (*node, error) {
	start := p.at
	p.at++
	for !p.take(":") {
		if !p.take("/") {
			stars := p.take("*") || p.take("**")
			if !stars || !p.seesAny(",", ":") {
				if _, err := p.name(); err != nil {
					return nil, err
				}
			}
			if p.take("=") {
				if _, err := p.expression(); err != nil {
					return nil, err
				}
			}
		}
		if !p.sees(":") {
			if err := p.want(","); err != nil {
				return nil, err
			}
		}
	}
	if _, err := p.expression(); err != nil {
		return nil, err
	}
	return p.opaque(nodeLambda, "", start), nil
}

// opaque is an expression whose parts no verdict depends on.
func (p *pythonParser) opaque(kind nodeKind, brackets string, start int) *node {
	return &node{kind: kind, text: brackets, tokens: p.tokens[start:p.at]}
}

// source is about the text that an opaque expression had.
func (n *node) source() string {
	parts := make([]string, len(n.tokens))
	for i, t := range n.tokens {
		parts[i] = t.source()
	}
	return strings.Join(parts, " ")
}
