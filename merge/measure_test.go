package merge

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// measurable are three parents with an embedding, a layer and a norm; change alters
// the values of one.
func measurable(t *testing.T, which int, change func(tensors []fake)) []string {
	t.Helper()
	var paths []string
	for p := range 3 {
		tensors := []fake{
			noise("model.embed_tokens.weight", BF16, uint64(p), 300, 72),
			noise("model.layers.0.mlp.up_proj.weight", F16, uint64(p+10), 70, 1000),
			noise("model.norm.weight", F32, uint64(p+20), 72),
		}
		if p == which {
			change(tensors)
		}
		paths = append(paths, directory(t, nil, tensors...))
	}
	return paths
}

func openedAs(t *testing.T, o OpenOptions, paths ...string) (list []*Checkpoint) {
	t.Helper()
	for _, p := range paths {
		c, err := OpenWith(p, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		list = append(list, c)
	}
	return list
}

// In one pass Measure counts what Scan counts, whichever parent it is in, with a
// base and without, and names the base too.
func TestMeasureCountsWhatIsNotFinite(t *testing.T) {
	for which := range 3 {
		paths := measurable(t, which, func(tensors []fake) {
			for tensor, places := range [][]int{{0, 72*299 + 71, 5000}, {69999}, {3, 4}} {
				d := tensors[tensor].dtype
				for i, at := range places {
					copy(tensors[tensor].data[int64(at)*d.Size():], floats(d, []float32{float32(math.Inf(-1)), float32(math.NaN())}[i%2]))
				}
			}
		})
		parents := openedAs(t, OpenOptions{}, paths...)
		want, err := Scan(t.Context(), parents[which])
		if err != nil || len(want) != 3 {
			t.Fatal(want, err)
		}
		sound := openedAs(t, OpenOptions{}, measurable(t, -1, nil)...)
		for _, c := range []struct {
			parents []*Checkpoint
			base    *Checkpoint
		}{{parents, nil}, {parents, sound[0]}, {sound, parents[which]}} {
			g, err := Measure(t.Context(), c.parents, c.base, Grouping{})
			if got := g.Findings(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("parent %d: %v %+v, want %+v", which, err, got, want)
			}
		}
	}
}

// The same numbers come from any number of threads, and where files are read piece
// by piece.
func TestMeasureIsTheSameEverywhere(t *testing.T) {
	paths := measurable(t, -1, nil)
	measure := func(o OpenOptions, threads int) Geometry {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		g, err := Measure(t.Context(), openedAs(t, o, paths...), nil, Grouping{})
		if err != nil {
			t.Fatal(err)
		}
		g.open = nil
		return g
	}
	want := measure(OpenOptions{}, 2)
	if !reflect.DeepEqual(measure(OpenOptions{}, 2), want) || !reflect.DeepEqual(measure(OpenOptions{Unmapped: true}, 2), want) {
		t.Error("the geometry differs")
	}
	one := measure(OpenOptions{}, 1)
	for i, x := range one.Groups[0].Moved { // other tiles: another order of float64 sums
		if math.Abs(x-want.Groups[0].Moved[i]) > 1e-7*x {
			t.Errorf("parent %d moved %v with one thread, %v with two", i, x, want.Groups[0].Moved[i])
		}
	}
}

func TestMeasureRefuses(t *testing.T) {
	paths := measurable(t, 1, func(tensors []fake) { tensors[2].name = "model.other.weight" })
	parents := openedAs(t, OpenOptions{}, paths...)
	_, err := Measure(t.Context(), parents, nil, Grouping{})
	if err == nil || !strings.Contains(err.Error(), parents[1].path+": no tensor model.norm.weight") {
		t.Error(err)
	}
	_, err = Measure(t.Context(), parents, nil, Grouping{Names: []string{"a"}, Of: map[string]int{}})
	if err == nil || !strings.Contains(err.Error(), "is in no group") {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = Measure(cancelled, parents[:1], nil, Grouping{}); !errors.Is(err, cancelled.Err()) {
		t.Error(err)
	}
}

// A file that was replaced is read from its mapping, which is the old one.
func TestReopenedIsTheSameFile(t *testing.T) {
	paths := measurable(t, -1, nil)
	m := openedAs(t, OpenOptions{}, paths[0])[0].files[0]
	if again := m.reopened(); again == m || again.data != nil || again.unmap() != nil {
		t.Error("not opened to be read")
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := errors.Join(os.WriteFile(other, read(t, m.path), 0o600), os.Rename(other, m.path)); err != nil {
		t.Fatal(err)
	}
	if m.reopened() != m {
		t.Error("another file was opened")
	}
	if err := os.Remove(m.path); err != nil || m.reopened() != m {
		t.Error("no file was opened", err)
	}
}
