package merge

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// WriteOptions are the parts of a soup's record that do not change its values,
// and the dtype it is stored in.
type WriteOptions struct {
	Store    DType                   // default: the first parent's, tensor by tensor
	Method   string                  // how the weights were found, for soup.json and the card
	Progress func(done, total int64) // bytes of the weights file; called at most some 200 times, never twice at once
}

// Write makes a complete checkpoint at out. For safetensors parents that is a
// directory: model.safetensors, the first parent's configuration, tokenizer
// and other small files, a model card and soup.json, the recipe by which the
// same bytes can be made again. For GGUF parents it is a .gguf file and
// OUT.soup.json. names are what the record calls the parents; nil means the
// last elements of their paths.
//
// The parents must pass [Check]. out must not exist or be an empty directory,
// and may not be, contain or lie in a parent. Nothing appears there before it
// is complete and on the disk; after kill -9 a hidden name ending in .partial
// may be left beside it.
func Write(ctx context.Context, out string, parents []*Checkpoint, names []string, r Recipe, o WriteOptions) (Stats, error) {
	w, err := newWriting(out, parents, names, r, o)
	if err != nil {
		return Stats{}, err
	}
	parent := filepath.Dir(w.out)
	dir, _, err := existing(parent)
	if err != nil {
		return Stats{}, err
	}
	if err := checkSpace(dir, w.layout.size); err != nil {
		return Stats{}, err
	}
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return Stats{}, fileError(parent, err)
	}
	if parents[0].format == GGUF {
		return w.file(ctx)
	}
	return w.directory(ctx)
}

// writing is one Write under way, after all checks that need no disk.
type writing struct {
	out, partial string // resolved
	parents      []*Checkpoint
	names        []string
	recipe       Recipe
	options      WriteOptions
	layout       layout
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
	l, err := layoutLike(parents[0], o.Store)
	return &writing{real, partialName(real), parents, names, r, o, l}, err
}

// partialName is a hidden name beside out that nothing has, not even what a
// killed process of the same number left there.
func partialName(out string) string {
	for n := 0; ; n++ {
		name := filepath.Join(filepath.Dir(out), fmt.Sprintf(".%s.%d-%d.partial", filepath.Base(out), os.Getpid(), n))
		if _, err := os.Lstat(name); err != nil {
			return name
		}
	}
}

// vacant resolves out and refuses what must not be overwritten.
func vacant(out string, parents []*Checkpoint) (string, error) {
	dir, rest, err := existing(out)
	if err != nil {
		return "", err
	}
	real := filepath.Join(dir, rest)
	for _, p := range parents {
		if err := apart(out, real, p); err != nil {
			return "", err
		}
	}
	isFile := parents[0].format == GGUF
	if isFile != strings.HasSuffix(real, ".gguf") {
		return "", failf("GGUF parents make a .gguf file, safetensors parents a directory", "%s: does not suit parents in %s", out, parents[0].format)
	}
	entries, err := os.ReadDir(real)
	if rest == "" && (isFile || err != nil || len(entries) > 0) {
		return "", failf("choose another path or remove it", "%s: exists already", out)
	}
	return real, nil
}

// apart refuses an output that is, contains or lies in a parent.
func apart(out, real string, p *Checkpoint) error {
	parent, _, err := existing(p.path)
	if err != nil {
		return err
	}
	switch {
	case parent == real:
		return failf("choose another path", "%s: is the parent %s itself", out, p.path)
	case within(real, parent):
		return failf("choose another path", "%s: contains the parent %s", out, p.path)
	case p.dir != "" && within(parent, real):
		return failf("choose another path", "%s: lies in the parent %s", out, p.path)
	}
	return nil
}

