package llamaserver

import (
	"context"
	"fmt"

	"soup/eval/server/internal/wire"
)

// restart starts one process a model.
type restart struct {
	options Options
	process *Process
	client  *wire.Client
}

func (r *restart) load(ctx context.Context, gguf string) (*session, error) {
	if err := r.close(); err != nil {
		return nil, err
	}
	p, err := r.options.Start(ctx, gguf)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", gguf, err)
	}
	r.process = &p
	client, err := r.options.client(p.URL)
	if err != nil {
		return nil, err
	}
	r.client = client
	health := func(ctx context.Context) error { return client.Get(ctx, "/health", nil) }
	return &session{client: client, err: p.Err, health: health}, nil
}

func (r *restart) close() error {
	p := r.process
	if p == nil {
		return nil
	}
	r.process = nil
	if r.client != nil {
		r.client.Close()
	}
	return p.Stop()
}
