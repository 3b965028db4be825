package bench

import (
	"context"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"soup/merge"
)

// Anonymous is the memory of the process beside mapped files, while a soup of
// that many parents was cooked.
type Anonymous struct {
	Parents int   `json:"parents"`
	Before  int64 `json:"before_bytes"`
	Most    int64 `json:"most_bytes"`
}

// memory cooks soups of 2, 8 and 32 parents and watches the process. Parents
// beyond those that there are, are the same files mapped once more.
func (k *kitchen) memory(ctx context.Context) ([]Anonymous, error) {
	all := []Anonymous{}
	if _, ok := anonymousBytes(); !ok {
		return all, nil
	}
	for _, n := range []int{2, 8, 32} {
		a, err := k.memoryOf(ctx, n)
		if err != nil {
			return all, err
		}
		all = append(all, a)
	}
	return all, nil
}

func (k *kitchen) memoryOf(ctx context.Context, n int) (Anonymous, error) {
	var parents []*merge.Checkpoint
	defer func() {
		for _, p := range parents {
			_ = p.Close()
		}
	}()
	row := make([]float64, n)
	for i := range n {
		c, err := merge.Open(k.parents[i%len(k.parents)].Path())
		if err != nil {
			return Anonymous{}, err
		}
		parents = append(parents, c)
		row[i] = 1 / float64(n)
	}
	runtime.GC()
	debug.FreeOSMemory()
	a := Anonymous{Parents: n}
	a.Before, _ = anonymousBytes()
	most := watch(a.Before)
	_, err := k.buffers[0].Cook(ctx, parents, merge.Recipe{Weights: [][]float64{row}})
	a.Most = most()
	return a, err
}

// watch looks at the process every two milliseconds until it is asked for the
// most it has seen.
func watch(most int64) func() int64 {
	stop, result := make(chan struct{}), make(chan int64)
	go func() {
		for {
			if n, ok := anonymousBytes(); ok {
				most = max(most, n)
			}
			select {
			case <-stop:
				result <- most
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-result
	}
}

var statusLine = regexp.MustCompile(`(?m)^(VmRSS|RssFile|RssShmem):\s+(\d+) kB$`)

// anonymousBytes is VmRSS - RssFile - RssShmem of this process, as
// https://docs.kernel.org/filesystems/proc.html has them; false elsewhere than
// on Linux.
func anonymousBytes() (int64, bool) {
	text, err := os.ReadFile("/proc/self/status")
	lines := statusLine.FindAllSubmatch(text, -1)
	if err != nil || len(lines) != 3 {
		return 0, false
	}
	var bytes int64
	for _, m := range lines {
		n, err := strconv.ParseInt(string(m[2]), 10, 64)
		if err != nil {
			return 0, false
		}
		if string(m[1]) != "VmRSS" {
			n = -n
		}
		bytes += n << 10
	}
	return bytes, true
}

// memoryRoot is Linux's folder of files in memory.
const memoryRoot = "/dev/shm"

var availableLine = regexp.MustCompile(`(?m)^MemAvailable:\s+(\d+) kB$`)

// fitsMemory says whether the files fit into /dev/shm and leave half of the
// machine's memory free.
func (o *MergeOptions) fitsMemory() bool {
	info, err := os.Stat(memoryRoot)
	if err != nil || !info.IsDir() {
		return false
	}
	text, err := os.ReadFile("/proc/meminfo")
	m := availableLine.FindSubmatch(text)
	if err != nil || m == nil {
		return false
	}
	available, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil || available<<10 < 2*o.space() {
		return false
	}
	free, err := merge.FreeSpace(memoryRoot)
	return err == nil && free > 2*o.space()
}
