package merge

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

func normal(seed uint64) func(string) *rand.Rand {
	return func(tensor string) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(len(tensor)))) }
}

func perturbedCopy(t *testing.T, c *Checkpoint, size float64, seed uint64) *Checkpoint {
	t.Helper()
	out := filepath.Join(t.TempDir(), "noisy")
	if _, err := Perturb(t.Context(), out, c, size, normal(seed)); err != nil {
		t.Fatal(err)
	}
	return open(t, out)
}

// The noise in each row of a matrix has the size asked for, relative to the row;
// vectors and the small files stay.
func TestPerturb(t *testing.T) {
	c := open(t, garden+"base")
	noisy := perturbedCopy(t, c, 0.25, 1)
	matrices, vectors := 0, 0
	for _, tensor := range c.Tensors() {
		rows, width := int64(1), tensor.Elements()
		if len(tensor.Shape) == 2 {
			rows, width = tensor.Shape[0], tensor.Shape[1]
			matrices++
		} else {
			vectors++
		}
		for r := range rows {
			was, is := floatsAt(c, tensor.Name, r*width, width), floatsAt(noisy, tensor.Name, r*width, width)
			want := 0.25
			if len(tensor.Shape) < 2 || product(was, was) == 0 {
				want = 0
			}
			got := rowDistance(was, is) / math.Max(math.Sqrt(product(was, was)), 1e-30)
			if math.Abs(got-want) > 1e-5 {
				t.Fatalf("%s row %d moved by %v of itself", tensor.Name, r, got)
			}
		}
	}
	if matrices == 0 || vectors == 0 {
		t.Errorf("%d matrices, %d vectors", matrices, vectors)
	}
	if is, _ := noisy.Tensor("model.embed_tokens.weight"); is.DType != F32 {
		t.Errorf("stored as %v", is.DType)
	}
	read(t, filepath.Join(noisy.Path(), "tokenizer.json"))
}

// Equal seeds give equal copies, others other ones; of size 0 nothing changes.
func TestPerturbIsSeeded(t *testing.T) {
	c := small(t, 1)
	hash := func(size float64, seed uint64) string {
		sum, err := perturbedCopy(t, c, size, seed).Hash(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if a, b := hash(0.1, 1), hash(0.1, 1); a != b {
		t.Error("equal seeds differ")
	}
	if a, b := hash(0.1, 1), hash(0.1, 2); a == b {
		t.Error("seeds make no difference")
	}
	still := perturbedCopy(t, c, 0, 1)
	for _, tensor := range c.Tensors() {
		if tensor.DType.Averageable() && rowDistance(floatsAt(c, tensor.Name, 0, tensor.Elements()), floatsAt(still, tensor.Name, 0, tensor.Elements())) != 0 {
			t.Errorf("%s changed", tensor.Name)
		}
	}
}
