package serve

import (
	"errors"
	"strings"
	"testing"

	"soup/internal/usage"
)

// What servers of Hugging Face directories do not take is a usage error.
func TestDirectoryServers(t *testing.T) {
	t.Setenv("SOUP_TEST_KEY", "secret")
	const url = "http://127.0.0.1:8000"
	for name, c := range map[string]struct {
		o    Options
		says string
	}{
		"vllm, url":            {Options{Kind: "vllm", URL: url, Key: "SOUP_TEST_KEY"}, ""},
		"vllm, start":          {Options{Kind: "vllm", Start: true, Args: []string{"--dtype", "float32"}}, ""},
		"vllm, neither":        {Options{Kind: "vllm"}, "either url or start"},
		"vllm, both":           {Options{Kind: "vllm", URL: url, Start: true}, "either url or start"},
		"vllm, args":           {Options{Kind: "vllm", URL: url, Args: []string{"-v"}}, "go with start"},
		"vllm, swap":           {Options{Kind: "vllm", URL: url, Swap: []string{"true"}}, "swap"},
		"vllm, threads":        {Options{Kind: "vllm", URL: url, Threads: 2}, "threads"},
		"vllm, key that lacks": {Options{Kind: "vllm", URL: url, Key: "SOUP_TEST_NO_KEY"}, "SOUP_TEST_NO_KEY is not set"},
		"sglang":               {Options{Kind: "sglang", URL: url}, ""},
		"sglang, start":        {Options{Kind: "sglang", Start: true}, "url"},
	} {
		err := c.o.Validate()
		var mistake *usage.Error
		if c.says == "" && err != nil || c.says != "" && (!errors.As(err, &mistake) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", name, err)
		}
		if c.o.Format() != Directory {
			t.Errorf("%s: format %d", name, c.o.Format())
		}
		if s, err := Open(t.Context(), c.o); (err == nil) != (c.says == "") {
			t.Errorf("%s: open: %v", name, err)
		} else if err == nil {
			_ = s.Close()
		}
	}
}
