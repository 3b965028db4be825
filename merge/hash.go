package merge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
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
// All weights are read; the result is kept for later calls.
func (c *Checkpoint) Hash(ctx context.Context) (string, error) {
	c.hashOnce.Lock()
	defer c.hashOnce.Unlock()
	if c.hash != "" {
		return c.hash, nil
	}
	lines, err := c.contentLines(ctx)
	if err != nil {
		return "", err
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	c.hash = hex.EncodeToString(sum[:])
	return c.hash, nil
}

// contentLines hashes every file that belongs to the content.
func (c *Checkpoint) contentLines(ctx context.Context) ([]string, error) {
	var lines []string
	for _, f := range c.files {
		name := f.name
		if len(c.files) == 1 {
			name = "model"
		}
		sum, err := hashMapping(ctx, f)
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("%s %d %s\n", name, len(f.data), sum))
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

// hashMapping returns a mapped file's sha256, looking at ctx every 4 MiB.
func hashMapping(ctx context.Context, f *mapping) (string, error) {
	if f.data == nil {
		return "", fmt.Errorf("%s: the checkpoint is closed", f.path)
	}
	h := sha256.New()
	err := guarded([]*mapping{f}, func() error {
		for part := range slices.Chunk(f.data, 4<<20) {
			if err := ctx.Err(); err != nil {
				return err
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
