package single

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"

	"soup/benchmarks"
	"soup/eval"
	"soup/internal/probe"
	"soup/internal/progress"
	"soup/internal/serve"
	"soup/internal/usage"
	"soup/merge"
	"soup/merge/convert"
)

// ScoreOptions say what to score: a model, or answers that were recorded.
type ScoreOptions struct {
	Model    string        // checkpoint; or
	Answers  string        // JSON Lines file of {"id":..,"answer":..}
	Data     []string      // benchmark files; each is named after its file
	Split    string        // search, selection or test; "" scores every item
	Server   serve.Options // what runs the model; the zero value is the embedded engine
	Command  []string      // program that scores items of metric command, with its arguments
	Perturb  []float64     // sizes of noise to score noisy copies of the model with
	Draws    int           // of the noise, for each size
	Seed     uint64        // of the noise
	Progress progress.Reporter
	Warnings io.Writer // default nowhere
}

// Scores is what soup eval prints. The JSON keys are fixed.
type Scores struct {
	Model      string                   `json:"model"`
	SHA256     string                   `json:"sha256,omitempty"`
	Server     string                   `json:"server,omitempty"`
	Split      string                   `json:"split"`
	Mean       *float64                 `json:"mean"` // unweighted mean of the categories; null if one has no score
	SE         *float64                 `json:"se"`
	Categories map[string]eval.Category `json:"categories"`
	Figures    []Figure                 `json:"figures,omitempty"` // what the benchmarks' authors report
	Perturbed  []Perturbation           `json:"perturbed,omitempty"`
	Items      []eval.Outcome           `json:"items,omitempty"`
	summary    eval.Summary
}

// Score scores one checkpoint through a server, or recorded answers without any
// model. Items keep the order of the files.
func Score(ctx context.Context, o ScoreOptions) (*Scores, error) {
	if err := o.Server.Validate(); err != nil {
		return nil, usage.Errorf("server: %s", err)
	}
	if err := o.checkPerturb(); err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = progress.New(io.Discard, true)
	}
	if o.Warnings == nil {
		o.Warnings = io.Discard
	}
	sources, err := o.sources()
	if err != nil {
		return nil, err
	}
	items, err := readItems(sources, o.Split)
	if err != nil {
		return nil, err
	}
	s := &Scores{Model: o.Model, Split: o.Split}
	if o.Split == "" {
		s.Split = "all"
	}
	var outcomes []eval.Outcome
	if o.Answers != "" {
		s.Model = o.Answers
		outcomes, err = scoreAnswers(o.Answers, items)
	} else {
		s.Server = cmp.Or(o.Server.Kind, "embedded")
		outcomes, err = s.scoreModel(ctx, o, items)
	}
	if err != nil {
		return nil, err
	}
	s.Items = outcomes
	s.summary = eval.Summarize(outcomes)
	s.Categories = s.summary.Categories
	s.Figures = figures(sources, items, outcomes)
	if s.summary.N == 0 {
		return nil, fmt.Errorf("none of %d items could be scored: %s", len(outcomes), reason(outcomes))
	}
	if len(s.summary.Unmeasured) == 0 {
		s.Mean = &s.summary.Mean
		if s.summary.ErrorKnown() {
			s.SE = &s.summary.SE
		}
	}
	return s, nil
}

// reason is the first error among outcomes.
func reason(outcomes []eval.Outcome) string {
	for _, o := range outcomes {
		if o.Error != "" {
			return fmt.Sprintf("item %q: %s", o.ID, o.Error)
		}
	}
	return "no answers"
}

func readItems(sources []benchmarks.Source, split string) ([]eval.Item, error) {
	var items []eval.Item
	var paths []string
	for _, s := range sources {
		more, err := load(s)
		if err != nil {
			return nil, err
		}
		items, paths = append(items, more...), append(paths, s.Path)
	}
	set, err := eval.NewSet(items)
	if err != nil {
		return nil, err
	}
	if split == "" {
		return eval.Interleave(items), nil
	}
	chosen, err := set.Items(eval.Split(split))
	if err != nil {
		return nil, usage.Errorf("--split: %s", err)
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no items in the %s split of %s", split, strings.Join(paths, ", "))
	}
	return chosen, nil
}

// sources are the arguments of --data with the options that go with them.
func (o ScoreOptions) sources() ([]benchmarks.Source, error) {
	var list []benchmarks.Source
	for _, arg := range o.Data {
		s, err := benchmarks.ParseSource(arg)
		if err != nil {
			return nil, usage.Errorf("--data: %s", err)
		}
		if s.Family == "" && len(o.Command) > 0 {
			argv := make([]any, len(o.Command))
			for i, a := range o.Command {
				argv[i] = a
			}
			s.Options = map[string]any{"command": argv}
		}
		list = append(list, s)
	}
	return list, nil
}

// load reads a benchmark of the command line.
func load(s benchmarks.Source) ([]eval.Item, error) {
	items, err := benchmarks.Load(s)
	return items, usage.Of[*benchmarks.OptionError](err)
}

func scoreAnswers(path string, items []eval.Item) ([]eval.Outcome, error) {
	answers, err := eval.LoadAnswers(path)
	if err != nil {
		return nil, err
	}
	return eval.ScoreAnswers(items, answers)
}

