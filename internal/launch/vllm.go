package launch

import (
	"context"
	"path/filepath"
	"time"
)

// vllmWait is how long vLLM may take until it answers: it imports PyTorch,
// compiles and measures, 60 to 90 seconds for the smallest model on two cores.
const vllmWait = 15 * time.Minute

// VLLM starts `vllm serve` with a Hugging Face directory, in the development mode
// that lets its weights be exchanged: the program of o.Program, else of
// SOUP_VLLM, else "vllm" in the PATH. It calls the model "soup" and keeps from
// the network. The user's own VLLM_* variables are passed on, because they say
// what the machine needs, but not VLLM_API_KEY; o.Args says the rest, such as
// "--max-model-len". Default of o.Wait: 15 minutes.
func VLLM(ctx context.Context, model string, o Options) (*Process, error) {
	program, err := find(o.Program, "SOUP_VLLM", "vllm")
	if err != nil {
		return nil, err
	}
	if model, err = filepath.Abs(model); err != nil {
		return nil, err
	}
	if o.Wait <= 0 {
		o.Wait = vllmWait
	}
	return start(ctx, server{
		name: "vllm", program: program, health: "/health", hidden: "VLLM_API_KEY",
		command: func(port string) (args, env []string) {
			return []string{"serve", model, "--served-model-name", "soup", "--host", loopback, "--port", port}, []string{
				"VLLM_SERVER_DEV_MODE=1",
				"VLLM_NO_USAGE_STATS=1",
				"HF_HUB_OFFLINE=1",
			}
		},
	}, o)
}
