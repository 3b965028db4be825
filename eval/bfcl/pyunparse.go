package bfcl

import (
	"strings"
)

// Precedences of ast.unparse, the weakest first: an expression is put in
// brackets where a stronger one is wanted.
const (
	strengthNamed = iota
	strengthTuple
	strengthYield
	strengthTest
	strengthOr
	strengthAnd
	strengthNot
	strengthCompare
	strengthBitOr
	strengthBitXor
	strengthBitAnd
	strengthShift
	strengthSum
	strengthProduct
	strengthFactor
	strengthPower
	strengthAwait
	strengthAtom
)

var binaryStrength = map[string]int{
	"|": strengthBitOr, "^": strengthBitXor, "&": strengthBitAnd, "<<": strengthShift, ">>": strengthShift,
	"+": strengthSum, "-": strengthSum, "*": strengthProduct, "/": strengthProduct, "//": strengthProduct,
	"%": strengthProduct, "@": strengthProduct, "**": strengthPower,
}

func (t token) source() string {
	switch t.kind {
	case tokenNumber, tokenString:
		return repr(t.value)
	case tokenFString:
		return "f''"
	}
	return t.text
}

// unparse writes an expression as Python's ast.unparse (3.11) does, which
// decides how a call or a subscript compares as a string. Comprehensions,
// lambdas and formatted strings keep about the form that they had.
func unparse(n *node, want int) string {
	switch n.kind {
	case nodeConstant:
		return strings.ReplaceAll(repr(n.value), "inf", "1e309")
	case nodeEllipsis:
		return "..."
	case nodeName:
		return n.text
	case nodeAttribute:
		return unparseAttribute(n)
	case nodeSubscript:
		return unparse(n.kids[0], strengthAtom) + "[" + unparseIndex(n.kids[1]) + "]"
	case nodeSlice:
		return unparseSlice(n)
	case nodeCall:
		return unparseCall(n)
	case nodeList:
		return "[" + unparseAll(n.kids) + "]"
	case nodeSet:
		return "{" + unparseAll(n.kids) + "}"
	case nodeTuple:
		return "(" + unparseItems(n.kids) + ")"
	case nodeDict:
		return unparseDict(n)
	case nodeComprehension:
		return n.text[:1] + n.source() + n.text[1:]
	case nodeFString, nodeYield:
		return "f''"
	}
	text, strength := unparseOperator(n)
	if want > strength {
		return "(" + text + ")"
	}
	return text
}

func unparseOperator(n *node) (text string, strength int) {
	switch n.kind {
	case nodeUnary:
		if n.text == "not" {
			return "not " + unparse(n.kids[0], strengthNot), strengthNot
		}
		return n.text + unparse(n.kids[0], strengthFactor), strengthFactor
	case nodeBinary:
		s := binaryStrength[n.text]
		left, right := s, s+1
		if n.text == "**" {
			left, right = s+1, s
		}
		return unparse(n.kids[0], left) + " " + n.text + " " + unparse(n.kids[1], right), s
	case nodeBool:
		return unparseBool(n)
	case nodeCompare:
		text := unparse(n.kids[0], strengthCompare+1)
		for i, op := range n.texts {
			text += " " + op + " " + unparse(n.kids[i+1], strengthCompare+1)
		}
		return text, strengthCompare
	case nodeConditional:
		return unparse(n.kids[0], strengthTest+1) + " if " + unparse(n.kids[1], strengthTest+1) + " else " + unparse(n.kids[2], strengthTest), strengthTest
	case nodeStarred:
		return "*" + unparse(n.kids[0], strengthBitOr), strengthAtom
	case nodeNamed:
		return n.text + " := " + unparse(n.kids[0], strengthAtom), strengthNamed
	case nodeAwait:
		return "await " + unparse(n.kids[0], strengthAtom), strengthAwait
	}
	return n.source(), strengthTest // nodeLambda
}

func unparseBool(n *node) (string, int) {
	strength := strengthAnd
	if n.text == "or" {
		strength = strengthOr
	}
	parts := make([]string, len(n.kids))
	for i, k := range n.kids {
		parts[i] = unparse(k, strength+i+1)
	}
	return strings.Join(parts, " "+n.text+" "), strength
}

func unparseAttribute(n *node) string {
	text := unparse(n.kids[0], strengthAtom)
	if n.kids[0].kind == nodeConstant && kindOf(n.kids[0].value) == kindInt {
		text += " "
	}
	return text + "." + n.text
}

func unparseAll(list []*node) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = unparse(n, strengthTest)
	}
	return strings.Join(parts, ", ")
}

// unparseItems is a tuple's inside: one item has a comma.
func unparseItems(list []*node) string {
	if len(list) == 1 {
		return unparse(list[0], strengthTest) + ","
	}
	return unparseAll(list)
}

func unparseIndex(n *node) string {
	if n.kind == nodeTuple && len(n.kids) > 0 {
		return unparseItems(n.kids)
	}
	return unparse(n, strengthTest)
}

func unparseSlice(n *node) string {
	text := ""
	for i, k := range n.kids {
		if i == 1 || i == 2 && k != nil {
			text += ":"
		}
		if k != nil {
			text += unparse(k, strengthTest)
		}
	}
	return text
}

func unparseCall(n *node) string {
	args := make([]string, 0, len(n.kids)+len(n.keywords))
	for _, k := range n.kids[1:] {
		args = append(args, unparse(k, strengthTest))
	}
	for _, k := range n.keywords {
		name := k.name + "="
		if k.name == "" {
			name = "**"
		}
		args = append(args, name+unparse(k.value, strengthTest))
	}
	return unparse(n.kids[0], strengthAtom) + "(" + strings.Join(args, ", ") + ")"
}

func unparseDict(n *node) string {
	var parts []string
	for i := 0; i < len(n.kids); i += 2 {
		if n.kids[i] == nil {
			parts = append(parts, "**"+unparse(n.kids[i+1], strengthBitOr))
			continue
		}
		parts = append(parts, unparse(n.kids[i], strengthTest)+": "+unparse(n.kids[i+1], strengthTest))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
