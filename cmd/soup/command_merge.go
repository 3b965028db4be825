package main

import (
	"strings"

	"github.com/spf13/cobra"

	"soup/internal/single"
	"soup/internal/usage"
)

func newMergeCommand() *cobra.Command {
	var o single.MergeOptions
	cmd := &cobra.Command{
		Use:   "merge -o OUT [--weights NAME=W,...] PATH... | --recipe FILE",
		Short: "Average checkpoints by given weights or a method",
		Long: `Average checkpoints into a complete one: weights, configuration, tokenizer,
model card and soup.json, the recipe that makes the same bytes again. NAME is
the last element of a path.

  (no --method)    the weights given, scaled to sum to 1; else equal ones
  uniform          1/n each
  linear           as without --method; --as-given leaves the weights unscaled
  task-arithmetic  base + lambda * sum of W * (parent - base), W 1 unless given
  slerp            two parents: --t of the way along the arc between them
  model-stock      between base and mean of the parents, by each tensor's angles

A recipe is a soup.json, with the paths of its parents in any order, or a file
of mergekit (linear, slerp, task_arithmetic or model_stock), which names its
models itself.

Paths may be LoRA adapters, directories as PEFT writes them: their average is
again an adapter, or with --base a complete checkpoint.`,
		Example: `  soup merge -o sum --weights arith=0.6,order=0.4 finetune/arith finetune/order
  soup merge -o again --recipe sum/soup.json finetune/arith finetune/order
  soup merge -o task --method task-arithmetic --base base finetune/*
  soup merge -o arc --method slerp --t 0,0.5,1 finetune/arith finetune/order
  soup merge -o theirs --recipe mergekit.yml
  soup merge -o full --base checkpoints/base adapters/a adapters/b`,
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("recipe") {
				return nil // which may name its parents itself
			}
			return atLeast(1, "the paths of the checkpoints to average, or --recipe")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Out == "" {
				return &usage.Error{Message: "merge needs -o OUT"}
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
	outputFlag(cmd, &o.Out)
	mergeFlags(cmd, &o)
	storingFlags(cmd, &o.Storing)
	readingFlags(cmd, &o.Reading)
	return cmd
}

// mergeFlags are the options that say what is averaged and how.
func mergeFlags(cmd *cobra.Command, o *single.MergeOptions) {
	f := cmd.Flags()
	f.StringVar(&o.Method, "method", "", strings.Join(single.Methods(), ", "))
	f.StringVar(&o.Weights, "weights", "", "NAME=W,... for linear and task-arithmetic; a parent that is not named gets 0")
	f.StringVar(&o.Base, "base", "", "what the checkpoints were fine-tuned from: checked, and needed by task-arithmetic and model-stock; LoRA adapters are baked into it")
	f.BoolVar(&o.EachRank, "each-rank", false, "for LoRA adapters: give each module the rank that it needs instead of the highest; only for readers of rank_pattern, such as PEFT")
	f.StringVar(&o.Lambda, "lambda", "", "task-arithmetic: how far to go from the base (default: 0.3)")
	f.StringVar(&o.T, "t", "", "slerp: how far to go to the second parent, 0 to 1; several numbers are spread over the layers (default: 0.5)")
	f.BoolVar(&o.AsGiven, "as-given", false, "linear: do not scale the weights to sum to 1")
	f.BoolVar(&o.Extrapolate, "extrapolate", false, "allow negative weights, and --t outside of 0 to 1")
	f.StringVar(&o.Recipe, "recipe", "", "soup.json of a soup to make again, or a recipe of mergekit (YAML)")
}

func newAverageCommand() *cobra.Command {
	var o single.AverageOptions
	cmd := &cobra.Command{
		Use:   "average -o OUT [--method NAME] [--last K] RUN/step-*",
		Short: "Average the checkpoints of one training run",
		Long: `Average checkpoints of one training run into a complete one. They are put in the
order of their steps, which are numbers in their names (step-200,
checkpoint-1000) or in their trainer_state.json; the oldest is 1.

  uniform     1/n each
  linear      proportional to the place, 1 to n
  ema         half for every --half-life checkpoints back
  wsm-1-sqrt, wsm-linear, wsm-cosine
              as a decay of the learning rate of that form would have weighed
              the run's updates`,
		Example: `  soup average -o mean --last 4 run/step-*
  soup average -o ema --method ema --half-life 2 run/step-*`,
		Args: atLeast(1, "the paths of a run's checkpoints"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Out == "" {
				return &usage.Error{Message: "average needs -o OUT"}
			}
			o.Paths = args
			if !quiet(cmd) {
				o.Info = cmd.ErrOrStderr()
			}
			averaged, err := single.Average(cmd.Context(), o)
			if err != nil {
				return err
			}
			return averaged.WriteText(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	outputFlag(cmd, &o.Out)
	f.StringVar(&o.Method, "method", "", strings.Join(single.RunMethods(), ", ")+" (default: uniform)")
	f.StringVar(&o.Last, "last", "", "how many checkpoints at the end of the run (default: all)")
	f.StringVar(&o.HalfLife, "half-life", "", "ema: after how many checkpoints weights halve (default: 3)")
	storingFlags(cmd, &o.Storing)
	readingFlags(cmd, &o.Reading)
	return cmd
}

// outputFlag is the option that says where a soup goes.
func outputFlag(cmd *cobra.Command, out *string) {
	cmd.Flags().StringVarP(out, "output", "o", "", "directory to write, or a .gguf file where the soup is GGUF; must not exist, or be empty")
}

// storingFlags are the options that say how a soup is stored.
func storingFlags(cmd *cobra.Command, s *single.Storing) {
	f := cmd.Flags()
	f.StringVar(&s.Store, "store", "", "float32, float16 or bfloat16 (default: as the first parent)")
	f.StringVar(&s.Shard, "shard-size", "", "most bytes of tensors in a weights file, such as 5GB (default: one file)")
	formatFlags(cmd, &s.Format, &s.Config)
}

// formatFlags are the options that say in which format the soup is written.
func formatFlags(cmd *cobra.Command, format, config *string) {
	f := cmd.Flags()
	f.StringVar(format, "format", "", "safetensors or gguf (default: as the parents)")
	f.StringVar(config, "config", "", "Hugging Face directory whose configuration and tokenizer a soup of GGUF parents gets with --format safetensors")
}

// readingFlags are the options that say how checkpoints are read.
func readingFlags(cmd *cobra.Command, r *single.Reading) {
	f := cmd.Flags()
	f.BoolVar(&r.NoMmap, "no-mmap", false, "read weights piece by piece instead of mapping the files, for network file systems")
	f.BoolVar(&r.Dequantise, "dequantize", false, "take Q8_0 tensors of GGUF files as the values that they stand for; the soup is float16 there")
}
