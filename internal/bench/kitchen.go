package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"soup/merge"
)

// tensors is how many tensors of equal size a parent has, in as many layers.
const tensors = 16

// kitchen is the parents of one dtype and the buffers they are cooked into.
type kitchen struct {
	o       MergeOptions
	dir     string
	dtype   merge.DType
	parents []*merge.Checkpoint
	buffers []*merge.Buffer
	groups  merge.Grouping
}

// stock makes parents and buffers.
func (k *kitchen) stock(ctx context.Context) error {
	for i := range k.o.Parents {
		path := filepath.Join(k.dir, fmt.Sprintf("parent-%d", i))
		if _, err := merge.Create(ctx, path, k.synthetic(ctx, uint64(i)), nil); err != nil {
			return err
		}
		c, err := merge.Open(path)
		if err != nil {
			return err
		}
		k.parents = append(k.parents, c)
	}
	for i := range batch {
		b, err := merge.NewBuffer(filepath.Join(k.dir, fmt.Sprintf("buffer-%d", i)), k.parents[0], merge.AsStored)
		if err != nil {
			return err
		}
		k.buffers = append(k.buffers, b)
	}
	var names []string
	for _, t := range k.parents[0].Tensors() {
		names = append(names, t.Name)
	}
	var err error
	k.groups, err = merge.GroupSpec{Layers: groups}.Group(names)
	return err
}

// clear closes and removes everything.
func (k *kitchen) clear() error {
	var errs []error
	for _, b := range k.buffers {
		errs = append(errs, b.Close())
	}
	for _, p := range k.parents {
		errs = append(errs, p.Close())
	}
	entries, err := os.ReadDir(k.dir)
	errs = append(errs, err)
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(k.dir, e.Name())))
	}
	return errors.Join(errs...)
}

// synthetic describes a parent of random values between 2^-9 and 2^-4, as
// weights are.
func (k *kitchen) synthetic(ctx context.Context, seed uint64) merge.NewCheckpoint {
	size := k.dtype.Size()
	noise := randomElements(k.dtype, seed, 1<<18)
	elements := max(1, k.o.Bytes/tensors/size)
	var c merge.NewCheckpoint
	for i := range tensors {
		c.Tensors = append(c.Tensors, merge.NewTensor{
			Name: fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", i), DType: k.dtype, Shape: []int64{elements},
			Fill: func(dst []byte) error {
				for n := copy(dst, noise[i*len(noise)/tensors/8*8:]); n < len(dst) && ctx.Err() == nil; {
					n += copy(dst[n:], noise)
				}
				return ctx.Err()
			},
		})
	}
	return c
}

// randomElements returns n elements of random sign and fraction whose
// exponents are between -9 and -5.
func randomElements(d merge.DType, seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 23))
	var data []byte
	for range n {
		bits, exponent := r.Uint32(), r.Uint32N(5)
		switch d {
		case merge.BF16:
			data = binary.LittleEndian.AppendUint16(data, uint16(bits&0x807f|(118+exponent)<<7))
		case merge.F16:
			data = binary.LittleEndian.AppendUint16(data, uint16(bits&0x83ff|(6+exponent)<<10))
		default:
			data = binary.LittleEndian.AppendUint32(data, bits&0x807fffff|(118+exponent)<<23)
		}
	}
	return data
}

// weights are shares that differ from parent to parent and from run to run, so
// that no tensor is right already when it is cooked.
func (k *kitchen) weights(run int) []float64 {
	row := make([]float64, k.o.Parents)
	for i := range row {
		row[i] = (1 + float64(i)/16 + float64(run%7)/8) / float64(len(row))
	}
	return row
}

// whole cooks a candidate into a buffer that holds another one.
func (k *kitchen) whole(ctx context.Context, run int) (merge.Stats, error) {
	return k.buffers[0].Cook(ctx, k.parents, merge.Recipe{Weights: [][]float64{k.weights(run)}})
}

// oneGroup cooks a candidate of which one group in eight has new weights.
func (k *kitchen) oneGroup(ctx context.Context, run int) (merge.Stats, error) {
	rows := [][]float64{k.weights(run)}
	for range groups - 1 {
		rows = append(rows, k.weights(0))
	}
	return k.buffers[0].Cook(ctx, k.parents, merge.Recipe{Groups: k.groups, Weights: rows})
}

// batch cooks four candidates at once.
func (k *kitchen) batch(ctx context.Context, run int) (merge.Stats, error) {
	var recipes []merge.Recipe
	for i := range k.buffers {
		recipes = append(recipes, merge.Recipe{Weights: [][]float64{k.weights(run*batch + i)}})
	}
	return merge.CookAll(ctx, k.buffers, k.parents, recipes)
}

// newFile writes a whole checkpoint: weights, their sha256, record, and all of
// it brought to the disk. The parents' own hashes are known after the first run.
func (k *kitchen) newFile(ctx context.Context, run int) (merge.Stats, error) {
	out := filepath.Join(k.dir, "soup")
	stats, err := merge.Write(ctx, out, k.parents, nil, merge.Recipe{Weights: [][]float64{k.weights(run)}}, merge.WriteOptions{})
	return stats, errors.Join(err, os.RemoveAll(out))
}
