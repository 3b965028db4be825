package serve

import (
	"context"
	"errors"
	"strings"
	"testing"

	"soup/eval"
	"soup/internal/usage"
)

// withKind adds a kind for the time of a test.
func withKind(t *testing.T, name string, k kind) {
	t.Helper()
	was, had := kinds[name]
	kinds[name] = k
	t.Cleanup(func() {
		delete(kinds, name)
		if had {
			kinds[name] = was
		}
	})
}

var anyOptions = func(Options) error { return nil }

func TestValidate(t *testing.T) {
	withKind(t, "openai", kind{Directory, anyOptions, nil})
	for says, o := range map[string]Options{
		`kind "abacus" is none of embedded`:          {Kind: "abacus"},
		"cannot be negative":                         {Context: -1},
		"url does not go with kind embedded":         {URL: "http://127.0.0.1:1"},
		"takes goes with kind openai only":           {Takes: "gguf"},
		`takes "onnx" is neither safetensors nor gg`: {Kind: "openai", Takes: "onnx"},
	} {
		err := o.Validate()
		var wrong *usage.Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", o, err, says)
		}
	}
	for _, o := range []Options{{}, {Kind: "embedded"}, {Kind: "openai", Takes: "gguf"}} {
		if err := o.Validate(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestFormat(t *testing.T) {
	withKind(t, "openai", kind{Directory, anyOptions, nil})
	for _, c := range []struct {
		o    Options
		want Format
	}{{Options{}, GGUF}, {Options{Kind: "openai"}, Directory}, {Options{Kind: "openai", Takes: "gguf"}, GGUF}} {
		if got := c.o.Format(); got != c.want {
			t.Errorf("%+v takes format %d", c.o, got)
		}
	}
}

func TestOpen(t *testing.T) {
	withKind(t, "gone", kind{GGUF, anyOptions, func(context.Context, Options) (eval.Server, error) { return nil, eval.ErrUnreachable }})
	if _, err := Open(t.Context(), Options{Kind: "gone"}); !errors.Is(err, eval.ErrUnreachable) || !strings.HasPrefix(err.Error(), "server: ") {
		t.Errorf("%v", err)
	}
	if _, err := Open(t.Context(), Options{Kind: "abacus"}); err == nil {
		t.Error("an unknown kind is opened")
	}
	if _, err := Open(t.Context(), Options{Threads: -1}); err == nil {
		t.Error("wrong options are opened")
	}
}
