package launch

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// LlamaServer starts llama.cpp's llama-server with a GGUF file: the program of
// o.Program, else of SOUP_LLAMA_SERVER, else "llama-server" in the PATH. It
// answers when the model is loaded. Variables LLAMA_ARG_* of the user are not
// passed on; o.Args says the rest, such as "-c" for the context's size.
func LlamaServer(ctx context.Context, model string, o Options) (*Process, error) {
	program, err := find(o.Program, "SOUP_LLAMA_SERVER", "llama-server")
	if err != nil {
		return nil, err
	}
	if model, err = filepath.Abs(model); err != nil {
		return nil, err
	}
	return start(ctx, server{
		name: "llama-server", program: program, health: "/health", hidden: "LLAMA_ARG_",
		command: func(port string) (args, env []string) {
			return []string{"-m", model, "--host", loopback, "--port", port}, nil
		},
	}, o)
}

// LlamaServerVersion is what the program that LlamaServer would start says about
// its version, one line.
func LlamaServerVersion(ctx context.Context, o Options) (string, error) {
	program, err := find(o.Program, "SOUP_LLAMA_SERVER", "llama-server")
	if err != nil {
		return "", err
	}
	said, err := exec.CommandContext(ctx, program, "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", program, err)
	}
	for line := range strings.Lines(string(said)) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "version: "); ok {
			return version, nil
		}
	}
	return "", fmt.Errorf("%s --version names no version", program)
}
