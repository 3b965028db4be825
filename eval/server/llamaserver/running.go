package llamaserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"soup/eval"
	"soup/eval/server/internal/wire"
)

// running is a server that was there before: a router, which loads what it is
// told, or a process with one model, which it keeps.
type running struct {
	options Options
	client  *wire.Client
}

func (r *running) load(ctx context.Context, gguf string) (*session, error) {
	path, err := filepath.Abs(gguf)
	if err != nil {
		return nil, err
	}
	var about struct {
		Role string `json:"role"`
		Path string `json:"model_path"`
	}
	if err := r.client.Get(ctx, "/props", &about); err != nil {
		return nil, err
	}
	if about.Role == "router" {
		return r.exchange(ctx, path)
	}
	if !same(about.Path, path) {
		return nil, fmt.Errorf("%s: the server at %s has %s and cannot be given another file: "+
			"start it without -m and with --models-dir, or let soup start it", gguf, r.options.URL, about.Path)
	}
	health := func(ctx context.Context) error { return r.client.Get(ctx, "/health", nil) }
	return &session{client: r.client, health: health}, nil
}

func (r *running) close() error {
	r.client.Close()
	return nil
}

// same says whether two paths are one file. A path of the server's may be
// relative to a folder that is not known here.
func same(theirs, ours string) bool {
	a, errA := os.Stat(theirs)
	b, errB := os.Stat(ours)
	if errA == nil && errB == nil {
		return os.SameFile(a, b)
	}
	return filepath.Base(theirs) == filepath.Base(ours)
}

// What the router says of a model.
type entry struct {
	ID     string `json:"id"`
	Status struct {
		Value string `json:"value"`
		Code  int    `json:"exit_code"`
		Bad   bool   `json:"failed"`
	} `json:"status"`
}

const (
	unloaded = "unloaded"
	loaded   = "loaded"
	gone     = ""
	moment   = 20 * time.Millisecond // between two questions for a status
)

// exchange puts a link to the file in the router's folder and loads it.
func (r *running) exchange(ctx context.Context, gguf string) (*session, error) {
	if r.options.Models == "" {
		return nil, fmt.Errorf("the server at %s is in router mode: name the folder of its --models-dir (option models)", r.options.URL)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.options.LoadTimeout,
		fmt.Errorf("the router did not load it within %s", r.options.LoadTimeout))
	defer cancel()
	if err := r.unload(ctx); err != nil {
		return nil, err
	}
	if err := r.link(gguf); err != nil {
		return nil, err
	}
	if err := r.mustKnow(ctx); err != nil {
		return nil, err
	}
	if err := r.tell(ctx, "load", loaded); err != nil {
		return nil, fmt.Errorf("%s: %w", gguf, err)
	}
	return &session{client: r.client, model: r.options.Model, health: r.health}, nil
}

// unload takes the model of the fixed name away, if it is there.
func (r *running) unload(ctx context.Context) error {
	e, err := r.status(ctx, "/models")
	if err != nil || e.Status.Value == gone || e.Status.Value == unloaded {
		return err
	}
	return r.tell(ctx, "unload", unloaded)
}

// link replaces the file of the fixed name at once: the server sees the old one
// or the new one.
func (r *running) link(gguf string) error {
	name := filepath.Join(r.options.Models, r.options.Model+".gguf")
	if info, err := os.Lstat(name); err == nil && info.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("%s is a file and no link of soup's: give the candidates another name (option model)", name)
	}
	next := name + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(gguf, next); err != nil {
		return fmt.Errorf("router's folder: %w", err)
	}
	return os.Rename(next, name)
}

// mustKnow makes the router read its folder again if it does not know the name.
func (r *running) mustKnow(ctx context.Context) error {
	for _, path := range []string{"/models", "/models?reload=1"} {
		e, err := r.status(ctx, path)
		if err != nil || e.Status.Value != gone {
			return err
		}
	}
	return fmt.Errorf("the router at %s does not see %s.gguf in %s: is that its --models-dir? "+
		"older ones read it at the start only: start it again", r.options.URL, r.options.Model, r.options.Models)
}

// tell makes one request and waits for its effect. The request may have been
// heard although its reply was lost: the status decides.
func (r *running) tell(ctx context.Context, what, want string) error {
	err := r.client.Once(ctx, "POST", "/models/"+what, map[string]string{"model": r.options.Model}, nil)
	if err != nil && !wire.MayRetry(err) {
		if e, failed := r.status(ctx, "/models"); failed != nil || e.Status.Value != want {
			return err
		}
	}
	return r.await(ctx, want, what)
}

// await returns when the model's status is what it should be. A request that got
// lost is made again while the status says that nothing happens.
func (r *running) await(ctx context.Context, want, what string) error {
	for {
		e, err := r.status(ctx, "/models")
		switch {
		case err != nil:
			return err
		case e.Status.Value == want:
			return nil
		case want == loaded && e.Status.Bad:
			return fmt.Errorf("%w: the router's process for it ended with status %d; its log says why", eval.ErrServer, e.Status.Code)
		case want == loaded && e.Status.Value == unloaded, want == unloaded && e.Status.Value == loaded:
			_ = r.client.Once(ctx, "POST", "/models/"+what, map[string]string{"model": r.options.Model}, nil) // it may be on its way: the status decides
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s at %s: %w", kind, r.options.URL, context.Cause(ctx))
		case <-time.After(moment):
		}
	}
}

// status asks for the model of the fixed name; "" is the status of none.
func (r *running) status(ctx context.Context, path string) (entry, error) {
	var list struct {
		Data []entry `json:"data"`
	}
	err := r.client.Retry(ctx, func(ctx context.Context) error {
		err := r.client.Once(ctx, "GET", path, nil, &list)
		if err == nil && list.Data == nil {
			err = fmt.Errorf("%s at %s: %w: no list of models", kind, r.options.URL, eval.ErrReply)
		}
		return err
	})
	if err != nil {
		return entry{}, err
	}
	i := slices.IndexFunc(list.Data, func(e entry) bool { return e.ID == r.options.Model })
	if i < 0 {
		return entry{}, nil
	}
	if list.Data[i].Status.Value == gone {
		return entry{}, fmt.Errorf("%s at %s: %w: a model without a status", kind, r.options.URL, eval.ErrReply)
	}
	return list.Data[i], nil
}

// health asks for the model, not for the router, which lives on without it.
func (r *running) health(ctx context.Context) error {
	e, err := r.status(ctx, "/models")
	if err == nil && e.Status.Value != loaded {
		err = fmt.Errorf("%w: the router at %s no longer has %s loaded", eval.ErrUnreachable, r.options.URL, r.options.Model)
	}
	return err
}
