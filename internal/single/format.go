package single

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"soup/internal/usage"
	"soup/merge"
	"soup/merge/convert"
)

// Storing says how a soup is stored.
type Storing struct {
	Store  string // dtype; "" keeps the parents'
	Shard  string // most bytes of a weights file, such as "5GB"; "" writes one
	Format string // "safetensors" or "gguf"; "" is that of soups of the parents
	Config string // directory with the configuration and tokenizer of a GGUF soup that becomes safetensors
}

// options reads all of it but the format.
func (s Storing) options(info io.Writer) (w merge.WriteOptions, err error) {
	w.Progress = tellProgress(info)
	if _, err := s.format(merge.Safetensors); err != nil {
		return w, err
	}
	if w.Store, err = parseStore(s.Store); err != nil {
		return w, err
	}
	w.Shard, err = parseShard(s.Shard)
	return w, err
}

// format returns the format that was asked for, where soups of the parents have
// one of their own.
func (s Storing) format(own merge.Format) (merge.Format, error) {
	switch s.Format {
	case "":
		return own, nil
	case merge.Safetensors.String():
		return merge.Safetensors, nil
	case merge.GGUF.String():
		return merge.GGUF, nil
	}
	return own, &usage.Error{Message: fmt.Sprintf("--format %s: not a format", s.Format), Advice: "use safetensors or gguf"}
}

// checkOutput says, before any work, what will be refused about the output.
func (s Storing) checkOutput(out string, parents []*merge.Checkpoint, w merge.WriteOptions) error {
	own := parents[0].Format().Soup()
	to, err := s.format(own)
	switch {
	case err != nil:
		return err
	case to == own && s.Config != "":
		return &usage.Error{Message: "--config is for soups of GGUF parents that become safetensors", Advice: "leave --config out"}
	case to == own:
		return merge.CheckOutput(out, parents, w)
	case (to == merge.GGUF) != strings.HasSuffix(out, ".gguf"):
		return &usage.Error{Message: fmt.Sprintf("%s: not the name of a checkpoint in %s", out, to), Advice: "a GGUF file ends in .gguf, a safetensors checkpoint is a directory"}
	case to == merge.GGUF && w.Shard != 0:
		return &usage.Error{Message: "--shard-size does not go with --format gguf", Advice: "leave the shard size out"}
	}
	if _, err := os.Lstat(out); err == nil {
		return &usage.Error{Message: out + ": exists already", Advice: "choose another path or remove it"}
	}
	return nil
}

// write makes a soup in the parents' own format with make and, where another
// one was asked for, turns it into that.
func (s Storing) write(ctx context.Context, out string, own merge.Format, make func(path string) (merge.Stats, error)) (merge.Stats, error) {
	to, err := s.format(own)
	if err != nil {
		return merge.Stats{}, err
	}
	if to == own {
		return make(out)
	}
	return Reformatted(ctx, out, to, s.Config, make)
}

// Names in the scratch directory of a soup that changes its format.
const (
	madeName   = "made"
	turnedName = "turned"
	recordName = "soup.json"
)

// Reformatted makes a soup in the parents' own format with make, and turns it
// into another one. Both are on the disk for a while. The record of a GGUF file
// is that of the checkpoint it was made of.
func Reformatted(ctx context.Context, out string, to merge.Format, config string, make func(path string) (merge.Stats, error)) (stats merge.Stats, err error) {
	scratch, err := merge.NewScratch(out)
	if err != nil {
		return stats, err
	}
	defer scratch.Remove()
	if to == merge.Safetensors {
		made := scratch.Path(madeName + ".gguf")
		if stats, err = make(made); err == nil {
			err = convert.WriteDirectory(ctx, made, scratch.Path(turnedName), config)
		}
		if err != nil {
			return stats, err
		}
		return stats, scratch.Publish(turnedName, out)
	}
	if stats, err = make(scratch.Path(madeName)); err == nil {
		_, err = convert.Write(ctx, scratch.Path(madeName), scratch.Path(turnedName+".gguf"))
	}
	if err != nil {
		return stats, err
	}
	record := madeName + string(os.PathSeparator) + recordName
	if err := scratch.Publish(record, out+"."+recordName); err != nil {
		return stats, err
	}
	return stats, scratch.Publish(turnedName+".gguf", out)
}
