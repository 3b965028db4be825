package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"soup/internal/study"
	"soup/internal/usage"
)

func newReportCommand() *cobra.Command {
	var asJSON, asCSV bool
	var html string
	cmd := &cobra.Command{
		Use:   "report DIR [--json | --csv | --html FILE]",
		Short: "Show what a study found",
		Example: `  soup report build/demo
  soup report build/demo --html report.html`,
		Args: exactly(1, "the folder of one study"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && asCSV {
				return &usage.Error{Message: "give --json or --csv, not both"}
			}
			if cmd.Flags().Changed("html") {
				return writePage(cmd, args[0], html, asJSON || asCSV)
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
	cmd.Flags().StringVar(&html, "html", "", "web page to write: one file with charts, candidates and items; replaces only such a report")
	return cmd
}

func writePage(cmd *cobra.Command, dir, file string, also bool) error {
	switch {
	case file == "":
		return &usage.Error{Message: "--html needs a file"}
	case also:
		return &usage.Error{Message: "give --html or --json or --csv, not two of them"}
	}
	if err := study.WritePage(cmd.Context(), dir, file); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "report of %s written to %s\n", dir, file)
	return nil
}
