// Package ollama scores candidates in an Ollama server (https://ollama.com), on
// this host or another.
//
// Start with New. Written against v0.17.4; what newer servers do without falls
// back to what all of them have.
//
// # How weights are exchanged
//
// A study has one model at the server, of one name. On the same host its blob is
// a link to the candidate's file under a digest that never changes: the model is
// unloaded, the link is replaced by another (by rename: what a runner reads is
// never truncated), and the model is loaded again. Nothing is copied and nothing
// hashed. Elsewhere the file is uploaded under its true digest, and the blob
// before it is deleted. Either way the model is made anew where the file's header
// is another one.
//
// # How conversations are rendered
//
// With the chat template of the GGUF file, by soup, and sent as raw text: Ollama
// knows its own templates only and finds one for a file by likeness, or none,
// without a word. With Options.Base all that a model of the server has is copied
// instead, and the server renders.
//
// # Caveats
//
// Ollama tells log-probabilities of the 20 likeliest first tokens only, and
// none of a given text: no likelihoods of references or of whole choices.
// See Server.ScoreLabels. It puts the token that begins a text before every
// prompt if the file says so, also where the chat template does not.
// An answer's last bits may depend on requests before it (the prompt cache) or
// beside it.
package ollama

import (
	"errors"
	"fmt"
	"time"

	"soup/eval"
)

// Options say which Ollama, and how. The zero value is the user's own.
type Options struct {
	URL     string        // default http://127.0.0.1:11434
	Key     string        // sent as bearer token; "" sends none
	Models  string        // the server's folder of models; default: looked for where the server is on this host
	Name    string        // of the model that candidates become; default "soup"
	Base    string        // a model at the server whose template, parameters, renderer and parser they get; "": the file's own template
	Context int           // tokens of prompt and answer together; default 4096, never more than the model's
	Seed    int           // of sampling, which at temperature 0 decides nothing
	Threads int           // of the runner; 0: the server chooses
	Timeout time.Duration // of one attempt to answer; default 10 minutes
	Pause   time.Duration // before the second attempt; default 100 ms, see package wire
	// Tolerance is how far, in nats, the canary of equal weights may be apart:
	// 0 where the runner repeats to the last bit, as it does on the CPU.
	Tolerance float64
}

const (
	defaultURL     = "http://127.0.0.1:11434"
	defaultName    = "soup"
	defaultContext = 4096
	defaultTokens  = 32               // eval.Request.MaxTokens of 0
	keepLoaded     = 30 * time.Minute // after a request; no longer, should soup be killed
	loadTimeout    = time.Hour        // of what moves a whole model
)

func (o *Options) fill() {
	if o.URL == "" {
		o.URL = defaultURL
	}
	if o.Name == "" {
		o.Name = defaultName
	}
	if o.Context <= 0 {
		o.Context = defaultContext
	}
}

var (
	errClosed  = errors.New("ollama: closed")
	errNoModel = fmt.Errorf("ollama: %w", eval.ErrNoModel)
)
