package bfcl

import (
	"math"
	"math/big"
	"slices"
)

// A value is what Python would hold after reading an answer or a file: nil
// (None), bool, *big.Int, float64, complex128, string, bytesValue, listValue,
// tupleValue or *dictValue. Nothing is rounded or converted on the way, as the
// checks tell 5 from 5.0.
type (
	value      = any
	listValue  []value
	tupleValue []value
	bytesValue string
)

// kind is a value's type in Python.
type kind int

const (
	noKind kind = iota // no type is asked for
	kindNone
	kindBool
	kindInt
	kindFloat
	kindComplex
	kindStr
	kindBytes
	kindList
	kindTuple
	kindDict
	kindSet // a type in Java's schemas; no value has it
)

func kindOf(v value) kind {
	switch v.(type) {
	case nil:
		return kindNone
	case bool:
		return kindBool
	case *big.Int:
		return kindInt
	case float64:
		return kindFloat
	case complex128:
		return kindComplex
	case string:
		return kindStr
	case bytesValue:
		return kindBytes
	case listValue:
		return kindList
	case tupleValue:
		return kindTuple
	case *dictValue:
		return kindDict
	}
	return noKind
}

// dictValue is a dict: keys in the order in which they came first.
type dictValue struct {
	keys   []value
	values []value
}

// get returns the value of a key; keys are equal as values are.
func (d *dictValue) get(key value) (value, bool) {
	i := slices.IndexFunc(d.keys, func(k value) bool { return equal(k, key) })
	if i < 0 {
		return nil, false
	}
	return d.values[i], true
}

// set adds a key, or gives one that is there another value. It reports whether
// the key can be one.
func (d *dictValue) set(key, v value) bool {
	if !hashable(key) {
		return false
	}
	if i := slices.IndexFunc(d.keys, func(k value) bool { return equal(k, key) }); i >= 0 {
		d.values[i] = v
		return true
	}
	d.keys = append(d.keys, key)
	d.values = append(d.values, v)
	return true
}

func hashable(v value) bool {
	switch v := v.(type) {
	case listValue, *dictValue:
		return false
	case tupleValue:
		return !slices.ContainsFunc(v, func(e value) bool { return !hashable(e) })
	}
	return true
}

// equal is Python's ==: numbers and truth values by their exact values, whatever
// their types, lists and tuples in order and never one with the other.
func equal(a, b value) bool {
	if re, im, ok := number(a); ok {
		re2, im2, ok2 := number(b)
		return ok2 && im == im2 && re.equal(re2)
	}
	switch a := a.(type) {
	case listValue:
		b, ok := b.(listValue)
		return ok && slices.EqualFunc(a, b, equal)
	case tupleValue:
		b, ok := b.(tupleValue)
		return ok && slices.EqualFunc(a, b, equal)
	case *dictValue:
		b, ok := b.(*dictValue)
		return ok && a.equal(b)
	}
	switch b.(type) {
	case listValue, tupleValue, *dictValue:
		return false
	}
	return a == b // nil, string, bytesValue
}

func (d *dictValue) equal(e *dictValue) bool {
	if len(d.keys) != len(e.keys) {
		return false
	}
	for i, k := range d.keys {
		v, ok := e.get(k)
		if !ok || !equal(d.values[i], v) {
			return false
		}
	}
	return true
}

// realPart is a real number: exact, or a float that no fraction equals.
type realPart struct {
	exact   *big.Rat
	special float64 // infinity or NaN if exact is nil
}

func (r realPart) equal(s realPart) bool {
	if r.exact == nil || s.exact == nil {
		return r.exact == nil && s.exact == nil && r.special == s.special
	}
	return r.exact.Cmp(s.exact) == 0
}

func number(v value) (re realPart, im float64, ok bool) {
	switch v := v.(type) {
	case bool:
		return realPart{exact: new(big.Rat).SetInt(integer(v))}, 0, true
	case *big.Int:
		return realPart{exact: new(big.Rat).SetInt(v)}, 0, true
	case float64:
		return floatPart(v), 0, true
	case complex128:
		return floatPart(real(v)), imag(v), true
	}
	return realPart{}, 0, false
}

func floatPart(f float64) realPart {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return realPart{special: f}
	}
	return realPart{exact: new(big.Rat).SetFloat64(f)}
}

// integer is v as an int: bool is one in Python's arithmetic. nil if it is none.
func integer(v value) *big.Int {
	switch v := v.(type) {
	case bool:
		if v {
			return big.NewInt(1)
		}
		return new(big.Int)
	case *big.Int:
		return v
	}
	return nil
}

// float is float(v) of a number; false where Python raises, as it does for
// integers that are too large.
func float(v value) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	n := integer(v)
	if n == nil {
		return 0, false
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	return f, !math.IsInf(f, 0)
}

// contains is Python's "v in list".
func contains(list []value, v value) bool {
	return slices.ContainsFunc(list, func(e value) bool { return equal(e, v) })
}
