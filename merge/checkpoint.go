package merge

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Format is how a checkpoint is stored.
type Format uint8

// The formats that are read and written.
const (
	Safetensors Format = iota + 1 // https://github.com/huggingface/safetensors
	GGUF                          // https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
)

// String returns "safetensors" or "gguf".
func (f Format) String() string {
	if f == GGUF {
		return "gguf"
	}
	return "safetensors"
}

// Tensor describes one tensor of a checkpoint.
type Tensor struct {
	Name   string
	DType  DType
	Stored string  // the format's own name of the type, such as "BF16" or "Q4_K"
	Shape  []int64 // row-major, also for GGUF, whose files list dimensions in reverse

	bytes int64
}

// Elements returns the number of elements: 1 for a scalar.
func (t Tensor) Elements() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Bytes returns the size of the tensor's data.
func (t Tensor) Bytes() int64 { return t.bytes }

// as returns the tensor as it is when stored in another dtype. Tensors that
// are not averaged keep theirs.
func (t Tensor) as(store DType) Tensor {
	if store == AsStored || !t.DType.Averageable() {
		return t
	}
	t.DType, t.Stored, t.bytes = store, store.String(), t.Elements()*store.Size()
	return t
}

// place is where a tensor's data lies.
type place struct {
	file  *mapping
	begin int64 // from the start of the file
}

// Checkpoint is an opened model: its tensors' names, types and shapes, and its
// weight files mapped into memory, of which nothing has been read but headers.
// Its methods may be called concurrently, Close excepted.
type Checkpoint struct {
	path    string
	dir     string // of the configuration and tokenizer; "" for a single file
	format  Format
	files   []*mapping
	tensors []Tensor
	places  []place
	index   map[string]int
	header  []byte            // the only file's bytes before its tensor data; nil when sharded
	meta    map[string]string // safetensors' __metadata__
	gguf    *ggufFacts

	hashOnce sync.Mutex
	hash     string
}

// Open opens a checkpoint: a Hugging Face directory (model.safetensors, or
// model.safetensors.index.json with its shards), one .safetensors file, or one
// .gguf file. Only headers are read. Errors name the file and what to do.
func Open(path string) (*Checkpoint, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	c := &Checkpoint{path: path, format: Safetensors, index: map[string]int{}}
	switch {
	case info.IsDir():
		c.dir, err = path, c.openDirectory(path)
	case strings.HasSuffix(path, ".gguf"):
		c.format, err = GGUF, c.openGGUF(path)
	case strings.HasSuffix(path, ".safetensors"):
		err = c.openSafetensors(path, filepath.Base(path))
	default:
		err = failf("give a checkpoint directory, a .safetensors file or a .gguf file", "%s: not a checkpoint", path)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// add appends a tensor of a file.
func (c *Checkpoint) add(t Tensor, at place) error {
	if _, twice := c.index[t.Name]; twice {
		return fmt.Errorf("tensor %q is there twice", t.Name)
	}
	c.index[t.Name] = len(c.tensors)
	c.tensors = append(c.tensors, t)
	c.places = append(c.places, at)
	return nil
}

// Close releases the mappings. Slices that Bytes returned must not be used
// any more.
func (c *Checkpoint) Close() error {
	var errs []error
	for _, f := range c.files {
		errs = append(errs, f.unmap())
	}
	return errors.Join(errs...)
}

// Path returns the path that was opened.
func (c *Checkpoint) Path() string { return c.path }

// Format returns how the checkpoint is stored.
func (c *Checkpoint) Format() Format { return c.format }

// Tensors returns all tensors in the order of their data (shards by name).
func (c *Checkpoint) Tensors() []Tensor { return slices.Clone(c.tensors) }

// Tensor returns one tensor's description.
func (c *Checkpoint) Tensor(name string) (Tensor, bool) {
	i, ok := c.index[name]
	if !ok {
		return Tensor{}, false
	}
	return c.tensors[i], true
}

// Bytes returns a tensor's data, little-endian, as a slice of the mapping. It
// is read-only and valid until Close.
func (c *Checkpoint) Bytes(name string) ([]byte, error) {
	i, ok := c.index[name]
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", c.path, name)
	}
	return c.data(i)
}

// data returns the bytes of the tensor with an index.
func (c *Checkpoint) data(i int) ([]byte, error) {
	at := c.places[i]
	if at.file.data == nil {
		return nil, fmt.Errorf("%s: the checkpoint is closed", c.path)
	}
	end := at.begin + c.tensors[i].bytes
	return at.file.data[at.begin:end:end], nil
}

// Files returns the paths of the weight files.
func (c *Checkpoint) Files() []string {
	paths := make([]string, len(c.files))
	for i, f := range c.files {
		paths[i] = f.path
	}
	return paths
}

// Parameters returns the number of elements of all tensors.
func (c *Checkpoint) Parameters() int64 {
	var n int64
	for _, t := range c.tensors {
		n += t.Elements()
	}
	return n
}

// size returns the bytes of the weight files.
func (c *Checkpoint) size() int64 {
	var n int64
	for _, f := range c.files {
		n += f.info.Size()
	}
	return n
}

// elements multiplies a shape, refusing sizes that do not fit into int64.
func elements(shape []uint64) (uint64, bool) {
	n := uint64(1)
	for _, d := range shape {
		if d > math.MaxInt64 || d > 0 && n > math.MaxInt64/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// mappings returns the weight files of several checkpoints.
func mappings(parents []*Checkpoint) []*mapping {
	var all []*mapping
	for _, p := range parents {
		all = append(all, p.files...)
	}
	return all
}
