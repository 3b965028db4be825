package merge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/edsrzf/mmap-go"

	"soup/merge/internal/remedy"
)

// Buffer is a mapped file of one soup's size. It is allocated once, and each
// Cook overwrites the tensors in place, so that trying a candidate costs no
// allocation and no file creation. From its first Cook on the file is a
// complete checkpoint (one safetensors file, or a GGUF file) that other
// processes may open or map; between two Cooks it does not change.
//
// It is a working file: Close removes it, and it is never brought to the disk
// on purpose. Methods must not be called concurrently.
type Buffer struct {
	layout layout
	index  map[string]int
	file   *os.File
	mapped *mapping
	held   []held // by tensor
}

// NewBuffer creates the file at path for soups with the tensors and the format
// of like, stored as store; [AsStored] keeps each tensor's dtype. A regular
// file at path, such as one that a killed process left, is replaced, but never
// a weight file of like. The disk's free space is checked first and the file's
// blocks are reserved.
func NewBuffer(path string, like *Checkpoint, store DType) (*Buffer, error) {
	l, err := layoutLike(like, store)
	if err != nil {
		return nil, err
	}
	if err := clearPath(path, like); err != nil {
		return nil, err
	}
	return newBuffer(path, l)
}

// clearPath removes what an earlier run left. Removing the name, rather than
// truncating the file, also spares a file that is linked elsewhere.
func clearPath(path string, like *Checkpoint) error {
	info, err := os.Lstat(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return remedy.Opening(path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: exists and is not a regular file", path)
	}
	for _, f := range like.files {
		if os.SameFile(info, f.info) {
			return remedy.Errorf("choose another path", "%s: is a weight file of the parent %s", path, like.path)
		}
	}
	return os.Remove(path)
}

// newBuffer creates, allocates and maps a file and writes its header.
func newBuffer(path string, l layout) (_ *Buffer, err error) {
	if err := checkSpace(filepath.Dir(path), l.size()); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, remedy.Opening(path, err)
	}
	b := &Buffer{layout: l, file: f, mapped: &mapping{path: path}, index: map[string]int{}, held: make([]held, len(l.tensors))}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if err := allocate(f, l.size()); err != nil {
		return nil, fmt.Errorf("%s: %s cannot be allocated: %w", path, gigabytes(l.size()), err)
	}
	if _, err := f.WriteAt(l.parts[0].header, 0); err != nil {
		return nil, err
	}
	if b.mapped.data, err = mmap.Map(f, mmap.RDWR, 0); err != nil {
		return nil, fmt.Errorf("%s: cannot be mapped: %w", path, err)
	}
	for i, t := range l.tensors {
		b.index[t.Name] = i
	}
	return b, nil
}

// Cook overwrites the buffer with the soup of a recipe. Tensors that the last
// Cook made of the same parents with the same weights are left as they are:
// where only some groups' weights changed, only those groups cost anything.
//
// Parents must have passed [Check]; names and shapes are checked again, so that
// no combination crashes. After an error, a cancelled context included, the
// tensors are a mix of old and new until the next Cook.
func (b *Buffer) Cook(ctx context.Context, parents []*Checkpoint, r Recipe) (Stats, error) {
	return CookAll(ctx, []*Buffer{b}, parents, []Recipe{r})
}

// CookAll cooks several candidates in one pass over the parents: with N parents
// and B buffers it moves N+B times the size of a soup instead of B*(N+1) times.
// The buffers must be made alike: of the same tensors, stored in the same
// dtypes. Workers are the first recipe's. Errors are as of [Buffer.Cook] and
// leave all buffers in a mix of old and new.
func CookAll(ctx context.Context, buffers []*Buffer, parents []*Checkpoint, recipes []Recipe) (Stats, error) {
	if len(buffers) == 0 || len(buffers) != len(recipes) {
		return Stats{}, fmt.Errorf("%d recipes for %d buffers", len(recipes), len(buffers))
	}
	first := buffers[0]
	var orders []order
	for i, b := range buffers {
		if b.mapped.data == nil {
			return Stats{}, fmt.Errorf("%s: the buffer is closed", b.mapped.path)
		}
		if slices.Contains(buffers[:i], b) {
			return Stats{}, fmt.Errorf("%s: given twice", b.mapped.path)
		}
		if !bytes.Equal(b.layout.parts[0].header, first.layout.parts[0].header) {
			return Stats{}, fmt.Errorf("%s: not made like %s", b.mapped.path, first.mapped.path)
		}
		orders = append(orders, order{recipes[i], b, b.held})
	}
	c, err := prepare(first.layout, parents, orders)
	if err != nil {
		return Stats{}, err
	}
	for _, b := range buffers {
		c.files = append(c.files, b.mapped)
	}
	stats, err := c.cook(ctx, recipes[0].Workers)
	if err == nil {
		stats.BytesKept = int64(len(buffers))*first.layout.data() - stats.BytesWritten
	}
	return stats, err
}

// room implements target: cooking goes straight into the mapping.
func (b *Buffer) room(at spot, n int64, _ []byte) []byte {
	return b.mapped.data[at.begin : at.begin+n : at.begin+n]
}

func (b *Buffer) put(spot, []byte) error { return nil }

func (b *Buffer) direct() bool { return true }

// Path returns the file's path.
func (b *Buffer) Path() string { return b.mapped.path }

// Size returns the file's size in bytes.
func (b *Buffer) Size() int64 { return b.layout.size() }

// Bytes returns a tensor's data, little-endian, as a slice of the mapping: the
// next Cook changes it, Close ends it.
func (b *Buffer) Bytes(name string) ([]byte, error) {
	i, ok := b.index[name]
	if !ok || b.mapped.data == nil {
		return nil, fmt.Errorf("%s: no tensor %q", b.mapped.path, name)
	}
	return b.room(b.layout.spots[i], b.layout.tensors[i].bytes, nil), nil
}

// Close unmaps and removes the file. Processes that have it open keep it.
func (b *Buffer) Close() error {
	if b.file == nil {
		return nil
	}
	err := errors.Join(b.mapped.unmap(), b.file.Close(), os.Remove(b.mapped.path))
	b.file = nil
	return err
}
