package main

import (
	"github.com/spf13/cobra"

	"soup/internal/comparison"
)

func newCompareCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compare DIR DIR... [--json]",
		Short: "Set finished studies and their strategies side by side",
		Long: `Set finished studies side by side, such as one study with several seeds: every
strategy's mean rank and score on test, how often it is better than the best
single checkpoint, and the winners in pairs where the test items are the same.`,
		Example: "  soup compare build/demo-1 build/demo-2 build/demo-3",
		Args:    atLeast(2, "the folders of two studies or more"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := comparison.Compare(cmd.Context(), args)
			if err != nil {
				return err
			}
			if asJSON {
				return c.WriteJSON(cmd.OutOrStdout())
			}
			return c.WriteText(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
