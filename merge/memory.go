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
// them is then first to go. Advice that is refused changes nothing.
func (d *dish) letGo(begin, n int64) {
	n = min(n, d.tensor.Elements()-begin)
	for _, s := range d.sources {
		at := s.of.places[s.index]
		if at.file.data == nil {
			continue
		}
		size := s.dtype.Size()
		from, to := at.begin+begin*size, at.begin+(begin+n)*size
		if at.blocks {
			from, to = at.begin+begin/q8Elements*q8Bytes, at.begin+(begin+n)/q8Elements*q8Bytes
		}
		page := int64(os.Getpagesize())
		dropPages(at.file.data[from/page*page : to])
	}
}
