package launch

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestVLLM(t *testing.T) {
	t.Setenv("VLLM_API_KEY", "of the user's own server")
	t.Setenv("VLLM_CPU_KVCACHE_SPACE", "1")
	o := options(t, "well")
	o.Args = []string{"--max-model-len", "512"}
	p, err := VLLM(t.Context(), "some", o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	model, err := filepath.Abs("some")
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Split(get(t, p.URL+"/args"), "\n")
	if !slices.Equal(args[:5], []string{"serve", model, "--served-model-name", "soup", "--host"}) || !slices.Equal(args[len(args)-2:], o.Args) {
		t.Errorf("arguments %q", args)
	}
	env := strings.Split(get(t, p.URL+"/env"), "\n")
	for _, want := range []string{"VLLM_SERVER_DEV_MODE=1", "VLLM_NO_USAGE_STATS=1", "HF_HUB_OFFLINE=1", "VLLM_CPU_KVCACHE_SPACE=1"} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s in its environment", want)
		}
	}
	if strings.Contains(strings.Join(env, " "), "VLLM_API_KEY") {
		t.Error("it was told the key of the user's own server")
	}
	mustEnd(t, p)
}
