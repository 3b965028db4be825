package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"soup/internal/fleet"
	"soup/internal/progress"
	"soup/internal/study"
)

func newRunCommand() *cobra.Command {
	var dir string
	var requireGain bool
	var page pageFlags
	var workers fleetFlags
	var listen []string
	cmd := &cobra.Command{
		Use:   "run STUDY.yaml [--dir DIR]",
		Short: "Start or continue a study",
		Long: `Start or continue a study. Everything that was scored is kept in DIR/study.db at
once: after Ctrl-C, a crash or a power cut the same command goes on from there.
The winner is exported to DIR/winner. With --listen it serves the live page
while it runs, as soup watch does; with --listen :4222, or --nats, others help
(soup worker).`,
		Example: `  soup run first.yaml
  soup run first.yaml --listen :8080
  SOUP_TOKEN=$(cat token) soup run first.yaml --listen :4222
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
			if page.listen, workers.listen.Address, err = fleet.SplitListen(listen); err != nil {
				return err
			}
			fleet, err := workers.fleet(page.tokenFile)
			if err != nil {
				return err
			}
			hide, err := page.beside(cmd, dir, fleet != nil)
			if err != nil {
				return err
			}
			err = study.Run(cmd.Context(), config, study.RunOptions{
				Dir: dir, Progress: bar, Warnings: cmd.ErrOrStderr(), Info: info, RequireGain: requireGain, Fleet: fleet,
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
	cmd.Flags().StringArrayVar(&listen, "listen", nil, "serve the live page while the study runs: HOST:PORT, 127.0.0.1 without HOST; with port 4222 or as nats://HOST:PORT, let workers join; both may be given")
	page.registerToken(cmd)
	workers.register(cmd)
	return cmd
}
