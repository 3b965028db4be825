package bfcl

import (
	"math"
	"math/big"
	"slices"
	"strings"
)

// maxBits and maxItems bound what arithmetic in an answer may come to: 10**10**9
// is a wrong answer, not a hang.
const (
	maxBits  = 1 << 16
	maxItems = 1 << 20
)

// evaluate carries out arithmetic as Python does, on constants, lists and
// tuples. The benchmark evaluates whatever Python code stands there; what needs
// names or calls is an error here.
func evaluate(n *node) (value, error) {
	switch n.kind {
	case nodeConstant:
		return n.value, nil
	case nodeList, nodeTuple:
		list, err := evaluateAll(n.kids)
		if n.kind == nodeTuple {
			return tupleValue(list), err
		}
		return listValue(list), err
	case nodeDict:
		return evaluateDict(n)
	case nodeUnary:
		v, err := evaluate(n.kids[0])
		if err != nil {
			return nil, err
		}
		return evaluateUnary(n.text, v)
	case nodeBinary:
		a, err := evaluate(n.kids[0])
		if err != nil {
			return nil, err
		}
		b, err := evaluate(n.kids[1])
		if err != nil {
			return nil, err
		}
		return operate(n.text, a, b)
	}
	return nil, errDecode
}

func evaluateAll(kids []*node) ([]value, error) {
	list := make([]value, len(kids))
	for i, k := range kids {
		if k == nil {
			return nil, errDecode
		}
		v, err := evaluate(k)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

func evaluateDict(n *node) (value, error) {
	list, err := evaluateAll(n.kids)
	d := &dictValue{}
	for i := 0; i < len(list); i += 2 {
		if !d.set(list[i], list[i+1]) {
			return nil, errDecode
		}
	}
	return d, err
}

func evaluateUnary(op string, v value) (value, error) {
	if n := integer(v); n != nil {
		switch op {
		case "+":
			return n, nil
		case "-":
			return new(big.Int).Neg(n), nil
		case "~":
			return new(big.Int).Not(n), nil
		}
		return n.Sign() == 0, nil
	}
	f, isFloat := v.(float64)
	switch {
	case isFloat && op == "-":
		return -f, nil
	case isFloat && op == "+":
		return f, nil
	}
	return nil, errDecode
}

func operate(op string, a, b value) (value, error) {
	x, y := integer(a), integer(b)
	if x != nil && y != nil {
		if v, done, err := integers(op, x, y); done {
			return truth(op, a, b, v), err
		}
	}
	f, okF := float(a)
	g, okG := float(b)
	if okF && okG {
		return floats(op, f, g)
	}
	switch op {
	case "+":
		return join(a, b)
	case "*":
		if y != nil {
			return repeat(a, y)
		}
		if x != nil {
			return repeat(b, x)
		}
	}
	return nil, errDecode
}

// truth: the bitwise operators make a truth value of two truth values.
func truth(op string, a, b, v value) value {
	_, isBool := a.(bool)
	_, isBool2 := b.(bool)
	if n := integer(v); n != nil && isBool && isBool2 && slices.Contains([]string{"&", "|", "^"}, op) {
		return n.Sign() != 0
	}
	return v
}

// integers does what integers do among themselves; not done is what Python does
// in floats.
func integers(op string, x, y *big.Int) (v value, done bool, err error) {
	z := new(big.Int)
	switch op {
	case "+":
		return z.Add(x, y), true, nil
	case "-":
		return z.Sub(x, y), true, nil
	case "*":
		return bounded(z.Mul(x, y))
	case "&":
		return z.And(x, y), true, nil
	case "|":
		return z.Or(x, y), true, nil
	case "^":
		return z.Xor(x, y), true, nil
	case "<<", ">>":
		return shift(op, x, y)
	case "**":
		return power(x, y)
	}
	if y.Sign() == 0 {
		return nil, true, errDecode
	}
	switch op {
	case "/":
		f, _ := new(big.Rat).SetFrac(x, y).Float64()
		if math.IsInf(f, 0) {
			return nil, true, errDecode
		}
		return f, true, nil
	case "//", "%":
		quotient, rest := z.DivMod(x, y, new(big.Int)) // Euclid's: rest from 0 on
		if rest.Sign() != 0 && y.Sign() < 0 {          // Python's has the sign of y
			rest.Add(rest, y)
			quotient.Sub(quotient, big.NewInt(1))
		}
		if op == "%" {
			return rest, true, nil
		}
		return quotient, true, nil
	}
	return nil, true, errDecode
}

func bounded(z *big.Int) (value, bool, error) {
	if z.BitLen() > maxBits {
		return nil, true, errDecode
	}
	return z, true, nil
}

func shift(op string, x, y *big.Int) (value, bool, error) {
	if y.Sign() < 0 || !y.IsInt64() {
		return nil, true, errDecode
	}
	by := uint(min(y.Int64(), maxBits))
	if op == ">>" {
		return new(big.Int).Rsh(x, by), true, nil
	}
	return bounded(new(big.Int).Lsh(x, by))
}

// power is x**y; negative y gives a float.
func power(x, y *big.Int) (value, bool, error) {
	switch {
	case y.Sign() < 0 && x.Sign() == 0:
		return nil, true, errDecode
	case y.Sign() < 0:
		return nil, false, nil
	case x.BitLen() > 1 && (!y.IsInt64() || y.Int64()*int64(x.BitLen()-1) > maxBits || y.Int64() > maxBits):
		return nil, true, errDecode
	case x.BitLen() <= 1: // -1, 0, 1
		y = new(big.Int).And(y, big.NewInt(1)).Add(new(big.Int).And(y, big.NewInt(1)), evenPart(y))
	}
	return bounded(new(big.Int).Exp(x, y, nil))
}

// evenPart is 2 for y of 2 and more, else 0: what matters of the exponent of -1,
// 0 and 1 beside its lowest bit.
func evenPart(y *big.Int) *big.Int {
	if y.Cmp(big.NewInt(2)) >= 0 {
		return big.NewInt(2)
	}
	return new(big.Int)
}

func floats(op string, f, g float64) (value, error) {
	switch op {
	case "+":
		return f + g, nil
	case "-":
		return f - g, nil
	case "*":
		return f * g, nil
	case "**":
		r := math.Pow(f, g)
		if f < 0 && g != math.Trunc(g) || f == 0 && g < 0 || math.IsInf(r, 0) && !math.IsInf(f, 0) && !math.IsInf(g, 0) {
			return nil, errDecode // complex, division by zero, overflow
		}
		return r, nil
	}
	if g == 0 {
		return nil, errDecode
	}
	switch op {
	case "/":
		return f / g, nil
	case "%", "//":
		quotient, rest := floorDivision(f, g)
		if op == "%" {
			return rest, nil
		}
		return quotient, nil
	}
	return nil, errDecode
}

// floorDivision is CPython's float_divmod (Objects/floatobject.c).
func floorDivision(f, g float64) (quotient, rest float64) {
	rest = math.Mod(f, g)
	quotient = (f - rest) / g
	switch {
	case rest == 0:
		rest = math.Copysign(0, g)
	case (g < 0) != (rest < 0):
		rest += g
		quotient--
	}
	if quotient == 0 {
		return math.Copysign(0, f/g), rest
	}
	floor := math.Floor(quotient)
	if quotient-floor > 0.5 {
		floor++
	}
	return floor, rest
}

func join(a, b value) (value, error) {
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			return a + b, nil
		}
	case bytesValue:
		if b, ok := b.(bytesValue); ok {
			return a + b, nil
		}
	case listValue:
		if b, ok := b.(listValue); ok {
			return append(append(listValue{}, a...), b...), nil
		}
	case tupleValue:
		if b, ok := b.(tupleValue); ok {
			return append(append(tupleValue{}, a...), b...), nil
		}
	}
	return nil, errDecode
}

func repeat(a value, times *big.Int) (value, error) {
	if times.Cmp(big.NewInt(maxItems)) > 0 {
		return nil, errDecode
	}
	n := int(max(times.Int64(), 0))
	switch a := a.(type) {
	case string:
		if n*len(a) <= maxItems {
			return strings.Repeat(a, n), nil
		}
	case bytesValue:
		if n*len(a) <= maxItems {
			return bytesValue(strings.Repeat(string(a), n)), nil
		}
	case listValue:
		if n*len(a) <= maxItems {
			return listValue(repeated(a, n)), nil
		}
	case tupleValue:
		if n*len(a) <= maxItems {
			return tupleValue(repeated(a, n)), nil
		}
	}
	return nil, errDecode
}

func repeated(list []value, n int) []value {
	out := []value{}
	for range n {
		out = append(out, list...)
	}
	return out
}
