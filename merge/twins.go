package merge

import (
	"bytes"
	"fmt"
)

// sample is how much of each tensor is compared before all of it is: two
// fine-tunes differ within it, so only equal parents are read whole.
const sample = 4096

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

// equalUpTo compares the first n bytes of every tensor, or all if n < 0.
func (c *Checkpoint) equalUpTo(o *Checkpoint, n int) bool {
	for i, t := range c.tensors {
		x, errX := c.data(i)
		y, errY := o.Bytes(t.Name)
		if errX != nil || errY != nil || len(x) != len(y) || o.tensors[o.index[t.Name]].DType != t.DType {
			return false
		}
		if n >= 0 {
			x, y = x[:min(n, len(x))], y[:min(n, len(y))]
		}
		if !bytes.Equal(x, y) {
			return false
		}
	}
	return true
}
