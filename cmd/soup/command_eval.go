package main

import (
	"strings"

	"github.com/spf13/cobra"

	"soup/internal/progress"
	"soup/internal/serve"
	"soup/internal/single"
	"soup/internal/usage"
)

// evalFlags are the options of soup eval.
type evalFlags struct {
	single.ScoreOptions
	asJSON, items, show bool
}

func newEvalCommand() *cobra.Command {
	var o evalFlags
	cmd := &cobra.Command{
		Use:   "eval --model PATH | --answers FILE --data FILE... [--split NAME]",
		Short: "Score one checkpoint, or recorded answers",
		Long: `Score one checkpoint through the embedded engine or another server, or recorded
answers ({"id":..,"answer":..} a line) without a model.`,
		Example: `  soup eval --model finetune/arith --data data/arith.jsonl --split test
  soup eval --model base --data data/sort.jsonl --server ollama --start
  soup eval --model base --data gsm8k:gsm8k/test.jsonl
  soup eval --answers answers.jsonl --data data/arith.jsonl --json --items
  soup eval --model base --data data/sort.jsonl --perturb 0.05,0.1
  soup eval --show --model base --data data/choice.jsonl`,
		Args: exactly(0, "options only; give --data once for each file"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.register(cmd)
	return cmd
}

func (o *evalFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Model, "model", "", "checkpoint: a Hugging Face directory or a GGUF file")
	f.StringVar(&o.Answers, "answers", "", "recorded answers instead of a model")
	f.StringArrayVar(&o.Data, "data", nil, "benchmark file, JSON Lines, or FAMILY:PATH, or '{FAMILY: PATH, option: value}'; may be repeated")
	f.StringVar(&o.Split, "split", "", "search, selection or test (default: all items)")
	f.StringVar(&o.Server.Kind, "server", "", "what runs the model: "+strings.Join(serve.Kinds(), ", ")+" (default: embedded)")
	f.StringVar(&o.Server.URL, "url", "", "with --server: where it runs")
	f.BoolVar(&o.Server.Start, "start", false, "with --server: start one, and end it")
	f.StringVar(&o.Server.Program, "program", "", "with --start: the program (default: found in the PATH)")
	f.StringVar(&o.Server.Key, "key", "", "with --server: environment variable with the key that is sent")
	f.IntVar(&o.Server.Context, "context", 0, "with --server: tokens that prompt and answer may have (default: the server's)")
	f.IntVar(&o.Server.Parallel, "parallel", 0, "with --server: requests in flight (default: found by a short ramp)")
	f.DurationVar(&o.Server.Timeout, "timeout", 0, "with --server: of one question (default: 5m)")
	f.IntVar(&o.Server.Threads, "threads", 0, "threads of the embedded engine, or of a server that is started (default: chosen)")
	f.StringArrayVar(&o.Command, "metric-command", nil, "program that scores items of metric command; again for each argument")
	f.Float64SliceVar(&o.Perturb, "perturb", nil, "score noisy copies too: sizes of Gaussian noise relative to each row of weights, such as 0.1,0.2")
	f.IntVar(&o.Draws, "draws", 3, "with --perturb: of the noise, for each size")
	f.Uint64Var(&o.Seed, "seed", 1, "with --perturb: of the noise")
	f.BoolVar(&o.show, "show", false, "print the first item's prompt, stop texts and metric of each --data, and score nothing")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.BoolVar(&o.items, "items", false, "with --json: every item's outcome")
}

func (o *evalFlags) run(cmd *cobra.Command) error {
	if o.show && o.Answers == "" && len(o.Data) > 0 {
		return single.Show(cmd.Context(), o.ScoreOptions, cmd.OutOrStdout())
	}
	if err := o.check(); err != nil {
		return err
	}
	o.Progress, o.Warnings = progress.New(cmd.ErrOrStderr(), quiet(cmd)), cmd.ErrOrStderr()
	scores, err := single.Score(cmd.Context(), o.ScoreOptions)
	o.Progress.Close()
	if err != nil {
		return err
	}
	if o.asJSON {
		return scores.WriteJSON(cmd.OutOrStdout(), o.items)
	}
	return scores.WriteText(cmd.OutOrStdout())
}

// check refuses options that contradict each other, before any work.
func (o *evalFlags) check() error {
	switch {
	case (o.Model == "") == (o.Answers == ""):
		return &usage.Error{Message: "eval needs either --model or --answers"}
	case len(o.Data) == 0:
		return &usage.Error{Message: "eval needs --data", Advice: "give a JSON Lines file of items"}
	case o.items && !o.asJSON:
		return &usage.Error{Message: "--items goes with --json"}
	case o.show:
		return &usage.Error{Message: "--show scores nothing and does not go with --answers"}
	}
	return nil
}
