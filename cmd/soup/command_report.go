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
	o := study.ExportOptions{Trial: -1}
	cmd := &cobra.Command{
		Use:   "export DIR [-o OUT] [--mergekit FILE] [--trial N]",
		Short: "Write a candidate of a study as a checkpoint, or as a recipe for mergekit",
		Example: `  soup export build/demo -o best-soup
  soup export build/demo --mergekit best.yaml`,
		Args: exactly(1, "the folder of one study"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Trial < 0 && cmd.Flags().Changed("trial") {
				return &usage.Error{Message: fmt.Sprintf("--trial %d: trials are numbered from 0", o.Trial)}
			}
			if o.Out == "" && o.Mergekit == "" {
				return &usage.Error{Message: "export needs -o OUT, or --mergekit FILE"}
			}
			t, err := study.Export(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			for _, written := range []string{o.Out, o.Mergekit} {
				if written != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "trial %d, %s, written to %s\n", t.Number, t.Label, written)
				}
			}
			return nil
		},
	}
	outputFlag(cmd, &o.Out)
	cmd.Flags().StringVar(&o.Mergekit, "mergekit", "", "recipe for mergekit (YAML) to write; must not exist")
	cmd.Flags().IntVar(&o.Trial, "trial", -1, "number of the trial (default: the winner)")
	formatFlags(cmd, &o.Format, &o.Config)
	return cmd
}
