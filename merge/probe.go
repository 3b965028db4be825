package merge

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A probe reads at most probeWindows windows of probeWindow bytes, spread
// evenly over the parents' files.
const (
	probeWindows = 64
	probeWindow  = 1 << 20
)

// Probe is a quick look at how fast parents can be read. Shares are of the
// windows that were looked at and add up to 1; rates are in bytes a second, 0
// where no window of that kind was read.
type Probe struct {
	Bytes    int64   `json:"bytes"` // read by the probe
	Seconds  float64 `json:"seconds"`
	Cached   float64 `json:"cached_share"`  // in memory already
	Uncached float64 `json:"disk_share"`    // not in memory
	Unknown  float64 `json:"unknown_share"` // the system does not tell: another system than Linux, or somebody else's file
	Holes    float64 `json:"hole_share"`    // never written: sparse files

	CachedRate  float64 `json:"cached_bytes_per_second"`
	DiskRate    float64 `json:"disk_bytes_per_second"`
	UnknownRate float64 `json:"unknown_bytes_per_second"`
	HashRate    float64 `json:"hash_bytes_per_second"` // sha256, of one core
}

// window is a part of a mapped file.
type window struct {
	file       *mapping
	begin, end int64
	wasRead    bool
}

// residency is where a window's bytes are.
type residency int

const (
	cached residency = iota
	uncached
	unknown
	hole
)

// ProbeReading measures, in about 0.2 s and without reading more than 64 MB,
// how fast the parents' weights can be read through their mappings, by all
// processors. Whether bytes are in memory is asked before they are read.
// Errors are those of a cancelled context and of files that cannot be read.
func ProbeReading(ctx context.Context, parents []*Checkpoint) (Probe, error) {
	var p Probe
	started := time.Now()
	sorted := map[residency][]window{}
	windows := spread(mappings(parents))
	for _, w := range windows {
		r := reside(w)
		sorted[r] = append(sorted[r], w)
	}
	for r, share := range map[residency]*float64{cached: &p.Cached, uncached: &p.Uncached, unknown: &p.Unknown, hole: &p.Holes} {
		if len(windows) > 0 {
			*share = float64(len(sorted[r])) / float64(len(windows))
		}
	}
	// What is on the disk first: reading it brings its neighbours into memory.
	for _, kind := range []struct {
		windows []window
		limit   time.Duration
		rate    *float64
	}{
		{sorted[uncached], 100 * time.Millisecond, &p.DiskRate},
		{sorted[unknown], 100 * time.Millisecond, &p.UnknownRate},
		{sorted[cached], 40 * time.Millisecond, &p.CachedRate},
	} {
		read, took, err := readWindows(ctx, kind.windows, kind.limit)
		if err != nil {
			return p, err
		}
		if p.Bytes += read; read > 0 {
			*kind.rate = float64(read) / took.Seconds()
		}
	}
	err := p.hash(slices.Concat(sorted[cached], sorted[unknown], sorted[uncached]))
	p.Seconds = time.Since(started).Seconds()
	return p, err
}

// ReadSeconds returns how long reading that many bytes of the parents once
// takes, if it goes on as measured; false if nothing was measured or most of
// what was looked at are holes, which say nothing about a disk.
func (p Probe) ReadSeconds(bytes int64) (float64, bool) {
	perByte, known := 0.0, 0.0
	for _, k := range []struct{ share, rate float64 }{{p.Cached, p.CachedRate}, {p.Uncached, p.DiskRate}, {p.Unknown, p.UnknownRate}} {
		if k.rate > 0 {
			perByte, known = perByte+k.share/k.rate, known+k.share
		}
	}
	if known == 0 || p.Holes > 0.5 {
		return 0, false
	}
	return float64(bytes) * perByte / known, true
}

