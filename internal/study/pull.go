package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"soup/internal/fleet"
	"soup/merge"
)

// copiesName is the folder of a worker's that has the checkpoints which it copied, by
// content hash.
const copiesName = "parents"

// pull copies a checkpoint from the coordinator and returns its path. What is there
// already is not copied again, and what was cut off goes on; the copy has its name
// once its content is that of the coordinator's.
func (o WorkOptions) pull(ctx context.Context, name, hash string) (string, error) {
	files, err := o.link.List(ctx, hash)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	whole := filepath.Join(o.Dir, copiesName, hash)
	if !exists(whole) {
		if err := o.copy(ctx, name, hash, whole, files); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	return checkpointIn(whole, files), nil
}

// checkpointIn is what [merge.Open] is given of a copied checkpoint: the folder, or the
// GGUF file that is all of it.
func checkpointIn(dir string, files fleet.Files) string {
	if len(files) == 1 && strings.HasSuffix(files[0].Name, ".gguf") {
		return filepath.Join(dir, files[0].Name)
	}
	return dir
}

func (o WorkOptions) copy(ctx context.Context, name, hash, whole string, files fleet.Files) error {
	part := whole + ".part"
	if err := os.MkdirAll(part, 0o777); err != nil {
		return err
	}
	free, err := merge.FreeSpace(part)
	if err != nil {
		return err
	}
	if need := files.Size() - sizeOf(part); free >= 0 && free < need {
		return fmt.Errorf("disk too small for its copy: %.1f MB needed in %s, %.1f MB free", float64(need)/1e6, part, float64(free)/1e6)
	}
	o.say("copies %s from the coordinator, %.1f MB", name, float64(files.Size())/1e6)
	begun := time.Now()
	for _, f := range files {
		if err := o.link.Copy(ctx, hash, f, part); err != nil {
			return err
		}
	}
	is, err := contentHash(ctx, checkpointIn(part, files))
	if err == nil && is != hash {
		err = fmt.Errorf("its copy has content %s, not %s, and is removed", short(is), short(hash))
	}
	if err != nil {
		if ctx.Err() == nil {
			err = errors.Join(err, os.RemoveAll(part))
		}
		return err
	}
	o.say("has copied %s in %.0f s", name, time.Since(begun).Seconds())
	return errors.Join(os.Rename(part, whole), merge.SyncDir(filepath.Dir(whole)))
}

func (o WorkOptions) say(format string, args ...any) {
	if o.Info != nil {
		fmt.Fprintf(o.Info, "soup: worker "+o.Name+" "+format+"\n", args...)
	}
}

// offer finds the files of a parent, or of the base, by its content hash: its weights,
// and what else a server reads.
func (p *pantry) offer(config *Config) func(hash string) (fleet.Files, error) {
	paths := map[string]string{p.baseID: config.Base}
	for i, parent := range config.Parents.List {
		paths[p.hashes[i]] = parent.Path
	}
	return func(hash string) (list fleet.Files, err error) {
		path := paths[hash]
		if path == "" {
			return nil, fmt.Errorf("content %s is none of the study's", short(hash))
		}
		c, err := merge.Open(path)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		for _, file := range append(c.Files(), besides(path)...) {
			f, err := fleet.FileAt(file)
			if err != nil {
				return nil, err
			}
			list = append(list, f)
		}
		return list, nil
	}
}

// besides are the files of a checkpoint's folder that are no weights.
func besides(dir string) (list []string) {
	entries, _ := os.ReadDir(dir) // none, where the checkpoint is a file
	for _, e := range entries {
		if slices.Contains([]string{".json", ".txt", ".model", ".jinja"}, filepath.Ext(e.Name())) {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return list
}
