package probe

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/eval"
	"soup/merge/convert/picotest"
)

// server gives the ids that it is told.
type server struct {
	eval.Server
	plain, special []int32
}

func (s server) Tokens(_ context.Context, _ string, special bool) ([]int32, error) {
	if special {
		return s.special, nil
	}
	return s.plain, nil
}

func TestTokens(t *testing.T) {
	golden, dir := picotest.Read(t, "llama").Probe, picotest.Dir(t, "llama")
	right := server{plain: golden.IDs, special: golden.WithSpecial}
	if note, err := Tokens(t.Context(), right, dir); err != nil || note != "" {
		t.Errorf("%q, %v", note, err)
	}
	for says, wrong := range map[string]server{
		"instead of": {plain: append([]int32{7}, golden.IDs[1:]...), special: golden.WithSpecial},
		"number 0":   {plain: golden.IDs, special: golden.IDs},
		"nothing":    {plain: golden.IDs[:9], special: golden.WithSpecial},
	} {
		_, err := Tokens(t.Context(), wrong, dir)
		hinted, ok := err.(interface{ Hint() string })
		if err == nil || !strings.Contains(err.Error(), says) || !ok || hinted.Hint() == "" {
			t.Errorf("error %v does not say %q, or has no hint", err, says)
		}
	}
}

func TestTokensThatCannotBeCompared(t *testing.T) {
	dir := picotest.Dir(t, "llama")
	picotest.Edit(t, dir, "tokenizer.json", func(c map[string]any) { c["normalizer"] = map[string]any{"type": "Lowercase"} })
	if note, err := Tokens(t.Context(), server{}, dir); err != nil || !strings.Contains(note, "normalizer: step Lowercase") {
		t.Errorf("%q, %v", note, err)
	}
	picotest.Edit(t, dir, "tokenizer.json", func(c map[string]any) {
		c["normalizer"] = nil
		c["added_tokens"].([]any)[0].(map[string]any)["content"], c["added_tokens"].([]any)[0].(map[string]any)["rstrip"] = "World", true
	})
	if note, err := Tokens(t.Context(), server{}, dir); err != nil || !strings.Contains(note, `added token "World"`) {
		t.Errorf("%q, %v", note, err)
	}
	if err := os.Remove(filepath.Join(dir, "tokenizer.json")); err != nil {
		t.Fatal(err)
	}
	if note, err := Tokens(t.Context(), server{}, dir); err != nil || !strings.Contains(note, "no tokenizer.json") {
		t.Errorf("%q, %v", note, err)
	}
	if note, err := Tokens(t.Context(), server{}, filepath.Join(dir, "config.json")); err != nil || note != "" {
		t.Errorf("a file: %q, %v", note, err)
	}
	if _, err := Tokens(t.Context(), server{}, dir+"/none"); err == nil {
		t.Error("a path that is not there is no error")
	}
}
