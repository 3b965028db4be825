package merge

import "os"

// share is the part of the machine's memory that pages of parents may fill.
// Parents that are larger are read once a candidate anyway: their pages are let
// go of behind the work, so that they push nothing else out.
const share = 0.5

// exceedMemory says whether the parents' files are larger than their share.
func exceedMemory(parents []*Checkpoint) bool {
	total := memoryBytes()
	var size int64
	for _, f := range mappings(parents) {
		size += f.size()
	}
	return total > 0 && float64(size) > share*float64(total)
}

// letGo drops a tile's pages from the process; what the file system keeps of
// them is then first to go.
func (d *dish) letGo(begin, n int64) {
	n = min(n, d.tensor.Elements()-begin)
	for _, s := range d.sources {
		s.of.letGo(s.index, begin, n)
	}
}

// around is how many bytes the system may map beside a page that is touched
// (Documentation/filesystems/proc.rst of Linux: fault_around_bytes).
const around = 64 << 10

// letGo drops the pages of n elements of a tensor, from one on, and what came
// with them on both sides. Advice that is refused changes nothing.
func (c *Checkpoint) letGo(i int, begin, n int64) {
	at := c.places[i]
	if at.file.data == nil {
		return
	}
	size := c.tensors[i].DType.Size()
	from, to := at.begin+begin*size, at.begin+(begin+n)*size
	if at.blocks {
		from, to = at.begin+begin/q8Elements*q8Bytes, at.begin+(begin+n)/q8Elements*q8Bytes
	}
	page := int64(os.Getpagesize())
	dropPages(at.file.data[max(0, from-around)/page*page : min(to+around, at.file.size())])
}
