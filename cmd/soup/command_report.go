package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"soup/internal/study"
	"soup/internal/usage"
)

func newReportCommand() *cobra.Command {
	var asJSON, asCSV bool
	cmd := &cobra.Command{
		Use:     "report DIR [--json | --csv]",
		Short:   "Show what a study found",
		Example: "  soup report build/demo",
		Args:    exactly(1, "the folder of one study"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && asCSV {
				return &usage.Error{Message: "give --json or --csv, not both"}
			}
			report, err := study.BuildReport(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return study.WriteReport(cmd.OutOrStdout(), report, map[bool]string{asJSON: "json", asCSV: "csv"}[true])
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print one line a trial")
	return cmd
}

func newExportCommand() *cobra.Command {
	var out, format string
	trial := -1
	cmd := &cobra.Command{
		Use:     "export DIR -o OUT [--trial N]",
		Short:   "Write a candidate of a study as a checkpoint",
		Example: "  soup export build/demo -o best-soup",
		Args:    exactly(1, "the folder of one study"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if trial < 0 && cmd.Flags().Changed("trial") {
				return &usage.Error{Message: fmt.Sprintf("--trial %d: trials are numbered from 0", trial)}
			}
			if out == "" {
				return &usage.Error{Message: "export needs -o OUT"}
			}
			t, err := study.Export(cmd.Context(), args[0], study.ExportOptions{Out: out, Trial: trial, Format: format})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "trial %d, %s, written to %s\n", t.Number, t.Label, out)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "directory to write, or .gguf file where the parents are GGUF; must not exist, or be empty")
	cmd.Flags().IntVar(&trial, "trial", -1, "number of the trial (default: the winner)")
	cmd.Flags().StringVar(&format, "format", "", "safetensors or gguf (default: as the parents)")
	return cmd
}
