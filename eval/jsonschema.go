package eval

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// jsonSchema is 1 if the answer is one JSON value that is valid by the schema in
// Item.Rule, else 0. An Answer, if there is one, is a right answer whose likelihood
// is the smooth score.
type jsonSchema struct{}

type schemaRule struct {
	Schema  any  `json:"schema"`  // JSON Schema, draft 2020-12 unless $schema says otherwise
	Formats bool `json:"formats"` // "format" is checked and not only noted
	Fenced  bool `json:"fenced"`  // the value may stand between lines of three backticks
}

func (jsonSchema) Validate(it Item) error {
	_, err := it.schema()
	return err
}

func (jsonSchema) Ask(it Item) Question { return Question{Request: it.Request(), Reference: it.Answer} }

func (jsonSchema) Score(it Item, answer string) float64 {
	s, err := it.schema()
	if err != nil {
		return 0
	}
	if s.rule.Fenced {
		answer = withoutFence(answer)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(answer))
	return oneIf(err == nil && s.compiled.Validate(value) == nil)
}

// withoutFence is what stands in the first block of code, or the whole text.
func withoutFence(text string) string {
	_, inside, found := strings.Cut(text, "```")
	_, inside, line := strings.Cut(inside, "\n") // past the name of the language
	inside, _, closed := strings.Cut(inside, "```")
	if found && line && closed {
		return inside
	}
	return text
}

type compiledSchema struct {
	rule     schemaRule
	compiled *jsonschema.Schema
}

// schemas keeps what is compiled, by the rule's text: many items share one.
var schemas sync.Map

func (it Item) schema() (compiledSchema, error) {
	if known, ok := schemas.Load(string(it.Rule)); ok {
		return known.(compiledSchema), nil
	}
	var s compiledSchema
	if err := it.readRule(&s.rule); err != nil {
		return s, err
	}
	if s.rule.Schema == nil {
		return s, missing("rule: schema")
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if s.rule.Formats {
		c.AssertFormat()
	}
	const name = "rule:schema"
	err := c.AddResource(name, s.rule.Schema)
	if err == nil {
		s.compiled, err = c.Compile(name)
	}
	if err != nil {
		return s, fmt.Errorf("rule: %s", oneLine(err))
	}
	schemas.Store(string(it.Rule), s)
	return s, nil
}

// noLoader keeps schemas from reading files and addresses that they refer to.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("a schema that refers to another file or address is not followed")
}