// directory writes the files into a directory beside out and renames it.
func (w *writing) directory(ctx context.Context) (Stats, error) {
	if err := os.Mkdir(w.partial, 0o777); err != nil {
		return Stats{}, fileError(filepath.Dir(w.out), err)
	}
	defer os.RemoveAll(w.partial)
	stats, err := w.weights(ctx, filepath.Join(w.partial, weightsName))
	if err != nil {
		return Stats{}, err
	}
	record, err := w.record(ctx, stats.SHA256)
	if err != nil {
		return Stats{}, err
	}
	if err := w.sideFiles(); err != nil {
		return Stats{}, err
	}
	if err := writeSynced(filepath.Join(w.partial, "README.md"), []byte(record.card(filepath.Base(w.out)))); err != nil {
		return Stats{}, err
	}
	if err := record.save(filepath.Join(w.partial, "soup.json")); err != nil {
		return Stats{}, err
	}
	return stats, w.publish(w.partial, w.out)
}

// file writes a GGUF file; its record comes first, so that a soup which is
// there is never without one.
func (w *writing) file(ctx context.Context) (Stats, error) {
	stats, err := w.weights(ctx, w.partial)
	if err != nil {
		return Stats{}, err
	}
	defer os.Remove(w.partial)
	record, err := w.record(ctx, stats.SHA256)
	if err != nil {
		return Stats{}, err
	}
	sidecar := w.partial + ".json"
	defer os.Remove(sidecar)
	if err := record.save(sidecar); err != nil {
		return Stats{}, err
	}
	if err := w.publish(sidecar, w.out+".soup.json"); err != nil {
		return Stats{}, err
	}
	return stats, w.publish(w.partial, w.out)
}

// publish renames what is complete and on the disk.
func (w *writing) publish(from, to string) error {
	if err := syncDir(from); err != nil {
		return err
	}
	if info, err := os.Lstat(to); err == nil && info.IsDir() {
		if err := os.Remove(to); err != nil { // fails unless it is empty
			return err
		}
	}
	if err := os.Rename(from, to); err != nil {
		return fileError(to, err)
	}
	return syncDir(filepath.Dir(to))
}

// weights cooks the weights file and hashes it.
func (w *writing) weights(ctx context.Context, path string) (Stats, error) {
	b, err := newBuffer(path, w.layout)
	if err != nil {
		return Stats{}, err
	}
	stats, err := b.cook(ctx, w.parents, w.recipe, w.throttled())
	if err == nil {
		stats.SHA256, err = hashMapping(ctx, b.mapped)
	}
	if err == nil {
		err = b.keep()
	}
	if err != nil {
		_ = b.Close() // the first error counts; Write removes what is left
		return Stats{}, err
	}
	return stats, nil
}

// throttled passes every half per cent of progress on, one call at a time.
func (w *writing) throttled() func(done int64) {
	if w.options.Progress == nil {
		return nil
	}
	var total, next int64
	for _, t := range w.layout.tensors {
		total += t.bytes
	}
	var mu sync.Mutex
	return func(done int64) {
		mu.Lock()
		defer mu.Unlock()
		if done >= next {
			next = min(done+total/200+1, max(total, done+1))
			w.options.Progress(done, total)
		}
	}
}

// sideFiles copies the first parent's small files and notes the dtype.
func (w *writing) sideFiles() error {
	dir := w.parents[0].dir
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fileError(dir, err)
	}
	for _, e := range entries {
		if !copied(e.Name()) {
			continue
		}
		raw, err := readSmall(dir, e.Name())
		if err != nil {
			return err
		}
		if e.Name() == "config.json" && w.options.Store != AsStored {
			raw = withDType(raw, w.options.Store)
		}
		if raw == nil {
			continue
		}
		if err := writeSynced(filepath.Join(w.partial, e.Name()), raw); err != nil {
			return err
		}
	}
	return nil
}

// copied says which of a parent's files belong to the soup: not its weights in
// any format, its card, or the state and logs of its training.
func copied(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "events.out.tfevents") {
		return false
	}
	switch filepath.Ext(name) {
	case ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".h5", ".msgpack", ".npz", ".ot":
		return false
	}
	switch name {
	case indexName, "pytorch_model.bin.index.json", "README.md", "soup.json",
		"trainer_state.json", "train_results.json", "eval_results.json", "all_results.json":
		return false
	}
	return true
}
