package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"soup/merge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tiny is a run of some hundred kilobytes in a folder of its own.
func tiny(t *testing.T) MergeOptions {
	return MergeOptions{Dir: t.TempDir(), Parents: 3, Bytes: 64 << 10, Runs: 2}
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestMerge(t *testing.T) {
	o := tiny(t)
	var info bytes.Buffer
	o.Info = &info
	r, err := Merge(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	isEmpty(t, o.Dir)
	if r.Dir != o.Dir || r.Parents != 3 || r.ParentBytes != 64<<10 || r.Cores != runtime.GOMAXPROCS(0) || r.MemcpyRate <= 0 || len(r.DTypes) != 3 {
		t.Fatalf("%+v", r)
	}
	// Read: three parents; written: one soup. Of eight groups one changes; of
	// four candidates at once each has a quarter of the reading.
	traffic := map[string]int64{"reused_buffer": 4 << 16, "one_group_of_eight": 1 << 15, "batch_of_four": 7 << 14, "new_file": 4 << 16}
	for _, d := range r.DTypes {
		if d.ReadRate <= 0 || len(d.Results) != len(traffic) {
			t.Errorf("%+v", d)
		}
		for _, w := range d.Results {
			if w.Bytes != traffic[w.Name] || w.Seconds <= 0 {
				t.Errorf("%s %s: %d bytes, want %d", d.DType, w.Name, w.Bytes, traffic[w.Name])
			}
			if !near(w.Rate, float64(w.Bytes)/w.Seconds) || !near(w.OfRead*d.ReadRate, w.Rate) || !near(w.OfMemcpy*r.MemcpyRate, w.Rate) {
				t.Errorf("%+v", w)
			}
		}
	}
	if strings.Count(info.String(), "\n") != 3 {
		t.Errorf("info: %s", &info)
	}
	if runtime.GOOS == "linux" {
		for i, n := range []int{2, 8, 32} {
			if m := r.Memory[i]; m.Parents != n || m.Before <= 0 || m.Most < m.Before || m.Most > m.Before+64<<20 {
				t.Errorf("%+v", m)
			}
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

func TestReportForms(t *testing.T) {
	r := MergeReport{
		Cores: 2, Parents: 4, ParentBytes: 1e9, Dir: "/d", Runs: 5, MemcpyRate: 20e9,
		DTypes: []DType{{DType: merge.BF16, ReadRate: 30e9, Results: []Result{{"reused_buffer", 0.2, 5e9, 25e9, 0.83, 1.25}}}},
		Memory: []Anonymous{{32, 5e6, 7e6}},
	}
	var text, raw bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteJSON(&raw)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"memcpy 20.0 GB/s", "reused buffer", "bfloat16", "30.0", "200", "25.0", "0.83", "1.25", "GB/s", "32", "7.0"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	var back MergeReport
	if err := json.Unmarshal(raw.Bytes(), &back); err != nil || back.DTypes[0].Results[0] != r.DTypes[0].Results[0] {
		t.Errorf("%+v, %v", back, err)
	}
	for _, key := range []string{
		"cores", "parents", "parent_bytes", "dir", "runs", "memcpy_bytes_per_second", "dtypes", "dtype", "read_bytes_per_second", "results",
		"name", "seconds", "bytes", "bytes_per_second", "of_read", "of_memcpy", "memory", "before_bytes", "most_bytes",
	} {
		if !strings.Contains(raw.String(), `"`+key+`":`) {
			t.Errorf("no key %s in %s", key, &raw)
		}
	}
	if r.WriteText(full{}) == nil || r.WriteJSON(full{}) == nil {
		t.Error("an error of the output is lost")
	}
}

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestMergeErrors(t *testing.T) {
	o := tiny(t)
	o.Dir = filepath.Join(o.Dir, "nowhere")
	if _, err := Merge(t.Context(), o); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("error %v", err)
	}
	o = tiny(t)
	o.Bytes = 1 << 50
	_, err := Merge(t.Context(), o)
	var h interface{ Hint() string }
	if err == nil || !strings.Contains(err.Error(), o.Dir+": disk too small") || !errors.As(err, &h) || h.Hint() == "" {
		t.Errorf("error %v", err)
	}
	isEmpty(t, o.Dir)
}

// TestMergeStops: wherever a run is cut off, it ends soon and leaves nothing.
func TestMergeStops(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond, 150 * time.Millisecond, 400 * time.Millisecond} {
		o := tiny(t)
		o.Bytes = 32 << 20
		ctx, cancel := context.WithTimeout(t.Context(), after)
		started := time.Now()
		_, err := Merge(ctx, o)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(started) > after+2*time.Second {
			t.Errorf("after %s: %v in %s", after, err, time.Since(started))
		}
		isEmpty(t, o.Dir)
	}
}

func TestMemoryFolder(t *testing.T) {
	small, huge := MergeOptions{Parents: 2, Bytes: 1}, MergeOptions{Parents: 2, Bytes: 1 << 50}
	if huge.fitsMemory() {
		t.Error("petabytes fit into memory")
	}
	if _, err := os.Stat(memoryRoot); err == nil && !small.fitsMemory() {
		t.Error("some bytes do not fit into memory")
	}
	dir, err := small.folder()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if want := small.fitsMemory(); (filepath.Dir(dir) == memoryRoot) != want {
		t.Errorf("%s, memory %v", dir, want)
	}
}

func TestRandomElements(t *testing.T) {
	for _, d := range []merge.DType{merge.BF16, merge.F16, merge.F32} {
		a, b := randomElements(d, 1, 1000), randomElements(d, 2, 1000)
		if len(a) != 1000*int(d.Size()) || bytes.Equal(a, b) {
			t.Errorf("%s: %d bytes", d, len(a))
		}
	}
	for i, raw := 0, randomElements(merge.F32, 1, 1000); i < len(raw); i += 4 {
		x := math.Float32frombits(uint32(raw[i]) | uint32(raw[i+1])<<8 | uint32(raw[i+2])<<16 | uint32(raw[i+3])<<24)
		if v := math.Abs(float64(x)); v < 0x1p-9 || v >= 0x1p-4 {
			t.Fatalf("value %g", x)
		}
	}
}
