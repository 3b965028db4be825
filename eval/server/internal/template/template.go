// Package template renders conversations with the chat template that a model
// was trained with, in the dialect of Hugging Face's apply_chat_template.
//
// Start with New. Servers that render conversations themselves do it with
// templates of their own; a prompt that is rendered here and sent as raw text is
// the same for every server.
package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ardanlabs/jinja"

	"soup/eval"
)

// Template is a chat template. The zero value has none and renders raw prompts
// only.
type Template struct {
	compiled *jinja.Template
	bos, eos string
	tools    bool
}

var errNone = errors.New("the tokenizer has no chat template; send raw prompts")

// New compiles a template's source, which may be empty. Templates refer to the
// texts of the tokens that begin and end a text; "" where the model has none.
func New(source, bos, eos string) (Template, error) {
	if source == "" {
		return Template{}, nil
	}
	t, err := jinja.Compile(source)
	if err != nil {
		return Template{}, fmt.Errorf("chat template: %w", err)
	}
	return Template{compiled: t, bos: bos, eos: eos, tools: strings.Contains(source, "tools")}, nil
}

// Render returns the text that the model is to read for r. Functions can be
// offered only through a template that speaks of them: else eval.ErrNoTools.
func (t Template) Render(r eval.Request) (string, error) {
	if len(r.Tools) > 0 && (r.Raw != "" || !t.tools) {
		return "", eval.ErrNoTools
	}
	if r.Raw != "" {
		return r.Raw, nil
	}
	if t.compiled == nil {
		return "", errNone
	}
	values := map[string]jinja.Value{
		"bos_token": jinja.NewString(t.bos), "eos_token": jinja.NewString(t.eos),
		"messages": conversation(r.Messages), "add_generation_prompt": jinja.NewBool(true),
	}
	if len(r.Tools) > 0 {
		tools, err := ordered(r.Tools)
		if err != nil {
			return "", fmt.Errorf("tools: %w", err)
		}
		values["tools"] = tools
	}
	text, err := t.compiled.RenderValues(values)
	if err != nil {
		return "", fmt.Errorf("chat template: %w", err)
	}
	return text, nil
}

func conversation(messages []eval.Message) jinja.Value {
	list := make([]any, len(messages))
	for i, m := range messages {
		list[i] = map[string]any{"role": m.Role, "content": m.Content}
	}
	return jinja.FromGoValue(list)
}

// ordered reads JSON with the keys of objects in the order in which they were
// written: templates print them, and the model was trained on that order.
func ordered(text json.RawMessage) (jinja.Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return orderedValue(d)
}

func orderedValue(d *json.Decoder) (jinja.Value, error) {
	token, err := d.Token()
	if err != nil {
		return jinja.Value{}, err
	}
	switch token {
	case json.Delim('{'):
		return orderedObject(d)
	case json.Delim('['):
		return orderedList(d)
	}
	return jinja.FromGoValue(token), nil
}

func orderedObject(d *json.Decoder) (jinja.Value, error) {
	dict := jinja.NewDict()
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return jinja.Value{}, err
		}
		value, err := orderedValue(d)
		if err != nil {
			return jinja.Value{}, err
		}
		dict.AsDict().Set(key.(string), value) // the decoder accepts no other key
	}
	_, err := d.Token() // the closing brace
	return dict, err
}

func orderedList(d *json.Decoder) (jinja.Value, error) {
	var items []jinja.Value
	for d.More() {
		value, err := orderedValue(d)
		if err != nil {
			return jinja.Value{}, err
		}
		items = append(items, value)
	}
	_, err := d.Token() // the closing bracket
	return jinja.NewList(items), err
}
