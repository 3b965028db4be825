package eval

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Model says which weights a server is to run.
type Model struct {
	Path   string // what the server loads: a GGUF file or a Hugging Face directory
	Digest string // identity of the weights; equal digests promise equal weights
}

// Version is what a server says it has loaded. Two loads of equal weights give
// equal versions, loads of different weights give different ones.
type Version string

// Message is one turn of a conversation. Role is "system", "user" or "assistant".
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Request asks for the greedy continuation of a prompt.
type Request struct {
	Messages  []Message // the conversation; rendered through the model's own chat template
	Raw       string    // if not empty: the prompt itself, no template, and Messages is ignored
	MaxTokens int       // most tokens to generate; 0 means 32
	Stop      []string  // texts that end the answer; they are not part of it
	// Tools are function descriptions offered to the model through its template: a
	// JSON list in the form of the OpenAI API. A server that cannot offer them
	// answers with ErrNoTools.
	Tools json.RawMessage
}

// Finish says why an answer ended.
type Finish string

// The ways an answer ends.
const (
	FinishStop   Finish = "stop"   // the model ended it, or a stop text did
	FinishLength Finish = "length" // MaxTokens or the context was used up: the answer is truncated
	FinishError  Finish = "error"  // the server failed; there is no answer
)

// Reply is the answer to one Request.
type Reply struct {
	Text    string
	Finish  Finish
	Calls   []Call // function calls that the server itself read from the answer, if Tools were offered
	Tokens  int    // tokens generated, the end token not counted
	Latency time.Duration
}

// Call is a function call, its arguments a JSON object with numbers as they
// were written.
type Call struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// scored is the answer that a metric sees: the text, or the calls that the server
// read from it, as a JSON list.
func (r Reply) scored() string {
	if len(r.Calls) == 0 {
		return r.Text
	}
	text, err := json.Marshal(r.Calls)
	if err != nil { // arguments that are no JSON
		return r.Text
	}
	return string(text)
}

// Server runs one model at a time. Implementations live in eval/server, one
// folder each, and pass eval/server/servertest.
//
// Every answer is decoded greedily: the token of the highest logit, the lowest
// token id where two are equal.
type Server interface {
	// Load makes the server answer with m's weights and returns only when the
	// next request is answered by them.
	Load(ctx context.Context, m Model) (Version, error)
	// Generate answers one request.
	Generate(ctx context.Context, r Request) (Reply, error)
	// Health returns nil while the server can answer.
	Health(ctx context.Context) error
	// Close frees what the server holds. It is safe to call twice.
	Close() error
}

// LabelScorer is a Server that can tell how likely each label is as the first
// thing the model says. Scores are log-probabilities (natural logarithm) of
// the label's first token after the prompt, in the order of labels.
type LabelScorer interface {
	ScoreLabels(ctx context.Context, r Request, labels []string) ([]float64, error)
}

// ReferenceScorer is a Server that can tell how likely a given answer is: the
// mean log-probability (natural logarithm) of its tokens and the end token.
type ReferenceScorer interface {
	ScoreReference(ctx context.Context, r Request, reference string) (float64, error)
}

// ContinuationScorer is a Server that can tell how likely each text is after a
// prompt, all of its tokens together: what accuracy on the log-likelihood of
// whole choices needs. Results come in the order of the continuations.
type ContinuationScorer interface {
	ScoreContinuations(ctx context.Context, r Request, continuations []string) ([]Continuation, error)
}

// Continuation is how likely a text is after a prompt. The end token does not
// count.
type Continuation struct {
	LogProb float64 // sum of the log-probabilities (natural logarithm) of its tokens
	Tokens  int     // how many they are
	Greedy  bool    // every token is the likeliest one at its place
}

// Renderer is a Server that shows the text that the model reads for a request:
// the conversation as the model's template writes it.
type Renderer interface {
	Render(ctx context.Context, r Request) (string, error)
}

// Checker is a Server that can tell before a study whether it will be able to
// ask a question of the model that is loaded: nil, or why not.
type Checker interface {
	Check(q Question) error
}

