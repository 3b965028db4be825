package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ardanlabs/jinja"

	"soup/eval"
)

// renderer is a server that tells what the model is given to read.
type renderer interface {
	Render(ctx context.Context, r eval.Request) (string, error)
}

// template compares what the model is given to read with the checkpoint's own
// template, as transformers' apply_chat_template renders it.
func (t *trial) template(ctx context.Context) error {
	const name = "template"
	if !isDirectory(t.options.Model) {
		t.note(name, Warn, "the model is a GGUF file: rendering was not compared; give the Hugging Face directory", nil)
		return nil
	}
	want, bos, err := rendered(t.options.Model, conversation)
	if err != nil {
		t.note(name, Warn, "not compared: "+oneLine(err), nil)
		return nil
	}
	if r, ok := t.server.(renderer); ok {
		got, err := r.Render(ctx, eval.Request{Messages: conversation})
		switch {
		case err != nil:
			t.note(name, Fail, oneLine(err), nil)
		case strings.TrimPrefix(got, bos) != strings.TrimPrefix(want, bos):
			t.note(name, Fail, fmt.Sprintf("a conversation is rendered as %q, the checkpoint's template says %q", got, want), nil)
		default:
			t.note(name, OK, "a conversation is rendered as the checkpoint's template says", nil)
		}
		return nil
	}
	t.sameAnswers(ctx, want, bos)
	return nil
}

// sameAnswers asks a conversation and the same as raw text. Some servers put
// the token that begins a text before raw text, others do not.
func (t *trial) sameAnswers(ctx context.Context, want, bos string) {
	const name = "template"
	chat, err := t.say(ctx, eval.Request{Messages: conversation})
	if err != nil {
		t.note(name, Fail, "a conversation: "+oneLine(err), nil)
		return
	}
	for _, raw := range []string{want, strings.TrimPrefix(want, bos), bos + want} {
		text, err := t.say(ctx, eval.Request{Raw: raw})
		if err == nil && text.near(chat, closeEnough) {
			t.note(name, OK, "a conversation is answered as its text is, rendered with the checkpoint's template", nil)
			return
		}
	}
	t.note(name, Fail, fmt.Sprintf("a conversation is answered otherwise than %q, which the checkpoint's template makes of it: the server uses another template", want), nil)
}

// conversation is what every template can render.
var conversation = []eval.Message{{Role: "user", Content: "What is the capital of France?"}}

// rendered is a conversation in the form of the checkpoint's template, and the
// text of the token that begins a text.
func rendered(dir string, messages []eval.Message) (text, bos string, err error) {
	source, bos, eos, err := templateOf(dir)
	if err != nil {
		return "", "", err
	}
	compiled, err := jinja.Compile(source)
	if err != nil {
		return "", "", fmt.Errorf("chat template: %w", err)
	}
	list := make([]any, len(messages))
	for i, m := range messages {
		list[i] = map[string]any{"role": m.Role, "content": m.Content}
	}
	text, err = compiled.Render(map[string]any{"messages": list, "add_generation_prompt": true, "bos_token": bos, "eos_token": eos})
	if err != nil {
		return "", "", fmt.Errorf("chat template: %w", err)
	}
	return text, bos, nil
}

// templateOf reads the template from where transformers keeps it:
// chat_template.jinja, else tokenizer_config.json, as a text or as a list of
// which "default" counts.
func templateOf(dir string) (source, bos, eos string, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, "tokenizer_config.json"))
	if err != nil {
		return "", "", "", err
	}
	var config struct {
		Template json.RawMessage `json:"chat_template"`
		BOS      json.RawMessage `json:"bos_token"`
		EOS      json.RawMessage `json:"eos_token"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return "", "", "", fmt.Errorf("%s/tokenizer_config.json: %w", dir, err)
	}
	source = templateText(config.Template)
	if file, err := os.ReadFile(filepath.Join(dir, "chat_template.jinja")); err == nil {
		source = string(file)
	}
	if source == "" {
		return "", "", "", errors.New("the checkpoint has no chat template")
	}
	return source, tokenText(config.BOS), tokenText(config.EOS), nil
}

func templateText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var list []struct{ Name, Template string }
	_ = json.Unmarshal(raw, &list) // neither form is none
	for _, t := range list {
		if t.Name == "default" {
			return t.Template
		}
	}
	return ""
}

// tokenText reads a token in either of its forms: a text, or {"content": text}.
func tokenText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var token struct{ Content string }
	_ = json.Unmarshal(raw, &token) // null is none
	return token.Content
}
