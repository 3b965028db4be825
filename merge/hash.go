package merge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// hashedFiles are the small files that decide how a checkpoint behaves. Cards,
// training logs and the like are not part of its content.
var hashedFiles = []string{
	"added_tokens.json", "chat_template.jinja", "chat_template.json", "config.json", "generation_config.json",
	"merges.txt", "special_tokens_map.json", "spiece.model", "tekken.json", "tokenizer.json", "tokenizer.model",
	"tokenizer_config.json", "vocab.json", "vocab.txt",
}

// Hash returns the sha256, in hex, of the checkpoint's content: weight files,
// configuration and tokenizer files. For each file, sorted by name, the line
// "NAME SIZE SHA256\n" goes into the hash; the only weight file of a
// checkpoint goes in as "model", so that neither path nor file name matters.
// All weights are read, several files at once; the result is kept for later
// calls.
func (c *Checkpoint) Hash(ctx context.Context) (string, error) {
	return newHasher(nil).checkpoint(ctx, c)
}

// HashAll returns the [Checkpoint.Hash] of each checkpoint. As many weight
// files are read at once as there are processors; files that the cache knows
// are not read, and those that were read are put into it ([HashCache.Save]
// writes it). A nil cache knows nothing. The first error ends the work.
func HashAll(ctx context.Context, checkpoints []*Checkpoint, cache *HashCache) ([]string, error) {
	h := newHasher(cache)
	sums := make([]string, len(checkpoints))
	err := atOnce(ctx, len(checkpoints), func(ctx context.Context, i int) (err error) {
		sums[i], err = h.checkpoint(ctx, checkpoints[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	return sums, nil
}

// hasher hashes weight files, at most as many at a time as there are slots.
type hasher struct {
	cache *HashCache
	slots chan struct{}
}

func newHasher(cache *HashCache) hasher {
	return hasher{cache, make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// checkpoint returns a checkpoint's content hash and keeps it.
func (h hasher) checkpoint(ctx context.Context, c *Checkpoint) (string, error) {
	c.hashOnce.Lock()
	defer c.hashOnce.Unlock()
	if c.hash != "" {
		return c.hash, nil
	}
	sums := make([]string, len(c.files))
	err := atOnce(ctx, len(c.files), func(ctx context.Context, i int) (err error) {
		sums[i], err = h.file(ctx, c.files[i])
		return err
	})
	if err != nil {
		return "", err
	}
	lines, err := c.contentLines(sums)
	if err != nil {
		return "", err
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	c.hash = hex.EncodeToString(sum[:])
	return c.hash, nil
}

// file returns a weight file's sha256 once a slot is free.
func (h hasher) file(ctx context.Context, f *mapping) (string, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return h.cache.sum(ctx, f)
}

// atOnce calls do for 0 to n-1, each in a goroutine of its own. The first
// error cancels the context of the others and is returned when all have ended.
func atOnce(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for i := range n {
		g.Go(func() error { return do(ctx, i) })
	}
	return g.Wait()
}

// contentLines lists every file that belongs to the content; sums are those of
// the weight files.
func (c *Checkpoint) contentLines(sums []string) ([]string, error) {
	var lines []string
	for i, f := range c.files {
		name := f.name
		if len(c.files) == 1 {
			name = "model"
		}
		lines = append(lines, fmt.Sprintf("%s %d %s\n", name, f.size(), sums[i]))
	}
	if c.dir == "" {
		return lines, nil
	}
	for _, name := range hashedFiles {
		raw, err := readSmall(c.dir, name)
		if err != nil {
			return nil, err
		}
		if raw == nil {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %d %x\n", name, len(raw), sha256.Sum256(raw)))
	}
	return lines, nil
}

// hashMapping returns a weight file's sha256, looking at ctx every 4 MiB.
func hashMapping(ctx context.Context, f *mapping) (string, error) {
	const step = 4 << 20
	h := sha256.New()
	err := guarded([]*mapping{f}, func() error {
		var room []byte
		for at := int64(0); at < f.size(); at += step {
			if err := ctx.Err(); err != nil {
				return err
			}
			part, err := f.window(at, min(step, f.size()-at), room)
			if err != nil {
				return err
			}
			if f.data == nil {
				room = part
			}
			h.Write(part)
		}
		return nil
	})
	if err != nil {
		return "", err // a fault in Write leaves h unusable
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
