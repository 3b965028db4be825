package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"soup/internal/selftest"
	"soup/internal/serve"
	"soup/internal/usage"
)

// errUnfit is the failure of a self-test; what is wrong is on stdout.
var errUnfit = errors.New("this server is not fit for a study")

// selftestOptions are the options of soup check that go with --server.
var selftestOptions = []string{"server", "url", "start", "program", "key", "model", "context", "timeout", "limit"}

// selftestFlags adds them.
func selftestFlags(f *pflag.FlagSet, o *selftest.Options) {
	f.StringVar(&o.Server.Kind, "server", "", "try a server instead of comparing checkpoints: "+strings.Join(serve.Kinds(), ", "))
	f.StringVar(&o.Server.URL, "url", "", "with --server: where it runs")
	f.BoolVar(&o.Server.Start, "start", false, "with --server: start one, and end it")
	f.StringVar(&o.Server.Program, "program", "", "with --start: the program (default: found in the PATH)")
	f.StringVar(&o.Server.Key, "key", "", "with --server: environment variable with the key that is sent")
	f.StringVar(&o.Model, "model", "", "with --server: checkpoint to try it with")
	f.IntVar(&o.Server.Context, "context", 0, "with --server: tokens that prompt and answer may have (default: the server's)")
	f.DurationVar(&o.Server.Timeout, "timeout", 0, "with --server: of one question (default: 5m)")
	f.DurationVar(&o.Limit, "limit", 0, "with --server: of the whole test (default: 10m)")
}

// trying says whether a server is to be tried, and refuses options that do not go
// with what is asked for.
func trying(cmd *cobra.Command, args []string) (bool, error) {
	wanted := cmd.Flags().Changed("server")
	for _, name := range selftestOptions {
		if cmd.Flags().Changed(name) && !wanted {
			return false, &usage.Error{Message: "--" + name + " goes with --server", Advice: "soup check --server KIND --model PATH tries a server"}
		}
	}
	if !wanted {
		return false, nil
	}
	if len(args) > 0 {
		return true, &usage.Error{Message: "--server tries a server and takes no paths", Advice: "give the checkpoint as --model"}
	}
	for _, name := range []string{"deep", "suggest", "base", "store", "groups", "recipe"} {
		if cmd.Flags().Changed(name) {
			return true, &usage.Error{Message: "--server tries a server and does not go with --" + name}
		}
	}
	return true, nil
}

// try runs the self-test.
func try(cmd *cobra.Command, o selftest.Options, asJSON bool) error {
	report, err := selftest.Run(cmd.Context(), o)
	if err != nil {
		return err
	}
	if err := show(cmd, report, asJSON); err != nil {
		return err
	}
	if !report.OK {
		return errUnfit
	}
	return nil
}