// Reloader is a Server that can load from scratch, whatever it does to exchange
// weights faster. Version and error are as Load's.
type Reloader interface {
	Reload(ctx context.Context, m Model) (Version, error)
}

// Describer is a Server that can say, to people, how it works here: how weights
// reach it, say. Nothing may depend on the texts.
type Describer interface {
	Describe(ctx context.Context) ([]Fact, error)
}

// Fact is one line that a Describer says: "weights", "linked into the blobs".
type Fact struct{ Name, Text string }

// Scaler is a Server that holds LoRA adapters and can change how much of each is
// added to the model, without loading anything: a soup of adapters is a list of
// scales, which are its weights.
type Scaler interface {
	// Adapters names the adapters in the order of the scales.
	Adapters(ctx context.Context) ([]string, error)
	// Scale returns when the next request is answered with these scales. Equal
	// scales give equal versions, as Load does.
	Scale(ctx context.Context, scales []float64) (Version, error)
}

// Identifier is a Server that can say which program it is, as far as answers
// depend on it: "ollama 0.17.4", say. Neither address nor model belong to it: a study
// goes on with another server of the same identity.
type Identifier interface {
	Identity(ctx context.Context) (string, error)
}

// Verifier is a Server that can name the weights which it has now, without
// loading any: what it answers with must still be what Load named. A server that
// was started again by somebody else meanwhile has other weights, or none.
type Verifier interface {
	Verify(ctx context.Context) (Version, error)
}

// What errors of servers are told apart by.
var (
	// ErrNoModel says that nothing was loaded yet: the server may be well.
	ErrNoModel = errors.New("no model is loaded")
	// ErrNotNumbers says that the loaded weights give NaN: the model is broken,
	// the server is not.
	ErrNotNumbers = errors.New("the model's logits are not numbers")
	// ErrNoTools says that the server, or the model's template, takes no Tools.
	ErrNoTools = errors.New("no functions can be offered to the model here")
	// ErrNoContinuations says that the server cannot tell how likely a whole text
	// is.
	ErrNoContinuations = errors.New("this server cannot tell how likely a whole text is; ask for letters, or use a server that can, such as the embedded engine")
	// ErrNoScores says that the server shows no log-probabilities: labels must be
	// generated.
	ErrNoScores = errors.New("the server shows no log-probabilities")
	// ErrOutOfMemory says that the server has too little memory for the model or
	// the request.
	ErrOutOfMemory = errors.New("the server is out of memory")
	// ErrUnreachable says that nothing answers, or that what answers ends the
	// connection: the server is down, or on its way down or up.
	ErrUnreachable = errors.New("the server cannot be reached")
	// ErrServer says that the server failed at a request that was right (HTTP
	// status 5xx).
	ErrServer = errors.New("the server failed")
	// ErrReply says that the reply is none that the server's interface knows:
	// another program, or one that is broken, answers there.
	ErrReply = errors.New("not an answer of this kind of server")
)

// Question is everything asked about one item at once.
type Question struct {
	Request
	Labels    []string // if not empty: score these and do not generate
	Reference string   // if not empty: also the log-likelihood of this answer
	// Continuations, if not empty, are scored and nothing is generated.
	Continuations []string
}

// Answer is the reply to one Question.
type Answer struct {
	Reply
	Labels    []float64 // as ScoreLabels; nil if none were asked for or the server cannot
	Reference *float64  // as ScoreReference; nil likewise
	// Continuations are as of ScoreContinuations; nil likewise.
	Continuations []Continuation
	Err           error // why this question has no answer, if Finish is FinishError; the others have theirs

	turn int64 // when it ended among those of askEach, from 1; 0 for a Batcher's
}

// Batcher is a Server that answers many questions faster together than one by
// one. Answers come in the order of the questions. An answer depends on the
// weights and the questions of the call only, never on earlier calls, so that
// an interrupted run repeats exactly.
type Batcher interface {
	AnswerAll(ctx context.Context, questions []Question) ([]Answer, error)
}
