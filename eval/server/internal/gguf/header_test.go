package gguf

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"soup/merge/convert"
	"soup/merge/convert/picotest"
)

// converted is a checkpoint as a GGUF file.
func converted(t *testing.T, dir string) string {
	t.Helper()
	path, err := convert.Path(t.Context(), dir, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func mustRead(t *testing.T, path string) *Header {
	t.Helper()
	h, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const garden = "../../../../examples/garden/finetune/"

func TestRead(t *testing.T) {
	h := mustRead(t, converted(t, garden+"arith"))
	if h.Architecture != "llama" || h.Context != 512 || h.EOS != "<|end|>" || h.Prefixed || !strings.Contains(h.ChatTemplate, "<|user|>") {
		t.Errorf("%+v", *h)
	}
	for _, text := range []string{"A", "<|user|>", " g"} {
		if !h.HasToken(text) {
			t.Errorf("no token %q", text)
		}
	}
	for _, text := range []string{"\u0120g", "31", ""} {
		if h.HasToken(text) {
			t.Errorf("a token %q", text)
		}
	}
}

// SentencePiece writes blanks in a way of its own, and may put one in front.
func TestReadSentencePiece(t *testing.T) {
	for name, prefixed := range map[string]bool{"mistral": true, "gemma2": false} {
		h := mustRead(t, converted(t, picotest.Dir(t, name)))
		if h.Prefixed != prefixed || !h.HasToken(" the") || h.HasToken("\u2581the") || h.BOS == "" {
			t.Errorf("%s: prefixed %t, BOS %q", name, h.Prefixed, h.BOS)
		}
	}
}

func TestFits(t *testing.T) {
	path := converted(t, garden+"arith")
	h := mustRead(t, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := func(change func([]byte) []byte) string {
		file := filepath.Join(t.TempDir(), "other.gguf")
		if err := os.WriteFile(file, change(append([]byte(nil), data...)), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, c := range map[string]struct {
		path string
		want bool
	}{
		"itself":         {path, true},
		"other weights":  {converted(t, garden+"order"), true},
		"other metadata": {other(func(b []byte) []byte { b[len(h.raw)-1]++; return b }), false},
		"longer":         {other(func(b []byte) []byte { return append(b, 0) }), false},
		"shorter":        {other(func(b []byte) []byte { return b[:10] }), false},
	} {
		if got, err := h.Fits(c.path); err != nil || got != c.want {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	if _, err := h.Fits(filepath.Join(t.TempDir(), "none.gguf")); err == nil {
		t.Error("a file that is not there")
	}
}

func TestReadRefuses(t *testing.T) {
	data, err := os.ReadFile(converted(t, garden+"arith"))
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(data), "tokenizer.ggml.tokens") + len("tokenizer.ggml.tokens")
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"no GGUF":        {func([]byte) []byte { return []byte("<html>") }, "other.gguf"},
		"cut off":        {func(b []byte) []byte { return b[:5000] }, "other.gguf"},
		"tensors gone":   {func(b []byte) []byte { return b[:len(b)-100] }, "other.gguf"},
		"tokens, huge":   {func(b []byte) []byte { binary.LittleEndian.PutUint64(b[at+8:], 1<<60); return b }, "other.gguf"},
		"tokens, floats": {func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at+4:], 6); return b }, "other.gguf"},
		"one, too long":  {func(b []byte) []byte { binary.LittleEndian.PutUint64(b[at+16:], 1<<40); return b }, "other.gguf"},
		"no tokens":      {func(b []byte) []byte { b[at-1] = 'x'; return b }, "tokenizer.ggml.tokens: there is no such array"},
	} {
		file := filepath.Join(t.TempDir(), "other.gguf")
		if err := os.WriteFile(file, c.change(append([]byte(nil), data...)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(garden + "arith"); err == nil || !strings.Contains(err.Error(), "a directory; convert it to GGUF first") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.gguf")); err == nil {
		t.Error("a file that is not there")
	}
}
