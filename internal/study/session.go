package study

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"soup/benchmarks"
	"soup/eval"
	"soup/internal/progress"
	"soup/internal/serve"
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
	identity string // of the server
	meter    *meter
	kitchen  *kitchen
	progress progress.Reporter
	warnings io.Writer
	info     io.Writer
	start    func(context.Context, serve.Options) (eval.Server, error)
	pause    time.Duration // between the first two looks whether a server is back
	batch    int

	// mu guards the books: all that follows up to the versions. Scoring, which has
	// the server's side to itself, goes on without it.
	mu     sync.Mutex
	turn   sync.Cond                // candidates get their numbers in the order asked
	flying map[string]chan struct{} // candidates that are being scored, by key
	fleet  *crew                    // nil on a single machine
	saying sync.Mutex               // warnings
	beat   func(items int)          // called whenever scoring got on

	past         []results.Trial // trials of earlier sessions, by number
	next         int             // number of the next trial
	trials       []results.Trial // trials of this session, replayed ones included
	byKey        map[string]int  // trials with outcomes of all search items
	stopped      map[int]stopped // trials that were stopped early
	stoppedByKey map[string]int
	answered     map[int]int            // search items of a trial
	tokens       map[int]map[string]int // generated for search items, by trial and first item of a batch
	unmeasured   bool                   // nothing is known yet of how long candidates take
	scores       map[int]float64        // search score of complete trials
	advised      []int                  // trials that strategies recommend, whatever their scores
	keep         []constraint
	keeper       *keeper         // nil until the parents have been scored
	pending      []results.Trial // failed in a row, and not yet known to be at fault themselves
	versions     map[string]eval.Version
	earlier      map[string]eval.Version // versions of sessions before this one
	last         served
	parallel     int    // requests in flight; 0 until it is known
	holds        string // what the server may have open: the path that it loaded last

	proven       bool // the server exchanges weights
	provenBefore bool // in this session
	proving      bool
	deaths       int // of the server, under the present candidate
}

func open(ctx context.Context, c *Config, o RunOptions) (*session, error) {
	s := newSession(c, o)
	// What is wrong with files and options is found before the folder is made.
	for _, step := range []func(context.Context) error{
		s.openItems, s.checkStrategies, s.openParents, s.openLedger, s.openServer, s.begin, s.convertParents, s.openKitchen, s.checkItems,
	} {
		if err := step(ctx); err != nil {
			s.close()
			return nil, err
		}
	}
	s.progress = &noted{Reporter: s.progress, ledger: s.ledger}
	return s, nil
}

func newSession(c *Config, o RunOptions) *session {
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
	if o.start == nil {
		o.start = serve.Open
	}
	if o.pause == 0 {
		o.pause = time.Second
	}
	s := &session{
		config: c, dir: o.Dir, progress: o.Progress, warnings: o.Warnings, info: o.Info, start: o.start, pause: o.pause, byKey: map[string]int{},
		stopped: map[int]stopped{}, stoppedByKey: map[string]int{}, answered: map[int]int{}, tokens: map[int]map[string]int{},
		scores: map[int]float64{}, versions: map[string]eval.Version{}, earlier: map[string]eval.Version{},
		flying: map[string]chan struct{}{}, beat: func(int) {},
	}
	s.turn.L = &s.mu
	return s
}

func (s *session) close() {
	s.progress.Close()
	if s.server != nil {
		_ = s.server.Close()
	}
	if s.kitchen != nil {
		_ = s.kitchen.close()
	}
	if s.pantry != nil {
		s.pantry.close()
	}
	if s.ledger != nil {
		_ = s.ledger.Close()
	}
}

// warn may be called by several goroutines.
func (s *session) warn(message string) {
	s.saying.Lock()
	defer s.saying.Unlock()
	fmt.Fprintln(s.warnings, "soup: warning: "+message)
	if n, ok := s.progress.(*noted); ok {
		n.warn(message)
	}
}

