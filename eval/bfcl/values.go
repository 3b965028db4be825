package bfcl

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// typeFits reports whether a value has the wanted type, or else that of the
// first allowed value that is not "": variable says that the allowed values are
// of another type than the schema's, such as the name of a variable. Elements of
// a list are looked at one level deep, against each list among the allowed
// values; one that is no list lets all elements pass.
func typeFits(v value, allowed []value, want typed) (ok, variable bool) {
	first := firstKind(allowed)
	variable = first != noKind && first != want.outer
	if kindOf(v) != want.outer {
		return first != noKind && kindOf(v) == first, true
	}
	if want.inner == noKind {
		return true, variable
	}
	list, _ := v.(listValue)
	for _, a := range allowed {
		options, isList := a.(listValue)
		if !isList || elementsFit(list, options, want.inner) {
			return true, variable
		}
	}
	return false, false
}

func elementsFit(list, options listValue, inner kind) bool {
	for _, e := range list {
		if ok, _ := typeFits(e, options, typed{outer: inner}); !ok {
			return false
		}
	}
	return true
}

// firstKind is the type of the first value that is not "".
func firstKind(allowed []value) kind {
	for _, a := range allowed {
		if a != "" {
			return kindOf(a)
		}
	}
	return noKind
}

var dropped = strings.NewReplacer(" ", "", ",", "", ".", "", "/", "", "-", "", "_", "", "*", "", "^", "")

// plain is a string as it is compared: without spaces and ,./-_*^, in lower case,
// single quotes made double.
func plain(s string) string {
	return strings.ReplaceAll(lower(dropped.Replace(s)), "'", `"`)
}

// lower is Python's str.lower, which knows letters whose lower case is two
// letters or depends on its place in the word.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return cases.Lower(language.Und).String(s)
		}
	}
	return strings.ToLower(s)
}

// plainly makes a string plain and leaves everything else.
func plainly(v value) value {
	if s, ok := v.(string); ok {
		return plain(s)
	}
	return v
}

func plainList(list []value) []value {
	out := make([]value, len(list))
	for i, v := range list {
		out[i] = plainly(v)
	}
	return out
}

func stringFits(v value, allowed []value) bool {
	s, ok := v.(string)
	if !ok {
		return false
	}
	for _, a := range allowed {
		if a, ok := a.(string); ok && plain(a) == plain(s) {
			return true
		}
	}
	return false
}

// listFits compares in order; strings among the elements are made plain, deeper
// ones are not.
func listFits(v value, allowed []value) bool {
	list, ok := v.(listValue)
	if !ok {
		return false
	}
	got := listValue(plainList(list))
	for _, a := range allowed {
		var options []value
		switch a := a.(type) {
		case listValue:
			options = plainList(a)
		case string: // read as the list of its characters; "" as the empty list
			for _, r := range a {
				options = append(options, plain(string(r)))
			}
		default:
			return false
		}
		if equal(got, listValue(options)) {
			return true
		}
	}
	return false
}

// dictFits compares with each allowed dict: its keys have lists of allowed
// values, "" among them if a key may be left out.
func dictFits(v value, allowed []value) bool {
	got, ok := v.(*dictValue)
	if !ok {
		return false
	}
	for _, a := range allowed {
		if a == "" {
			continue
		}
		options, ok := a.(*dictValue)
		if !ok {
			return false
		}
		if entriesFit(got, options) {
			return true
		}
	}
	return false
}

func entriesFit(got, options *dictValue) bool {
	for i, key := range got.keys {
		o, known := options.get(key)
		if !known || !optionFits(got.values[i], o) {
			return false
		}
	}
	for i, key := range options.keys {
		if _, given := got.get(key); given {
			continue
		}
		switch o := options.values[i].(type) {
		case listValue:
			if !contains(o, "") {
				return false
			}
		case *dictValue:
			if _, ok := o.get(""); !ok {
				return false
			}
		case string: // every string contains ""
		default:
			return false
		}
	}
	return true
}

// optionFits compares a value of a dict with its key's allowed values; a string
// there stands for its characters.
func optionFits(v, option value) bool {
	switch o := option.(type) {
	case listValue:
		return contains(plainList(o), plainly(v))
	case string:
		s, isText := plainly(v).(string)
		for _, r := range o {
			if isText && plain(string(r)) == s {
				return true
			}
		}
	}
	return false
}

// dictsFit compares a list of dicts in order.
func dictsFit(v value, allowed []value) bool {
	list, ok := v.(listValue)
	if !ok {
		return false
	}
	for _, a := range allowed {
		options, isList := a.(listValue)
		if !isList && a != "" || len(options) != len(list) {
			continue
		}
		fits := true
		for i := range list {
			fits = fits && dictFits(list[i], []value{options[i]})
		}
		if fits {
			return true
		}
	}
	return false
}
