package serve

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"soup/eval"
	"soup/eval/server/openai"
	"soup/internal/launch"
	"soup/internal/usage"
)

// What Options.Takes may be.
const (
	takesDirectory = "safetensors"
	takesGGUF      = "gguf"
)

func checkOpenAI(o Options) error {
	switch {
	case o.Start:
		return usage.Errorf("kind openai cannot start a server: give its url, and a command that swaps models (swap)")
	case o.URL == "":
		return usage.Errorf("kind openai needs a url, such as http://127.0.0.1:8080/v1")
	case o.Program != "" || len(o.Args) > 0 || o.Threads != 0 || o.Context != 0 || o.Models != "":
		return usage.Errorf("program, args, threads, context and models do not go with kind openai")
	case len(o.Swap) > 0 && o.Swap[0] == "":
		return usage.Errorf("swap names no program")
	}
	return nil
}

func openOpenAI(_ context.Context, o Options) (eval.Server, error) {
	key, err := o.key()
	if err != nil {
		return nil, err
	}
	options := openai.Options{URL: o.URL, Key: key, Model: o.Model, Request: o.Request, Timeout: o.Timeout}
	if len(o.Swap) > 0 {
		options.Swap = o.swap
	}
	return openai.New(options)
}

// key is what the environment variable of Options.Key holds.
func (o Options) key() (string, error) {
	key := os.Getenv(o.Key)
	if o.Key != "" && key == "" {
		return "", errors.New("key: the environment variable " + o.Key + " is empty")
	}
	return key, nil
}

// swap runs the user's command with a candidate's path as its last argument and
// in SOUP_MODEL: for `sh -c`, that argument is $0.
func (o Options) swap(ctx context.Context, path string) error {
	folder := o.Folder
	if folder == "" {
		folder = os.TempDir()
	}
	c := launch.Command{
		Name: "swap", Args: append(slices.Clone(o.Swap), path), Env: []string{"SOUP_MODEL=" + path},
		Log: filepath.Join(folder, "swap.log"),
	}
	return c.Run(ctx)
}
