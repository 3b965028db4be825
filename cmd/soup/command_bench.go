package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"soup/internal/bench"
	"soup/internal/usage"
)

func newBenchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "bench merge|search [--json]",
		Short:   "Measure merging, and strategies against each other",
		Example: "  soup bench merge\n  soup bench search --problems inside,edge",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			message := "bench needs to know what to measure"
			if len(args) > 0 {
				message = "bench: unknown measurement " + args[0]
			}
			return &usage.Error{Message: message, Advice: "soup bench merge, or soup bench search"}
		},
	}
	cmd.AddCommand(newBenchMergeCommand(), newBenchSearchCommand())
	return cmd
}

func newBenchMergeCommand() *cobra.Command {
	var o bench.MergeOptions
	var asJSON bool
	var size string
	cmd := &cobra.Command{
		Use:   "merge [--gb PARENTSxGB] [--dir DIR] [--json]",
		Short: "Measure merging, as shares of this machine's read and copy rates",
		Long: `Average synthetic checkpoints of bfloat16, float16 and float32 into a reused
buffer, with weights new in all groups and in one of four, four candidates at
once, and into a new file; beside it the rates at which the machine reads the
same files and copies memory, and the memory that merging takes beside the
mapped files. The files are made in a new folder of DIR and removed at the end.`,
		Example: "  soup bench merge\n  soup bench merge --gb 4x1 --json",
		Args:    exactly(0, "options only"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Parents, o.Bytes, err = parseSize(size); err != nil {
				return err
			}
			if !quiet(cmd) {
				o.Info = cmd.ErrOrStderr()
			}
			report, err := bench.Merge(cmd.Context(), o)
			if err != nil {
				return err
			}
			return show(cmd, report, asJSON)
		},
	}
	cmd.Flags().StringVar(&size, "gb", "4x0.25", "parents, and the GB of each")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "folder to work in (default: memory if there is room, else the folder of temporary files)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newBenchSearchCommand() *cobra.Command {
	var o bench.SearchOptions
	var asJSON, asMarkdown, answers bool
	var plots string
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Compare strategies on made-up landscapes and on a grid of soups",
		Long: `Run strategies on problems whose best soup is known and print how far, in
points, the soup that each would deliver lies below it after so many
evaluations. A grid is a folder with grid.jsonl, grid_scores.csv.gz and
grid_soft.csv.gz: soups of a lattice with every item's outcome, interpolated in
between.`,
		Example: "  soup bench search --problems inside,edge\n  soup bench search --grid results --strategies gp,cmaes --items 75",
		Args:    exactly(0, "options only"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON && asMarkdown {
				return &usage.Error{Message: "--json and --md: only one can be printed", Advice: "leave one out"}
			}
			if !quiet(cmd) {
				o.Info = cmd.ErrOrStderr()
			}
			if answers {
				return bench.Answers(cmd.Context(), o, cmd.InOrStdin(), cmd.OutOrStdout())
			}
			report, err := bench.Search(cmd.Context(), o)
			if err == nil && plots != "" {
				err = report.WritePlots(plots)
			}
			if err != nil {
				return err
			}
			if asMarkdown {
				return report.WriteMarkdown(cmd.OutOrStdout())
			}
			return show(cmd, report, asJSON)
		},
	}
	cmd.Flags().StringVar(&o.Grid, "grid", "", "folder of a recorded grid")
	cmd.Flags().StringSliceVar(&o.Problems, "problems", nil, "problems (default: all)")
	cmd.Flags().StringSliceVar(&o.Strategies, "strategies", nil, "strategies (default: all that search)")
	cmd.Flags().IntSliceVar(&o.Marks, "evaluations", []int{10, 15, 30, 60}, "when to look at the soup to deliver")
	cmd.Flags().IntVar(&o.Seeds, "seeds", 20, "runs of each")
	cmd.Flags().IntVar(&o.Items, "items", 150, "search items a category")
	cmd.Flags().StringVar(&plots, "svg", "", "folder to write a plot of every problem into: regret against items answered")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&answers, "answers", false, `for other programs: read {"seed":0,"weights":[0.5,0.5]} from standard input, print score and regret`)
	cmd.Flags().BoolVar(&asMarkdown, "md", false, "print tables in Markdown")
	return cmd
}

// The limits of --gb: what a merge takes, and what anybody has.
const (
	maxBenchParents = 64
	maxBenchGB      = 1000
)

// parseSize reads PARENTSxGB.
func parseSize(text string) (parents int, bytes int64, err error) {
	count, each, _ := strings.Cut(text, "x")
	parents, errCount := strconv.Atoi(count)
	gb, errEach := strconv.ParseFloat(each, 64)
	if errCount != nil || errEach != nil || parents < 2 || parents > maxBenchParents || !(gb >= 1e-5 && gb <= maxBenchGB) {
		return 0, 0, &usage.Error{
			Message: "--gb: " + strconv.Quote(text) + " is not PARENTSxGB",
			Advice:  "write --gb 4x1 for four parents of 1 GB; 2 to 64 parents of 0.00001 to 1000 GB",
		}
	}
	return parents, int64(gb * 1e9), nil
}
