package servertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"soup/eval"
	"soup/eval/server/internal/canary"
	"soup/eval/server/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// miniServer is a server of two routes: /load takes a path, /say a prompt. What
// it says depends on both.
type miniServer struct {
	mu   sync.Mutex
	path string
}

type said struct {
	Text   *string `json:"text"`
	Finish string  `json:"finish"`
	Tokens []struct {
		Text    string             `json:"text"`
		LogProb *float64           `json:"logprob"`
		Top     map[string]float64 `json:"top"`
	} `json:"tokens"`
}

func newMini(*testing.T) http.Handler {
	s := &miniServer{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /load", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Path string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.path = in.Path
		fmt.Fprint(w, `{"status":"loaded"}`)
	})
	mux.HandleFunc("POST /say", s.say)
	return mux
}

func (s *miniServer) say(w http.ResponseWriter, r *http.Request) {
	var in struct{ Prompt string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	s.mu.Lock()
	defer s.mu.Unlock()
	seed := 0
	for _, c := range s.path + in.Prompt {
		seed = (seed*31 + int(c)) % 997
	}
	lp := -0.01 - float64(seed)/2000
	yes, no := math.Exp(lp), 1-math.Exp(lp)
	fmt.Fprintf(w, `{"text":"%d","finish":"stop","tokens":[{"text":"%d","logprob":%g,"top":{"%d":%g,"A":%g,"B":%g}}]}`,
		seed, seed, lp, seed, lp, math.Log(no*yes), math.Log(no*no))
}

// miniDriver drives it.
type miniDriver struct {
	client *wire.Client
	canary canary.Canary
	loaded bool
}

func newMiniDriver(t *testing.T, url string) eval.Server {
	c, err := wire.New("mini", wire.Options{URL: url, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return &miniDriver{client: c}
}

func (d *miniDriver) Load(ctx context.Context, m eval.Model) (eval.Version, error) {
	d.loaded = false
	var status struct{ Status string }
	if err := d.client.Post(ctx, "/load", map[string]string{"path": m.Path}, &status); err != nil {
		return "", err
	}
	got, err := d.ask(ctx, canary.Prompt)
	if err != nil {
		return "", err
	}
	var readings []canary.Reading
	for _, token := range got.Tokens {
		readings = append(readings, canary.Reading{Token: token.Text, LogProb: *token.LogProb})
	}
	version, err := d.canary.Version(readings)
	d.loaded = err == nil
	return version, err
}

func (d *miniDriver) ask(ctx context.Context, prompt string) (said, error) {
	var got said
	err := d.client.Retry(ctx, func(ctx context.Context) error {
		if err := d.client.Once(ctx, http.MethodPost, "/say", map[string]string{"prompt": prompt}, &got); err != nil {
			return err
		}
		if got.Text == nil || len(got.Tokens) == 0 || got.Finish != "stop" {
			return fmt.Errorf("mini: %w: no text", eval.ErrReply)
		}
		var tokens []wire.Token
		for _, token := range got.Tokens {
			if token.LogProb == nil {
				return fmt.Errorf("mini: %w: no log-probability", eval.ErrReply)
			}
			tokens = append(tokens, wire.Token{Text: token.Text, LogProb: *token.LogProb})
			for text, lp := range token.Top {
				tokens[len(tokens)-1].Top = append(tokens[len(tokens)-1].Top, wire.Choice{Text: text, LogProb: lp})
			}
		}
		return wire.CheckTokens(*got.Text, tokens)
	})
	return got, err
}

func (d *miniDriver) Generate(ctx context.Context, r eval.Request) (eval.Reply, error) {
	if !d.loaded {
		return eval.Reply{Finish: eval.FinishError}, errors.New("mini: no model is loaded")
	}
	got, err := d.ask(ctx, prompt(r))
	if err != nil {
		return eval.Reply{Finish: eval.FinishError}, err
	}
	return eval.Reply{Text: *got.Text, Finish: eval.Finish(got.Finish), Tokens: len(got.Tokens)}, nil
}

func (d *miniDriver) ScoreLabels(ctx context.Context, r eval.Request, labels []string) ([]float64, error) {
	got, err := d.ask(ctx, prompt(r))
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(labels))
	for i, l := range labels {
		lp, ok := got.Tokens[0].Top[strings.TrimSpace(l)]
		if !ok {
			return nil, fmt.Errorf("mini: %w: nothing about label %q", eval.ErrReply, l)
		}
		scores[i] = lp
	}
	return scores, nil
}

func (d *miniDriver) Health(context.Context) error { return nil }
func (d *miniDriver) Close() error                 { d.client.Close(); return nil }

var mini = Fake{
	New: newMiniDriver, Well: newMini, A: eval.Model{Path: "a"}, B: eval.Model{Path: "b"},
	Question: eval.Question{Request: eval.Request{Raw: "What is 2+2?", MaxTokens: 8}, Labels: []string{"A", "B"}},
	Asks:     func(r *http.Request) bool { return r.URL.Path == "/say" },
}

func TestHostile(t *testing.T) { Hostile(t, mini) }

func TestStale(t *testing.T) { Stale(t, mini) }

func TestBadConnection(t *testing.T) {
	var items []eval.Item
	for i := range 100 {
		items = append(items,
			eval.Item{ID: fmt.Sprint("sum-", i), Category: "sum", Metric: "exact", Prompt: fmt.Sprintf("%d+1", i), Answer: fmt.Sprint(i)},
			eval.Item{ID: fmt.Sprint("choice-", i), Category: "choice", Metric: "letter", Prompt: fmt.Sprintf("%d?", i), Answer: "A", Choices: []string{"x", "y"}})
	}
	BadConnection(t, mini, items)
}

func prompt(r eval.Request) string {
	if r.Raw != "" {
		return r.Raw
	}
	return fmt.Sprint(r.Messages)
}
