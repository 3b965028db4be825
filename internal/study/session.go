package study

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"soup/benchmarks"
	"soup/eval"
	"soup/eval/server/embedded"
	"soup/internal/progress"
	"soup/internal/usage"
	"soup/merge"
	"soup/results"
	"soup/search"
)

// session is a study at work.
type session struct {
	config   *Config
	dir      string
	ledger   *results.Ledger
	pantry   *pantry
	set      eval.Set
	space    search.Space
	server   eval.Server
	buffer   *merge.Buffer
	progress progress.Reporter
	warnings io.Writer
	info     io.Writer
	batch    int

	past     []results.Trial // trials of earlier sessions, by number
	next     int             // number of the next trial
	trials   []results.Trial // trials of this session, replayed ones included
	byKey    map[string]int  // trials with outcomes
	scores   map[int]float64 // search score of complete trials
	failed   int             // candidates that failed in a row
	versions map[string]eval.Version
	last     served
}

func open(ctx context.Context, c *Config, o RunOptions) (*session, error) {
	if o.Dir == "" {
		o.Dir = DefaultDir(c.File)
	}
	if o.Progress == nil {
		o.Progress = progress.New(io.Discard, true)
	}
	if o.Warnings == nil {
		o.Warnings = io.Discard
	}
	if o.Info == nil {
		o.Info = io.Discard
	}
	s := &session{
		config: c, dir: o.Dir, progress: o.Progress, warnings: o.Warnings, info: o.Info, byKey: map[string]int{},
		scores: map[int]float64{}, versions: map[string]eval.Version{},
	}
	// Whatever can be wrong with the input is found before the folder is made.
	for _, step := range []func(context.Context) error{
		s.openItems, s.checkStrategies, s.openParents, s.openLedger, s.begin, s.convertParents, s.openServer,
	} {
		if err := step(ctx); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *session) close() {
	s.progress.Close()
	if s.server != nil {
		_ = s.server.Close()
	}
	if s.buffer != nil {
		_ = s.buffer.Close()
	}
	if s.pantry != nil {
		s.pantry.close()
	}
	if s.ledger != nil {
		_ = s.ledger.Close()
	}
}

func (s *session) warn(message string) { fmt.Fprintln(s.warnings, "soup: warning: "+message) }

func (s *session) openItems(context.Context) error {
	set, err := loadItems(s.config)
	if err != nil {
		return err
	}
	for _, split := range []struct {
		name  string
		items int
	}{{results.Search, len(set.Search)}, {results.Selection, len(set.Selection)}, {results.Test, len(set.Test)}} {
		if split.items == 0 {
			return usage.Errorf("%s: benchmarks: no items in the %s split", s.config.File, split.name)
		}
	}
	s.set = set
	return nil
}

func loadItems(c *Config) (eval.Set, error) {
	var items []eval.Item
	for _, b := range c.Benchmarks {
		more, err := benchmarks.LoadJSONL(b.Name, b.File)
		if err != nil {
			return eval.Set{}, err
		}
		items = append(items, more...)
	}
	set, err := eval.NewSet(items)
	if err != nil {
		return eval.Set{}, fmt.Errorf("%s: benchmarks: %w", c.File, err)
	}
	return set, checkObjective(c, items)
}

// checkObjective refuses weights of categories that do not exist.
func checkObjective(c *Config, items []eval.Item) error {
	known := map[string]bool{}
	for _, it := range items {
		known[it.Category] = true
	}
	for name := range c.Objective.Weights {
		if !known[name] {
			return usage.Errorf("%s: objective: no category is named %q", c.File, name)
		}
	}
	return nil
}

func (s *session) openLedger(context.Context) (err error) {
	s.ledger, err = results.Open(s.dir)
	return err
}

func (s *session) openParents(ctx context.Context) (err error) {
	if s.pantry, err = openPantry(s.config, s.warn); err != nil {
		return err
	}
	if err := s.checkDisk(); err != nil {
		return err
	}
	return s.pantry.hash(ctx)
}

// checkDisk says what the study takes and refuses a disk that cannot hold it:
// the converted parents, a candidate and the winner.
func (s *session) checkDisk() error {
	plan, err := merge.PlanFor(s.pantry.source, s.pantry.store, s.dir)
	if err != nil {
		return err
	}
	need := plan.DiskNeeded + plan.SoupBytes
	if !exists(s.cache()) {
		for _, n := range plan.ParentBytes {
			need += n
		}
	}
	if plan.DiskFree >= 0 && plan.DiskFree < need {
		return fmt.Errorf("%s: disk too small: %.1f MB needed, %.1f MB free", s.dir, float64(need)/1e6, float64(plan.DiskFree)/1e6)
	}
	fmt.Fprintf(s.info, "soup: %d parents of %d parameters; averaging takes at most %.0f MB of memory beside the mapped files, the study %.0f MB of disk\n",
		plan.Parents, plan.Parameters, float64(plan.MemoryBytes)/1e6, float64(need)/1e6)
	return nil
}

func (s *session) convertParents(ctx context.Context) error {
	return s.pantry.convert(ctx, s.config, s.cache())
}

// cache is the folder of converted checkpoints.
func (s *session) cache() string { return filepath.Join(s.dir, "cache") }

func (s *session) openServer(context.Context) error {
	server, err := embedded.New(embedded.Options{Threads: s.config.Server.Threads, Cache: s.cache()})
	if err != nil {
		return err
	}
	s.server = server
	s.buffer, err = s.pantry.newBuffer(s.dir)
	return err
}

// checkStrategies finds mistakes in names and options before work starts.
func (s *session) checkStrategies(context.Context) error {
	low, high, sum := s.config.Weights.values()
	s.space = search.Space{Min: low, Max: high, Sum: sum, Groups: []string{"all"}}
	for _, p := range s.config.Parents.List {
		s.space.Parents = append(s.space.Parents, p.Name)
	}
	for _, spec := range s.strategies() {
		if _, err := search.New(spec.Name, spec.Options, s.space, s.config.Seed); err != nil {
			return usage.Errorf("%s: strategies: %s", s.config.File, err)
		}
	}
	return nil
}
