package merge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"soup/merge/internal/remedy"
)

// WriteOptions are the parts of a soup's record that do not change its values,
// and the form it is stored in.
type WriteOptions struct {
	Store    DType                   // default: the first parent's, tensor by tensor
	Shard    int64                   // most bytes of tensors in a safetensors file; 0: all in one
	Method   string                  // how the weights were found, for soup.json and the card
	Card     []byte                  // README.md in place of the plain one; beside a GGUF file, which has none, see [CardPath]
	Progress func(done, total int64) // bytes of tensors; called at most some 200 times, never twice at once
}

// Write makes a complete checkpoint at out. For safetensors parents that is a
// directory: the weights, the first parent's configuration, tokenizer and other
// small files, a model card and soup.json, the recipe by which the same bytes
// can be made again. So it is for PyTorch parents, alone or beside safetensors
// ones: pickles are not written. For GGUF parents it is a .gguf file and
// OUT.soup.json.
// names are what the record calls the parents; nil means the last elements of
// their paths.
//
// The parents must pass [Check]. out must not exist or be an empty directory,
// and may not be, contain or lie in a parent. Nothing appears there before it
// is complete and on the disk; after kill -9 a hidden name ending in .partial
// may be left beside it, which the next Write to out removes.
func Write(ctx context.Context, out string, parents []*Checkpoint, names []string, r Recipe, o WriteOptions) (Stats, error) {
	return writeOn(ctx, realDisk{}, out, parents, names, r, o)
}

func writeOn(ctx context.Context, disk storage, out string, parents []*Checkpoint, names []string, r Recipe, o WriteOptions) (Stats, error) {
	w, err := newWriting(out, parents, names, r, o)
	if err != nil {
		return Stats{}, err
	}
	dir, _, err := existing(filepath.Dir(w.out))
	if err != nil {
		return Stats{}, err
	}
	if err := checkSpace(dir, w.layout.size()); err != nil {
		return Stats{}, err
	}
	if w.draft, err = newDraft(disk, w.out); err != nil {
		return Stats{}, err
	}
	defer w.draft.discard()
	if parents[0].format == GGUF {
		return w.file(ctx)
	}
	return w.directory(ctx)
}

// CheckOutput says, before any work, what [Write] would refuse about its output:
// a path that is taken, lies in a parent or does not suit the parents' format,
// a disk that is too small.
func CheckOutput(out string, parents []*Checkpoint, o WriteOptions) error {
	real, err := vacant(out, parents)
	if err != nil {
		return err
	}
	l, err := exported(parents[0], o)
	if err != nil {
		return err
	}
	dir, _, err := existing(filepath.Dir(real))
	if err != nil {
		return err
	}
	return checkSpace(dir, l.size())
}

// writing is one Write under way, after all checks that need no disk.
type writing struct {
	out     string // resolved
	draft   *draft
	parents []*Checkpoint
	names   []string
	recipe  Recipe
	options WriteOptions
	layout  layout
}

func newWriting(out string, parents []*Checkpoint, names []string, r Recipe, o WriteOptions) (*writing, error) {
	if err := Check(parents, nil).Err(); err != nil {
		return nil, err
	}
	if names == nil {
		for _, p := range parents {
			names = append(names, filepath.Base(p.path))
		}
	}
	if len(names) != len(parents) {
		return nil, fmt.Errorf("%d names for %d parents", len(names), len(parents))
	}
	if _, err := r.narrowed(len(parents)); err != nil {
		return nil, err
	}
	real, err := vacant(out, parents)
	if err != nil {
		return nil, err
	}
	l, err := exported(parents[0], o)
	return &writing{out: real, parents: parents, names: names, recipe: r, options: o, layout: l}, err
}

// exported plans the weight files of a soup.
func exported(like *Checkpoint, o WriteOptions) (layout, error) {
	l, err := layoutLike(like, o.Store)
	switch {
	case err != nil || o.Shard == 0:
		return l, err
	case like.format == GGUF:
		return l, remedy.Errorf("leave the shard size out", "%s: GGUF soups are not written in shards", like.path)
	case o.Shard < 0:
		return l, fmt.Errorf("shard size %d is not positive", o.Shard)
	}
	return l.sharded(like.meta, o.Shard)
}

// vacant resolves out and refuses what must not be overwritten.
func vacant(out string, parents []*Checkpoint) (string, error) {
	isFile := parents[0].format == GGUF
	if isFile != isGGUF(out) {
		return "", remedy.Errorf("GGUF parents make a .gguf file, safetensors and PyTorch parents a directory", "%s: does not suit parents in %s", out, parents[0].format)
	}
	real, err := resolved(out)
	if err != nil {
		return "", err
	}
	for _, p := range parents {
		if err := apart(out, real, p.path, p.dir != ""); err != nil {
			return "", err
		}
	}
	return real, unused(out, real, isFile)
}

