package ollama

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ollama/ollama/api"

	"soup/eval"
	"soup/eval/server/internal/gguf"
	"soup/eval/server/internal/template"
	"soup/eval/server/internal/wire"
)

// mark stands in the license of models that soup makes, so that it removes no
// other.
const mark = "made by soup for one study; it goes when the study ends"

var no = false // of options whose default is true

// notFound says that the server knows no such model or blob.
func notFound(err error) bool {
	var r *wire.Refusal
	return errors.As(err, &r) && r.Code == http.StatusNotFound
}

// show describes a model; nil if there is none of this name.
func (s *Server) show(ctx context.Context, name string) (*api.ShowResponse, error) {
	var there api.ShowResponse
	err := s.control.Post(ctx, "/api/show", &api.ShowRequest{Model: name}, &there)
	if notFound(err) {
		return nil, nil
	}
	return &there, err
}

// create makes the model of the blob with a digest.
func (s *Server) create(ctx context.Context, digest string, h *gguf.Header) error {
	request := &api.CreateRequest{
		Model: s.options.Name, Stream: &no, License: mark, Template: "{{ .Prompt }}",
		Files: map[string]string{"candidate.gguf": digest},
	}
	if s.base != nil {
		s.base.give(request)
	}
	var status api.ProgressResponse
	if err := s.control.Post(ctx, "/api/create", request, &status); err != nil {
		return err
	}
	if status.Status != "success" {
		return fmt.Errorf("ollama at %s: %w: the model's creation ended with %q", s.options.URL, eval.ErrReply, status.Status)
	}
	s.digest = digest
	return s.learn(ctx, h)
}

// learn asks what became of the model, and takes the file's template.
func (s *Server) learn(ctx context.Context, h *gguf.Header) error {
	there, err := s.show(ctx, s.options.Name)
	if err != nil {
		return err
	}
	if there == nil {
		return fmt.Errorf("ollama at %s: %w: the model it made is not there", s.options.URL, eval.ErrReply)
	}
	if s.base != nil {
		if err := s.base.check(there); err != nil {
			return err
		}
	}
	s.thinks, s.tools = false, false
	for _, c := range there.Capabilities {
		s.thinks = s.thinks || c == "thinking"
		s.tools = s.tools || c == "tools"
	}
	if s.template, err = template.New(h.ChatTemplate, h.BOS, h.EOS); err != nil {
		return err
	}
	s.made, s.probed = h, false
	s.first = map[string]string{}
	return nil
}

