package main

import (
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
			if o.Recipe != "" && (o.Weights != "" || o.Store != "" || o.Shard != "") {
				return &usage.Error{Message: "--recipe decides about weights, store and shards; give it without those options"}
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
	f.StringVar(&o.Shard, "shard-size", "", "most bytes of tensors in a weights file, such as 5GB (default: one file)")
	readingFlags(cmd, &o.Reading)
	f.BoolVar(&o.Extrapolate, "extrapolate", false, "allow negative weights")
	return cmd
}

// readingFlags are the options that say how checkpoints are read.
func readingFlags(cmd *cobra.Command, r *single.Reading) {
	f := cmd.Flags()
	f.BoolVar(&r.NoMmap, "no-mmap", false, "read weights piece by piece instead of mapping the files, for network file systems")
	f.BoolVar(&r.Dequantise, "dequantize", false, "take Q8_0 tensors of GGUF files as the values that they stand for; the soup is float16 there")
}