// HashSeconds returns how long [HashAll] of the parents takes: one core a file,
// and not faster than they are read; false if nothing was measured.
func (p Probe) HashSeconds(parents []*Checkpoint) (float64, bool) {
	var total, largest int64
	files := mappings(parents)
	for _, f := range files {
		total, largest = total+f.size(), max(largest, f.size())
	}
	read, ok := p.ReadSeconds(total)
	if !ok || p.HashRate == 0 {
		return 0, false
	}
	cores := min(runtime.GOMAXPROCS(0), len(files))
	return max(read, float64(total)/p.HashRate/float64(cores), float64(largest)/p.HashRate), true
}

// spread lays windows evenly over files, as if these lay one after the other.
func spread(files []*mapping) []window {
	var total int64
	for _, f := range files {
		total += f.size()
	}
	n := min(probeWindows, (total+probeWindow-1)/probeWindow)
	place := func(i int64) int64 { // the middle of part i of n: headers have just been read
		return total/n*i + max(0, total/n-probeWindow)/2
	}
	var windows []window
	var before int64
	i := int64(0)
	for _, f := range files {
		size := f.size()
		for ; i < n && place(i) < before+size; i++ {
			page := int64(os.Getpagesize())
			begin := (place(i) - before) / page * page
			windows = append(windows, window{file: f, begin: begin, end: min(begin+probeWindow, size)})
		}
		before += size
	}
	return windows
}

// readWindows reads windows on all processors until there are none or time is
// up, and returns the bytes it read and how long that took.
func readWindows(ctx context.Context, windows []window, limit time.Duration) (int64, time.Duration, error) {
	var next, read atomic.Int64
	started := time.Now()
	errs := make([]error, min(runtime.GOMAXPROCS(0), len(windows)))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(windows)) && errs[w] == nil; i = next.Add(1) - 1 {
				errs[w] = windows[i].touch(ctx, started.Add(limit), &read)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, 0, err
		}
	}
	return read.Load(), time.Since(started), nil
}

// touch reads a window, looking at the clock every 64 KiB, and lets go of it.
func (w *window) touch(ctx context.Context, until time.Time, read *atomic.Int64) error {
	const step = 64 << 10
	return guarded([]*mapping{w.file}, func() error {
		w.announce()
		room := make([]byte, 0, step)
		for at := w.begin; at < w.end && time.Now().Before(until); at += step {
			if err := ctx.Err(); err != nil {
				return err
			}
			part, err := w.file.window(at, min(step, w.end-at), room)
			if err != nil {
				return err
			}
			probeSink.Add(sumWords(part))
			read.Add(int64(len(part)))
		}
		w.wasRead = time.Now().Before(until)
		if w.file.data != nil {
			dropPages(w.file.data[w.begin:w.end])
		}
		return nil
	})
}

// probeSink keeps compilers from leaving out sums that nobody needs.
var probeSink atomic.Uint64

// sumWords reads every byte of data, 32 a turn: wide enough not to be what
// limits the rate.
func sumWords(data []byte) uint64 {
	var a, b, c, d uint64
	for ; len(data) >= 32; data = data[32:] {
		a += binary.LittleEndian.Uint64(data)
		b += binary.LittleEndian.Uint64(data[8:16])
		c += binary.LittleEndian.Uint64(data[16:24])
		d += binary.LittleEndian.Uint64(data[24:32])
	}
	for _, x := range data {
		a += uint64(x)
	}
	return a + b + c + d
}

// hash measures sha256 on one core, for about 10 ms, on what is in memory now.
func (p *Probe) hash(windows []window) error {
	h, hashed, took, room := sha256.New(), 0, time.Duration(0), []byte(nil)
	for _, w := range windows {
		if !w.wasRead || took > 10*time.Millisecond {
			continue
		}
		err := guarded([]*mapping{w.file}, func() error {
			data, err := w.file.window(w.begin, w.end-w.begin, room)
			started := time.Now()
			h.Write(data)
			took, hashed = took+time.Since(started), hashed+len(data)
			return err
		})
		if err != nil {
			return err
		}
	}
	if took > 0 {
		p.HashRate = float64(hashed) / took.Seconds()
	}
	return nil
}
