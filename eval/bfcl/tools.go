package bfcl

import (
	"encoding/json"
	"fmt"
	"strings"
)

// toolTypes are the types of JSON Schema for the benchmark's own (GORILLA_TO_OPENAPI
// of bfcl_eval/constants/type_mappings.py); any other one is a string.
var toolTypes = map[string]string{
	"integer": "integer", "byte": "integer", "short": "integer", "long": "integer", "Bigint": "integer",
	"number": "number", "float": "number", "double": "number",
	"string": "string", "any": "string", "Any": "string", "char": "string", "String": "string",
	"boolean": "boolean", "bool": "boolean",
	"array": "array", "list": "array", "tuple": "array", "ArrayList": "array", "Array": "array", "Queue": "array", "Stack": "array",
	"dict": "object", "object": "object", "HashMap": "object", "Hashtable": "object",
}

// Tools offers functions as the OpenAI API has it: a JSON list of {"type":
// "function", "function": ..}, as the benchmark's function-calling mode makes it
// (convert_to_tool of bfcl_eval/model_handler/utils.py, model style
// openai-completions). Names have "_" for ".", types become JSON Schema's.
// functions is the list of an item of the benchmark's files.
func Tools(l Language, functions []byte) (json.RawMessage, error) {
	list, err := hinted(l, functions)
	if err != nil {
		return nil, err
	}
	tools := listValue{}
	for _, e := range list {
		f := e.(*dictValue)
		if f.text("name") == "" {
			return nil, errDescription
		}
		f.set("name", strings.ReplaceAll(f.text("name"), ".", "_"))
		parameters := f.dict("parameters")
		parameters.set("type", "object")
		if err := toolProperties(parameters.dict("properties")); err != nil {
			return nil, fmt.Errorf("function %q: %w", f.text("name"), err)
		}
		tools = append(tools, &dictValue{keys: []value{"type", "function"}, values: []value{"function", f}})
	}
	var b strings.Builder
	dump(&b, tools, 0, 0)
	return json.RawMessage(b.String()), nil
}

func toolProperties(properties *dictValue) error {
	for i, v := range properties.values {
		p, ok := v.(*dictValue)
		if !ok {
			return fmt.Errorf("parameter %q is not an object", properties.keys[i])
		}
		if err := toolProperty(p); err != nil {
			return fmt.Errorf("parameter %q: %w", properties.keys[i], err)
		}
	}
	return nil
}

func toolProperty(p *dictValue) error {
	typ := p.text("type")
	if typ == "float" {
		p.set("format", "float")
		if !p.add("description", hintFloatTool) {
			return errDescription
		}
	}
	mapped, known := toolTypes[typ]
	if !known {
		mapped = "string"
	}
	p.set("type", mapped)
	if mapped != "array" && mapped != "object" {
		return nil
	}
	if inner := p.dict("properties"); inner != nil {
		return toolProperties(inner)
	}
	items := p.dict("items")
	if items == nil {
		return nil
	}
	if err := toolElement(items); err != nil {
		return err
	}
	switch items.text("type") {
	case "array":
		if inner := items.dict("items"); inner != nil {
			return toolElement(inner)
		}
	case "object":
		if inner := items.dict("properties"); inner != nil {
			return toolProperties(inner)
		}
	}
	return nil
}

// toolElement maps the type of a list's elements, which must be a known one.
func toolElement(items *dictValue) error {
	mapped, known := toolTypes[items.text("type")]
	if !known {
		return fmt.Errorf("elements of unknown type %q", items.text("type"))
	}
	items.set("type", mapped)
	return nil
}
