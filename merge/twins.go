package merge

import (
	"bytes"
	"fmt"
)

// sample is how much of each tensor is compared before all of it is: two
// fine-tunes differ within it, so only equal parents are read whole.
const sample = 2048 // elements

// twins notes checkpoints with equal tensors.
func twins(all []*Checkpoint) Findings {
	var found Findings
	for j := range all {
		for i := range j {
			equal, err := equalTensors(all[i], all[j])
			if err != nil {
				return append(found, Finding{"unreadable", Refuse, "", "", err.Error(), "replace the file"})
			}
			if equal {
				found = append(found, Finding{
					"identical-parents", Note, all[j].path, "",
					fmt.Sprintf("holds the same tensors as %s", all[i].path), "leave one out: a soup gives both their weights together",
				})
				break
			}
		}
	}
	return found
}

// equalTensors compares two checkpoints with the same names and shapes.
func equalTensors(a, b *Checkpoint) (equal bool, err error) {
	err = guarded(mappings([]*Checkpoint{a, b}), func() error {
		equal = a.equalUpTo(b, sample) && a.equalUpTo(b, -1)
		return nil
	})
	return equal, err
}

// equalUpTo compares the first n elements of every tensor, or all if n < 0.
func (c *Checkpoint) equalUpTo(o *Checkpoint, n int64) bool {
	for i, t := range c.tensors {
		j, ok := o.index[t.Name]
		if !ok || t.DType == Quantised || o.tensors[j].DType != t.DType || o.tensors[j].bytes != t.bytes {
			return false
		}
		if !c.equalTensor(i, o, j, n) {
			return false
		}
	}
	return true
}

// equalTensor compares two tensors of one dtype and size, or their first n
// elements if n is not negative.
func (c *Checkpoint) equalTensor(i int, o *Checkpoint, j int, n int64) bool {
	if n < 0 {
		n = c.tensors[i].Elements()
	}
	n = min(n, c.tensors[i].Elements())
	var x, y []byte
	for at := int64(0); at < n; at += maxTile {
		var errX, errY error
		x, errX = c.window(i, at, min(maxTile, n-at), x[:0:0])
		y, errY = o.window(j, at, min(maxTile, n-at), y[:0:0])
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			return false
		}
	}
	return true
}
