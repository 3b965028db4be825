package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"soup/eval"
	"soup/internal/fleet"
	"soup/internal/serve"
	"soup/internal/usage"
	"soup/merge"
	"soup/results"
)

// WorkOptions say how a worker helps with a study of another process.
type WorkOptions struct {
	fleet.Remote
	Study    string   // name; "" for the only one there
	Parents  []string // paths of the parents, and of the base if there is one, in any order
	Pull     bool     // copy those that are missing from the coordinator, into Dir
	Dir      string   // for its candidates and conversions; "" is a temporary folder
	Name     string   // of the worker, unlike any other's; "" is made of host and process
	URL      string   // of this machine's server; "" is the study file's
	Commands bool     // run programs that the study names
	Warnings io.Writer
	Info     io.Writer

	start func(context.Context, serve.Options) (eval.Server, error) // as in RunOptions
	alter func(*Config)                                             // tests change what the study file says
	wait  time.Duration                                             // AckWait

	patience time.Duration // without progress; shorter in tests

	link *fleet.Link
}

// Work scores candidates for a study until it ends, which is no error, or ctx ends:
// then the candidate at hand goes back at once. A worker is a session of its own,
// whose candidates come from the queue; its ledger is a scratch pad.
func Work(ctx context.Context, o WorkOptions) error {
	if o.Name == "" {
		o.Name = workerName()
	}
	link, err := fleet.Join(ctx, o.Remote, o.Study, o.Name)
	if err != nil {
		return err
	}
	defer link.Close()
	o.link = link
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "soup-worker-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.Dir)
	}
	w, err := openWorker(ctx, o, link.Card)
	if err != nil {
		if ctx.Err() == nil {
			link.Refuse(err)
		}
		return err
	}
	defer w.close()
	fmt.Fprintf(w.info, "soup: worker %s helps with study %s\n", o.Name, link.Card.Study)
	host, _ := os.Hostname()
	err = link.Serve(ctx, fleet.ServeOptions{Host: host, GPU: gpus(ctx), Server: w.identity, Warn: w.warn, AckWait: o.wait, Patience: o.patience}, w.answer)
	if errors.Is(err, fleet.ErrEnded) {
		fmt.Fprintf(w.info, "soup: study %s has ended\n", link.Card.Study)
		return nil
	}
	return err
}

// workerName is the host and the process: no two workers have the same.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, host)
	return fmt.Sprintf("%s-%d", name, os.Getpid())
}

// helper is a session that scores for another.
type helper struct {
	*session
	trials map[string]int // of the scratch ledger, by key
}

// openWorker opens what a study needs, from the card and this machine's parents,
// and makes sure that it is the same.
func openWorker(ctx context.Context, o WorkOptions, card fleet.Card) (*helper, error) {
	var about studyCard
	if err := json.Unmarshal(card.Body, &about); err != nil {
		return nil, fmt.Errorf("study %s: its card: %w", card.Study, err)
	}
	c, err := about.config(ctx, o)
	if err != nil {
		return nil, err
	}
	s := newSession(c, RunOptions{Dir: o.Dir, Warnings: o.Warnings, Info: io.Discard, start: o.start})
	if o.Info != nil {
		s.info = o.Info
	}
	s.set = about.Items
	for _, step := range []func(context.Context) error{
		s.openKeep, s.checkStrategies, s.openParents, s.openLedger, s.openServer, s.begin, s.convertParents, s.openKitchen, s.checkItems,
	} {
		if err := step(ctx); err != nil {
			s.close()
			return nil, err
		}
	}
	h := &helper{session: s, trials: map[string]int{}}
	if err := h.compare(about); err != nil {
		s.close()
		return nil, err
	}
	for _, t := range s.past {
		h.trials[t.Key] = t.Number
	}
	s.next = len(s.past)
	return h, nil
}

// config is the study file with this machine's paths.
func (about studyCard) config(ctx context.Context, o WorkOptions) (*Config, error) {
	c := &Config{File: "the coordinator's study file", Text: about.Text}
	if err := parseInto(c, c.Text); err != nil {
		return nil, err
	}
	paths, err := about.match(ctx, o)
	if err != nil {
		return nil, err
	}
	c.Run, c.Parents, c.Base, c.Benchmarks = "", Parents{}, "", nil
	for i, name := range about.Names {
		c.Parents.List = append(c.Parents.List, Parent{Name: name, Path: paths[about.Hashes[i]]})
	}
	if about.Base != "" {
		c.Base = paths[about.Base]
	}
	if o.URL != "" {
		c.Server.URL = o.URL
	}
	if err := c.completeServer(); err != nil {
		return nil, err
	}
	if err := c.checkRest(); err != nil {
		return nil, err
	}
	if o.alter != nil {
		o.alter(c)
	}
	return c, about.harmless(c, o.Commands)
}

