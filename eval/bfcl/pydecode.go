package bfcl

import (
	"errors"
	"math/big"
	"strings"
)

// errDecode says that an answer is no list of calls, as the benchmark's decoder
// finds them.
var errDecode = errors.New("no function calls")

// call is a function call that a model made. A nil key of its arguments stands
// for those without a name.
type call struct {
	name      string
	arguments value // a *dictValue if all is well
}

// decodePython reads "[f(a=1), g(b='x')]". Arguments without names are passed
// over, names become strings, calls inside become strings or, with named
// arguments, {name: arguments}; arithmetic is carried out.
func decodePython(text string) ([]call, error) {
	n, err := parsePython(pythonStrip(text))
	if err != nil {
		return nil, err
	}
	if n.kind == nodeCall {
		c, err := resolveCall(n)
		return []call{c}, err
	}
	if n.kind != nodeList && n.kind != nodeTuple && n.kind != nodeSet {
		return nil, errDecode
	}
	calls := make([]call, len(n.kids))
	for i, k := range n.kids {
		if k.kind != nodeCall {
			return nil, errDecode
		}
		if calls[i], err = resolveCall(k); err != nil {
			return nil, err
		}
	}
	return calls, nil
}

// pythonStrip is Python's str.strip().
func pythonStrip(s string) string {
	return strings.TrimFunc(s, isPythonSpace)
}

func isPythonSpace(r rune) bool {
	return strings.ContainsRune("\t\n\v\f\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000", r) || '\u2000' <= r && r <= '\u200a'
}

func resolveCall(n *node) (call, error) {
	var parts []string
	f := n.kids[0]
	for ; f.kind == nodeAttribute; f = f.kids[0] {
		parts = append([]string{f.text}, parts...)
	}
	if f.kind == nodeName {
		parts = append([]string{f.text}, parts...)
	}
	arguments := &dictValue{}
	for _, k := range n.keywords {
		v, err := resolve(k.value)
		if err != nil {
			return call{}, err
		}
		var key value // None for **
		if k.name != "" {
			key = k.name
		}
		arguments.set(key, v)
	}
	return call{name: strings.Join(parts, "."), arguments: arguments}, nil
}

// resolve is what an argument is worth. Kinds of expressions that it does not
// know are errors.
func resolve(n *node) (value, error) {
	switch n.kind {
	case nodeConstant:
		return n.value, nil
	case nodeEllipsis:
		return "...", nil
	case nodeName:
		return n.text, nil
	case nodeUnary:
		return negated(n.kids[0])
	case nodeList:
		list, err := resolveAll(n.kids)
		return listValue(list), err
	case nodeTuple:
		list, err := resolveAll(n.kids)
		return tupleValue(list), err
	case nodeDict:
		return resolveDict(n)
	case nodeBinary:
		return evaluate(n)
	case nodeSubscript:
		return unparse(n.kids[0], strengthTest) + "[" + unparse(n.kids[1], strengthTest) + "]", nil
	case nodeCall:
		if len(n.keywords) == 0 {
			return unparse(n, strengthTest), nil
		}
		c, err := resolveCall(n)
		return &dictValue{keys: []value{c.name}, values: []value{c.arguments}}, err
	}
	return nil, errDecode
}

func resolveAll(kids []*node) ([]value, error) {
	list := make([]value, len(kids))
	for i, k := range kids {
		v, err := resolve(k)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

func resolveDict(n *node) (value, error) {
	d := &dictValue{}
	for i := 0; i < len(n.kids); i += 2 {
		if n.kids[i] == nil {
			return nil, errDecode
		}
		key, err := resolve(n.kids[i])
		if err != nil {
			return nil, err
		}
		v, err := resolve(n.kids[i+1])
		if err != nil {
			return nil, err
		}
		if !d.set(key, v) {
			return nil, errDecode
		}
	}
	return d, nil
}

// negated is what the benchmark makes of every unary operator: the constant's
// negative, also for +5 and ~5.
func negated(n *node) (value, error) {
	if n.kind != nodeConstant {
		return nil, errDecode
	}
	switch v := n.value.(type) {
	case bool, *big.Int:
		return new(big.Int).Neg(integer(v)), nil
	case float64:
		return -v, nil
	case complex128:
		return -v, nil
	}
	return nil, errDecode
}
