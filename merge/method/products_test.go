package method

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"soup/merge"
)

// exact sums products to 200 bits, twice what one needs.
func exact(a, b, origin []float64) float64 {
	const bits = 200
	var total, x, y, o big.Float
	for _, f := range []*big.Float{&total, &x, &y, &o} {
		f.SetPrec(bits)
	}
	for i := range a {
		o.SetFloat64(origin[i])
		x.Sub(x.SetFloat64(a[i]), &o)
		y.Sub(y.SetFloat64(b[i]), &o)
		total.Add(&total, x.Mul(&x, &y))
	}
	sum, _ := total.Float64()
	return sum
}

// normal returns values that bf16 holds exactly.
func normal(seed uint64, n int) []float64 {
	r := rand.New(rand.NewPCG(seed, 3))
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(math.Float32frombits(math.Float32bits(float32(r.NormFloat64())) & 0xffff0000))
	}
	return values
}

// TestProducts compares with exact sums, across types, blocks and workers. The
// length is two blocks and a part that neither tiles nor fours divide.
func TestProducts(t *testing.T) {
	const n = 2*block + tile + 7
	values := [][]float64{normal(1, n), normal(2, n), normal(3, n)}
	in := inputs(t,
		[]fake{vector("a", merge.BF16, values[0]...)},
		[]fake{vector("a", merge.F32, values[1]...)},
		[]fake{vector("a", merge.BF16, values[2]...)})
	for _, origin := range []bool{false, true} {
		f := Family{Tensor: "a", Of: in.Parents[:2]}
		zero := make([]float64, n)
		if origin {
			f.Origin, zero = in.Parents[2], values[2]
		}
		one, err := Products(t.Context(), []Family{f}, 1)
		if err != nil {
			t.Fatal(err)
		}
		five, err := Products(t.Context(), []Family{f}, 5)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			for j := range i + 1 {
				want := exact(values[i], values[j], zero)
				if got := one[0][i][j]; !near(got, want, 1e-9) {
					t.Errorf("origin %t: product %d %d is %v, want %v", origin, i, j, got, want)
				}
				if one[0][i][j] != one[0][j][i] {
					t.Errorf("product %d %d is not %d %d", i, j, j, i)
				}
				if one[0][i][j] != five[0][i][j] {
					t.Errorf("product %d %d depends on the workers", i, j)
				}
			}
		}
	}
}

func TestProductsTypes(t *testing.T) {
	in := openGarden(t, "base")
	whole := inputs(t, []fake{vector("n", merge.I64, 1, 2)})
	p, err := Products(t.Context(), []Family{{Tensor: "n", Of: whole.Parents}}, 1)
	if err != nil || p[0] != nil {
		t.Errorf("integers: %v, %v", p, err)
	}
	half := make([]float64, 3)
	widen(half, []byte{0, 0x3c, 0, 0xc0, 1, 0}, 0, merge.F16)
	if half[0] != 1 || half[1] != -2 || half[2] != 0x1p-24 {
		t.Errorf("float16: %v", half)
	}
	// Read piece by piece and mapped, a checkpoint is the same.
	c, err := merge.OpenWith(garden+"base", merge.OpenOptions{Unmapped: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const name = "model.embed_tokens.weight"
	all, err := Products(t.Context(), []Family{{Tensor: name, Of: []*merge.Checkpoint{in.Parents[0], c}}}, 0)
	if err != nil || all[0][0][0] != all[0][1][1] || all[0][0][1] != all[0][0][0] || all[0][0][0] == 0 {
		t.Errorf("products %v, %v", all, err)
	}
}

func TestProductsRefuse(t *testing.T) {
	a := vector("a", merge.F32, 1, 2)
	nan := vector("a", merge.F32, 1, math.NaN())
	inf := vector("a", merge.BF16, math.Inf(-1), 1)
	in := inputs(t, []fake{a}, []fake{vector("a", merge.F32, 1, 2, 3)}, []fake{vector("b", merge.F32, 1, 2)}, []fake{vector("a", merge.I64, 1, 2)}, []fake{nan}, []fake{inf})
	of := func(i ...int) (list []*merge.Checkpoint) {
		for _, k := range i {
			list = append(list, in.Parents[k])
		}
		return list
	}
	for _, c := range []struct {
		f     Family
		names int // the parent that the error is about
		want  string
	}{
		{Family{"a", of(0, 1), nil}, 1, "shape [3], not [2]"},
		{Family{"a", of(0, 2), nil}, 2, "no tensor a"},
		{Family{"a", of(0, 3), nil}, 3, "I64, which is not averaged"},
		{Family{"a", of(0, 4), nil}, 4, "NaN or Inf"},
		{Family{"a", of(0, 5), nil}, 5, "NaN or Inf"},
		{Family{"a", of(4, 0), in.Parents[0]}, 4, "NaN or Inf"},
		{Family{"a", of(0, 0), in.Parents[4]}, 4, "NaN or Inf"},
		{Family{"a", of(0, 0), in.Parents[2]}, 2, "no tensor a"},
	} {
		_, err := Products(t.Context(), []Family{c.f}, 2)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), in.Parents[c.names].Path()) {
			t.Errorf("error %v, want %q of %s", err, c.want, in.Parents[c.names].Path())
		}
	}
	closed := inputs(t, []fake{a}).Parents[0]
	closed.Close()
	if _, err := Products(t.Context(), []Family{{"a", []*merge.Checkpoint{closed}, nil}}, 1); err == nil {
		t.Error("a closed checkpoint was read")
	}
}

// TestQuantised: fp8 tensors are refused, not read as something else.
func TestQuantised(t *testing.T) {
	path := file(t, vector("a", merge.F32, 1))
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), `"F32"`, `"F4" `, 1)
	text = strings.Replace(text, `"shape":[1]`, `"shape":[8]`, 1)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c := open(t, path)
	if _, err := Products(t.Context(), []Family{{"a", []*merge.Checkpoint{c}, nil}}, 1); err == nil || !strings.Contains(err.Error(), "quantised (F4)") {
		t.Errorf("error %v", err)
	}
}

// TestTruncated: a file that is cut off while it is mapped is an error.
func TestTruncated(t *testing.T) {
	path := file(t, vector("a", merge.F32, normal(1, 1<<16)...))
	c := open(t, path)
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	_, err := Products(context.Background(), []Family{{"a", []*merge.Checkpoint{c}, nil}}, 2)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "became shorter") {
		t.Errorf("error %v", err)
	}
}

func BenchmarkProducts(b *testing.B) {
	in := inputs(b, []fake{vector("a", merge.BF16, normal(1, 1<<22)...)}, []fake{vector("a", merge.BF16, normal(2, 1<<22)...)})
	b.SetBytes(2 * 2 << 22)
	for b.Loop() {
		if _, err := Products(b.Context(), []Family{{"a", in.Parents, nil}}, 0); err != nil {
			b.Fatal(err)
		}
	}
}
