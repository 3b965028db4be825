package bfcl

// nodeKind is a kind of Python expression, named as in Python's module ast.
type nodeKind int

const (
	nodeConstant nodeKind = iota
	nodeEllipsis
	nodeFString
	nodeName
	nodeAttribute     // kids: value; text: name
	nodeSubscript     // kids: value, slice
	nodeSlice         // kids: lower, upper, step; nil where left out
	nodeCall          // kids: function and positional arguments; keywords
	nodeStarred       // kids: value
	nodeUnary         // text: operator; kids: operand
	nodeBinary        // text: operator; kids: left, right
	nodeBool          // text: "and" or "or"; kids
	nodeCompare       // texts: operators; kids: one more
	nodeConditional   // kids: value, condition, else
	nodeList          // kids
	nodeTuple         // kids
	nodeSet           // kids
	nodeDict          // kids: key, value, key, value; a nil key before ** of a dict
	nodeComprehension // text: its brackets, "[]", "{}", "()"; what is in it does not matter
	nodeLambda
	nodeNamed // text: name; kids: value
	nodeAwait // kids: value
	nodeYield
)

// node is a Python expression.
type node struct {
	kind     nodeKind
	text     string
	texts    []string
	value    value
	kids     []*node
	keywords []keyword
	tokens   []token // of comprehensions and lambdas
}

// keyword is name=value in a call; name is "" for **value.
type keyword struct {
	name  string
	value *node
}
