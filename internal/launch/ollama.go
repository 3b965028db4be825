package launch

import (
	"context"
	"path/filepath"
)

// Ollama starts `ollama serve`: the program of o.Program, else of SOUP_OLLAMA,
// else "ollama" in the PATH. It keeps one model loaded, stores its models in
// o.Folder and never removes a blob by itself. Variables OLLAMA_* of the user
// are meant for their own server and not passed on; o.Env is.
func Ollama(ctx context.Context, o Options) (*Process, error) {
	program, err := find(o.Program, "SOUP_OLLAMA", "ollama")
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return nil, err
	}
	return start(ctx, server{
		name: "ollama", program: program, health: "/api/version", hidden: "OLLAMA_",
		command: func(port string) (args, env []string) {
			return []string{"serve"}, []string{
				"OLLAMA_HOST=" + loopback + ":" + port,
				"OLLAMA_MODELS=" + OllamaModels(folder),
				"OLLAMA_NOPRUNE=1",
				"OLLAMA_MAX_LOADED_MODELS=1",
				"OLLAMA_NO_CLOUD=1",
				"HOME=" + folder, // for the key pair that it makes
			}
		},
	}, o)
}

// OllamaModels is where an Ollama that was started in a folder stores models.
func OllamaModels(folder string) string { return filepath.Join(folder, "models") }
