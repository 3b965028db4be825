package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"soup/internal/selftest"
	"soup/internal/single"
	"soup/internal/usage"
)

// errRefused is the failure of a check that found a reason against averaging;
// the reasons are on stdout.
var errRefused = errors.New("these checkpoints cannot be averaged")

// checkFlags are the options of soup check.
type checkFlags struct {
	single.CheckOptions
	asJSON bool
	recipe string
	server selftest.Options
}

func newCheckCommand() *cobra.Command {
	var o checkFlags
	cmd := &cobra.Command{
		Use:   "check PATH... | OUT --recipe FILE | --server KIND --model PATH",
		Short: "Can these be averaged? Or: verify a soup, try a server",
		Long: `Say whether checkpoints can be averaged: every reason against it, with its
remedy; then what a soup takes: memory, disk, bytes to read and, from a probe of
0.2 s, how long that takes. Of the weights only samples are read, with --deep
all of them: then it also finds parents of another origin, scaled, moved too
far, with layers or rows in another order, or nearly equal. Paths may also be
LoRA adapters.

With --recipe the first path is a soup: its weights must have the sha256 that
the recipe records, and the parents, where paths of them are given, the content.

With --server a server is tried, in less than a minute for small models: whether
it answers with the weights it was given, renders prompts as the model was
trained, repeats its log-probabilities; how long a swap takes; what it cannot
do.`,
		Example: `  soup check --deep --base base finetune/*
  soup check --suggest --base base finetune/*
  soup check --groups layers=2 finetune/arith finetune/order
  soup check sum --recipe sum/soup.json finetune/arith finetune/order
  soup check --server embedded --model base`,
		Args: func(cmd *cobra.Command, args []string) error {
			if server, err := trying(cmd, args); server || err != nil {
				return err
			}
			return atLeast(1, "the paths of the checkpoints")(cmd, args)
		},
		RunE: o.run,
	}
	o.register(cmd)
	return cmd
}

func (o *checkFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.Deep, "deep", false, "read the weights too: NaN, infinity, how far and in which direction each parent moved")
	f.BoolVar(&o.Advise, "suggest", false, "say which parents to leave out, and why; reads the weights")
	f.StringVar(&o.Base, "base", "", "what the checkpoints were fine-tuned from")
	f.StringVar(&o.Store, "store", "", "dtype of the soup to plan for: float32, float16 or bfloat16")
	f.StringVar(&o.Groups, "groups", "", "show the sizes of groups: layers=4, kind=attention,mlp or patterns=NAME:REGEX;NAME:REGEX (default: global)")
	f.StringVar(&o.recipe, "recipe", "", "soup.json of the soup to verify")
	readingFlags(cmd, &o.Reading)
	selftestFlags(f, &o.server)
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
}

// run does the one of three things that the options ask for.
func (o *checkFlags) run(cmd *cobra.Command, args []string) error {
	if cmd.Flags().Changed("server") {
		return try(cmd, o.server, o.asJSON)
	}
	if cmd.Flags().Changed("recipe") {
		return verify(cmd, single.VerifyOptions{Soup: args[0], Recipe: o.recipe, Parents: args[1:], Reading: o.Reading}, o.asJSON)
	}
	o.Paths = args
	checked, err := single.Check(cmd.Context(), o.CheckOptions)
	if err != nil {
		return err
	}
	if err := show(cmd, checked, o.asJSON); err != nil {
		return err
	}
	if !checked.OK {
		return errRefused
	}
	return nil
}

// verify compares a soup with its recipe.
func verify(cmd *cobra.Command, o single.VerifyOptions, asJSON bool) error {
	for _, name := range []string{"deep", "suggest", "base", "store", "groups"} {
		if cmd.Flags().Changed(name) {
			return &usage.Error{Message: "--recipe verifies a soup and does not go with --" + name}
		}
	}
	verified, err := single.Verify(cmd.Context(), o)
	if err != nil {
		return err
	}
	if err := show(cmd, verified, asJSON); err != nil {
		return err
	}
	return verified.Err()
}

// printable is a result that has both forms.
type printable interface {
	WriteText(w io.Writer) error
	WriteJSON(w io.Writer) error
}

// show writes a result to stdout in the form that was asked for.
func show(cmd *cobra.Command, result printable, asJSON bool) error {
	if asJSON {
		return result.WriteJSON(cmd.OutOrStdout())
	}
	return result.WriteText(cmd.OutOrStdout())
}
