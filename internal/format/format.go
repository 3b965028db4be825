// Package format writes soups in another format than their parents': it makes
// the soup as its parents are, and converts that.
//
// Start with Write.
package format

import (
	"context"
	"fmt"
	"os"
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

// Written is what came of a soup.
type Written struct {
	merge.Stats        // SHA256 is of the weights as they are now
	Averaged    string // their sha256 before they were converted; the same where they were not
}

// Names in the scratch directory of a soup that changes its format.
const (
	made   = "made"
	turned = "turned"
	record = "record"
	card   = "card"
)

// Write makes a soup. Where its format is another than the parents', both
// versions are on disk for a while, side by side; the recipe records both sums.
func Write(ctx context.Context, t Target, parents []*merge.Checkpoint, names []string, r merge.Recipe, o merge.WriteOptions) (w Written, err error) {
	if err := t.CheckOutput(parents, o); err != nil {
		return w, err
	}
	own := parents[0].Format().Soup()
	if !t.Changes(own) {
		w.Stats, err = merge.Write(ctx, t.Out, parents, names, r, o)
		w.Averaged = w.SHA256
		return w, err
	}
	scratch, err := merge.NewScratch(t.Out)
	if err != nil {
		return w, err
	}
	defer scratch.Remove()
	soup := scratch.Path(made)
	if own == merge.GGUF {
		soup += ".gguf"
	}
	text := o.Card
	o.Card = nil // it goes with what becomes of this
	if w.Stats, err = merge.Write(ctx, soup, parents, names, r, o); err != nil {
		return w, err
	}
	saved, err := merge.ReadRecipe(merge.RecordPath(soup))
	if err != nil {
		return w, err
	}
	w.Averaged, saved.Made = w.SHA256, w.SHA256
	if own == merge.GGUF {
		w.SHA256, err = toDirectory(ctx, t, scratch, soup, saved, text)
	} else {
		w.SHA256, err = toGGUF(ctx, t, scratch, soup, saved, text)
	}
	return w, err
}

// toGGUF publishes record and card before the file, so that a soup which is
// there is never without.
func toGGUF(ctx context.Context, t Target, scratch *merge.Scratch, soup string, saved merge.SavedRecipe, shown []byte) (sha256 string, err error) {
	file := turned + ".gguf"
	if _, err := convert.Write(ctx, soup, scratch.Path(file)); err != nil {
		return "", err
	}
	if saved.SHA256, err = merge.WeightsSHA256(ctx, scratch.Path(file)); err != nil {
		return "", err
	}
	text, err := saved.Text()
	if err != nil {
		return "", err
	}
	if err := appear(scratch, record, text, merge.RecordPath(t.Out)); err != nil {
		return "", err
	}
	if shown != nil {
		if err := appear(scratch, card, shown, merge.CardPath(t.Out)); err != nil {
			return "", err
		}
	}
	return saved.SHA256, scratch.Publish(file, t.Out)
}

// appear makes a small file whole at its place.
func appear(scratch *merge.Scratch, name string, text []byte, to string) error {
	if err := scratch.Write(name, text); err != nil {
		return err
	}
	return scratch.Publish(name, to)
}

func toDirectory(ctx context.Context, t Target, scratch *merge.Scratch, soup string, saved merge.SavedRecipe, shown []byte) (sha256 string, err error) {
	stats, err := convert.WriteDirectory(ctx, soup, scratch.Path(turned), convert.DirectoryOptions{Config: t.Config, Record: &saved, Card: shown})
	if err != nil {
		return "", err
	}
	return stats.SHA256, scratch.Publish(turned, t.Out)
}
