package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"soup/internal/export"
	"soup/internal/usage"
)

func newExportCommand() *cobra.Command {
	o := export.Options{Trial: -1, Version: version}
	cmd := &cobra.Command{
		Use:   "export DIR [-o OUT] [--trial N]",
		Short: "Write the winner as a checkpoint, or a study for others",
		Long: `Write parts of a study in the forms that other programs read, several at once.
Nothing that exists is overwritten.

of the winner, or of --trial N:
  -o OUT            the checkpoint: a Hugging Face directory with a model card
                    that holds weights, scores against the best single
                    checkpoint and the parents' licences; or a GGUF file, with
                    OUT.README.md
  --mergekit FILE   a recipe that mergekit carries out (YAML)
  --modelfile FILE  a Modelfile for ollama create, of OUT or of the winner
  --lm-eval DIR     results_*.json and samples_*.jsonl in the layout of
                    lm-evaluation-harness

of all trials, also while the study runs:
  --optuna FILE     a journal for optuna, optuna-dashboard and their like:
                    weights as parameters, item scores as intermediate values
  --jsonl FILE      the ledger, an object a line`,
		Example: `  soup export build/demo -o best-soup
  soup export build/demo -o best.gguf --format gguf --modelfile Modelfile
  soup export build/demo --mergekit best.yaml --trial 12
  soup export build/demo --optuna journal.log --jsonl trials.jsonl
  soup export build/demo --lm-eval scores`,
		Args: exactly(1, "the folder of one study"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Trial < 0 && cmd.Flags().Changed("trial") {
				return &usage.Error{Message: fmt.Sprintf("--trial %d: trials are numbered from 0", o.Trial)}
			}
			written, err := export.Export(cmd.Context(), args[0], o)
			for _, w := range written {
				fmt.Fprintf(cmd.OutOrStdout(), "%s, written to %s\n", w.What, w.Path)
			}
			return err
		},
	}
	outputFlag(cmd, &o.Out)
	f := cmd.Flags()
	f.StringVar(&o.Mergekit, "mergekit", "", "recipe for mergekit (YAML) to write; must not exist")
	f.StringVar(&o.Modelfile, "modelfile", "", "Modelfile of Ollama to write; must not exist")
	f.StringVar(&o.LMEval, "lm-eval", "", "directory to write in the layout of lm-evaluation-harness; must not exist")
	f.StringVar(&o.Optuna, "optuna", "", "journal of Optuna to write; must not exist")
	f.StringVar(&o.JSONL, "jsonl", "", "JSON Lines file to write; must not exist")
	f.IntVar(&o.Trial, "trial", -1, "number of the trial (default: the winner)")
	f.StringVar(&o.Study, "study", "", "study file, for --lm-eval where its benchmarks are not found by themselves")
	formatFlags(cmd, &o.Format, &o.Config)
	return cmd
}
