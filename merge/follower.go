package merge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"
)

// follower hashes a file while it is written, as far as it is there without a
// gap: a file that is larger than memory is not read from the disk again.
type follower struct {
	file  io.ReaderAt
	size  int64
	skips map[int64]int64 // where a tensor ends: where the next begins; between are zeros

	mu      sync.Mutex
	moved   sync.Cond
	there   int64           // all bytes before it are written
	ahead   map[int64]int64 // pieces written beyond: begin to end
	started bool
	ended   bool // nobody writes any more
	stopped bool // the hash is not wanted any more
	done    chan struct{}
	sum     string
	err     error
}

// followPart returns a follower of one of a layout's files, whose header is
// written.
func (l layout) followPart(i int, file io.ReaderAt) *follower {
	p := l.parts[i]
	f := &follower{
		file: file, size: p.size, skips: map[int64]int64{}, there: int64(len(p.header)), ahead: map[int64]int64{}, done: make(chan struct{}),
	}
	f.moved.L = &f.mu
	end := f.there
	for k, at := range l.spots { // in the order of their data
		if at.part == i {
			f.skips[end] = at.begin
			end = at.begin + l.tensors[k].bytes
		}
	}
	f.skips[end] = p.size
	f.there = f.skip(f.there)
	return f
}

// skip returns the place where the next tensor that is not empty begins, if one
// ends here.
func (f *follower) skip(at int64) int64 {
	for next, ok := f.skips[at]; ok && next > at; next, ok = f.skips[at] {
		at = next
	}
	return at
}

// wrote says that n bytes from begin on are in the file.
func (f *follower) wrote(begin, n int64) {
	if n == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ahead[begin] = f.skip(begin + n)
	for end, ok := f.ahead[f.there]; ok; end, ok = f.ahead[f.there] {
		delete(f.ahead, f.there)
		f.there = end
	}
	f.start()
	f.moved.Signal()
}

// start begins to hash; the caller holds the lock.
func (f *follower) start() {
	if !f.started {
		f.started = true
		go f.follow()
	}
}

// finish waits until the whole file is hashed.
func (f *follower) finish(ctx context.Context) (string, error) {
	defer context.AfterFunc(ctx, func() { f.end(true) })()
	f.end(false)
	<-f.done
	return f.sum, errors.Join(ctx.Err(), f.err)
}

// abandon stops hashing: what is there is not wanted any more.
func (f *follower) abandon() {
	f.end(true)
	<-f.done
}

// end says that nothing more will be written, and whether to stop at once.
func (f *follower) end(stop bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended, f.stopped = true, f.stopped || stop
	f.start()
	f.moved.Signal()
}

// errGap: the file ended before all of it was written.
var errGap = errors.New("not all of it was written")

// follow hashes what is there until there is no more to come.
func (f *follower) follow() {
	defer close(f.done)
	h, room := sha256.New(), make([]byte, 1<<20)
	for at := int64(0); at < f.size; {
		piece := room[:min(int64(len(room)), f.wait(at)-at)]
		if len(piece) == 0 {
			f.err = errGap
			return
		}
		if _, f.err = f.file.ReadAt(piece, at); f.err != nil {
			return
		}
		h.Write(piece)
		at += int64(len(piece))
	}
	f.sum = hex.EncodeToString(h.Sum(nil))
}

// wait returns up to where the file is there once that is beyond at, or once
// nobody writes any more; at itself where hashing is to stop.
func (f *follower) wait(at int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.there == at && !f.ended {
		f.moved.Wait()
	}
	if f.stopped {
		return at
	}
	return f.there
}
