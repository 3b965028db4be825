package merge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"soup/merge/internal/remedy"
)

// Format is how a checkpoint is stored.
type Format uint8

// The formats that are read and written.
const (
	Safetensors Format = iota + 1 // https://github.com/huggingface/safetensors
	GGUF                          // https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
	Torch                         // https://docs.pytorch.org/docs/stable/notes/serialization.html
)

// String returns "safetensors", "gguf" or "pytorch".
func (f Format) String() string {
	switch f {
	case GGUF:
		return "gguf"
	case Torch:
		return "pytorch"
	}
	return "safetensors"
}

// Soup returns the format that soups of such checkpoints are written in: the
// same, but safetensors for [Torch], which is not written. Checkpoints whose
// soups have one format can be averaged with one another.
func (f Format) Soup() Format {
	if f == Torch {
		return Safetensors
	}
	return f
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
	file   *mapping
	begin  int64 // from the start of the file
	stored int64 // bytes there
	blocks bool  // Q8_0, read as F32
}

// needsRoom says whether reading needs memory of the reader's.
func (p place) needsRoom() bool { return p.file.data == nil || p.blocks }

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
	tied    []string // names of pickled tensors that dropTied left out
	options OpenOptions

	hashOnce sync.Mutex
	hash     string
}

// OpenOptions say how a checkpoint is read. The zero value suits local disks.
type OpenOptions struct {
	// Unmapped reads weights piece by piece instead of mapping the files, for
	// network file systems whose failures would otherwise be faults in memory.
	// Bytes then copies, and the files stay open.
	Unmapped bool
	// Dequantise reads GGUF tensors of type Q8_0 as F32, which holds their
	// values exactly. Soups store them as F16 unless told otherwise. Other
	// quantised types stay what they are, and are refused.
	Dequantise bool
}

// Open opens a checkpoint: a Hugging Face directory (model.safetensors, or
// model.safetensors.index.json with its shards; without either,
// pytorch_model.bin or its index), one .safetensors file, one .gguf file, or one
// .bin, .pt or .pth file that torch.save wrote. Only headers are read; pickles
// are, in a child process. Errors name the file and what to do.
func Open(path string) (*Checkpoint, error) { return OpenWith(path, OpenOptions{}) }

// OpenWith is Open with options.
func OpenWith(path string, o OpenOptions) (*Checkpoint, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, remedy.Opening(path, err)
	}
	c := &Checkpoint{path: path, format: Safetensors, index: map[string]int{}, options: o}
	switch {
	case info.IsDir():
		c.dir, err = path, c.openDirectory(path)
	case isGGUF(path):
		c.format, err = GGUF, c.openGGUF(path)
	case strings.HasSuffix(path, ".safetensors"):
		err = c.openSafetensors(path, filepath.Base(path))
	case isTorch(path):
		err = c.openTorch(path)
	default:
		err = remedy.Errorf("give a checkpoint directory, or a .safetensors, .gguf, .bin, .pt or .pth file", "%s: not a checkpoint", path)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// openFile opens one of the checkpoint's weight files.
func (c *Checkpoint) openFile(path, name string) (*mapping, error) {
	file, err := openFile(path, name, c.options.Unmapped)
	if err == nil {
		c.files = append(c.files, file)
	}
	return file, err
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

// Tensors returns all tensors in the order of their data, those of a [Torch]
// file in the order of its state dict (shards by name).
func (c *Checkpoint) Tensors() []Tensor { return slices.Clone(c.tensors) }

// Tensor returns one tensor's description.
func (c *Checkpoint) Tensor(name string) (Tensor, bool) {
	i, ok := c.index[name]
	if !ok {
		return Tensor{}, false
	}
	return c.tensors[i], true
}

// Bytes returns a tensor's data, little-endian, as a slice of the mapping
// (a copy, where the checkpoint was opened unmapped or the tensor is
// dequantised). It is read-only and valid until Close.
func (c *Checkpoint) Bytes(name string) ([]byte, error) {
	i, ok := c.index[name]
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", c.path, name)
	}
	return c.data(i)
}

// data returns the bytes of the tensor with an index.
func (c *Checkpoint) data(i int) ([]byte, error) {
	if t := c.tensors[i]; t.DType != Quantised {
		return c.window(i, 0, t.Elements(), nil)
	}
	at := c.places[i]
	return at.file.window(at.begin, at.stored, nil)
}

// window returns n elements of a tensor, of a size that is not [Quantised],
// from element begin on; room is used where reading needs some.
func (c *Checkpoint) window(i int, begin, n int64, room []byte) ([]byte, error) {
	return c.windowOf(c.places[i].file, i, begin, n, room)
}

// windowOf is window, read from the same file opened otherwise.
func (c *Checkpoint) windowOf(file *mapping, i int, begin, n int64, room []byte) ([]byte, error) {
	at, size := c.places[i], c.tensors[i].DType.Size()
	at.file = file
	if at.file.released() {
		return nil, fmt.Errorf("%s: the checkpoint is closed", c.path)
	}
	if at.blocks {
		return dequantised(at, begin, n, room)
	}
	return at.file.window(at.begin+begin*size, n*size, room)
}

// chunks calls do with a tensor's data in pieces of at most maxTile elements.
func (c *Checkpoint) chunks(ctx context.Context, i int, do func(data []byte)) error {
	total := c.tensors[i].Elements()
	var room []byte
	for at := int64(0); at < total; at += maxTile {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := c.window(i, at, min(maxTile, total-at), room)
		if err != nil {
			return err
		}
		if c.places[i].needsRoom() {
			room = data
		}
		do(data)
	}
	return nil
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
