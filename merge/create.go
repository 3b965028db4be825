package merge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"soup/merge/internal/remedy"
)

// NewTensor is a tensor that is not averaged but made by the caller.
type NewTensor struct {
	Name  string
	DType DType // any but [AsStored] and [Quantised]
	Shape []int64
	Fill  func(dst []byte) error // writes all elements, little-endian
}

// NewCheckpoint is a checkpoint made of such tensors, for converters.
type NewCheckpoint struct {
	Weights string            // name of the weights file; default model.safetensors
	Meta    map[string]string // __metadata__ of the weights file
	Tensors []NewTensor
	From    string            // directory whose configuration, tokenizer and other small files are copied; "" none
	Store   DType             // noted in the copied configuration; AsStored leaves it alone
	Files   map[string][]byte // further files, by name; they go before those of From
	Apart   []string          // directories that out may not be, contain or lie in, as From
	Record  *SavedRecipe      // written as soup.json, with the sha256 of the weights; nil: none
}

// Create writes a checkpoint as a directory of safetensors. Fill is called for
// one tensor after another, and memory holds one tensor at a time. out must not
// exist or be an empty directory, may not be, contain or lie in From, and
// appears complete or not at all.
func Create(ctx context.Context, out string, c NewCheckpoint, progress func(done, total int64)) (Stats, error) {
	return createOn(ctx, realDisk{}, out, c, progress)
}

func createOn(ctx context.Context, disk storage, out string, c NewCheckpoint, progress func(done, total int64)) (Stats, error) {
	l, order, err := c.layout()
	if err != nil {
		return Stats{}, err
	}
	real, err := resolved(out)
	if err == nil {
		err = c.apart(out, real)
	}
	if err == nil {
		err = unused(out, real, false)
	}
	if err != nil {
		return Stats{}, err
	}
	dir, _, err := existing(filepath.Dir(real))
	if err != nil {
		return Stats{}, err
	}
	if err := checkSpace(dir, l.size()); err != nil {
		return Stats{}, err
	}
	d, err := newDraft(disk, real)
	if err != nil {
		return Stats{}, err
	}
	defer d.discard()
	stats, err := c.fill(ctx, d, l, order, throttled(progress, l.data()))
	if err != nil {
		return Stats{}, err
	}
	if err := c.small(d, stats.SHA256); err != nil {
		return Stats{}, err
	}
	return stats, d.publish()
}

// apart checks the directories that are read against the one that is written.
func (c NewCheckpoint) apart(out, real string) error {
	dirs := c.Apart
	if c.From != "" {
		dirs = append([]string{c.From}, c.Apart...)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(dir); err != nil {
			return remedy.Opening(dir, err)
		}
		if err := apart(out, real, dir, true); err != nil {
			return err
		}
	}
	return nil
}

// layout plans the weights file; order gives the new tensor of each place.
func (c NewCheckpoint) layout() (l layout, order []int, err error) {
	index := map[string]int{}
	var tensors []Tensor
	for i, n := range c.Tensors {
		t := Tensor{Name: n.Name, DType: n.DType, Stored: n.DType.String(), Shape: n.Shape}
		shape := make([]uint64, len(n.Shape))
		for k, d := range n.Shape {
			shape[k] = uint64(d)
		}
		if _, ok := elements(shape); !ok || n.DType.Size() == 0 {
			return l, nil, fmt.Errorf("tensor %s: %q of shape %v cannot be stored", n.Name, n.DType, n.Shape)
		}
		if _, twice := index[n.Name]; twice {
			return l, nil, fmt.Errorf("tensor %s is there twice", n.Name)
		}
		index[n.Name] = i
		t.bytes = t.Elements() * n.DType.Size()
		tensors = append(tensors, t)
	}
	if l, err = newLayout(tensors, c.Meta, AsStored); err != nil {
		return l, nil, err
	}
	if c.Weights != "" {
		l.parts[0].name = c.Weights
	}
	for _, t := range l.tensors {
		order = append(order, index[t.Name])
	}
	return l, order, nil
}

// fill writes the weights file.
func (c NewCheckpoint) fill(ctx context.Context, d *draft, l layout, order []int, progress func(done int64)) (Stats, error) {
	files, err := createWeights(d, l)
	if err != nil {
		return Stats{}, err
	}
	var stats Stats
	var room []byte
	for i, t := range l.tensors {
		if int64(cap(room)) < t.bytes {
			room = make([]byte, t.bytes)
		}
		err := ctx.Err()
		if err == nil {
			err = c.Tensors[order[i]].Fill(room[:t.bytes])
		}
		if err == nil {
			err = files.put(l.spots[i], room[:t.bytes])
		}
		if err != nil {
			return Stats{}, errors.Join(err, files.close())
		}
		if stats.BytesWritten += t.bytes; progress != nil {
			progress(stats.BytesWritten)
		}
	}
	stats.SHA256, err = files.finish(ctx)
	return stats, err
}

// small writes the files beside the weights, whose sha256 is known by now.
func (c NewCheckpoint) small(d *draft, sha256 string) error {
	if c.Record != nil {
		saved := *c.Record
		saved.Soup, saved.SHA256 = 1, sha256
		text, err := saved.Text()
		if err != nil {
			return err
		}
		if err := d.write(recordName, text); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		if !filepath.IsLocal(name) || filepath.Base(name) != name {
			return fmt.Errorf("%q is not the name of a file", name)
		}
		if err := d.write(name, c.Files[name]); err != nil {
			return err
		}
	}
	if c.From == "" {
		return nil
	}
	return copySmallFiles(d, c.From, c.Store)
}
