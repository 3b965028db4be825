package merge

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// Perturb writes a copy of a checkpoint, as float32, with Gaussian noise added: to
// each row of a matrix w (a filter) size |w| n/|n|, n of independent standard
// normal numbers, so that size is relative. So Li et al. 2018 section 4 compare
// the surroundings of networks whose weights differ in scale
// (https://arxiv.org/abs/1712.09913); vectors (norms, biases) stay as they are, as
// there. random gives the numbers of a tensor by its name. out is as of [Create].
func Perturb(ctx context.Context, out string, c *Checkpoint, size float64, random func(tensor string) *rand.Rand) (Stats, error) {
	n := NewCheckpoint{Meta: map[string]string{"format": "pt"}, From: c.dir, Store: F32}
	for _, t := range c.Tensors() {
		if !t.DType.Averageable() { // such as integers
			n.Tensors = append(n.Tensors, NewTensor{Name: t.Name, DType: t.DType, Shape: t.Shape, Fill: func(dst []byte) error {
				data, err := c.Bytes(t.Name)
				copy(dst, data)
				return err
			}})
			continue
		}
		n.Tensors = append(n.Tensors, NewTensor{Name: t.Name, DType: F32, Shape: t.Shape, Fill: func(dst []byte) error {
			return perturb(dst, c, t, size, random(t.Name))
		}})
	}
	return Create(ctx, out, n, nil)
}

// perturb writes one tensor, row by row.
func perturb(dst []byte, c *Checkpoint, t Tensor, size float64, random *rand.Rand) error {
	width := t.Elements()
	if len(t.Shape) > 1 && t.Shape[0] > 0 {
		width /= t.Shape[0]
	} else {
		size = 0
	}
	noise := make([]float64, width)
	for at := int64(0); at < t.Elements(); at += width {
		row := floatsAt(c, t.Name, at, width)
		if int64(len(row)) != width {
			return fmt.Errorf("%s: tensor %s: elements %d to %d cannot be read", c.path, t.Name, at, at+width-1)
		}
		own, theirs := 0.0, 0.0
		for i, w := range row {
			noise[i] = random.NormFloat64()
			own, theirs = own+float64(w)*float64(w), theirs+noise[i]*noise[i]
		}
		scale := 0.0
		if size != 0 && theirs > 0 {
			scale = size * math.Sqrt(own/theirs)
		}
		for i, w := range row {
			binary.LittleEndian.PutUint32(dst[4*(at+int64(i)):], math.Float32bits(float32(float64(w)+scale*noise[i])))
		}
	}
	return nil
}