func (s *Scores) scoreModel(ctx context.Context, o ScoreOptions, items []eval.Item) (outcomes []eval.Outcome, err error) {
	c, err := merge.Open(o.Model)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if len(o.Perturb) > 0 && c.Path() == c.Files()[0] {
		return nil, usage.Errorf("%s: a single file; --perturb needs a Hugging Face directory", c.Path())
	}
	if s.SHA256, err = c.Hash(ctx); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "soup-eval-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path, err := loadable(ctx, c, o.Server, dir)
	if err != nil {
		return nil, err
	}
	o.Server.Folder, o.Server.Base = dir, o.Model
	server, err := serve.Open(ctx, o.Server)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if _, err := server.Load(ctx, eval.Model{Path: path, Digest: s.SHA256}); err != nil {
		return nil, err
	}
	note, err := probe.Tokens(ctx, server, o.Model)
	if err != nil {
		return nil, err
	}
	if note != "" {
		fmt.Fprintln(o.Warnings, "soup: warning: "+note)
	}
	if o.Server.Parallel == 0 {
		// Where nothing is answered, the items themselves will tell.
		o.Server.Parallel, _, _ = eval.Ramp(ctx, server, eval.Interleave(items), eval.RampOptions{Timeout: o.Server.Timeout})
	}
	outcomes, err = o.answer(ctx, server, items)
	if err != nil || len(o.Perturb) == 0 {
		return outcomes, err
	}
	noisy, err := o.perturbed(ctx, server, items, path, dir)
	s.Perturbed = append([]Perturbation{summarized(0, []eval.Summary{eval.Summarize(outcomes)})}, noisy...)
	return outcomes, err
}

// answer asks the items of the model that is loaded.
func (o ScoreOptions) answer(ctx context.Context, server eval.Server, items []eval.Item) (outcomes []eval.Outcome, err error) {
	o.Progress.Phase("eval", 1)
	o.Progress.Candidate(0, "eval", filepath.Base(o.Model))
	options := eval.Options{Parallel: o.Server.Parallel, Timeout: o.Server.Timeout}
	err = eval.Run(ctx, server, items, options, func(batch []eval.Outcome) error {
		outcomes = append(outcomes, batch...)
		o.Progress.Items(len(outcomes), len(items))
		return nil
	})
	return outcomes, err
}

// loadable returns what the server loads of a checkpoint: a copy in dir where it
// does not read the checkpoint itself. The embedded engine converts by itself.
func loadable(ctx context.Context, c *merge.Checkpoint, o serve.Options, dir string) (string, error) {
	embedded := o.Kind == "" || o.Kind == "embedded"
	switch gguf := c.Format() == merge.GGUF; {
	case gguf && o.Format() == serve.Directory:
		return "", usage.Errorf("%s: a GGUF file; server %s loads Hugging Face directories", c.Path(), o.Kind)
	case gguf:
		return c.Path(), nil
	case c.Path() == c.Files()[0] && (c.Format() == merge.Torch || !embedded):
		return "", usage.Errorf("%s: a single file; the engine needs the directory with config.json and tokenizer", c.Path())
	}
	path, err := c.AsSafetensors(ctx, filepath.Join(dir, filepath.Base(c.Path())))
	if err != nil || embedded || o.Format() == serve.Directory {
		return path, err
	}
	return convert.Path(ctx, path, dir, "")
}

// WriteJSON prints the scores, with the items if asked for.
func (s *Scores) WriteJSON(w io.Writer, items bool) error {
	out := *s
	if !items {
		out.Items = nil
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// WriteText prints a table: points with standard errors.
func (s *Scores) WriteText(w io.Writer) error {
	table := tablewriter.NewTable(w)
	table.Header("category", "score", "items", "failed", "missing", "truncated")
	for _, name := range slices.Sorted(maps.Keys(s.Categories)) {
		c := s.Categories[name]
		if err := table.Append(name, points(c.Mean, c.SE, c.N > 0, c.Units > 1), fmt.Sprint(c.N), fmt.Sprint(c.Failed+c.Timeout), fmt.Sprint(c.Missing), fmt.Sprint(c.Truncated)); err != nil {
			return err
		}
	}
	all := s.summary
	table.Footer("mean of categories", points(all.Mean, all.SE, len(all.Unmeasured) == 0, all.ErrorKnown()), fmt.Sprint(all.N),
		fmt.Sprint(all.Failed+all.Timeout), fmt.Sprint(all.Missing), fmt.Sprint(all.Truncated))
	if err := table.Render(); err != nil {
		return err
	}
	if err := errors.Join(writeFigures(w, s.Figures), writePerturbations(w, s.Perturbed)); err != nil {
		return err
	}
	if lost := all.Failed + all.Timeout; lost > 0 {
		_, err := fmt.Fprintf(w, "%d items have no answer, the first: %s\n", lost, reason(s.Items))
		return err
	}
	return nil
}

func points(mean, se float64, measured, errorKnown bool) string {
	switch {
	case !measured:
		return "-"
	case !errorKnown:
		return fmt.Sprintf("%.2f", 100*mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", 100*mean, 100*se)
}
