// Package embedded runs a model inside this process: no server, no port, no
// other program. It drives the Go engine of github.com/ollama/ollama (ggml on
// the CPU) and needs cgo; without cgo, New says so.
//
// Start with New and Engine.AnswerAll. The engine reads GGUF files; Options say
// who writes one of a Hugging Face directory.
//
// # How a batch is answered
//
// The prompts and, where there is one, the reference answers are read in one
// pass (teacher forcing). That gives the log-likelihood of the reference and,
// wherever the model would have said it word for word, the greedy answer at no
// further cost. The others are decoded on from the first token that differs;
// plain greedy decoding gives the same text.
//
// # Caveats
//
// ggml's CPU backend exists once in a process: engines of one process take
// turns. Its threads spin while they wait, so more threads than idle cores make
// a token take a second. Float results depend on the weights and the questions
// of one AnswerAll call, never on earlier calls.
package embedded

import (
	"context"
	"fmt"
	"runtime"
)

// Options configure an Engine. The zero value works.
type Options struct {
	Threads int    // threads of a forward pass; default: one for models under 64 MiB, else one a core
	Cache   string // folder of converted checkpoints; default: converted anew at each Load
	// Convert writes a Hugging Face directory as a GGUF file into a folder, once
	// for each digest ("" is not looked up), and returns its path. Without it
	// only GGUF files are loaded.
	Convert func(ctx context.Context, dir, cache, digest string) (string, error)
}

// Validate refuses more threads than there are cores.
func (o Options) Validate() error {
	if n := runtime.NumCPU(); o.Threads < 0 || o.Threads > n {
		return fmt.Errorf("%d threads on %d cores: the engine's threads spin while they wait; use at most %d", o.Threads, n, n)
	}
	return nil
}
