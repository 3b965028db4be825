package merge

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// layered returns a checkpoint of eight layers and the grouping into them.
func layered(t testing.TB, seed uint64) (*Checkpoint, Grouping) {
	var tensors []fake
	for l := range uint64(8) {
		tensors = append(tensors, noise(fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", l), BF16, seed+l, 40, 50))
	}
	c := open(t, directory(t, nil, tensors...))
	g, err := GroupSpec{Layers: 8}.Group(names(c))
	if err != nil {
		t.Fatal(err)
	}
	return c, g
}

// TestOnlyChangedGroupsAreCooked compares a buffer that is cooked again and
// again with one that is new each time.
func TestOnlyChangedGroupsAreCooked(t *testing.T) {
	a, groups := layered(t, 1)
	b, _ := layered(t, 100)
	parents := []*Checkpoint{a, b}
	kept := buffer(t, a, AsStored)
	weights := make([][]float64, 8)
	for g := range weights {
		weights[g] = []float64{0.5, 0.5}
	}
	cook(t, kept, parents, Recipe{Groups: groups, Weights: weights})
	rapid.Check(t, func(rt *rapid.T) {
		changed := rapid.SliceOfNDistinct(rapid.IntRange(0, 7), 0, 3, rapid.ID[int]).Draw(rt, "changed")
		for _, g := range changed {
			w := weights[g][0] * rapid.Float64Range(0.5, 0.9).Draw(rt, "factor")
			weights[g] = []float64{w, 1 - w}
		}
		r := Recipe{Groups: groups, Weights: weights}
		s := cook(t, kept, parents, r)
		if want := int64(len(changed)) * 4000; s.BytesWritten != want || s.BytesKept != 8*4000-want || s.BytesRead != 2*want {
			rt.Fatalf("%d groups changed: %+v", len(changed), s)
		}
		fresh, err := NewBuffer(filepath.Join(t.TempDir(), "fresh"), a, AsStored)
		if err != nil {
			rt.Fatal(err)
		}
		defer fresh.Close()
		cook(t, fresh, parents, r)
		if !bytes.Equal(read(t, kept.Path()), read(t, fresh.Path())) {
			rt.Fatal("what was kept is not what would have been cooked")
		}
	})
}

// TestNothingIsKeptOnTrust: other parents, another rounding, and what a failed
// cook left are cooked again.
func TestNothingIsKeptOnTrust(t *testing.T) {
	a, b, c := small(t, 1), small(t, 2), small(t, 3)
	buf := buffer(t, a, F32)
	all := cook(t, buf, []*Checkpoint{a, b}, global(0.5, 0.5)).BytesWritten
	rounded := global(0.5, 0.5)
	rounded.Round = func(string) DType { return BF16 }
	for what, again := range map[string]func() Stats{
		"the same":       func() Stats { return cook(t, buf, []*Checkpoint{a, b}, global(0.5, 0.5)) },
		"other parents":  func() Stats { return cook(t, buf, []*Checkpoint{a, c}, global(0.5, 0.5)) },
		"other order":    func() Stats { return cook(t, buf, []*Checkpoint{b, a}, global(0.5, 0.5)) },
		"other rounding": func() Stats { return cook(t, buf, []*Checkpoint{a, b}, rounded) },
	} {
		cook(t, buf, []*Checkpoint{a, b}, global(0.5, 0.5))
		want := all
		if what == "the same" {
			want = 0
		}
		if s := again(); s.BytesWritten != want {
			t.Errorf("%s: %d bytes written, want %d", what, s.BytesWritten, want)
		}
	}
	d := bigParent(t, 4)
	e := bigParent(t, 5)
	failing := buffer(t, d, AsStored)
	cook(t, failing, []*Checkpoint{d, e}, global(0.5, 0.5))
	if err := os.Truncate(e.Files()[0], 4096); err != nil {
		t.Fatal(err)
	}
	_, err := failing.Cook(t.Context(), []*Checkpoint{d, e}, global(0.4, 0.6))
	wantError(t, err, "became shorter")
	if s := cook(t, failing, []*Checkpoint{d}, global(0.5)); s.BytesKept != 0 {
		t.Errorf("%d bytes kept of a failed cook", s.BytesKept)
	}
}

// TestCookAll: several candidates in one pass are each what they are alone.
func TestCookAll(t *testing.T) {
	parents := mixed(t, 3*minTile+5)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(rt, "candidates")
		var buffers []*Buffer
		var recipes []Recipe
		for i := range n {
			b, err := NewBuffer(filepath.Join(t.TempDir(), fmt.Sprint(i)), parents[0], AsStored)
			if err != nil {
				rt.Fatal(err)
			}
			defer b.Close()
			w := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.2, 0.5, 1}), 4, 4).Draw(rt, "weights")
			w[rapid.IntRange(0, 3).Draw(rt, "some")] = 0.3
			buffers, recipes = append(buffers, b), append(recipes, global(w...))
		}
		s, err := CookAll(t.Context(), buffers, parents, recipes)
		if err != nil || s.BytesWritten != int64(n)*buffers[0].layout.data() {
			rt.Fatalf("%+v: %v", s, err)
		}
		for i, b := range buffers {
			alone := buffer(t, parents[0], AsStored)
			cook(t, alone, parents, recipes[i])
			if !bytes.Equal(read(t, b.Path()), read(t, alone.Path())) {
				rt.Fatalf("candidate %d of %d differs from the one that is cooked alone", i, n)
			}
		}
	})
}

