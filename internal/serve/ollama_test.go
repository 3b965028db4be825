package serve

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"soup/internal/usage"
)

func TestOllamaOptions(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, ""},
		{Options{URL: "http://127.0.0.1:11434", Model: "candidate", Template: "llama3.2", Threads: 2}, ""},
		{Options{Start: true, Program: "ollama", Args: []string{"--verbose"}}, ""},
		{Options{Start: true, URL: "http://127.0.0.1:11434"}, "url or start"},
		{Options{Program: "ollama"}, "start: true"},
		{Options{Args: []string{"serve"}}, "start: true"},
		{Options{Swap: []string{"true"}}, "swap does not go with kind ollama"},
		{Options{URL: "127.0.0.1:11434"}, "is not like http://"},
		{Options{Context: -1}, "cannot be negative"},
	} {
		c.o.Kind = "ollama"
		err := c.o.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c.o, err)
		}
		if err != nil && !errors.As(err, new(*usage.Error)) {
			t.Errorf("%+v: %v is no error of usage", c.o, err)
		}
	}
}

func TestOllamaKey(t *testing.T) {
	t.Setenv("SOUP_TEST_KEY", "secret")
	o := Options{Kind: "ollama", Key: "SOUP_TEST_KEY", Timeout: time.Second}
	if got := ollamaOptions(o); got.Key != "secret" || got.Timeout != time.Second {
		t.Errorf("%+v", got)
	}
}

func TestOllamaDoesNotStart(t *testing.T) {
	o := Options{Kind: "ollama", Start: true, Folder: t.TempDir(), Program: filepath.Join(t.TempDir(), "no-ollama")}
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "server: ollama: no such program at "+o.Program) {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(o.Folder); err != nil || len(entries) > 0 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
}
