package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// callAST is metric call_ast: 1 if the answer calls the right functions with
// right arguments. The answer is one JSON object
//
//	{"name": "set_timer", "arguments": {"minutes": 5}}
//
// or an array of them. Field ground_truth lists the calls, each as one function
// with the allowed values of each argument, "" among them if it may be left out:
//
//	[{"set_timer": {"minutes": [5], "label": ["", "tea"]}}]
//
// The order of checks is that of the AST checker of the Berkeley Function
// Calling Leaderboard (https://github.com/ShishirPatil/gorilla,
// bfcl_eval/eval_checker/ast_eval): number of calls; name, where "_" may stand
// for "."; required arguments given; no argument that the schema or the ground
// truth lacks; each value of the right type and among the allowed ones;
// arguments left out only where allowed. Several calls may come in any order.
// The schema is looked at only if the item has the field function.
//
// 5 is an integer, 5.0 and 5e0 are not, and true is no number; an integer is
// right for an argument whose schema says float or number. Strings are compared
// as they are, where the leaderboard drops case, spaces and punctuation first.
type callAST struct{}

// call is a function call as the model wrote it. Numbers are json.Number.
type call struct {
	name      string
	arguments map[string]any
}

// expected is a call of the ground truth.
type expected struct {
	name    string
	allowed map[string][]any
	schema  *schema // nil if the item describes no functions
}

// schema is the part of a function's description that is checked.
type schema struct {
	Name       string `json:"name"`
	Parameters struct {
		Properties map[string]struct {
			Type any `json:"type"`
		} `json:"properties"`
		Required []string `json:"required"`
	} `json:"parameters"`
}

func (callAST) Validate(it Item) error {
	_, err := expectedCalls(it)
	return err
}

func (callAST) Ask(it Item) Question {
	return Question{Request: it.Request(), Reference: it.Answer}
}

func (callAST) Score(it Item, answer string) float64 {
	want, err := expectedCalls(it)
	if err != nil {
		return 0
	}
	got, err := parseCalls(answer)
	if err != nil || len(got) != len(want) {
		return 0
	}
	for _, w := range want {
		i := slices.IndexFunc(got, w.accepts)
		if i < 0 {
			return 0
		}
		got = slices.Delete(got, i, i+1)
	}
	return 1
}

func (e expected) accepts(c call) bool {
	if c.name != e.name && c.name != strings.ReplaceAll(e.name, ".", "_") {
		return false
	}
	if e.schema != nil && !e.schema.accepts(c) {
		return false
	}
	for key, value := range c.arguments {
		allowed, known := e.allowed[key]
		if !known || !e.allows(key, value, allowed) {
			return false
		}
	}
	for key, allowed := range e.allowed {
		if _, given := c.arguments[key]; !given && !slices.Contains(allowed, any("")) {
			return false
		}
	}
	return true
}

// accepts checks that c gives what is required and nothing that is unknown.
func (s *schema) accepts(c call) bool {
	for _, key := range s.Parameters.Required {
		if _, given := c.arguments[key]; !given {
			return false
		}
	}
	for key := range c.arguments {
		if _, known := s.Parameters.Properties[key]; !known {
			return false
		}
	}
	return true
}

func (e expected) allows(key string, value any, allowed []any) bool {
	if fitsAny(value, allowed) {
		return true
	}
	whole, isInteger := value.(json.Number)
	return isInteger && !isFloat(whole) && e.isFloat(key) && fitsAny(json.Number(whole.String()+".0"), allowed)
}

func (e expected) isFloat(key string) bool {
	if e.schema == nil {
		return false
	}
	t := e.schema.Parameters.Properties[key].Type
	return t == "float" || t == "number"
}

// fitsAny reports whether value is one of allowed.
func fitsAny(value any, allowed []any) bool {
	return slices.ContainsFunc(allowed, func(a any) bool { return fits(value, a) })
}

