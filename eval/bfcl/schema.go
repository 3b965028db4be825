package bfcl

import (
	"encoding/json"
	"errors"
	"fmt"
)

// function is what the checks need of a function's description.
type function struct {
	name       string
	parameters map[string]parameter
	required   []string
	complete   bool // parameters, properties and required are there
}

// parameter is the type that a schema gives an argument, "" if it gives none;
// items is the type of a list's elements.
type parameter struct {
	typ, items string
}

// parseFunctions reads the descriptions: a list, or a single one.
func parseFunctions(text []byte) ([]function, error) {
	var list []struct {
		Name       *string `json:"name"`
		Parameters *struct {
			Properties map[string]struct {
				Type  any `json:"type"`
				Items *struct {
					Type any `json:"type"`
				} `json:"items"`
			} `json:"properties"`
			Required *[]string `json:"required"`
		} `json:"parameters"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	functions := make([]function, len(list))
	for i, d := range list {
		if d.Name == nil {
			return nil, fmt.Errorf("description %d has no name", i+1)
		}
		f := function{name: *d.Name, parameters: map[string]parameter{}}
		if d.Parameters != nil && d.Parameters.Properties != nil && d.Parameters.Required != nil {
			f.complete, f.required = true, *d.Parameters.Required
			for name, p := range d.Parameters.Properties {
				var q parameter
				q.typ, _ = p.Type.(string)
				if p.Items != nil {
					q.items, _ = p.Items.Type.(string)
				}
				f.parameters[name] = q
			}
		}
		functions[i] = f
	}
	return functions, nil
}

// expected is one call of the ground truth: the allowed values of each argument.
type expected struct {
	name    string
	allowed *dictValue
}

// parseTruth reads [{"name": {"argument": [allowed, ..]}}, ..].
func parseTruth(text []byte) ([]expected, error) {
	v, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	list, ok := v.(listValue)
	if !ok {
		return nil, errors.New("not a list")
	}
	truth := make([]expected, len(list))
	for i, e := range list {
		d, ok := e.(*dictValue)
		if !ok || len(d.keys) == 0 {
			return nil, fmt.Errorf("call %d names no function", i+1)
		}
		truth[i].name, _ = d.keys[0].(string)
		if truth[i].allowed, ok = d.values[0].(*dictValue); !ok {
			return nil, fmt.Errorf("call %d has no arguments", i+1)
		}
		for j, key := range truth[i].allowed.keys {
			if _, ok := truth[i].allowed.values[j].(listValue); !ok {
				return nil, fmt.Errorf("call %d: the values of %q are not a list", i+1, key)
			}
		}
	}
	return truth, nil
}
