package single

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"soup/internal/usage"
	"soup/merge"
)

func TestExpectedInWords(t *testing.T) {
	seconds := 250.0
	read := func(p merge.Probe, known bool) string {
		e := Expected{BytesToRead: 1e12, Source: source(p), Probe: p}
		if known {
			e.ReadSeconds = &seconds
		}
		return e.Source + e.reading()
	}
	for want, got := range map[string]string{
		"cached, about 4m10s: 4 GB/s, measured on 64 MB, all in memory already":                        read(merge.Probe{Bytes: 64e6, Cached: 1}, true),
		"disk, about 4m10s: 4 GB/s, measured on 64 MB, from disk":                                      read(merge.Probe{Bytes: 64e6, Uncached: 1}, true),
		"mixed, about 4m10s: 4 GB/s, measured on 64 MB, 25 % in memory already, the rest from disk":    read(merge.Probe{Bytes: 64e6, Cached: 0.25, Uncached: 0.75}, true),
		"unknown, about 4m10s: 4 GB/s, measured on 1 MB, from memory or disk, the system does not say": read(merge.Probe{Bytes: 1e6, Unknown: 0.5, Cached: 0.5}, true),
		"sparse; how long was not measured: 97 % of the sample are holes of sparse files":              read(merge.Probe{Holes: 0.97, Cached: 0.03}, false),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAbout(t *testing.T) {
	for seconds, want := range map[float64]string{0: "less than 0.1 s", 1.26: "about 1.3 s", 59: "about 59 s", 4000: "about 1h6m40s", 1e9: "about 11574 days"} {
		if got := about(seconds); got != want {
			t.Errorf("%g: %q, want %q", seconds, got, want)
		}
	}
}

func TestDiskTooSmallIsSaid(t *testing.T) {
	for free, want := range map[int64]string{9: "10 B needed, 9 B free here: too little", 10: "10 B free here\n", -1: "unknown free here\n"} {
		c := Checked{OK: true, Plan: &merge.Plan{DiskNeeded: 10, DiskFree: free}, Expected: &Expected{}}
		var text bytes.Buffer
		if err := c.WriteText(&text); err != nil || !strings.Contains(text.String(), want) {
			t.Errorf("%d: %s, %v", free, &text, err)
		}
	}
}

func TestParseGroups(t *testing.T) {
	for text, want := range map[string]merge.GroupSpec{
		"": {}, "global": {}, "layers=4": {Layers: 4}, "kind=attention,mlp": {Kinds: []string{"attention", "mlp"}},
		`patterns=early:layers\.[0-3]\.;late:a:b,c`: {Patterns: []merge.GroupPattern{{Name: "early", Match: `layers\.[0-3]\.`}, {Name: "late", Match: "a:b,c"}}},
	} {
		got, err := parseGroups(text)
		if err != nil || got.Layers != want.Layers || strings.Join(got.Kinds, ",") != strings.Join(want.Kinds, ",") || len(got.Patterns) != len(want.Patterns) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		for i := range want.Patterns {
			if got.Patterns[i] != want.Patterns[i] {
				t.Errorf("%q: %+v", text, got.Patterns[i])
			}
		}
	}
	for _, text := range []string{"layers", "layers=", "layers=0", "layers=many", "global=1", "patterns=:x", "patterns=a;b", "=4"} {
		_, err := parseGroups(text)
		var wrong *usage.Error
		if !errors.As(err, &wrong) || wrong.Advice != groupForms || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestCheckOfSparseFiles: a file that holds no data gives no time.
func TestCheckOfSparseFiles(t *testing.T) {
	header := `{"w":{"dtype":"BF16","shape":[524288000],"data_offsets":[0,1048576000]}}`
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := os.WriteFile(path, append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(8+len(header)+1048576000)); err != nil {
		t.Fatal(err)
	}
	c, err := Check(t.Context(), CheckOptions{Paths: []string{path}})
	if err != nil || !c.OK || c.Plan.Parameters != 524288000 {
		t.Fatalf("%+v, %v", c, err)
	}
	if e := c.Expected; e.Probe.Bytes > 64<<20+1<<20 || e.Probe.Holes > 0 && (e.Source != "sparse" || e.Probe.Holes < 0.9) {
		t.Errorf("%+v", e)
	}
	var text bytes.Buffer
	if err := c.WriteText(&text); err != nil || !strings.Contains(text.String(), "read       1.05 GB a candidate") {
		t.Errorf("%s, %v", &text, err)
	}
}

// A parent with NaN is named and left out of what is measured: the others are still
// held against each other.
func TestOneBrokenParentHidesNoOther(t *testing.T) {
	broken := grown(t, "finetune/call", func(_ string, _ []int64, values []float32, _ *merge.Checkpoint) []float32 {
		values[0] = float32(math.NaN())
		return values
	})
	hot := sprouts + "finetune/hot"
	c, err := Check(t.Context(), CheckOptions{Advise: true, Base: sprouts + "base", Paths: []string{broken, sprouts + "finetune/arith", hot, sprouts + "finetune/order", sprouts + "finetune/quiz"}})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range c.LeaveOut {
		out = append(out, s.Parent+" "+s.Code)
	}
	if want := []string{broken + " not-finite", hot + " outlier"}; !slices.Equal(out, want) {
		t.Errorf("leave out %v, want %v", out, want)
	}
	if c.Geometry == nil || len(c.Geometry.Parents) != 4 {
		t.Errorf("geometry %+v, want that of four parents", c.Geometry)
	}
}
