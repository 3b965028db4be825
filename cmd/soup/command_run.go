package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"soup/internal/progress"
	"soup/internal/study"
)

func newRunCommand() *cobra.Command {
	var dir string
	var requireGain bool
	var page pageFlags
	cmd := &cobra.Command{
		Use:   "run STUDY.yaml [--dir DIR]",
		Short: "Start or continue a study",
		Long: `Start or continue a study. Everything that was scored is kept in DIR/study.db at
once: after Ctrl-C, a crash or a power cut the same command goes on from there.
The winner is exported to DIR/winner. With --listen it serves the live page
while it runs, as soup watch does.`,
		Example: `  soup run first.yaml
  soup run first.yaml --listen :8080
  soup run examples/garden/demo.yaml --dir build/demo --require-gain`,
		Args: exactly(1, "one study file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := study.ReadConfig(args[0])
			if err != nil {
				return err
			}
			bar := progress.New(cmd.ErrOrStderr(), quiet(cmd))
			defer bar.Close()
			if dir == "" {
				dir = study.DefaultDir(args[0])
			}
			info := cmd.ErrOrStderr()
			if quiet(cmd) {
				info = io.Discard
			}
			hide, err := page.beside(cmd, dir)
			if err != nil {
				return err
			}
			err = study.Run(cmd.Context(), config, study.RunOptions{
				Dir: dir, Progress: bar, Warnings: cmd.ErrOrStderr(), Info: info, RequireGain: requireGain,
			})
			hide()
			bar.Close()
			if err == nil {
				fmt.Fprintf(info, "soup: done; see it with: soup report %s\n", dir)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder of the study (default: the study file without .yaml)")
	cmd.Flags().BoolVar(&requireGain, "require-gain", false, "exit with 3 if no soup is better than the best single checkpoint")
	page.register(cmd, "", "serve the live page while the study runs")
	return cmd
}