// fits reports whether value is a right value where the ground truth has
// allowed: equal and of the same type, lists in order, objects key by key.
func fits(value, allowed any) bool {
	switch a := allowed.(type) {
	case json.Number:
		v, ok := value.(json.Number)
		return ok && equalNumbers(v, a)
	case []any:
		v, ok := value.([]any)
		return ok && slices.EqualFunc(v, a, fits)
	case map[string]any:
		v, ok := value.(map[string]any)
		return ok && fitsObject(v, a)
	default: // string, bool, nil
		return isPlain(value) && value == allowed
	}
}

// isPlain reports whether value can be compared with ==.
func isPlain(value any) bool {
	switch value.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}

// fitsObject compares an object argument. As in the leaderboard's files, a list
// in the ground truth's object may name the allowed values of its key.
func fitsObject(value, allowed map[string]any) bool {
	for key, v := range value {
		a, known := allowed[key]
		list, _ := a.([]any)
		if !known || !fits(v, a) && !fitsAny(v, list) {
			return false
		}
	}
	for key, a := range allowed {
		list, _ := a.([]any)
		if _, given := value[key]; !given && !slices.Contains(list, any("")) {
			return false
		}
	}
	return true
}

func isFloat(n json.Number) bool { return strings.ContainsAny(n.String(), ".eE") }

// equalNumbers compares as Python does after json.loads: integers exactly,
// floats as float64, never one with the other.
func equalNumbers(a, b json.Number) bool {
	if isFloat(a) != isFloat(b) {
		return false
	}
	if isFloat(a) {
		x, errX := a.Float64()
		y, errY := b.Float64()
		return errX == nil && errY == nil && x == y
	}
	x, okX := new(big.Int).SetString(a.String(), 10)
	y, okY := new(big.Int).SetString(b.String(), 10)
	return okX && okY && x.Cmp(y) == 0
}

// decodeOne decodes text that is one JSON value and nothing else, keeping
// numbers as they are written.
func decodeOne(text []byte, v any) error {
	if !json.Valid(text) {
		return errors.New("not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

// parseCalls reads an answer. Keys beside name and arguments do not matter.
func parseCalls(answer string) ([]call, error) {
	var value any
	if err := decodeOne([]byte(answer), &value); err != nil {
		return nil, err
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	calls := make([]call, len(list))
	for i, element := range list {
		// By key and not into a struct, which would take "Name" for "name".
		object, _ := element.(map[string]any)
		name, named := object["name"].(string)
		arguments, given := object["arguments"].(map[string]any)
		if !named || !given {
			return nil, errors.New("not a call")
		}
		calls[i] = call{name, arguments}
	}
	return calls, nil
}

// expectedCalls reads the fields ground_truth and function of an item.
func expectedCalls(it Item) ([]expected, error) {
	if len(it.GroundTruth) == 0 {
		return nil, missing("ground_truth")
	}
	var truth []map[string]map[string][]any
	if err := decodeOne(it.GroundTruth, &truth); err != nil || len(truth) == 0 {
		return nil, errors.New(`field "ground_truth" is not a list of calls like [{"name": {"argument": [allowed, ...]}}]`)
	}
	schemas, err := parseSchemas(it.Function)
	if err != nil {
		return nil, err
	}
	calls := make([]expected, len(truth))
	for i, t := range truth {
		if len(t) != 1 {
			return nil, fmt.Errorf(`field "ground_truth": call %d names %d functions, must be one`, i+1, len(t))
		}
		for name, allowed := range t {
			calls[i] = expected{name, allowed, schemas[name]}
			if schemas != nil && schemas[name] == nil {
				return nil, fmt.Errorf(`field "function" does not describe %q, which ground_truth calls`, name)
			}
		}
	}
	return calls, nil
}

// parseSchemas returns the functions by name, nil if there is no field function.
func parseSchemas(function json.RawMessage) (map[string]*schema, error) {
	if len(function) == 0 {
		return nil, nil
	}
	var list []schema
	if err := decodeOne(function, &list); err != nil {
		return nil, errors.New(`field "function" is not a list of function descriptions`)
	}
	schemas := map[string]*schema{}
	for _, s := range list {
		schemas[s.Name] = &s
	}
	return schemas, nil
}
