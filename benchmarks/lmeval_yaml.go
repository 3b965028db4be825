package benchmarks

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// taskFile is a task YAML of lm-eval with what it includes, and where each key
// stands.
type taskFile struct {
	path  string
	keys  map[string]any
	where map[string]string // "file:line" of a key
}

// taskKeys are what a task may have. Those with a reason are refused if they are
// set; the others are read or, like metadata, change nothing.
var taskKeys = map[string]string{
	"task": "", "task_alias": "", "tag": "", "metadata": "", "include": "",
	"dataset_path": "", "dataset_name": "", "dataset_kwargs": "",
	"training_split": "", "validation_split": "", "test_split": "", "fewshot_split": "",
	"description": "", "doc_to_text": "", "doc_to_target": "", "doc_to_choice": "", "gen_prefix": "",
	"target_delimiter": "", "fewshot_delimiter": "", "fewshot_config": "", "num_fewshot": "",
	"output_type": "", "generation_kwargs": "", "repeats": "", "filter_list": "", "metric_list": "",
	"should_decontaminate": "", "doc_to_decontamination_query": "", "unsafe_code": "",
	"process_docs":          "Python code is not run; write the processed documents to a file",
	"process_results":       "Python code is not run; use filter_list and metric_list",
	"custom_dataset":        "Python code is not run; write the documents to a file",
	"use_prompt":            "prompts of promptsource are not read; write the template into doc_to_text",
	"doc_to_image":          "there are no images here",
	"doc_to_audio":          "there is no sound here",
	"group":                 "a group names other tasks; give those one by one",
	"group_alias":           "a group names other tasks; give those one by one",
	"aggregate_metric_list": "a group names other tasks; give those one by one",
}

func readTask(path string) (*taskFile, error) {
	return readTaskWithin(path, nil)
}

func readTaskWithin(path string, includedFrom []string) (*taskFile, error) {
	if slices.Contains(includedFrom, path) {
		return nil, fmt.Errorf("%s includes itself", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &taskFile{path: path, keys: map[string]any{}, where: map[string]string{}}
	root, err := t.parse(raw)
	if err != nil {
		return nil, err
	}
	own := map[string]any{}
	if err := yaml.NodeToValue(root, &own); err != nil {
		return nil, fmt.Errorf("%s: %s", path, oneLine(err))
	}
	for _, name := range listOf(own["include"]) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		included, err := readTaskWithin(name, append(includedFrom, path))
		if err != nil {
			return nil, t.fail("include", "%s", oneLine(err))
		}
		t.adopt(included)
	}
	delete(own, "include")
	maps.Copy(t.keys, own)
	return t, t.refuse()
}

// parse notes the lines of the top keys and refuses tags, which call Python.
func (t *taskFile) parse(raw []byte) (ast.Node, error) {
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", t.path, oneLine(err))
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: not a YAML mapping with the keys of a task", t.path)
	}
	root := file.Docs[0].Body
	var tag *ast.TagNode
	ast.Walk(visitor(func(n ast.Node) {
		if found, ok := n.(*ast.TagNode); ok && tag == nil {
			tag = found
		}
	}), root)
	if tag != nil {
		at := tag.GetToken().Position
		return nil, fmt.Errorf("%s:%d: %s %s: Python code is not run", t.path, at.Line, tag.Start.Value, tag.Value)
	}
	var values []*ast.MappingValueNode
	switch n := root.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return nil, fmt.Errorf("%s: not a YAML mapping with the keys of a task", t.path)
	}
	for _, v := range values {
		t.where[keyText(v)] = fmt.Sprintf("%s:%d", t.path, v.Key.GetToken().Position.Line)
	}
	return root, nil
}

func keyText(v *ast.MappingValueNode) string { return strings.Trim(v.Key.String(), `"'`) }

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor {
	v(n)
	return v
}

// adopt takes what an included file has; keys that follow override it.
func (t *taskFile) adopt(included *taskFile) {
	maps.Copy(t.keys, included.keys)
	for key, at := range included.where {
		if _, own := t.where[key]; !own {
			t.where[key] = at
		}
	}
}

func (t *taskFile) refuse() error {
	for _, key := range slices.Sorted(maps.Keys(t.keys)) {
		reason, known := taskKeys[key]
		switch {
		case !known:
			return t.fail(key, "this key is not understood")
		case reason != "" && t.keys[key] != nil:
			return t.fail(key, "%s", reason)
		}
	}
	if _, text := t.keys["task"].(string); t.keys["task"] != nil && !text {
		return t.fail("task", "a list of tasks is a group; give those one by one")
	}
	return nil
}

// fail names the file, the line of a key and the key.
func (t *taskFile) fail(key, format string, args ...any) error {
	at := t.where[key]
	if at == "" {
		at = t.path
	}
	return fmt.Errorf("%s: %s: %s", at, key, fmt.Sprintf(format, args...))
}

// text returns a key that is text or missing.
func (t *taskFile) text(key, standard string) (string, error) {
	v, ok := t.keys[key]
	if !ok || v == nil {
		return standard, nil
	}
	if text, ok := v.(string); ok {
		return text, nil
	}
	return "", t.fail(key, "want text, not %v", v)
}

// texts reads several keys, each into its place.
func (t *taskFile) texts(places map[string]*string) error {
	for _, key := range slices.Sorted(maps.Keys(places)) {
		text, err := t.text(key, *places[key])
		if err != nil {
			return err
		}
		*places[key] = text
	}
	return nil
}

// section returns a key that is a mapping or missing, and refuses keys of it that
// are not known.
func (t *taskFile) section(key string, known ...string) (map[string]any, error) {
	v := t.keys[key]
	if v == nil {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, t.fail(key, "want a mapping")
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(known, k) {
			return nil, t.fail(key, "%s is not understood", k)
		}
	}
	return m, nil
}

// listOf is a text or a list of texts as a list.
func listOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var texts []string
		for _, x := range v {
			texts = append(texts, fmt.Sprint(x))
		}
		return texts
	}
	return nil
}

func oneLine(err error) string {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return fmt.Sprintf("line %d: %s", at.GetToken().Position.Line, strings.Join(strings.Fields(at.GetMessage()), " "))
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
