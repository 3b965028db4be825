package main

import (
	"github.com/spf13/cobra"

	"soup/internal/analysis"
)

func newAnalyzeCommand() *cobra.Command {
	var o analysis.Request
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "analyze SCORES.csv|DIR [--tau T]... [--recipe FILE] [--svg FILE]",
		Short: "Correlate categories, name experts, show what SoCE would mix",
		Long: `Read a table of scores, one model a row and one category a column, and show how
the categories correlate over the models, with intervals, which models are
experts, and what SoCE would mix at several thresholds. A study's folder in
place of the table takes the scores of its candidates on the search split.
A recipe says how to read a table and what was published about it.`,
		Example: `  soup analyze scores.csv --model-column Model --category arith --tau 0.2
  soup analyze bfcl_scores.csv --recipe examples/souper/bfcl-8b.yaml
  soup analyze first --front arith --front sort --svg correlations.svg`,
		Args: exactly(1, "a table of scores, or the folder of a study"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Table = args[0]
			found, err := analysis.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return found.WriteJSON(cmd.OutOrStdout())
			}
			return found.WriteText(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.Float64SliceVar(&o.Tau, "tau", nil, "threshold of SoCE; may be repeated (default: several)")
	f.StringVar(&o.Model, "model-column", "", `column with the models' names (default: "model", else the first)`)
	f.StringArrayVar(&o.Categories, "category", nil, "column to take, or a pattern such as 'Live *'; may be repeated (default: all with numbers)")
	f.BoolVar(&o.Transposed, "transposed", false, "models are columns and categories rows")
	f.StringArrayVar(&o.Among, "candidate", nil, "model that may be an expert; may be repeated (default: all)")
	f.StringVar(&o.Recipe, "recipe", "", "file that says all this, and what was published")
	f.StringArrayVar(&o.Front, "front", nil, "of a study: category to find the front of; give it twice or more")
	f.StringVar(&o.SVG, "svg", "", "picture of the correlations to write; must not exist")
	f.Uint64Var(&o.Seed, "seed", 1, "of the resampling that gives the intervals")
	f.IntVar(&o.Resamples, "resamples", 2000, "how often the models are drawn again")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
