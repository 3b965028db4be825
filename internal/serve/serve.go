// Package serve opens the server that scores candidates: the engine in this
// process, one that soup starts, or one that runs already.
//
// Start with Options and Open. Each kind has a file here, which turns the
// options into those of its driver in eval/server.
package serve

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"soup/eval"
	"soup/internal/usage"
)

// Format is what a kind of server loads.
type Format int

// The formats.
const (
	GGUF      Format = iota // one GGUF file
	Directory               // a Hugging Face directory
)

// Options say which server, as the study file's key `server` does, with the
// fields' names in lower case.
type Options struct {
	Kind     string         // one of Kinds; "" is embedded
	URL      string         // of a server that runs
	Start    bool           // start one instead, and end it
	Program  string         // to start; default found in the PATH, see internal/launch
	Args     []string       // added to its command line
	Key      string         // environment variable with the key that is sent; "" sends none
	Model    string         // name that the server gives the model; default "soup"
	Template string         // of kind ollama: a model at the server whose template, parameters, renderer and parser are used
	Models   string         // of kind llamaserver: folder that a server in router mode reads (--models-dir)
	Swap     []string       // of kind openai: command that makes the server load the path it is given
	Takes    string         // of kind openai: what Swap is given, "safetensors" (default, a directory) or "gguf"
	Request  map[string]any // of kind openai: more keys of every request; nil values take one away
	Threads  int            // of the embedded engine, or of the llama-server that is started; 0 chooses
	Context  int            // tokens that prompt and answer may have; 0 is the driver's default
	Parallel int            // requests in flight; 0 finds the best number by a short ramp
	Timeout  time.Duration  // of one item; 0 is 5 minutes

	Folder string `yaml:"-"` // what the server leaves: its log, its models; of the study
	Cache  string `yaml:"-"` // where conversions are kept; "" keeps none
	Base   string `yaml:"-"` // checkpoint whose chat template the candidates have
}

// kind is one kind of server.
type kind struct {
	format Format
	check  func(Options) error // what is wrong with the options; a usage error without the file's name
	open   func(context.Context, Options) (eval.Server, error)
}

var kinds = map[string]kind{
	"embedded":    {GGUF, checkEmbedded, openEmbedded},
	"ollama":      {GGUF, checkOllama, openOllama},
	"openai":      {Directory, checkOpenAI, openOpenAI},
	"llamaserver": {GGUF, checkLlamaServer, openLlamaServer},
	"sglang":      {Directory, checkSGLang, openSGLang},
	"vllm":        {Directory, checkVLLM, openVLLM},
}

// Kinds returns the names of all kinds, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// named returns a kind; "" is embedded.
func named(name string) (kind, error) {
	if name == "" {
		name = "embedded"
	}
	k, ok := kinds[name]
	if !ok {
		return k, usage.Errorf("kind %q is none of %s", name, strings.Join(Kinds(), ", "))
	}
	return k, nil
}

// Validate says what is wrong with the options, without any server.
func (o Options) Validate() error {
	k, err := named(o.Kind)
	if err != nil {
		return err
	}
	if o.Context < 0 || o.Parallel < 0 || o.Timeout < 0 {
		return usage.Errorf("context, parallel and timeout cannot be negative")
	}
	switch {
	case o.Takes != "" && o.Kind != "openai":
		return usage.Errorf("takes goes with kind openai only")
	case !slices.Contains([]string{"", takesDirectory, takesGGUF}, o.Takes):
		return usage.Errorf("takes %q is neither %s nor %s", o.Takes, takesDirectory, takesGGUF)
	}
	return k.check(o)
}

// Format is what the server loads; Options must be valid.
func (o Options) Format() Format {
	k, _ := named(o.Kind)
	if o.Takes == takesGGUF {
		return GGUF
	}
	return k.format
}

// Decoding names the options that answers depend on.
func (o Options) Decoding() string {
	context := "the server's own"
	if o.Context > 0 {
		context = fmt.Sprint(o.Context)
	}
	return "context " + context + ", greedy"
}

// Open starts or finds the server. It has no model yet.
func Open(ctx context.Context, o Options) (eval.Server, error) {
	k, err := named(o.Kind)
	if err != nil {
		return nil, err
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s, err := k.open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return s, nil
}
