package main

import (
	"github.com/spf13/cobra"

	"soup/internal/progress"
	"soup/internal/single"
	"soup/internal/usage"
)

func newEvalCommand() *cobra.Command {
	var o single.ScoreOptions
	var asJSON, items, show bool
	cmd := &cobra.Command{
		Use:   "eval (--model PATH | --answers FILE.jsonl) --data FILE... [--split NAME]",
		Short: "Score one checkpoint, or recorded answers",
		Long: `Score one checkpoint through the embedded engine, or recorded answers
({"id":..,"answer":..} a line) without a model.`,
		Example: `  soup eval --model examples/garden/finetune/arith --data examples/garden/data/arith.jsonl --split test
  soup eval --answers answers.jsonl --data examples/garden/data/arith.jsonl --json --items`,
		Args: exactly(0, "options only; give --data once for each file"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if show && o.Answers == "" && len(o.Data) > 0 {
				return single.Show(cmd.Context(), o, cmd.OutOrStdout())
			}
			if (o.Model == "") == (o.Answers == "") {
				return &usage.Error{Message: "eval needs either --model or --answers"}
			}
			if len(o.Data) == 0 {
				return &usage.Error{Message: "eval needs --data", Advice: "give a JSON Lines file of items"}
			}
			if items && !asJSON {
				return &usage.Error{Message: "--items goes with --json"}
			}
			if show {
				return &usage.Error{Message: "--show scores nothing and does not go with --answers"}
			}
			o.Progress, o.Warnings = progress.New(cmd.ErrOrStderr(), quiet(cmd)), cmd.ErrOrStderr()
			scores, err := single.Score(cmd.Context(), o)
			o.Progress.Close()
			if err != nil {
				return err
			}
			if asJSON {
				return scores.WriteJSON(cmd.OutOrStdout(), items)
			}
			return scores.WriteText(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Model, "model", "", "checkpoint: a Hugging Face directory or a GGUF file")
	f.StringVar(&o.Answers, "answers", "", "recorded answers instead of a model")
	f.StringArrayVar(&o.Data, "data", nil, "benchmark file, JSON Lines, or FAMILY:PATH; may be repeated")
	f.StringVar(&o.Split, "split", "", "search, selection or test (default: all items)")
	f.IntVar(&o.Threads, "threads", 0, "threads of the embedded engine (default: chosen by size)")
	f.StringArrayVar(&o.Command, "metric-command", nil, "program that scores items of metric command; again for each argument")
	f.BoolVar(&show, "show", false, "print the first item's prompt, stop texts and metric of each --data, and score nothing")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&items, "items", false, "with --json: every item's outcome")
	return cmd
}
