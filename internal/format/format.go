// Package format writes soups in another format than their parents': it makes
// the soup as its parents are, and converts that.
//
// Start with Write.
package format

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"soup/internal/usage"
	"soup/merge"
	"soup/merge/convert"
)

// Target says what to write where.
type Target struct {
	Out    string
	Format string // "safetensors", "gguf", or "" for the parents' own
	Config string // directory with configuration and tokenizer for a GGUF soup that becomes safetensors
}

// Check refuses a target that does not suit the parents' format, before any work.
func (t Target) Check(own merge.Format) error {
	to, err := t.format(own)
	if err != nil {
		return err
	}
	if t.Config != "" && (to == own || to != merge.Safetensors) {
		return &usage.Error{Message: "--config is for GGUF parents with --format safetensors"}
	}
	if to == own {
		return nil // merge's own checks are better
	}
	if (to == merge.GGUF) != strings.HasSuffix(t.Out, ".gguf") {
		return &usage.Error{Message: fmt.Sprintf("%s: not the name of a checkpoint in %s", t.Out, to), Advice: "a GGUF file ends in .gguf, a safetensors checkpoint is a directory"}
	}
	if _, err := os.Lstat(t.Out); err == nil {
		return &usage.Error{Message: t.Out + ": exists already", Advice: "choose another path or remove it"}
	}
	if to == merge.Safetensors && t.Config == "" {
		return &usage.Error{Message: "--format safetensors needs --config with GGUF parents", Advice: "give the Hugging Face directory of the same model: its config.json and tokenizer become the soup's"}
	}
	return nil
}

// CheckOutput says, before any work, what [Write] would refuse about its output.
func (t Target) CheckOutput(parents []*merge.Checkpoint, o merge.WriteOptions) error {
	own := parents[0].Format().Soup()
	if err := t.Check(own); err != nil {
		return err
	}
	if !t.Changes(own) {
		return merge.CheckOutput(t.Out, parents, o)
	}
	if o.Shard != 0 {
		return &usage.Error{Message: "--shard-size does not go with another format than the parents'", Advice: "leave the shard size out"}
	}
	return nil
}

// Changes says whether the target's format is another than the parents'.
func (t Target) Changes(own merge.Format) bool {
	to, err := t.format(own)
	return err == nil && to != own
}

func (t Target) format(own merge.Format) (merge.Format, error) {
	for _, f := range []merge.Format{merge.Safetensors, merge.GGUF} {
		if t.Format == f.String() {
			return f, nil
		}
	}
	if t.Format == "" {
		return own, nil
	}
	return own, &usage.Error{Message: fmt.Sprintf("--format %s: not a format", t.Format), Advice: "use safetensors or gguf"}
}

// Names in the scratch directory of a soup that changes its format.
const (
	made   = "made"
	turned = "turned"
	record = "soup.json"
)

// Write makes a soup. Where its format is another than the parents', both
// versions are on disk for a while, side by side; statistics and recipe are
// those of the soup in the parents' format.
func Write(ctx context.Context, t Target, parents []*merge.Checkpoint, names []string, r merge.Recipe, o merge.WriteOptions) (stats merge.Stats, err error) {
	own := parents[0].Format().Soup()
	if err := t.Check(own); err != nil {
		return stats, err
	}
	if !t.Changes(own) {
		return merge.Write(ctx, t.Out, parents, names, r, o)
	}
	scratch, err := merge.NewScratch(t.Out)
	if err != nil {
		return stats, err
	}
	defer scratch.Remove()
	write := func(path string) error {
		stats, err = merge.Write(ctx, path, parents, names, r, o)
		return err
	}
	if own == merge.GGUF {
		return stats, toDirectory(ctx, t, scratch, write)
	}
	return stats, toGGUF(ctx, t, scratch, write)
}

// toGGUF publishes the record before the file, so that a soup which is there is
// never without one.
func toGGUF(ctx context.Context, t Target, scratch *merge.Scratch, write func(path string) error) error {
	if err := write(scratch.Path(made)); err != nil {
		return err
	}
	if _, err := convert.Write(ctx, scratch.Path(made), scratch.Path(turned)); err != nil {
		return err
	}
	if err := scratch.Publish(filepath.Join(made, record), t.Out+"."+record); err != nil {
		return err
	}
	return scratch.Publish(turned, t.Out)
}

func toDirectory(ctx context.Context, t Target, scratch *merge.Scratch, write func(path string) error) error {
	soup := scratch.Path(made + ".gguf")
	if err := write(soup); err != nil {
		return err
	}
	text, err := os.ReadFile(soup + "." + record)
	if err != nil {
		return err
	}
	o := convert.DirectoryOptions{Config: t.Config, Files: map[string][]byte{record: text}}
	if _, err := convert.WriteDirectory(ctx, soup, scratch.Path(turned), o); err != nil {
		return err
	}
	return scratch.Publish(turned, t.Out)
}
