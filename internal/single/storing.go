package single

import (
	"io"

	"soup/internal/format"
	"soup/merge"
)

// Storing says how a soup is stored.
type Storing struct {
	Store  string // dtype; "" keeps the parents'
	Shard  string // most bytes of a weights file, such as "5GB"; "" writes one
	Format string // "safetensors" or "gguf"; "" is that of soups of the parents
	Config string // directory with the configuration and tokenizer of a GGUF soup that becomes safetensors
}

// options reads what merge is told of it.
func (s Storing) options(info io.Writer) (w merge.WriteOptions, err error) {
	w.Progress = tellProgress(info)
	if w.Store, err = parseStore(s.Store); err != nil {
		return w, err
	}
	w.Shard, err = parseShard(s.Shard)
	return w, err
}

// target is where the soup goes, in which format.
func (s Storing) target(out string) format.Target {
	return format.Target{Out: out, Format: s.Format, Config: s.Config}
}

// checkOutput says, before any work, what will be refused about the output.
func (s Storing) checkOutput(out string, parents []*merge.Checkpoint, w merge.WriteOptions) error {
	return s.target(out).CheckOutput(parents, w)
}
