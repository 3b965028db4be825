package main

import (
	"errors"

	"github.com/spf13/cobra"

	"soup/internal/single"
	"soup/internal/usage"
)

func newMergeCommand() *cobra.Command {
	var o single.MergeOptions
	cmd := &cobra.Command{
		Use:   "merge -o OUT [--weights NAME=W,...] PATH...",
		Short: "Average checkpoints with given weights, without a search",
		Long: `Average checkpoints with given weights (default: equal) into a complete checkpoint:
weights, configuration, tokenizer, model card and soup.json, the recipe that makes
the same bytes again. Weights are scaled to sum to 1; NAME is the last element of
a path.`,
		Example: `  soup merge -o soup --weights arith=0.6,order=0.4 examples/garden/finetune/arith examples/garden/finetune/order
  soup merge -o again --recipe soup/soup.json examples/garden/finetune/arith examples/garden/finetune/order`,
		Args: atLeast(1, "the paths of the checkpoints to average"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Out == "" {
				return &usage.Error{Message: "merge needs -o OUT"}
			}
			if o.Recipe != "" && (o.Weights != "" || o.Store != "") {
				return &usage.Error{Message: "--recipe decides about weights and store; give it alone"}
			}
			o.Paths = args
			if !quiet(cmd) {
				o.Info = cmd.ErrOrStderr()
			}
			merged, err := single.Merge(cmd.Context(), o)
			if err != nil {
				return err
			}
			return merged.WriteText(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.Out, "output", "o", "", "directory to write, or .gguf file where the parents are GGUF; must not exist, or be empty")
	f.StringVar(&o.Weights, "weights", "", "NAME=W,... (default: equal weights)")
	f.StringVar(&o.Recipe, "recipe", "", "soup.json of a soup to make again")
	f.StringVar(&o.Store, "store", "", "float32, float16 or bfloat16 (default: as the first parent)")
	f.BoolVar(&o.Extrapolate, "extrapolate", false, "allow negative weights")
	return cmd
}

// errRefused is the failure of a check that found a reason against averaging;
// the reasons are on stdout.
var errRefused = errors.New("these checkpoints cannot be averaged")

func newCheckCommand() *cobra.Command {
	var o single.CheckOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "check [--deep] [--base PATH] [--json] PATH...",
		Short:   "Say whether checkpoints can be averaged, and what it takes",
		Example: "  soup check --deep examples/garden/finetune/*",
		Args:    atLeast(1, "the paths of the checkpoints"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Paths = args
			checked, err := single.Check(cmd.Context(), o)
			if err != nil {
				return err
			}
			write := checked.WriteText
			if asJSON {
				write = checked.WriteJSON
			}
			if err := write(cmd.OutOrStdout()); err != nil {
				return err
			}
			if !checked.OK {
				return errRefused
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.Deep, "deep", false, "read the weights too: NaN, infinity")
	f.StringVar(&o.Base, "base", "", "what the checkpoints were fine-tuned from")
	f.StringVar(&o.Store, "store", "", "dtype of the soup to plan for")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