// match finds the study's checkpoints among the given paths, by content.
func (about studyCard) match(ctx context.Context, o WorkOptions) (map[string]string, error) {
	var open []*merge.Checkpoint
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for _, path := range o.Parents {
		c, err := merge.Open(path)
		if err != nil {
			return nil, err
		}
		open = append(open, c)
	}
	known := merge.OpenHashCache(filepath.Join(o.Dir, cacheName, hashesName))
	hashes, err := merge.HashAll(ctx, open, known)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for i, hash := range hashes {
		paths[hash] = o.Parents[i]
	}
	for i, hash := range append(slices.Clone(about.Hashes), about.Base) {
		if hash == "" || paths[hash] != "" {
			continue
		}
		name := "the base"
		if i < len(about.Names) {
			name = "parent " + about.Names[i]
		}
		if !o.Pull {
			return nil, &usage.Error{
				Message: fmt.Sprintf("%s (content %s) is none of the %d checkpoints given here", name, short(hash), len(o.Parents)),
				Advice:  "give the paths of copies of all parents, and of the base if there is one; one changed byte makes it another checkpoint; --pull copies what is missing",
			}
		}
		if paths[hash], err = o.pull(ctx, name, hash); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// harmless refuses programs that somebody else's study would have run here.
func (about studyCard) harmless(c *Config, allowed bool) error {
	if allowed {
		return nil
	}
	what := ""
	for _, items := range [][]eval.Item{about.Items.Search, about.Items.Selection, about.Items.Test} {
		for _, it := range items {
			if it.Metric == "command" {
				what = "metric command of item " + it.ID
			}
		}
	}
	for key, given := range map[string]bool{"swap": len(c.Server.Swap) > 0, "program": c.Server.Program != "", "args": len(c.Server.Args) > 0} {
		if given {
			what = "server: " + key
		}
	}
	if what == "" {
		return nil
	}
	return &usage.Error{Message: what + ": the study would run a program on this machine", Advice: "if you trust the coordinator, add --allow-commands"}
}

// compare refuses to help where scores would depend on something else here.
func (h *helper) compare(about studyCard) error {
	settings, err := h.settings()
	if err != nil {
		return err
	}
	if differs := about.differs(settings); differs != "" {
		return fmt.Errorf("this worker would score otherwise: %s", differs)
	}
	return nil
}

// answer does a task.
func (h *helper) answer(ctx context.Context, t fleet.Task, beat func(int)) (json.RawMessage, error) {
	a, err := readAssignment(t)
	if err != nil {
		return nil, err
	}
	h.beat = beat
	trial, err := h.trialOf(a)
	if err != nil {
		return nil, err
	}
	took, err := h.perform(ctx, a, trial)
	if err != nil {
		return nil, h.blame(ctx, err)
	}
	result := answers{Merge: took.merge, Swap: took.swap, Eval: took.eval, First: took.first}
	if a.Split == results.Search {
		result.Tokens = h.tokens[trial]
	}
	if result.Outcomes, err = h.outcomes(trial, a); err != nil {
		return nil, err
	}
	return json.Marshal(result)
}

// outcomes are all that the scratch ledger has of an assignment's, to be recorded by
// the coordinator as if they had been scored there.
func (h *helper) outcomes(trial int, a assignment) ([]results.Outcome, error) {
	list, err := h.ledger.Outcomes(trial, a.Split)
	if err != nil {
		return nil, err
	}
	labels, err := h.ledger.Labels(trial, a.Split)
	for i := range list {
		if l, ok := labels[list[i].Item]; ok {
			list[i].Labels = &l
		}
	}
	if err != nil || a.To == 0 {
		return list, err
	}
	c, err := h.courseOf(a)
	asked := c.asks()
	return slices.DeleteFunc(list, func(o results.Outcome) bool { return !asked[o.Item] }), err
}

// trialOf is the candidate's trial in the scratch ledger.
func (h *helper) trialOf(a assignment) (int, error) {
	if trial, ok := h.trials[a.Key]; ok {
		return trial, nil
	}
	if want := h.key(a.Weights); a.Key != want && a.Strategy != baseStrategy {
		return 0, fleet.Final{Err: fmt.Errorf("task of trial %d: its key %s is not that of its weights here", a.Trial, short(a.Key))}
	}
	t := results.Trial{Number: h.next, Strategy: a.Strategy, Label: a.Label, Key: a.Key, Weights: a.Weights, Groups: h.pantry.groups.Names, Of: h.next, Attempt: 1}
	if err := h.ledger.Start(t); err != nil {
		return 0, err
	}
	h.next++
	h.trials[a.Key] = t.Number
	return t.Number, nil
}
