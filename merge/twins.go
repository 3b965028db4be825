package merge

import (
	"bytes"
	"fmt"
	"os"
)

// sample is how many elements are compared at the beginning, the middle and the
// end of each tensor before all of it is: two fine-tunes differ there.
const sample = 2048

// maxCompared is how many bytes of two checkpoints whose samples are equal are
// read to be sure: a check before any work must not take minutes.
const maxCompared = 1 << 30

// twins notes checkpoints with equal tensors.
func twins(all []*Checkpoint) Findings {
	var found Findings
	for j := range all {
		for i := range j {
			equal, how, err := equalTensors(all[i], all[j])
			if err != nil {
				return append(found, Finding{"unreadable", Refuse, "", "", err.Error(), "replace the file"})
			}
			if equal {
				found = append(found, Finding{
					"identical-parents", Note, all[j].path, "",
					fmt.Sprintf("holds the same tensors as %s%s", all[i].path, how), "leave one out: a soup gives both their weights together",
				})
				break
			}
		}
	}
	return found
}

// equalTensors compares two checkpoints with the same names and shapes; how
// says where that is not certain.
func equalTensors(a, b *Checkpoint) (equal bool, how string, err error) {
	if sameFiles(a, b) {
		return true, "", nil
	}
	err = guarded(mappings([]*Checkpoint{a, b}), func() error {
		if equal = a.equalUpTo(b, sample); !equal {
			return nil
		}
		if a.size() > maxCompared {
			how = ", as far as samples of each tensor tell"
			return nil
		}
		equal = a.equalUpTo(b, -1)
		return nil
	})
	return equal, how, err
}

// sameFiles says whether two checkpoints are the very same files.
func sameFiles(a, b *Checkpoint) bool {
	if len(a.files) != len(b.files) {
		return false
	}
	for i := range a.files {
		if !os.SameFile(a.files[i].info, b.files[i].info) {
			return false
		}
	}
	return true
}

// equalUpTo compares n elements at three places of every tensor, or all of it
// if n < 0.
func (c *Checkpoint) equalUpTo(o *Checkpoint, n int64) bool {
	for i, t := range c.tensors {
		j, ok := o.index[t.Name]
		if !ok || t.DType == Quantised || o.tensors[j].DType != t.DType || o.tensors[j].bytes != t.bytes {
			return false
		}
		all := t.Elements()
		if n < 0 || 3*n >= all {
			if !c.equalTensor(i, o, j, 0, all) {
				return false
			}
			continue
		}
		for _, at := range []int64{0, all / 2 &^ (q8Elements - 1), (all - n) &^ (q8Elements - 1)} {
			if !c.equalTensor(i, o, j, at, n) {
				return false
			}
		}
	}
	return true
}

// equalTensor compares n elements of two tensors of one dtype and size, from
// element begin on.
func (c *Checkpoint) equalTensor(i int, o *Checkpoint, j int, begin, n int64) bool {
	for at := begin; at < begin+n; at += maxTile {
		x, errX := c.window(i, at, min(maxTile, begin+n-at), nil)
		y, errY := o.window(j, at, min(maxTile, begin+n-at), nil)
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			return false
		}
	}
	return true
}
