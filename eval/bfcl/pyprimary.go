package bfcl

// primary is an atom with what follows it: attributes, calls, subscripts.
func (p *pythonParser) primary() (*node, error) {
	n, err := p.atom()
	for err == nil {
		switch {
		case p.peek().kind != tokenOperator:
			return n, nil
		case p.take("."):
			var attribute string
			attribute, err = p.name()
			n = &node{kind: nodeAttribute, text: attribute, kids: []*node{n}}
		case p.take("("):
			n, err = p.call(n)
		case p.take("["):
			n, err = p.subscript(n)
		default:
			return n, nil
		}
	}
	return nil, err
}

// call reads the arguments behind an opening bracket. None may stand by position
// behind one with a name, but *iterable may.
func (p *pythonParser) call(function *node) (*node, error) {
	n := &node{kind: nodeCall, kids: []*node{function}}
	unpacked := false
	for !p.take(")") {
		t := p.peek()
		switch {
		case p.take("**"):
			v, err := p.expression()
			if err != nil {
				return nil, err
			}
			unpacked = true
			n.keywords = append(n.keywords, keyword{value: v})
		case t.kind == tokenName && !pythonKeywords[t.text] && p.tokens[p.at+1].text == "=" && p.tokens[p.at+1].kind == tokenOperator:
			p.at += 2
			v, err := p.expression()
			if err != nil {
				return nil, err
			}
			n.keywords = append(n.keywords, keyword{name: t.text, value: v})
		default:
			if err := p.positional(n, unpacked); err != nil {
				return nil, err
			}
		}
		if !p.sees(")") {
			if err := p.want(","); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// positional reads an argument without a name. One that is a generator without
// brackets of its own must be the only one.
func (p *pythonParser) positional(n *node, unpacked bool) error {
	star := p.sees("*")
	if star && unpacked || !star && len(n.keywords) > 0 {
		return errSyntax
	}
	start := p.at
	if p.take("*") {
		v, err := p.expression()
		n.kids = append(n.kids, &node{kind: nodeStarred, kids: []*node{v}})
		return err
	}
	v, err := p.named()
	if err == nil && p.seesAny("for", "async") {
		if len(n.kids) > 1 {
			return errSyntax
		}
		if err = p.comprehension(); err == nil && !p.sees(")") {
			err = errSyntax
		}
		v = p.opaque(nodeComprehension, "()", start)
	}
	n.kids = append(n.kids, v)
	return err
}

func (p *pythonParser) subscript(of *node) (*node, error) {
	first, err := p.slice()
	if err != nil {
		return nil, err
	}
	slice := first
	if first.kind == nodeStarred || p.sees(",") {
		slice = &node{kind: nodeTuple, kids: []*node{first}}
	}
	for p.take(",") && !p.sees("]") {
		next, err := p.slice()
		if err != nil {
			return nil, err
		}
		slice.kids = append(slice.kids, next)
	}
	return &node{kind: nodeSubscript, kids: []*node{of, slice}}, p.want("]")
}

func (p *pythonParser) slice() (*node, error) {
	if p.sees("*") {
		return p.starred()
	}
	parts := make([]*node, 3)
	colons := 0
	for {
		if !p.seesAny(":", ",", "]") {
			n, err := p.named()
			if err != nil {
				return nil, err
			}
			parts[colons] = n
		}
		if colons == 2 || !p.take(":") {
			break
		}
		colons++
	}
	switch {
	case colons > 0:
		return &node{kind: nodeSlice, kids: parts}, nil
	case parts[0] == nil:
		return nil, errSyntax
	}
	return parts[0], nil
}

func (p *pythonParser) atom() (*node, error) {
	t := p.peek()
	switch t.kind {
	case tokenNumber:
		p.at++
		return &node{kind: nodeConstant, value: t.value}, nil
	case tokenString, tokenFString:
		return p.strings()
	case tokenName:
		return p.word(t.text)
	}
	switch {
	case p.take("..."):
		return &node{kind: nodeEllipsis}, nil
	case p.take("("):
		return p.group()
	case p.take("["):
		return p.list()
	case p.take("{"):
		return p.braces()
	}
	return nil, errSyntax
}

func (p *pythonParser) word(text string) (*node, error) {
	p.at++
	switch text {
	case "True", "False":
		return &node{kind: nodeConstant, value: text == "True"}, nil
	case "None":
		return &node{kind: nodeConstant}, nil
	}
	if pythonKeywords[text] {
		return nil, errSyntax
	}
	return &node{kind: nodeName, text: text}, nil
}

// strings joins neighbours, all of them text or all of them bytes.
func (p *pythonParser) strings() (*node, error) {
	text, data := "", bytesValue("")
	texts, bytes, formatted := false, false, false
	for ; p.peek().kind == tokenString || p.peek().kind == tokenFString; p.at++ {
		switch v := p.peek().value.(type) {
		case string:
			text += v
			texts = true
		case bytesValue:
			data += v
			bytes = true
		default:
			texts, formatted = true, true
		}
	}
	switch {
	case texts && bytes:
		return nil, errSyntax
	case formatted:
		return &node{kind: nodeFString}, nil
	case bytes:
		return &node{kind: nodeConstant, value: data}, nil
	}
	return &node{kind: nodeConstant, value: text}, nil
}
