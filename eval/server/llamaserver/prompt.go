package llamaserver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"soup/eval"
	"soup/eval/server/internal/template"
	"soup/eval/server/internal/wire"
)

// properties are what the server says of a model.
type properties struct {
	Template string `json:"chat_template"`
	BOS      string `json:"bos_token"`
	EOS      string `json:"eos_token"`
	Slots    int    `json:"total_slots"`
	Build    string `json:"build_info"`
	Settings struct {
		Context int `json:"n_ctx"`
	} `json:"default_generation_settings"`
}

// learn asks the server what requests need to know about the model.
func (s *Server) learn(ctx context.Context, now *session, gguf string) error {
	path := "/props"
	if now.model != "" {
		path += "?model=" + url.QueryEscape(now.model)
	}
	same := func(a, b properties) bool { return a == b }
	props, err := wire.Agreed(same, func() (p properties, err error) {
		err = now.client.Get(ctx, path, &p)
		return p, err
	})
	if err != nil {
		return err
	}
	now.slots, now.build, now.context = props.Slots, props.Build, props.Settings.Context
	source := props.Template
	if s.options.ChatTemplate != nil {
		if source, err = s.options.ChatTemplate(gguf); err != nil {
			return err
		}
	}
	if now.template, err = template.New(source, props.BOS, props.EOS); err != nil {
		return err
	}
	return now.learnSpecials(ctx, props.BOS)
}

// learnSpecials finds out what the tokenizer puts before and after a text.
func (n *session) learnSpecials(ctx context.Context, bos string) error {
	const text = "a"
	bare, err := n.tokens(ctx, text, false)
	if err != nil {
		return err
	}
	dressed, err := n.tokens(ctx, text, true)
	if err != nil {
		return err
	}
	n.plain = slices.Equal(bare, dressed)
	if n.plain || bos == "" {
		return nil
	}
	first, err := n.tokens(ctx, bos, false)
	if err != nil {
		return err
	}
	if slices.Equal(dressed, append(slices.Clone(first), bare...)) {
		n.plain, n.bos = true, bos
	}
	return nil
}

// prompt is what is sent for r: text where the server makes the right tokens of
// it, else their ids. It dresses every text as the tokenizer says; a conversation
// has in its template all that it needs, as transformers' apply_chat_template
// has it.
func (n *session) prompt(ctx context.Context, r eval.Request) (any, error) {
	text, err := n.template.Render(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	if text == "" {
		return nil, errors.New(kind + ": empty prompt")
	}
	rest, begun := strings.CutPrefix(text, n.bos)
	switch {
	case r.Raw != "" || n.plain && n.bos == "":
		return text, nil
	case n.plain && begun && rest != "":
		return rest, nil
	}
	return n.tokens(ctx, text, false)
}

// promptTokens are the ids that the server reads for r.
func (n *session) promptTokens(ctx context.Context, r eval.Request) ([]int32, error) {
	text, err := n.template.Render(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	ids, err := n.tokens(ctx, text, r.Raw != "")
	if err == nil && len(ids) == 0 {
		err = errors.New(kind + ": empty prompt")
	}
	return ids, err
}

// tokens returns the ids of a text, which are asked for until two replies agree,
// and kept.
func (n *session) tokens(ctx context.Context, text string, special bool) ([]int32, error) {
	type key struct {
		text    string
		special bool
	}
	if ids, ok := n.encoded.Load(key{text, special}); ok {
		return slices.Clone(ids.([]int32)), nil
	}
	ids, err := wire.Agreed(slices.Equal, func() ([]int32, error) { return n.tokenize(ctx, text, special) })
	if err != nil {
		return nil, err
	}
	n.encoded.Store(key{text, special}, ids)
	return slices.Clone(ids), nil
}

// tokenize asks for them once.
func (n *session) tokenize(ctx context.Context, text string, special bool) ([]int32, error) {
	var reply struct {
		Tokens []int32 `json:"tokens"`
	}
	check := func() error {
		if reply.Tokens == nil || slices.ContainsFunc(reply.Tokens, func(id int32) bool { return id < 0 }) {
			return fmt.Errorf("%w: no tokens", eval.ErrReply)
		}
		return nil
	}
	request := map[string]any{"content": text, "add_special": special, "parse_special": true}
	err := n.post(ctx, "/tokenize", request, &reply, check)
	return reply.Tokens, err
}

// Tokens implements eval.TokenLister.
func (s *Server) Tokens(ctx context.Context, text string, special bool) ([]int32, error) {
	now, err := s.session()
	if err != nil {
		return nil, err
	}
	return now.tokens(ctx, text, special)
}

// firstTokens are the tokens that labels begin with, which must differ.
func (n *session) firstTokens(ctx context.Context, labels []string) (first []int32, err error) {
	for _, label := range labels {
		ids, err := n.tokens(ctx, label, false)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 || slices.Contains(first, ids[0]) {
			return nil, fmt.Errorf("%s: label %q has no first token of its own", kind, label)
		}
		first = append(first, ids[0])
	}
	return first, nil
}
