// Command soup finds the weighted average of language-model checkpoints that
// scores best on your own benchmarks. See the README and docs/guide.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"soup/internal/study"
	"soup/internal/usage"
)

// Rules for what the user sees: results go to stdout and nothing else does.
// Progress, warnings and errors go to stderr, lower case, no full stop, one
// line: "soup: error: ..." and, where there is something to do about it,
// "soup: hint: ...".

// The exit codes; any other means failure.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNoGain      = 3 // done, but no soup is better than the best single checkpoint
	exitInterrupted = 130
)

// version is set by the linker.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the process at once
		time.Sleep(patience)
		os.Exit(report(os.Stderr, ctx.Err()))
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// patience is how long an interrupted command may take to stop by itself. A
// forward pass of a large model takes longer; cutting it off loses nothing,
// for a study survives even kill -9.
const patience = 1500 * time.Millisecond

// run is soup without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	// The engine reports its devices and layers to the default logger.
	slog.SetDefault(slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	return report(stderr, err)
}

// report prints an error and its hint and returns the exit code.
func report(stderr io.Writer, err error) int {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "soup: interrupted; a study goes on where it was with the same command")
		return exitInterrupted
	}
	fmt.Fprintln(stderr, "soup: error: "+oneLine(err.Error()))
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		fmt.Fprintln(stderr, "soup: hint: "+oneLine(hinted.Hint()))
	}
	var wrong *usage.Error
	switch {
	case errors.Is(err, study.ErrNoGain):
		return exitNoGain
	case errors.As(err, &wrong):
		return exitUsage
	default:
		return exitFailed
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "soup",
		Short: "Find the weighted average of checkpoints that scores best on your benchmarks",
		Long: `Find the weighted average of checkpoints that scores best on your benchmarks.
Examples name files of examples/garden. Topic: soup help study, the keys of a
study file.`,
		Example:       "  soup check --base base finetune/*\n  soup run first.yaml\n  soup report first",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usage.Error{Message: "unknown command " + args[0], Advice: "run soup --help for the list"}
			}
			return cmd.Help()
		},
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return &usage.Error{Message: err.Error(), Advice: "run the command with --help for its options"}
	})
	root.PersistentFlags().Bool("quiet", false, "no progress on stderr")
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", ".FlagUsagesWrapped 80 "))
	root.AddCommand(newRunCommand(), newWorkerCommand(), newWatchCommand(), newReportCommand(), newCompareCommand(), newExportCommand(), newEvalCommand(),
		newMergeCommand(), newAverageCommand(), newCheckCommand(), newAnalyzeCommand(), newBenchCommand(), newVersionCommand(), newStudyTopic())
	completeFlags(root)
	completeArguments(root)
	return root
}

// newStudyTopic is what soup help study shows; there is nothing to run.
func newStudyTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "study",
		Short: "The keys of a study file",
		Long:  "The keys of a study file, a.b standing for b below a.\n\n" + study.KeysHelp(),
	}
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  exactly(0, "nothing"),
		Run:   func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "soup", version) },
	}
}

// exactly and atLeast are cobra's argument checks with soup's exit code.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return &usage.Error{Message: fmt.Sprintf("%s takes %s, got %d arguments", cmd.CommandPath(), what, len(args)), Advice: "usage: " + cmd.UseLine()}
		}
		return nil
	}
}

func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return &usage.Error{Message: fmt.Sprintf("%s takes %s", cmd.CommandPath(), what), Advice: "usage: " + cmd.UseLine()}
		}
		return nil
	}
}

func quiet(cmd *cobra.Command) bool {
	q, err := cmd.Flags().GetBool("quiet")
	return err == nil && q
}