// resolved returns an output's path without symbolic links.
func resolved(out string) (string, error) {
	dir, rest, err := existing(out)
	return filepath.Join(dir, rest), err
}

// unused refuses an output that exists, unless it is an empty directory.
func unused(out, real string, isFile bool) error {
	if _, err := os.Lstat(real); os.IsNotExist(err) {
		return nil
	}
	entries, err := os.ReadDir(real)
	if isFile || err != nil || len(entries) > 0 {
		return remedy.Errorf("choose another path or remove it", "%s: exists already", out)
	}
	return nil
}

// apart refuses an output that is, contains or lies in a parent.
func apart(out, real, parent string, isDir bool) error {
	at, _, err := existing(parent)
	if err != nil {
		return err
	}
	switch {
	case at == real:
		return remedy.Errorf("choose another path", "%s: is the parent %s itself", out, parent)
	case within(real, at):
		return remedy.Errorf("choose another path", "%s: contains the parent %s", out, parent)
	case isDir && within(at, real):
		return remedy.Errorf("choose another path", "%s: lies in the parent %s", out, parent)
	}
	return nil
}

// directory writes all files into the draft and makes it the output.
func (w *writing) directory(ctx context.Context) (Stats, error) {
	stats, err := w.weights(ctx)
	if err != nil {
		return Stats{}, err
	}
	record, err := w.record(ctx, stats.SHA256)
	if err != nil {
		return Stats{}, err
	}
	if dir := w.parents[0].dir; dir != "" {
		if err := copySmallFiles(w.draft, dir, w.options.Store); err != nil {
			return Stats{}, err
		}
	}
	card := w.options.Card
	if card == nil {
		card = []byte(record.card(filepath.Base(w.out)))
	}
	if err := w.draft.write(cardName, card); err != nil {
		return Stats{}, err
	}
	text, err := record.Text()
	if err != nil {
		return Stats{}, err
	}
	if err := w.draft.write(recordName, text); err != nil {
		return Stats{}, err
	}
	return stats, w.draft.publish()
}

// file writes a GGUF file; its record and card appear first, so that a soup
// which is there is never without.
func (w *writing) file(ctx context.Context) (Stats, error) {
	stats, err := w.weights(ctx)
	if err != nil {
		return Stats{}, err
	}
	record, err := w.record(ctx, stats.SHA256)
	if err != nil {
		return Stats{}, err
	}
	text, err := record.Text()
	if err != nil {
		return Stats{}, err
	}
	if err := w.draft.write(recordName, text); err != nil {
		return Stats{}, err
	}
	if err := w.draft.publishFile(recordName, RecordPath(w.out)); err != nil {
		return Stats{}, err
	}
	if w.options.Card != nil {
		if err := w.draft.write(cardName, w.options.Card); err != nil {
			return Stats{}, err
		}
		if err := w.draft.publishFile(cardName, CardPath(w.out)); err != nil {
			return Stats{}, err
		}
	}
	return stats, w.draft.publishFile(weightsName, w.out)
}

// weights cooks the weight files and hashes them.
func (w *writing) weights(ctx context.Context) (Stats, error) {
	files, err := createWeights(w.draft, w.layout)
	if err != nil {
		return Stats{}, err
	}
	c, err := prepare(w.layout, w.parents, []order{{recipe: w.recipe, target: files}})
	if err != nil {
		return Stats{}, errors.Join(err, files.close())
	}
	c.progress = throttled(w.options.Progress, w.layout.data())
	stats, err := c.cook(ctx, besideHash(w.recipe.Workers))
	if err != nil {
		return Stats{}, errors.Join(err, files.close())
	}
	stats.SHA256, err = files.finish(ctx)
	return stats, err
}

// besideHash is the number of workers that leaves a core to what hashes the
// files: the slower of the two, where it has to share one.
func besideHash(workers int) int {
	if workers > 0 {
		return workers
	}
	return max(1, runtime.GOMAXPROCS(0)-1)
}

// throttled passes every half per cent of progress on, one call at a time.
func throttled(progress func(done, total int64), total int64) func(done int64) {
	if progress == nil {
		return nil
	}
	var next int64
	var mu sync.Mutex
	return func(done int64) {
		mu.Lock()
		defer mu.Unlock()
		if done >= next {
			next = min(done+total/200+1, max(total, done+1))
			progress(done, total)
		}
	}
}
