package main

import (
	"github.com/spf13/cobra"

	"soup/internal/reports"
)

func newReportCommand() *cobra.Command {
	var r reports.Request
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Show what a study found",
		Long: `Show what a study found, also while it runs. Text is as wide as the terminal,
80 to 200 columns, and 100 elsewhere; COLUMNS=80 in the environment says
otherwise. Pictures that there is no data for are named on stderr, with the
reason.`,
		Example: `  soup report first
  soup report first --csv > trials.csv
  soup report first --svg figures
  soup report first --html first.html`,
		Args: exactly(1, "the folder of one study"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Dir = args[0]
			return reports.Run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), r)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&r.JSON, "json", false, "print JSON: everything")
	f.BoolVar(&r.CSV, "csv", false, "print one line a trial")
	f.BoolVar(&r.Markdown, "md", false, "print the tables as GitHub's Markdown")
	f.BoolVar(&r.Notes, "notes", false, "in text, also how each strategy chose its candidates")
	f.StringVar(&r.SVG, "svg", "", "folder to write pictures into as SVG; those of the same name are replaced")
	f.StringVar(&r.PNG, "png", "", "the same as PNG, 200 pixels an inch")
	f.StringVar(&r.HTML, "html", "", "web page to write, one file with charts, candidates and items; replaces only such a page")
	return cmd
}
