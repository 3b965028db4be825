package main

import (
	"github.com/spf13/cobra"

	"soup/internal/comparison"
)

func newCompareCommand() *cobra.Command {
	var o comparison.Form
	cmd := &cobra.Command{
		Use:   "compare DIR DIR... [--json | --csv | --md]",
		Short: "Set finished studies and their strategies side by side",
		Long: `Set finished studies side by side, such as one study with several seeds: every
strategy's mean rank and score on test, how often it is better than the best
single checkpoint and than other strategies, the best score so far at equal
cost, and the winners in pairs where the test items are the same. Studies of one
name and the same parents count as seeds of one study.`,
		Example: "  soup compare night-1 night-2 night-3",
		Args:    atLeast(2, "the folders of two studies or more"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return comparison.Run(cmd.Context(), cmd.OutOrStdout(), args, o)
		},
	}
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON: everything")
	cmd.Flags().BoolVar(&o.CSV, "csv", false, "print one line a strategy and study")
	cmd.Flags().BoolVar(&o.Markdown, "md", false, "print the tables as GitHub's Markdown")
	return cmd
}
