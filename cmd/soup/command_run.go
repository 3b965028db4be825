package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"soup/internal/fleet"
	"soup/internal/progress"
	"soup/internal/study"
)

// runFlags are the options of soup run.
type runFlags struct {
	dir         string
	requireGain bool
	listen      []string // of the page, of workers, or both
	page        pageFlags
	workers     fleetFlags
}

func newRunCommand() *cobra.Command {
	var o runFlags
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
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&o.dir, "dir", "", "folder of the study (default: the study file without .yaml)")
	cmd.Flags().BoolVar(&o.requireGain, "require-gain", false, "exit with 3 if no soup is better than the best single checkpoint")
	cmd.Flags().StringArrayVar(&o.listen, "listen", nil, "serve the live page while the study runs: HOST:PORT, 127.0.0.1 without HOST; with port 4222 or as nats://HOST:PORT, let workers join; both may be given")
	o.page.registerToken(cmd)
	o.workers.register(cmd)
	return cmd
}

func (o *runFlags) run(cmd *cobra.Command, file string) error {
	config, err := study.ReadConfig(file)
	if err != nil {
		return err
	}
	bar := progress.New(cmd.ErrOrStderr(), quiet(cmd))
	defer bar.Close()
	if o.dir == "" {
		o.dir = study.DefaultDir(file)
	}
	info := cmd.ErrOrStderr()
	if quiet(cmd) {
		info = io.Discard
	}
	if o.page.listen, o.workers.listen.Address, err = fleet.SplitListen(o.listen); err != nil {
		return err
	}
	others, err := o.workers.fleet(o.page.tokenFile)
	if err != nil {
		return err
	}
	hide, err := o.page.beside(cmd, o.dir, others != nil)
	if err != nil {
		return err
	}
	err = study.Run(cmd.Context(), config, study.RunOptions{
		Dir: o.dir, Progress: bar, Warnings: cmd.ErrOrStderr(), Info: info, RequireGain: o.requireGain, Fleet: others,
	})
	hide()
	bar.Close()
	if err == nil {
		fmt.Fprintf(info, "soup: done; see it with: soup report %s\n", o.dir)
	}
	return err
}
