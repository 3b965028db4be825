package merge

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"soup/merge/internal/kernel"
)

// buffer makes a candidate buffer that is closed when the test ends.
func buffer(t testing.TB, like *Checkpoint, store DType) *Buffer {
	t.Helper()
	b, err := NewBuffer(filepath.Join(t.TempDir(), "candidate"), like, store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func cook(t testing.TB, b *Buffer, parents []*Checkpoint, r Recipe) Stats {
	t.Helper()
	s, err := b.Cook(t.Context(), parents, r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// global is a recipe of one group.
func global(weights ...float64) Recipe { return Recipe{Weights: [][]float64{weights}} }

// mixed returns parents of the three float types.
func mixed(t testing.TB, elements int64) []*Checkpoint {
	var parents []*Checkpoint
	for i, d := range []DType{BF16, F16, F32, BF16} {
		parents = append(parents, open(t, directory(t, nil, noise("w", d, uint64(i), elements), noise("v", d, uint64(i)+9, 3))))
	}
	return parents
}

func TestCookEqualsReferenceForAnyWorkers(t *testing.T) {
	parents := mixed(t, 3*minTile+5)
	b := buffer(t, parents[0], AsStored)
	rapid.Check(t, func(rt *rapid.T) {
		w := rapid.SliceOfN(rapid.Float64Range(0.01, 1), 4, 4).Draw(rt, "weights")
		w[rapid.IntRange(0, 3).Draw(rt, "zero")] = 0
		r := global(w...)
		r.Workers = rapid.IntRange(1, 5).Draw(rt, "workers")
		cook(t, b, parents, r)
		for _, name := range []string{"w", "v"} {
			var src []kernel.Operand
			for k, p := range parents {
				data, _ := p.Bytes(name)
				if own, _ := p.Tensor(name); w[k] != 0 {
					src = append(src, kernel.Operand{Data: data, Type: kernel.Type(own.DType), Weight: float32(w[k])})
				}
			}
			got, err := b.Bytes(name)
			if err != nil || !bytes.Equal(got, summed(src, len(got)/2, BF16)) {
				rt.Fatalf("%s differs from the reference (%v)", name, err)
			}
		}
	})
}

// TestOneHotIsTheParentsFile: -0, NaN payloads and header included.
func TestOneHotIsTheParentsFile(t *testing.T) {
	odd := fake{"odd", BF16, []int64{4}, []byte{0, 0x80, 0x23, 0x7f, 0xa5, 0xff, 1, 0}}
	var parents []*Checkpoint
	for seed := range uint64(3) {
		parents = append(parents, open(t, directory(t, nil, append(smallTensors(seed, BF16), odd)...)))
	}
	b := buffer(t, parents[0], AsStored)
	for k := range parents {
		w := make([]float64, 3)
		w[k] = 1
		s := cook(t, b, parents, global(w...))
		if !bytes.Equal(read(t, b.Path()), read(t, parents[k].Files()[0])) {
			t.Errorf("the soup of parent %d alone is not its file", k)
		}
		if s.BytesRead != s.BytesWritten {
			t.Errorf("%d bytes read for %d written: a parent of weight 0 was counted", s.BytesRead, s.BytesWritten)
		}
	}
}

// TestZeroWeightIsUnread takes the file away from under a parent of weight 0.
func TestZeroWeightIsUnread(t *testing.T) {
	a, b := small(t, 1), bigParent(t, 2)
	big := bigParent(t, 3)
	if err := os.Truncate(b.Files()[0], 4096); err != nil {
		t.Fatal(err)
	}
	buf := buffer(t, big, AsStored)
	cook(t, buf, []*Checkpoint{b, big}, global(0, 1))
	_, err := buf.Cook(t.Context(), []*Checkpoint{a, big}, global(0.5, 0.5))
	wantError(t, err, a.Path(), "no tensor")
}

func bigParent(t testing.TB, seed uint64) *Checkpoint {
	return open(t, directory(t, nil, noise("w", BF16, seed, 4*maxTile)))
}

func TestTruncatedParentIsAnError(t *testing.T) {
	a, b := bigParent(t, 1), bigParent(t, 2)
	buf := buffer(t, a, AsStored)
	if err := os.Truncate(b.Files()[0], 4096); err != nil {
		t.Fatal(err)
	}
	for _, r := range []Recipe{global(0.5, 0.5), global(0, 1)} { // the kernel, and a copy
		_, err := buf.Cook(t.Context(), []*Checkpoint{a, b}, r)
		wantError(t, err, b.Files()[0], "became shorter")
	}
	_, err := b.Hash(t.Context())
	wantError(t, err, b.Files()[0], "became shorter")
	_, err = Scan(t.Context(), b)
	wantError(t, err, b.Files()[0], "became shorter")
	wantError(t, Check([]*Checkpoint{bigParent(t, 2), b}, nil).Err(), "became shorter")
}

func TestOtherPanicsGoOn(t *testing.T) {
	for _, fault := range []any{"mine", errors.New("mine"), badAddress{}} {
		func() {
			defer func() {
				if got := recover(); got != fault {
					t.Errorf("panic %v became %v", fault, got)
				}
			}()
			_ = guarded(nil, func() error { panic(fault) })
		}()
	}
}

type badAddress struct{}

func (badAddress) Error() string { return "fault elsewhere" }
func (badAddress) RuntimeError() {}
func (badAddress) Addr() uintptr { return 8 }

func TestSelfAverageWithinRounding(t *testing.T) {
	p := bigParent(t, 1)
	b := buffer(t, p, AsStored)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 10).Draw(rt, "n")
		weights := rapid.SliceOfN(rapid.Float64Range(0.01, 1), n, n).Draw(rt, "weights")
		var sum float64
		for _, w := range weights {
			sum += w
		}
		for i := range weights {
			weights[i] /= sum
		}
		cook(t, b, slices.Repeat([]*Checkpoint{p}, n), global(weights...))
		got, _ := b.Bytes("w")
		want, _ := p.Bytes("w")
		if worst := farthest(got, want); worst > 1 {
			rt.Fatalf("%d units in the last place away", worst)
		}
	})
}

// farthest returns the greatest distance of two BF16 tensors in units in the
// last place.
func farthest(a, b []byte) int {
	worst := 0
	for i := 0; i < len(a); i += 2 {
		x, y := int(binary.LittleEndian.Uint16(a[i:])), int(binary.LittleEndian.Uint16(b[i:]))
		worst = max(worst, x-y, y-x)
	}
	return worst
}

func TestPermutationWithinTolerance(t *testing.T) {
	parents := mixed(t, 4000)
	b := buffer(t, parents[0], F32)
	rapid.Check(t, func(rt *rapid.T) {
		w := rapid.SliceOfN(rapid.Float64Range(0.01, 1), 4, 4).Draw(rt, "weights")
		cook(t, b, parents, global(w...))
		first, _ := b.Bytes("w")
		first = slices.Clone(first)
		order := rapid.Permutation([]int{0, 1, 2, 3}).Draw(rt, "order")
		var ps []*Checkpoint
		var ws []float64
		for _, i := range order {
			ps, ws = append(ps, parents[i]), append(ws, w[i])
		}
		cook(t, b, ps, global(ws...))
		second, _ := b.Bytes("w")
		for i := range len(first) / 4 {
			if d := math.Abs(float64(value(F32, first, i) - value(F32, second, i))); d > 1e-6 {
				rt.Fatalf("element %d moved by %g", i, d)
			}
		}
	})
}

func TestGroupsHaveTheirOwnWeights(t *testing.T) {
	a, b := small(t, 1), small(t, 2)
	g, err := GroupSpec{Kinds: []string{"attention"}}.Group(names(a))
	if err != nil {
		t.Fatal(err)
	}
	buf := buffer(t, a, AsStored)
	cook(t, buf, []*Checkpoint{a, b}, Recipe{Groups: g, Weights: [][]float64{{1, 0}, {0, 1}}})
	for _, x := range a.Tensors() {
		from := b
		if g.Names[g.Of[x.Name]] == "attention" {
			from = a
		}
		got, _ := buf.Bytes(x.Name)
		if want, _ := from.Bytes(x.Name); !bytes.Equal(got, want) {
			t.Errorf("%s is not from %s", x.Name, from.Path())
		}
	}
}

func names(c *Checkpoint) []string {
	var out []string
	for _, t := range c.Tensors() {
		out = append(out, t.Name)
	}
	return out
}

// TestRoundMakesMeasuredEqualExported: F32 tensors of a GGUF get BF16 values.
func TestRoundMakesMeasuredEqualExported(t *testing.T) {
	var parents []*Checkpoint
	for seed := range uint64(2) {
		parents = append(parents, open(t, directory(t, nil, noise("w", BF16, seed, 500))))
	}
	exported, measured := buffer(t, parents[0], BF16), buffer(t, parents[0], F32)
	r := global(0.3, 0.7)
	cook(t, exported, parents, r)
	r.Round = func(string) DType { return BF16 }
	cook(t, measured, parents, r)
	a, _ := exported.Bytes("w")
	b, _ := measured.Bytes("w")
	for i := range 500 {
		if value(BF16, a, i) != value(F32, b, i) {
			t.Fatalf("element %d: %v exported, %v measured", i, value(BF16, a, i), value(F32, b, i))
		}
	}
	wide := open(t, directory(t, nil, noise("w", F32, 1, 500)))
	buf := buffer(t, wide, AsStored)
	cook(t, buf, []*Checkpoint{wide}, Recipe{Weights: [][]float64{{1}}, Round: r.Round})
	if got, _ := buf.Bytes("w"); got[0] != 0 || got[1] != 0 {
		t.Error("a copied F32 tensor was not rounded to BF16")
	}
}

func TestIntegersAreCopied(t *testing.T) {
	ids := fake{"ids", I64, []int64{2}, make([]byte, 16)}
	other := fake{"ids", I64, []int64{2}, bytes.Repeat([]byte{1}, 16)}
	with := func(seed uint64, f fake) *Checkpoint {
		return open(t, directory(t, nil, f, noise("w", BF16, seed, 8)))
	}
	a, b, c := with(1, ids), with(2, ids), with(3, other)
	buf := buffer(t, a, F16)
	cook(t, buf, []*Checkpoint{a, b}, global(0.5, 0.5))
	if got, _ := buf.Bytes("ids"); !bytes.Equal(got, ids.data) {
		t.Errorf("ids became %x", got)
	}
	_, err := buf.Cook(t.Context(), []*Checkpoint{a, c}, global(0.5, 0.5))
	wantError(t, err, "ids", "copied")
	wantError(t, Check([]*Checkpoint{a, c}, nil).Err(), "ids (I64) is copied")
}

func TestCookRefusesBadRecipes(t *testing.T) {
	p := []*Checkpoint{small(t, 1), small(t, 2)}
	b := buffer(t, p[0], AsStored)
	for says, r := range map[string]Recipe{
		"0 rows for 1 groups":     {},
		"1 for 2 parents":         global(1),
		"not a finite float32":    global(1e39, 0),
		"NaN":                     global(math.NaN(), 0),
		"their sum is 0":          global(0.5, -0.5),
		"is in no group":          {Groups: Grouping{Names: []string{"x"}}, Weights: [][]float64{{1, 0}}},
		"group x: their sum is 0": {Groups: Grouping{Names: []string{"x"}}, Weights: [][]float64{{0, 0}}},
	} {
		_, err := b.Cook(t.Context(), p, r)
		wantError(t, err, says)
	}
	_, err := b.Cook(t.Context(), []*Checkpoint{p[0], open(t, directory(t, nil, noise("lm_head.weight", BF16, 1, 4)))}, global(0.5, 0.5))
	wantError(t, err, "lm_head.weight has shape [4], not [3 8]")
	_, err = b.Cook(t.Context(), []*Checkpoint{p[0], open(t, directory(t, nil, fake{"lm_head.weight", I16, []int64{3, 8}, make([]byte, 48)}))}, global(0.5, 0.5))
	wantError(t, err, "lm_head.weight is I16")
	p[1].Close()
	_, err = b.Cook(t.Context(), p, global(0.5, 0.5))
	wantError(t, err, "closed")
}

func TestCookCanBeCancelled(t *testing.T) {
	p := bigParent(t, 1)
	b := buffer(t, p, AsStored)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Cook(ctx, []*Checkpoint{p}, global(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	cook(t, b, []*Checkpoint{p}, global(1)) // and used again
}

// TestMemoryBound cooks twelve parents of 3 MB each within what is promised.
func TestMemoryBound(t *testing.T) {
	var parents []*Checkpoint
	weights := make([]float64, 12)
	for i := range weights {
		parents = append(parents, open(t, directory(t, nil, noise("w", BF16, uint64(i), 1500000))))
		weights[i] = 0.1
	}
	b := buffer(t, parents[0], AsStored)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	cook(t, b, parents, global(weights...))
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d bytes allocated", grown)
	}
}
