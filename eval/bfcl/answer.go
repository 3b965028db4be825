package bfcl

import (
	"fmt"
	"strings"
)

// Matching says which calls an item wants.
type Matching string

// How calls are matched: a single one of the only function; a single one of
// several functions; several, in any order.
const (
	Simple   Matching = "simple"
	Multiple Matching = "multiple"
	Parallel Matching = "parallel"
)

// Rule says how answers to an item are read and judged.
type Rule struct {
	Language Language `json:"language,omitempty"` // default python
	Matching Matching `json:"matching,omitempty"` // default simple
	// Calling: an answer is the calls that the server read from it, in JSON, as
	// the benchmark has it of models in function-calling mode; else the text that
	// the benchmark's system prompt asks for.
	Calling bool `json:"calling,omitempty"`
	// Underscores: names of functions have "_" for ".", as in tools of the OpenAI
	// API.
	Underscores bool `json:"underscores,omitempty"`
}

func (r Rule) validate() error {
	switch r.Language {
	case Python, Java, JavaScript:
	default:
		return fmt.Errorf("language %q is none of python, java, javascript", r.Language)
	}
	switch r.Matching {
	case Simple, Multiple, Parallel:
		return nil
	}
	return fmt.Errorf("matching %q is none of simple, multiple, parallel", r.Matching)
}

// withDefaults fills in what is left out.
func (r Rule) withDefaults() Rule {
	if r.Language == "" {
		r.Language = Python
	}
	if r.Matching == "" {
		r.Matching = Simple
	}
	return r
}

// Judge judges answers to one item.
type Judge struct{ checker }

// NewJudge reads an item: functions is the list of function descriptions, truth
// the ground truth, both as in the benchmark's files. The error says which of
// them is broken.
func NewJudge(r Rule, functions, truth []byte) (*Judge, error) {
	j := &Judge{checker{rule: r.withDefaults()}}
	if err := j.rule.validate(); err != nil {
		return nil, fmt.Errorf("rule: %w", err)
	}
	var err error
	if j.functions, err = parseFunctions(functions); err != nil {
		return nil, fmt.Errorf("function: %w", err)
	}
	if j.truth, err = parseTruth(truth); err != nil {
		return nil, fmt.Errorf("ground_truth: %w", err)
	}
	return j, nil
}

// Right reports whether the answer calls what the ground truth wants.
func (j *Judge) Right(answer string) bool {
	calls, err := decode(j.rule, answer)
	return err == nil && wellFormed(calls) && j.right(calls)
}

// Calls reports whether the answer has a function call at all, whatever it
// calls: what the benchmark asks of relevance and irrelevance.
func Calls(r Rule, answer string) bool {
	calls, err := decode(r.withDefaults(), answer)
	return err == nil && wellFormed(calls) && len(calls) > 0
}

// wellFormed is the benchmark's is_function_calling_format_output.
func wellFormed(calls []call) bool {
	for _, c := range calls {
		if kindOf(c.arguments) != kindDict {
			return false
		}
	}
	return true
}

// decode reads the calls of an answer. Around text that the model wrote,
// backquotes, newlines and spaces are dropped, and the outer square brackets are
// put there if they are missing; Java and JavaScript are read between them.
func decode(r Rule, answer string) ([]call, error) {
	if r.Calling {
		return decodeCalls(answer)
	}
	answer = strings.Trim(answer, "`\n ")
	if !strings.HasPrefix(answer, "[") {
		answer = "[" + answer
	}
	if !strings.HasSuffix(answer, "]") {
		answer += "]"
	}
	inside := strings.TrimSuffix(answer[1:], "]")
	switch r.Language {
	case Java:
		return decodeJava(inside)
	case JavaScript:
		return decodeJavaScript(inside)
	}
	return decodePython(answer)
}

// decodeCalls reads [{"name": .., "arguments": {..}}, ..], or a single such
// object. Arguments may also be a string that holds the object.
func decodeCalls(answer string) ([]call, error) {
	v, err := parseJSON([]byte(answer))
	if err != nil {
		return nil, err
	}
	list, ok := v.(listValue)
	if !ok {
		list = listValue{v}
	}
	calls := make([]call, len(list))
	for i, e := range list {
		d, ok := e.(*dictValue)
		if !ok {
			return nil, errDecode
		}
		name, _ := d.get("name")
		if calls[i].name, ok = name.(string); !ok {
			return nil, errDecode
		}
		calls[i].arguments, _ = d.get("arguments")
		if text, ok := calls[i].arguments.(string); ok {
			if calls[i].arguments, err = parseJSON([]byte(text)); err != nil {
				return nil, err
			}
		}
	}
	return calls, nil
}
