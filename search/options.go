package search

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// options are checked values by name, with the defaults filled in.
type options map[string]float64

func (o options) whole(name string) int { return int(o[name]) }

// read checks what was given against the parameters. Names are looked at in
// order, so that one mistake of several is always the same one.
func read(parameters []Parameter, given map[string]any) (options, error) {
	o := options{}
	var known []string
	for _, p := range parameters {
		o[p.Name] = p.Default
		known = append(known, p.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.Index(known, name)
		if i < 0 {
			return nil, unknownOption(name, known)
		}
		v, err := parameters[i].read(given[name])
		if err != nil {
			return nil, err
		}
		o[name] = v
	}
	return o, nil
}

func unknownOption(name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("unknown option %q; it takes none", name)
	}
	return fmt.Errorf("unknown option %q; it takes %s", name, strings.Join(known, ", "))
}

func (p Parameter) read(given any) (float64, error) {
	v, ok := number(given)
	kind := "number"
	if p.Whole {
		kind, ok = "whole number", ok && v == math.Trunc(v)
	}
	if !ok || !(v >= p.Low && v <= p.High) {
		return 0, fmt.Errorf("option %s: want a %s from %v to %v, not %v", p.Name, kind, p.Low, p.High, given)
	}
	return v, nil
}

// number takes any of Go's numbers: what a YAML or JSON reader makes of one.
func number(given any) (float64, bool) {
	v := reflect.ValueOf(given)
	switch {
	case !v.IsValid():
		return 0, false
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}
