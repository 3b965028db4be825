package study

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"soup/benchmarks"
	"soup/merge/method"
	"soup/search"
)

//go:generate go test -run TestSchemaFile . -args -update

// node is a part of a JSON Schema.
type node = map[string]any

// Schema returns the JSON Schema (draft 7, which editors know) of the study file.
// It is built from Config's types and the keys' descriptions, so that a key cannot
// be forgotten; docs/study.schema.json is what it returns. What it refuses,
// ReadConfig or the start of a study refuses as well; the reverse does not hold:
// a schema opens no file and knows no tensor.
func Schema() ([]byte, error) {
	root := object("", reflect.TypeFor[Config]())
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "study file of soup"
	root["required"] = []string{"benchmarks"}
	root["oneOf"] = []node{{"required": []string{"parents"}}, {"required": []string{"run"}}}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(root)
	return text.Bytes(), err
}

// object is the schema of a struct's keys; path is where they stand.
func object(path string, t reflect.Type) node {
	properties := node{}
	for f := range keysOf(t) {
		at := strings.TrimPrefix(path+"."+f.name, ".")
		properties[f.name] = described(at, schemaOf(at, f.of))
	}
	return node{"type": "object", "properties": properties, "additionalProperties": false}
}

// described adds to a schema what the key's description says.
func described(path string, schema node) node {
	d, ok := descriptions()[path]
	if !ok {
		return schema // found by a test
	}
	schema["description"] = d.text()
	maps.Copy(schema, d.also)
	return schema
}

// yamlKey is a key of the study file and the type of its value.
type yamlKey struct {
	name string
	of   reflect.Type
}

// keysOf lists the keys that YAML gives a struct, in their order: named by the
// tag, else by the field in lower case.
func keysOf(t reflect.Type) func(yield func(yamlKey) bool) {
	return func(yield func(yamlKey) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			tag := f.Tag.Get("yaml")
			switch tag {
			case "-":
			case ",inline":
				for k := range keysOf(f.Type) {
					if !yield(k) {
						return
					}
				}
			default:
				name, _, _ := strings.Cut(tag, ",")
				if name == "" {
					name = strings.ToLower(f.Name)
				}
				if !yield(yamlKey{name, f.Type}) {
					return
				}
			}
		}
	}
}

// schemaOf is the schema of a value at a path. Types that read YAML themselves
// are named here.
func schemaOf(path string, t reflect.Type) node {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return node{"type": "string", "pattern": `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`}
	case reflect.TypeFor[Parents]():
		list := node{"type": "array", "minItems": 1, "items": schemaOf(path, reflect.TypeFor[Parent]())}
		list["items"].(node)["required"] = []string{"path"}
		return node{"anyOf": []node{{"type": "string"}, list}}
	case reflect.TypeFor[Groups]():
		return groupsSchema(path)
	case reflect.TypeFor[benchmarks.Source]():
		return benchmarkSchema(path)
	case reflect.TypeFor[StrategySpec]():
		return strategySchema()
	case reflect.TypeFor[Server]():
		return object(path, reflect.TypeFor[serverKeys]())
	}
	return kindSchema(path, t)
}

// kindSchema is the schema of what YAML's decoder makes by itself.
func kindSchema(path string, t reflect.Type) node {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(path, t.Elem())
	case reflect.Struct:
		return object(path, t)
	case reflect.Slice:
		return node{"type": "array", "items": schemaOf(path, t.Elem())}
	case reflect.Map:
		return node{"type": "object", "additionalProperties": schemaOf(path, t.Elem())}
	case reflect.String:
		return node{"type": "string"}
	case reflect.Bool:
		return node{"type": "boolean"}
	case reflect.Float64:
		return node{"type": "number"}
	case reflect.Int:
		return node{"type": "integer"}
	case reflect.Uint64:
		return node{"type": "integer", "minimum": 0}
	case reflect.Interface:
		return node{}
	}
	panic(fmt.Sprintf("the study file has no schema for %s of type %s", path, t)) // found by a test
}

// groupsSchema: the word global, or exactly one way to divide.
func groupsSchema(path string) node {
	ways := object(path, reflect.TypeFor[Groups]())
	ways["minProperties"], ways["maxProperties"] = 1, 1
	return node{"anyOf": []node{{"const": "global"}, ways}}
}

// strategySchema: a name, or one name with its options.
func strategySchema() node {
	strategies := node{}
	for _, name := range search.Names() {
		options := node{}
		for _, p := range search.Parameters(name) {
			kind := map[bool]string{true: "integer", false: "number"}[p.Whole]
			options[p.Name] = node{"type": kind, "minimum": p.Low, "maximum": p.High, "default": p.Default, "description": p.Doc}
		}
		strategies[name] = node{"type": []string{"object", "null"}, "properties": options, "additionalProperties": false}
	}
	strategies[windowStrategy], strategies[planeStrategy] = windowSchema(), planeSchema()
	return node{"anyOf": []node{
		{"enum": strategyNames()},
		{"type": "object", "properties": strategies, "additionalProperties": false, "minProperties": 1, "maxProperties": 1},
	}}
}

// windowSchema are the options of window, which is not in package search.
func windowSchema() node {
	return node{"type": []string{"object", "null"}, "additionalProperties": false, "properties": node{
		"methods":   node{"anyOf": []node{{"enum": method.RunNames()}, {"type": "array", "minItems": 1, "items": node{"enum": method.RunNames()}}}, "description": "how checkpoints are weighed"},
		"last":      node{"type": "integer", "minimum": 2, "description": "longest window, in checkpoints"},
		"offsets":   node{"type": "integer", "minimum": 0, "description": "newest checkpoints that are left out, from none to so many"},
		"half_life": node{"type": "number", "exclusiveMinimum": 0, "description": "of the method ema, in checkpoints"},
		"curve":     node{"type": "integer", "minimum": 0, "description": "checkpoints in the means along the run; 0: none"},
	}}
}

// planeSchema are the options of plane, which names parents.
func planeSchema() node {
	return node{"type": []string{"object", "null"}, "additionalProperties": false, "properties": node{
		"parents": node{"type": "array", "minItems": 3, "maxItems": 3, "items": node{"type": "string"}, "description": "corners of the plane"},
		"step":    node{"type": "number", "exclusiveMinimum": 0, "maximum": 0.5, "default": 0.25, "description": "distance between weights"},
	}}
}

// benchmarkSchema: a file of one's own, or official ones, whose options their
// family knows.
func benchmarkSchema(path string) node {
	plain := object(path, reflect.TypeFor[benchmarks.PlainKeys]())
	plain["required"] = []string{"file"}
	kinds := []node{plain}
	for _, family := range benchmarks.Families() {
		text := node{"type": "string", "minLength": 1}
		kinds = append(kinds, node{"type": "object", "required": []string{family}, "properties": node{family: text, "name": text}})
	}
	return node{"anyOf": kinds}
}