// unload ends the runner of the model and returns when it has gone: a model that
// is made anew under its runner leaves that behind, and nobody ends it.
func (s *Server) unload(ctx context.Context) error {
	request := &api.GenerateRequest{Model: s.options.Name, Stream: &no, KeepAlive: &api.Duration{}}
	err := s.control.Post(ctx, "/api/generate", request, nil)
	if notFound(err) {
		s.digest = ""
		return nil
	}
	if err != nil {
		return err
	}
	const longest = 30 * time.Second
	deadline := time.Now().Add(longest)
	for wait := 2 * time.Millisecond; ; wait = min(wait*3/2, 20*time.Millisecond) {
		running, err := s.running(ctx)
		if err != nil || !running {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("ollama at %s: %w: the model is not unloaded after %s", s.options.URL, eval.ErrServer, longest)
		}
		select {
		case <-ctx.Done():
			return s.control.Explain(ctx, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// running says whether a runner has the model.
func (s *Server) running(ctx context.Context) (bool, error) {
	var list api.ProcessResponse
	if err := s.control.Get(ctx, "/api/ps", &list); err != nil {
		return false, err
	}
	for _, m := range list.Models {
		if m.Name == s.options.Name || m.Model == s.options.Name {
			return true, nil
		}
	}
	return false, nil
}

// remove unloads and deletes the model with its blobs.
func (s *Server) remove(ctx context.Context) error {
	if err := s.unload(ctx); err != nil {
		return err
	}
	err := s.control.Retry(ctx, func(ctx context.Context) error {
		return s.control.Once(ctx, http.MethodDelete, "/api/delete", &api.DeleteRequest{Model: s.options.Name}, nil)
	})
	if err != nil && !notFound(err) {
		return err
	}
	s.digest = ""
	return nil
}

// load starts the runner.
func (s *Server) load(ctx context.Context) error {
	request := s.request("", 0)
	return failingTwice(ctx, s.control, func(ctx context.Context) error {
		var reply api.GenerateResponse
		err := s.control.Once(ctx, http.MethodPost, "/api/generate", request, &reply)
		if err == nil && !reply.Done {
			err = fmt.Errorf("ollama at %s: %w: it does not say that the model is loaded", s.options.URL, eval.ErrReply)
		}
		return err
	})
}

// failingTwice retries what the server will fail at again if it does so twice:
// each try may cost it a runner.
func failingTwice(ctx context.Context, c *wire.Client, try func(context.Context) error) error {
	var failed error
	failures := 0
	err := c.Retry(ctx, func(ctx context.Context) error {
		err := try(ctx)
		if errors.Is(err, eval.ErrServer) {
			if failures++; failures == 2 {
				failed = err
				return nil
			}
		}
		return err
	})
	return errors.Join(err, failed)
}

// base is what a model at the server has besides its weights.
type base struct {
	name       string
	model      *api.ShowResponse
	parameters map[string]any
	rendered   string // the probe, as the server renders it for that model; "" if it does not tell
}

// readBase reads Options.Base. Its rendering is asked for while no candidate is
// loaded, because the server loads a model for that.
func (s *Server) readBase(ctx context.Context) (*base, error) {
	name := s.options.Base
	there, err := s.show(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case there == nil:
		return nil, fmt.Errorf("ollama at %s: there is no model %s to take the template from", s.options.URL, name)
	case there.RemoteHost != "":
		return nil, fmt.Errorf("ollama at %s: model %s runs elsewhere (%s)", s.options.URL, name, there.RemoteHost)
	}
	b := &base{name: name, model: there, parameters: readParameters(there.Parameters)}
	b.rendered, err = s.renderedBy(ctx, name, &api.Duration{})
	return b, err
}

// readParameters reads lines of a name and a value each; a name that comes again
// is a list's. Values are JSON, or text as it is.
func readParameters(text string) map[string]any {
	parameters := map[string]any{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" {
			continue
		}
		rest = strings.TrimSpace(rest)
		var value any
		if json.Unmarshal([]byte(rest), &value) != nil {
			value = rest
		}
		if name == "stop" {
			list, _ := parameters[name].([]any)
			list = append(list, fmt.Sprint(value))
			value = list
		}
		parameters[name] = value
	}
	return parameters
}

// stops are the texts that end an answer of the base.
func (b *base) stops() []string {
	if b == nil {
		return nil
	}
	var texts []string
	list, _ := b.parameters["stop"].([]any)
	for _, v := range list {
		texts = append(texts, fmt.Sprint(v))
	}
	return texts
}

func (b *base) give(request *api.CreateRequest) {
	request.Template, request.System, request.Messages = b.model.Template, b.model.System, b.model.Messages
	request.Renderer, request.Parser = b.model.Renderer, b.model.Parser
	request.Parameters = b.parameters
}

// check compares what the server made with the base.
func (b *base) check(made *api.ShowResponse) error {
	for _, c := range []struct{ what, want, got string }{
		{"template", b.model.Template, made.Template},
		{"system text", b.model.System, made.System},
		{"renderer", b.model.Renderer, made.Renderer},
		{"parser", b.model.Parser, made.Parser},
	} {
		if c.want != c.got {
			return fmt.Errorf("ollama: the %s of %s did not reach the candidate: %q, not %q", c.what, b.name, c.got, c.want)
		}
	}
	return nil
}
