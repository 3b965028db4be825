package bfcl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The texts of this file that models are shown are the benchmark's interface: a
// score is official only with exactly these. They are from
// https://github.com/ShishirPatil/gorilla (Apache License 2.0, Copyright 2023
// Shishir Patil and others), folder berkeley-function-call-leaderboard: of
// version 4 at commit 6ea57973, bfcl_eval/constants/default_prompts.py (the
// format "ret_fmt=python&tool_call_tag=False&func_doc_fmt=json&prompt_fmt=
// plaintext&style=classic") and bfcl_eval/utils.py; of version 3 from the package
// bfcl-eval 2025.6.16, the same file.
const (
	promptTask    = "You are an expert in composing functions.%sYou are given a question and a set of possible functions. Based on the question, you will need to make one or more function/tool calls to achieve the purpose.%sIf none of the functions can be used, point it out. If the given question lacks the parameters required by the function, also point it out.%s"
	promptFormat  = "You should only return the function calls in your response.\n\nIf you decide to invoke any of the function(s), you MUST put it in the format of [func_name1(params_name1=params_value1, params_name2=params_value2...), func_name2(params)]%sYou SHOULD NOT include any other text in the response.\n\n"
	promptTurns   = "At each turn, you should try your best to complete the tasks requested by the user within the current turn. Continue to output functions to call until you have fulfilled the user's request to the best of your ability. Once you have no more functions to call, the system will consider the current turn complete and proceed to the next turn or task."
	promptList    = "\n\nHere is a list of functions in %s format that you can invoke.\n%s\n"
	hintPython    = " Note that the provided function is in Python 3 syntax."
	hintJava      = " Note that the provided function is in Java 8 SDK syntax."
	hintScript    = " Note that the provided function is in JavaScript syntax."
	hintAny       = " This parameter can be of any type of %s object in string representation."
	hintType      = " This is %s %s type parameter in string representation."
	hintElements  = " The list elements are of type %s; they are not in string representation."
	hintEntries   = " The dictionary entries have the following schema; they are not in string representation. %s"
	hintFloatTool = " This is a float type value."
)

// Prompt is the system prompt that offers functions to a model in the prompting
// mode of version 3 or 4. functions is the list of an item of the benchmark's
// files. Descriptions get the benchmark's hints about the language; version 4
// shows them as JSON, version 3 as Python prints them.
func Prompt(version int, l Language, functions []byte) (string, error) {
	list, err := hinted(l, functions)
	if err != nil {
		return "", err
	}
	if version == 3 {
		return fmt.Sprintf(promptTask, " ", "\n", "\n") + fmt.Sprintf(promptFormat, "\n") + promptTurns + fmt.Sprintf(promptList, "JSON", repr(list)) + "\n", nil
	}
	var b strings.Builder
	dump(&b, list, 4, 0)
	return fmt.Sprintf(promptTask, "", " ", "\n\n") + fmt.Sprintf(promptFormat, ".  ") + promptTurns + fmt.Sprintf(promptList, "json", b.String()), nil
}

var errDescription = errors.New("a function without name, description or parameters")

// hinted reads descriptions and adds the hints about their language. For Java and
// JavaScript every parameter becomes a string.
func hinted(l Language, functions []byte) (listValue, error) {
	v, err := parseJSON(functions)
	if err != nil {
		return nil, err
	}
	list, ok := v.(listValue)
	if !ok {
		return nil, errDescription
	}
	for _, e := range list {
		f, ok := e.(*dictValue)
		if !ok || !f.add("description", map[Language]string{Python: hintPython, Java: hintJava, JavaScript: hintScript}[l]) {
			return nil, errDescription
		}
		properties := f.dict("parameters").dict("properties")
		if properties == nil {
			return nil, errDescription
		}
		if l == Python {
			continue
		}
		for _, p := range properties.values {
			if p, ok := p.(*dictValue); !ok || !hintParameter(l, p) {
				return nil, errDescription
			}
		}
	}
	return list, nil
}

func hintParameter(l Language, p *dictValue) bool {
	name := map[Language]string{Java: "Java", JavaScript: "JavaScript"}[l]
	typ := p.text("type")
	hint := fmt.Sprintf(hintType, name, typ)
	if typ == "any" {
		hint = fmt.Sprintf(hintAny, name)
	}
	ok := p.add("description", hint)
	switch {
	case l == Java && (typ == "ArrayList" || typ == "Array"), l == JavaScript && typ == "array":
		ok = ok && p.dict("items") != nil && p.add("description", fmt.Sprintf(hintElements, p.dict("items").text("type")))
		p.remove("items")
	case l == JavaScript && typ == "dict":
		if entries, given := p.get("properties"); given {
			var b strings.Builder
			dump(&b, entries, 0, 0)
			ok = ok && p.add("description", fmt.Sprintf(hintEntries, b.String()))
			p.remove("properties")
		}
	}
	p.set("type", "string")
	return ok
}

// dict is the dict that a key has, nil if it has none.
func (d *dictValue) dict(key string) *dictValue {
	if d == nil {
		return nil
	}
	v, _ := d.get(key)
	inner, _ := v.(*dictValue)
	return inner
}

func (d *dictValue) text(key string) string {
	v, _ := d.get(key)
	s, _ := v.(string)
	return s
}

// add appends to the text of a key; false if it has none.
func (d *dictValue) add(key, more string) bool {
	v, _ := d.get(key)
	s, ok := v.(string)
	if ok {
		d.set(key, s+more)
	}
	return ok
}

func (d *dictValue) remove(key string) {
	if i := slices.Index(d.keys, value(key)); i >= 0 {
		d.keys, d.values = slices.Delete(d.keys, i, i+1), slices.Delete(d.values, i, i+1)
	}
}
