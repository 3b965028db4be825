package adapter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzConfig: an adapter_config.json is read or refused in one line; what is
// read gives every module a rank and an alpha, and findings of one line.
func FuzzConfig(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*/adapter_config.json")
	if err != nil || len(seeds) < 4 {
		f.Fatalf("seeds: %v, %v", seeds, err)
	}
	for _, path := range seeds {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{`{"rank_pattern":{"a":1,"a":2,"(":3}}`, `{"alpha_pattern":{"x":"1"}}`, `{"r":1e400}`, `{"use_dora":[[]],"init_lora_weights":"PiSSA"}`, `null`, `[]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text)
		if err != nil {
			if s := err.Error(); strings.Contains(s, "\n") {
				t.Errorf("error %q", s)
			}
			return
		}
		a := &Adapter{dir: "d", config: c, index: map[string]int{}}
		a.inspectConfig()
		for _, module := range []string{"lm_head", "model.layers.0.self_attn.q_proj"} {
			_, _ = c.ranks.of(module, 1), c.alphas.of(module, 1)
		}
		for _, finding := range a.found {
			if finding.Message == "" || strings.Contains(finding.Message+finding.Remedy, "\n") {
				t.Errorf("finding %+q", finding)
			}
		}
	})
}
