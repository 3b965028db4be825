package single

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"soup/eval"
	"soup/eval/server/embedded"
	"soup/internal/serve"
	"soup/merge"
	"soup/merge/convert"
)

// Show prints what soup eval would ask about the first item of every benchmark,
// and scores nothing. With o.Model the prompt is what the model's own template
// makes of it.
func Show(ctx context.Context, o ScoreOptions, w io.Writer) (err error) {
	sources, err := o.sources()
	if err != nil {
		return err
	}
	var render eval.Renderer
	if o.Model != "" {
		server, closing, loading := shower(ctx, o)
		if loading != nil {
			return loading
		}
		defer func() { err = errors.Join(err, closing()) }()
		render = server
	}
	for i, source := range sources {
		items, err := load(source)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := showItem(ctx, w, render, items); err != nil {
			return err
		}
	}
	return nil
}

// shower loads the model.
func shower(ctx context.Context, o ScoreOptions) (eval.Renderer, func() error, error) {
	c, err := merge.Open(o.Model)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	server, err := embedded.New(embedded.Options{Threads: o.Server.Threads, Convert: convert.Path})
	if err != nil {
		return nil, nil, err
	}
	var s eval.Server = server
	if err := loadEmbedded(ctx, s, c); err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	r, ok := s.(eval.Renderer)
	if !ok {
		return nil, nil, errors.Join(errors.New("this server does not show prompts"), s.Close())
	}
	return r, s.Close, nil
}

// loadEmbedded loads a checkpoint into the embedded engine, which keeps nothing
// of the copy that it may need.
func loadEmbedded(ctx context.Context, s eval.Server, c *merge.Checkpoint) error {
	dir, err := os.MkdirTemp("", "soup-eval-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path, err := loadable(ctx, c, serve.Options{}, dir)
	if err != nil {
		return err
	}
	_, err = s.Load(ctx, eval.Model{Path: path})
	return err
}

func showItem(ctx context.Context, w io.Writer, render eval.Renderer, items []eval.Item) error {
	it := items[0]
	metric, err := eval.MetricNamed(it.Metric)
	if err != nil {
		return err
	}
	q := metric.Ask(it)
	fmt.Fprintf(w, "benchmark:  %s, %d items; this is %s\n", it.Benchmark, len(items), it.ID)
	fmt.Fprintf(w, "metric:     %s%s\n", it.Metric, spaced(string(it.Rule)))
	fmt.Fprintf(w, "answer:     %q\n", append([]string{it.Answer}, it.Answers...))
	switch {
	case len(q.Continuations) > 0:
		fmt.Fprintf(w, "scored:     likelihood of %q\n", q.Continuations)
	case len(q.Labels) > 0:
		fmt.Fprintf(w, "scored:     likelihood of the labels %q\n", q.Labels)
	default:
		tokens := "the default of 32"
		if q.MaxTokens > 0 {
			tokens = fmt.Sprint(q.MaxTokens)
		}
		fmt.Fprintf(w, "max tokens: %s\nstop:       %q\n", tokens, q.Stop)
	}
	if render != nil {
		text, err := render.Render(ctx, q.Request)
		if err != nil {
			return fmt.Errorf("item %q: %w", it.ID, err)
		}
		return showText(w, "prompt, as the model reads it", text)
	}
	if q.Raw != "" {
		return showText(w, "prompt", q.Raw)
	}
	for _, m := range q.Messages {
		if err := showText(w, m.Role, m.Content); err != nil {
			return err
		}
	}
	return nil
}

func spaced(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}

// showText marks where a text ends: a space or a line break there matters.
func showText(w io.Writer, title, text string) error {
	_, err := fmt.Fprintf(w, "--- %s\n%s⏎\n", title, strings.ReplaceAll(text, "\r", "␍"))
	return err
}
