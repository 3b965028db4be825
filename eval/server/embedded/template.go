//go:build cgo

package embedded

import (
	"errors"
	"fmt"
	"maps"

	"github.com/ardanlabs/jinja"

	"soup/eval"
)

// chatTemplate renders a conversation with the template that the model was
// trained with, in the dialect of Hugging Face's apply_chat_template.
type chatTemplate struct {
	compiled *jinja.Template
	special  map[string]any
}

var errNoTemplate = errors.New("the tokenizer has no chat template; send raw prompts")

func newChatTemplate(source string, special map[string]any) (chatTemplate, error) {
	if source == "" {
		return chatTemplate{}, nil
	}
	t, err := jinja.Compile(source)
	if err != nil {
		return chatTemplate{}, fmt.Errorf("chat template: %w", err)
	}
	return chatTemplate{compiled: t, special: special}, nil
}

func (t chatTemplate) render(messages []eval.Message) (string, error) {
	if t.compiled == nil {
		return "", errNoTemplate
	}
	list := make([]any, len(messages))
	for i, m := range messages {
		list[i] = map[string]any{"role": m.Role, "content": m.Content}
	}
	values := maps.Clone(t.special)
	values["messages"] = list
	values["add_generation_prompt"] = true
	text, err := t.compiled.Render(values)
	if err != nil {
		return "", fmt.Errorf("chat template: %w", err)
	}
	return text, nil
}
