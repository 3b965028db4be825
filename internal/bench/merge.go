package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"soup/merge"
)

// Sizes of a run unless told otherwise: what takes some ten seconds on two
// cores.
const (
	DefaultParents = 4
	DefaultBytes   = 250_000_000
	DefaultRuns    = 5
)

// MergeOptions say what to merge. Zero values are the defaults.
type MergeOptions struct {
	Dir     string    // an existing folder to work in; "" chooses memory before disk
	Parents int       // checkpoints to average
	Bytes   int64     // of weights, a parent
	Runs    int       // of each measurement, fewer of slow ones; the fastest counts
	Info    io.Writer // a line on what is being measured; nil says nothing
}

// MergeReport is what soup bench merge prints. The JSON keys are fixed. Rates
// count bytes read and written.
type MergeReport struct {
	Cores       int         `json:"cores"` // that Go uses
	Parents     int         `json:"parents"`
	ParentBytes int64       `json:"parent_bytes"`
	Dir         string      `json:"dir"`                     // where the files were; they are gone
	Runs        int         `json:"runs"`                    // of each measurement at most; those that take long have two
	MemcpyRate  float64     `json:"memcpy_bytes_per_second"` // of all cores
	DTypes      []DType     `json:"dtypes"`
	Memory      []Anonymous `json:"memory"` // empty where the system does not tell
}

// DType holds the measurements with parents and soup of one dtype.
type DType struct {
	DType    merge.DType `json:"dtype"`
	ReadRate float64     `json:"read_bytes_per_second"` // of the parents through their mappings, by all cores
	Results  []Result    `json:"results"`
}

// Result is one way to merge.
type Result struct {
	Name     string  `json:"name"`
	Seconds  float64 `json:"seconds"` // of the fastest run, by candidate
	Bytes    int64   `json:"bytes"`   // read and written, by candidate
	Rate     float64 `json:"bytes_per_second"`
	OfRead   float64 `json:"of_read"`
	OfMemcpy float64 `json:"of_memcpy"`
}

const (
	batch  = 4 // candidates that are cooked at once
	groups = 8 // of tensors, of which one changes
)

// Merge measures merging of synthetic parents whose files are in memory. The
// files are made in a new folder, which is removed at the end and after errors,
// a cancelled context among them. A disk that is too small is an error before
// work starts.
func Merge(ctx context.Context, o MergeOptions) (report MergeReport, err error) {
	o.fill()
	dir, err := o.folder()
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	report = MergeReport{
		Cores: runtime.GOMAXPROCS(0), Parents: o.Parents, ParentBytes: o.Bytes, Dir: filepath.Dir(dir), Runs: o.Runs,
		DTypes: []DType{}, Memory: []Anonymous{},
	}
	for _, dtype := range []merge.DType{merge.BF16, merge.F16, merge.F32} {
		k := kitchen{o: o, dir: dir, dtype: dtype}
		if err := k.work(ctx, &report); err != nil {
			return report, err
		}
	}
	return report, nil
}

func (o *MergeOptions) fill() {
	if o.Parents == 0 {
		o.Parents = DefaultParents
	}
	if o.Bytes == 0 {
		o.Bytes = DefaultBytes
	}
	if o.Runs == 0 {
		o.Runs = DefaultRuns
	}
	if o.Info == nil {
		o.Info = io.Discard
	}
}

// work makes parents of one dtype, measures, and removes them.
func (k *kitchen) work(ctx context.Context, report *MergeReport) (err error) {
	fmt.Fprintf(k.o.Info, "soup: %s: %d parents of %.3g GB\n", k.dtype.Torch(), k.o.Parents, float64(k.o.Bytes)/1e9)
	defer func() { err = errors.Join(err, k.clear()) }()
	if err := k.stock(ctx); err != nil {
		return err
	}
	if len(report.DTypes) == 0 {
		if report.Memory, err = k.memory(ctx); err != nil {
			return err
		}
		if report.MemcpyRate, err = memcpyRate(ctx, k.o); err != nil {
			return err
		}
	}
	d := DType{DType: k.dtype}
	if d.ReadRate, err = k.readRate(ctx); err != nil {
		return err
	}
	for _, w := range ways {
		r, err := k.measure(ctx, w)
		if err != nil {
			return err
		}
		r.OfRead, r.OfMemcpy = r.Rate/d.ReadRate, r.Rate/report.MemcpyRate
		d.Results = append(d.Results, r)
	}
	report.DTypes = append(report.DTypes, d)
	return nil
}

// way is one way to merge.
type way struct {
	name string
	once func(k *kitchen, ctx context.Context, run int) (merge.Stats, error)
	of   int // candidates in one run
}

// ways are what is measured; names are keys of the report.
var ways = []way{
	{"reused_buffer", (*kitchen).whole, 1},
	{"one_group_of_eight", (*kitchen).oneGroup, 1},
	{"batch_of_four", (*kitchen).batch, batch},
	{"new_file", (*kitchen).newFile, 1},
}

// patience is how long one way may be measured, two runs excepted.
const patience = 3 * time.Second

// measure times a way, files and buffers warm: run 0 does not count.
func (k *kitchen) measure(ctx context.Context, w way) (Result, error) {
	r := Result{Name: w.name}
	for run, begun := 0, time.Now(); run <= k.o.Runs && (run < 3 || time.Since(begun) < patience); run++ {
		started := time.Now()
		stats, err := w.once(k, ctx, run)
		seconds := time.Since(started).Seconds() / float64(w.of)
		if err != nil {
			return r, err
		}
		if run == 1 || run > 1 && seconds < r.Seconds {
			r.Seconds, r.Bytes = seconds, (stats.BytesRead+stats.BytesWritten)/int64(w.of)
		}
	}
	r.Rate = float64(r.Bytes) / r.Seconds
	return r, nil
}

// space is the most that is there at a time: parents, buffers, and a new file.
func (o *MergeOptions) space() int64 { return o.Bytes * int64(o.Parents+batch+1) }

// folder makes the folder to work in, where there is room for it.
func (o *MergeOptions) folder() (string, error) {
	root := o.Dir
	if root == "" {
		root = os.TempDir()
		if o.fitsMemory() {
			root = memoryRoot
		}
	}
	free, err := merge.FreeSpace(root)
	if err != nil {
		return "", err
	}
	if need := o.space() + 64<<20; free >= 0 && free < need {
		return "", &hinted{
			fmt.Sprintf("%s: disk too small: %.3g GB needed, %.3g GB free", root, float64(need)/1e9, float64(free)/1e9),
			"give a smaller --gb or another --dir",
		}
	}
	return os.MkdirTemp(root, "soup-bench-")
}

// hinted is an error with a remedy.
type hinted struct{ message, hint string }

func (h *hinted) Error() string { return h.message }

// Hint returns the remedy.
func (h *hinted) Hint() string { return h.hint }
