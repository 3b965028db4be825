package merge

import "slices"

// Header returns what a checkpoint's only weights file has before its tensors'
// data, and nil where there are several files. Of a GGUF file it holds all
// metadata.
func (c *Checkpoint) Header() []byte { return slices.Clone(c.header) }
