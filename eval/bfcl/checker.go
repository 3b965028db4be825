package bfcl

import (
	"slices"
	"strings"
)

// Language is what functions are described in and answers are written in.
type Language string

// Languages of the benchmark.
const (
	Python     Language = "python"
	Java       Language = "java"
	JavaScript Language = "javascript"
)

// checker compares calls with the ground truth of one item.
type checker struct {
	rule      Rule
	functions []function
	truth     []expected
}

// right reports whether calls are what the ground truth wants: as many, and each
// of its calls is fulfilled by another of them. Parallel calls are matched in
// the ground truth's order, each with the first call that fits and is free.
func (c *checker) right(calls []call) bool {
	switch {
	case len(c.truth) == 0 || len(c.functions) == 0:
		return false
	case c.rule.Matching == Parallel:
		return c.parallel(calls)
	case c.rule.Matching == Multiple:
		return len(calls) == len(c.truth) && c.fits(c.describe(c.truth[0].name), calls[0], c.truth[0])
	}
	return len(calls) == 1 && c.fits(&c.functions[0], calls[0], c.truth[0])
}

func (c *checker) parallel(calls []call) bool {
	if len(calls) != len(c.truth) {
		return false
	}
	taken := make([]bool, len(calls))
	for _, want := range c.truth {
		description := c.describe(want.name)
		found := false
		for i := range calls {
			if !taken[i] && c.fits(description, calls[i], want) {
				taken[i], found = true, true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// describe returns the first description of a function, nil if there is none.
func (c *checker) describe(name string) *function {
	i := slices.IndexFunc(c.functions, func(f function) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &c.functions[i]
}

// fits checks one call: name, required arguments, each argument that is given,
// then those that are left out.
func (c *checker) fits(f *function, got call, want expected) bool {
	if f == nil || !f.complete {
		return false
	}
	name := f.name
	if c.rule.Underscores {
		name = strings.ReplaceAll(name, ".", "_")
	}
	arguments, ok := got.arguments.(*dictValue)
	if !ok || got.name != name {
		return false
	}
	for _, key := range f.required {
		if _, given := arguments.get(key); !given {
			return false
		}
	}
	for i, key := range arguments.keys {
		name, named := key.(string)
		p, known := f.parameters[name]
		allowed, listed := want.allowed.get(name)
		if !named || !known || !listed || !c.allows(p, arguments.values[i], allowed.(listValue)) {
			return false
		}
	}
	for i, key := range want.allowed.keys {
		if _, given := arguments.get(key); !given && !contains(want.allowed.values[i].(listValue), "") {
			return false
		}
	}
	return true
}

// allows checks one value: its type after conversion from the language, then
// whether it is among the allowed ones.
func (c *checker) allows(p parameter, v value, allowed listValue) bool {
	v, want, ok := c.converted(p, v)
	if !ok {
		return false
	}
	if t, isTuple := v.(tupleValue); isTuple && p.typ == "tuple" {
		v = listValue(t) // JSON has no tuples
	}
	if n, isInt := v.(interface{ IsInt64() bool }); isInt && n != nil && c.rule.Language == Python && p.typ == "float" {
		f, ok := float(v)
		if !ok {
			return false
		}
		v = f
	}
	typed, variable := typeFits(v, allowed, want)
	switch {
	case !typed:
		return false
	case variable:
		return contains(allowed, v)
	case want.outer == kindDict:
		return dictFits(v, allowed)
	case want.outer == kindList && want.inner == kindDict:
		return dictsFit(v, allowed)
	case want.outer == kindStr:
		return stringFits(v, allowed)
	case want.outer == kindList:
		return listFits(v, allowed)
	}
	return contains(allowed, v)
}

// typed is the type that a value must have; inner is that of a list's elements,
// noKind if it does not matter.
type typed struct {
	outer, inner kind
}

var pythonKinds = map[string]kind{
	"string": kindStr, "integer": kindInt, "float": kindFloat, "boolean": kindBool, "array": kindList, "tuple": kindList,
	"dict": kindDict, "any": kindStr,
}

// converted returns what a value is in the item's language, and the type that
// the schema wants. Not ok is what the benchmark cannot judge.
func (c *checker) converted(p parameter, v value) (value, typed, bool) {
	kinds, nested := pythonKinds, p.typ == "array" || p.typ == "tuple"
	switch c.rule.Language {
	case Java:
		kinds, nested = javaKinds, p.typ == "Array" || p.typ == "ArrayList"
	case JavaScript:
		kinds, nested = javaScriptKinds, p.typ == "array"
	}
	var want typed
	var ok bool
	if want.outer, ok = kinds[p.typ]; !ok {
		return nil, want, false
	}
	items := ""
	if nested {
		items = p.items
		if want.inner, ok = kinds[items]; !ok {
			return nil, want, false
		}
	}
	if c.rule.Language == Python {
		return v, want, true
	}
	text, isText := v.(string)
	if !isText {
		return nil, want, false
	}
	if c.rule.Language == Java {
		v, ok = javaValue(text, p.typ, items)
	} else {
		v, ok = javaScriptValue(text, p.typ, items)
	}
	return v, want, ok
}