func (s *session) openItems(ctx context.Context) error {
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
	return s.openKeep(ctx)
}

func (s *session) openKeep(context.Context) (err error) {
	s.keep, err = s.config.constraints(s.set.Search)
	return err
}

func loadItems(c *Config) (eval.Set, error) {
	var items []eval.Item
	for _, b := range c.Benchmarks {
		more, err := benchmarks.Load(b)
		if err != nil {
			return eval.Set{}, usage.Of[*benchmarks.OptionError](fmt.Errorf("%s: benchmark %s: %w", c.File, b.Name, err))
		}
		items = append(items, more...)
	}
	set, err := eval.NewSet(items)
	if err != nil {
		return eval.Set{}, fmt.Errorf("%s: benchmarks: %w", c.File, err)
	}
	return set, checkObjective(c, items)
}

// checkObjective refuses weights of categories that do not exist, and an
// objective that is nothing.
func checkObjective(c *Config, items []eval.Item) error {
	known := map[string]bool{}
	for _, it := range items {
		known[it.Category] = true
	}
	for _, name := range slices.Sorted(maps.Keys(c.Objective.Weights)) {
		if !known[name] {
			return usage.Errorf("%s: objective: no category is named %q", c.File, name)
		}
	}
	for name := range known {
		if eval.WeightOf(c.Objective.Weights, name) > 0 {
			return nil
		}
	}
	return usage.Errorf("%s: objective: every category has weight 0", c.File)
}

func (s *session) openLedger(context.Context) (err error) {
	if !exists(filepath.Join(s.dir, results.File)) {
		if err := s.checkOurs(); err != nil {
			return err
		}
	}
	if s.ledger, err = results.Open(s.dir); err != nil {
		return err
	}
	return s.sweep()
}

func (s *session) openParents(ctx context.Context) (err error) {
	if err := s.checkPlaces(); err != nil {
		return err
	}
	if s.pantry, err = openPantry(s.config); err != nil {
		return err
	}
	if err := s.checkDisk(); err != nil {
		return err
	}
	s.pantry.known = merge.OpenHashCache(filepath.Join(s.cache(), hashesName))
	if err := s.pantry.hash(ctx); err != nil {
		return err
	}
	s.warnOfFindings()
	return nil
}

// hashesName is a file of the cache folder: what is known of the parents'
// files, so that going on does not read them all again.
const hashesName = "hashes.json"

// saveHashes comes once the folder is known to be the study's. A cache that
// cannot be written costs time, not the study.
func (s *session) saveHashes() {
	err := os.MkdirAll(s.cache(), 0o777)
	if err == nil {
		err = s.pantry.known.Save()
	}
	if err != nil {
		s.warn("the parents' hashes are not kept: " + err.Error())
	}
}

func (s *session) convertParents(ctx context.Context) error {
	s.saveHashes()
	return s.pantry.convert(ctx, s.config, s.cache())
}

func (s *session) openKitchen(context.Context) (err error) {
	s.kitchen, err = newKitchen(s.dir, s.pantry, s.config.Server.pots())
	return err
}

// checkStrategies finds mistakes in names and options before work starts.
func (s *session) checkStrategies(context.Context) error {
	low, high, sum := s.config.Weights.values()
	s.space = search.Space{
		Min: low, Max: high, Sum: sum, Groups: []string{"all"},
		Aggregate: aggregate(s.set.Search, s.config.Objective.Weights),
	}
	for _, p := range s.config.Parents.List {
		s.space.Parents = append(s.space.Parents, p.Name)
	}
	for _, k := range s.keep {
		// -1, search.BestParent, where no parent is named.
		s.space.Keep = append(s.space.Keep, search.Keep{Category: k.Category, Parent: slices.Index(s.space.Parents, k.Parent), Margin: k.Margin})
	}
	_, err := s.newStrategies()
	return err
}