func TestCookAllReadsParentsOnce(t *testing.T) {
	parents := []*Checkpoint{bigParent(t, 1), bigParent(t, 2), bigParent(t, 3)}
	buffers := []*Buffer{buffer(t, parents[0], AsStored), buffer(t, parents[0], AsStored)}
	s, err := CookAll(t.Context(), buffers, parents, []Recipe{global(0.5, 0.5, 0), global(0, 0.5, 0.5)})
	if size := buffers[0].layout.data(); err != nil || s.BytesRead != 3*size || s.BytesWritten != 2*size {
		t.Errorf("%+v: %v", s, err)
	}
}

func TestCookAllRefuses(t *testing.T) {
	p := []*Checkpoint{small(t, 1)}
	a, other := buffer(t, p[0], AsStored), buffer(t, p[0], F32)
	closed := buffer(t, p[0], AsStored)
	closed.Close()
	for says, buffers := range map[string][]*Buffer{"0 recipes for 1": {a}, "given twice": {a, a}, "not made like": {a, other}, "closed": {a, closed}} {
		var recipes []Recipe
		if says != "0 recipes for 1" {
			recipes = slices.Repeat([]Recipe{global(1)}, len(buffers))
		}
		_, err := CookAll(t.Context(), buffers, p, recipes)
		wantError(t, err, says)
	}
}

// TestUnmappedIsTheSame: what is read piece by piece gives the same soup, hash
// and findings as what is mapped.
func TestUnmappedIsTheSame(t *testing.T) {
	for _, paths := range [][]string{
		{small(t, 1).Path(), small(t, 2).Path()},
		{bigParent(t, 1).Path(), bigParent(t, 2).Path()},
		{sharded(t, 1, fullMap()), small(t, 2).Path()},
		{smallGGUF(t, 1).Path(), smallGGUF(t, 2).Path()},
	} {
		var mapped, unmapped []*Checkpoint
		for _, p := range paths {
			mapped = append(mapped, open(t, p))
			c, err := OpenWith(p, OpenOptions{Unmapped: true})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			unmapped = append(unmapped, c)
		}
		if fs := Check(append(slices.Clone(mapped), unmapped...), nil); fs.Err() != nil {
			t.Fatal(fs)
		}
		a, b := buffer(t, mapped[0], AsStored), buffer(t, unmapped[0], AsStored)
		cook(t, a, mapped, global(0.3, 0.7))
		cook(t, b, unmapped, global(0.3, 0.7))
		if !bytes.Equal(read(t, a.Path()), read(t, b.Path())) {
			t.Errorf("%s: soups differ", paths[0])
		}
		x, errX := mapped[1].Hash(t.Context())
		y, errY := unmapped[1].Hash(t.Context())
		if x != y || errX != nil || errY != nil {
			t.Errorf("%s: hashes %s and %s (%v, %v)", paths[1], x, y, errX, errY)
		}
		if fs, err := Scan(t.Context(), unmapped[0]); err != nil || len(fs) > 0 {
			t.Errorf("%v, %v", fs, err)
		}
	}
}

func TestUnmappedTruncationIsAnError(t *testing.T) {
	p := bigParent(t, 1)
	c, err := OpenWith(p.Path(), OpenOptions{Unmapped: true})
	if err != nil {
		t.Fatal(err)
	}
	buf := buffer(t, c, AsStored)
	if err := os.Truncate(c.Files()[0], 4096); err != nil {
		t.Fatal(err)
	}
	_, err = buf.Cook(t.Context(), []*Checkpoint{c}, global(0.5))
	wantError(t, err, c.Files()[0], "became shorter while it was read")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	_, err = buf.Cook(t.Context(), []*Checkpoint{c}, global(0.5))
	wantError(t, err, "closed")
}

// TestLetGo drops the pages of parents behind the work; the soup is the same.
func TestLetGo(t *testing.T) {
	parents := []*Checkpoint{bigParent(t, 1), bigParent(t, 2)}
	kept, dropped := buffer(t, parents[0], AsStored), buffer(t, parents[0], AsStored)
	cook(t, kept, parents, global(0.5, 0.5))
	c, err := prepare(dropped.layout, parents, []order{{recipe: global(0.5, 0.5), target: dropped}})
	if err != nil || c.drop {
		t.Fatalf("small parents are dropped: %v, %v", c.drop, err)
	}
	c.drop = true
	if _, err := c.cook(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, kept.Path()), read(t, dropped.Path())) {
		t.Error("the soups differ")
	}
}
