package mergekit

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"soup/merge/method"
)

// Parameters are the settings of one level of a recipe, by name.
type Parameters map[string]Setting

// Setting is what a parameter is for each tensor: the first condition whose
// filter matches holds.
type Setting []Condition

// Condition is a value, or a gradient of several, for some tensors.
type Condition struct {
	// Filter is a part of the names of the tensors it is for; "" and "*" are
	// for all.
	Filter string
	Values []float64 // true is 1
}

// matches is the rule of evaluate_setting in mergekit/config.py.
func (c Condition) matches(tensor string) bool {
	return c.Filter == "*" || strings.Contains(tensor, c.Filter)
}

// find returns the values for a tensor; nil if there are none.
func (s Setting) find(tensor string) []float64 {
	for _, c := range s {
		if c.matches(tensor) {
			return c.Values
		}
	}
	return nil
}

// spec says what a parameter is.
type spec struct {
	name  string
	input bool // of one model; else of all together
	flag  bool // true or false
}

var (
	weight    = spec{name: "weight", input: true}
	normalize = spec{name: "normalize", flag: true}
)

// methods are the ones that are read, with their parameters, those included
// that mergekit takes but that change nothing there.
var methods = map[string][]spec{
	"linear": {weight, normalize},
	"slerp":  {{name: "t"}},
	"task_arithmetic": {
		weight, normalize,
		{name: "lambda"},
		{name: "density", input: true},
		{name: "int8_mask", flag: true},
		{name: "rescale", flag: true},
	},
	"model_stock": {{name: "filter_wise", flag: true}},
}

// value evaluates a gradient for a tensor. Flags do not interpolate.
func (s spec) value(values []float64, t float64) float64 {
	if s.flag {
		return values[int(t*float64(len(values)-1))]
	}
	return method.Gradient(values, t)
}

// parameters reads a level of a method's parameters. Those that all models
// share are not looked for under a model.
func (r *reader) parameters(n ast.Node, method string, model bool) (Parameters, error) {
	of := methods[method]
	if n == nil {
		return nil, nil
	}
	known := []string{""}
	for _, s := range of {
		if s.input || !model {
			known = append(known, s.name)
		}
	}
	if known[0] = "it has no effect in mergekit: leave it out"; len(known) > 1 {
		known[0] = "parameters that have an effect here: " + strings.Join(known[1:], ", ")
	}
	what := method
	if model {
		what = "a model in " + method
	}
	all, err := r.members(n, what, known...)
	if err != nil {
		return nil, err
	}
	p := Parameters{}
	for _, m := range all {
		i := slices.IndexFunc(of, func(s spec) bool { return s.name == m.key })
		if m.value == nil {
			return nil, r.at(m.name, "", "%s has no value", m.key)
		}
		if p[m.key], err = r.setting(m.value, of[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// setting reads a value, a gradient, or a list of conditions.
func (r *reader) setting(n ast.Node, s spec) (Setting, error) {
	if _, ok := n.(ast.MapNode); ok {
		c, err := r.condition(n, s)
		return Setting{c}, err
	}
	if list, ok := n.(*ast.SequenceNode); ok && len(list.Values) > 0 {
		first, err := r.resolve(list.Values[0])
		if err != nil {
			return nil, err
		}
		if _, ok := first.(ast.MapNode); ok {
			return r.conditions(n, s)
		}
	}
	values, err := r.values(n, s)
	return Setting{{Values: values}}, err
}

func (r *reader) conditions(n ast.Node, s spec) (Setting, error) {
	items, err := r.items(n, s.name)
	if err != nil {
		return nil, err
	}
	set := make(Setting, len(items))
	for i, item := range items {
		if set[i], err = r.condition(item, s); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// condition reads {filter: .., value: ..}.
func (r *reader) condition(n ast.Node, s spec) (c Condition, err error) {
	all, err := r.members(n, "a condition of "+s.name, "a condition has filter and value", "filter", "value")
	for _, m := range all {
		switch {
		case err != nil || m.value == nil:
		case m.key == "filter":
			c.Filter, err = r.text(m.value, "filter")
		default:
			c.Values, err = r.values(m.value, s)
		}
	}
	if err == nil && c.Values == nil {
		err = r.at(n, "", "a condition of %s has no value", s.name)
	}
	return c, err
}

// values reads a number or a gradient.
func (r *reader) values(n ast.Node, s spec) ([]float64, error) {
	items := []ast.Node{n}
	if _, ok := n.(*ast.SequenceNode); ok {
		var err error
		if items, err = r.items(n, s.name); err != nil {
			return nil, err
		}
	}
	values := make([]float64, len(items))
	for i, item := range items {
		read := r.number
		if s.flag {
			read = r.flag
		}
		var err error
		if values[i], err = read(item, s.name); err != nil {
			return nil, err
		}
	}
	return values, nil
}
