package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"soup/eval"
	"soup/eval/server/ollama"
	"soup/internal/launch"
	"soup/internal/usage"
)

func checkOllama(o Options) error {
	switch {
	case o.Start && o.URL != "":
		return usage.Errorf("kind ollama takes url or start, not both")
	case !o.Start && (o.Program != "" || len(o.Args) > 0):
		return usage.Errorf("program and args go with start: true")
	case len(o.Swap) > 0:
		return usage.Errorf("swap does not go with kind ollama, which knows how to exchange weights")
	}
	if _, err := ollama.New(ollamaOptions(o)); err != nil {
		return usage.Errorf("%s", err)
	}
	return nil
}

func ollamaOptions(o Options) ollama.Options {
	options := ollama.Options{
		URL: o.URL, Name: o.Model, Base: o.Template, Context: o.Context, Threads: o.Threads, Timeout: o.Timeout,
	}
	if o.Key != "" {
		options.Key = os.Getenv(o.Key)
	}
	return options
}

func openOllama(ctx context.Context, o Options) (eval.Server, error) {
	options := ollamaOptions(o)
	if !o.Start {
		return ollama.New(options)
	}
	return startOllama(ctx, o, options)
}

// ollamaProcess is an Ollama that soup started. One that ends by itself is
// started again at the same address, where it finds the model that it had: a
// request under way only has to be made again.
type ollamaProcess struct {
	*ollama.Server
	options  launch.Options
	ctx      context.Context // ends with Close
	end      context.CancelFunc
	watchers sync.WaitGroup

	mu      sync.Mutex
	process *launch.Process
	ends    int // by itself, since the last Load
}

// mostEnds is how often the server may end by itself with one candidate: what
// kills it twice will kill it again. The next candidate gets a new one.
const mostEnds = 2

// defaultSlots is how many answers a server that soup starts works at together;
// Ollama's own default is one. Each needs memory for its context.
const defaultSlots = 4

func startOllama(ctx context.Context, o Options, options ollama.Options) (eval.Server, error) {
	if o.Parallel == 0 {
		o.Parallel = defaultSlots
	}
	p := &ollamaProcess{options: launch.Options{
		Program: o.Program, Folder: o.Folder, Args: o.Args, Env: []string{fmt.Sprintf("OLLAMA_NUM_PARALLEL=%d", o.Parallel)},
	}}
	p.ctx, p.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := p.start(ctx); err != nil {
		p.end()
		return nil, err
	}
	options.URL, options.Models = p.process.URL, launch.OllamaModels(o.Folder)
	var err error
	if p.Server, err = ollama.New(options); err != nil {
		p.end()
		return nil, errors.Join(err, p.process.Close())
	}
	return p, nil
}

// start runs the server, at the address that it had, and watches it. The caller
// holds mu, or is the first.
func (p *ollamaProcess) start(ctx context.Context) error {
	process, err := launch.Ollama(ctx, p.options)
	if err != nil {
		return ended(err)
	}
	p.process, p.options.Port = process, process.Port()
	p.watchers.Go(func() { p.watch(process) })
	return nil
}

// watch starts the server again when it has ended by itself.
func (p *ollamaProcess) watch(process *launch.Process) {
	select {
	case <-p.ctx.Done():
		return
	case <-process.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ends++; p.ends < mostEnds && p.ctx.Err() == nil {
		_ = p.start(p.ctx) // if it does not start, requests fail and say so
	}
}

// Load implements eval.Server.
func (p *ollamaProcess) Load(ctx context.Context, m eval.Model) (eval.Version, error) {
	if err := p.revive(ctx); err != nil {
		return "", err
	}
	return p.Server.Load(ctx, m)
}

// Reload implements eval.Reloader.
func (p *ollamaProcess) Reload(ctx context.Context, m eval.Model) (eval.Version, error) {
	if err := p.revive(ctx); err != nil {
		return "", err
	}
	return p.Server.Reload(ctx, m)
}

// revive starts a server that has been left dead.
func (p *ollamaProcess) revive(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends = 0
	select {
	case <-p.process.Done():
		if p.ctx.Err() == nil {
			return p.start(ctx)
		}
	default:
	}
	return nil
}

// Close implements eval.Server.
func (p *ollamaProcess) Close() error {
	p.end()
	err := p.Server.Close()
	p.watchers.Wait()
	return errors.Join(err, p.process.Close())
}
