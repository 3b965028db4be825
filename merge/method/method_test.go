package method

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"soup/merge"
)

func find(t *testing.T, name string, o Options, in Input) Soup {
	t.Helper()
	m, err := New(name, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Soup(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func three(t *testing.T) Input {
	return openGarden(t, "finetune/arith", "finetune/call", "finetune/quiz")
}

func TestWeightsFromNumbers(t *testing.T) {
	in := three(t)
	in.Base, in.BaseName = open(t, garden+"base"), "base"
	third := 1.0 / 3
	for _, c := range []struct {
		method string
		o      Options
		want   []float64
	}{
		{"uniform", Options{}, []float64{third, third, third}},
		{"linear", Options{}, []float64{third, third, third}},
		{"linear", Options{Weights: []float64{3, 1, 0}}, []float64{0.75, 0.25, 0}},
		{"linear", Options{Weights: []float64{3, 1, 0}, AsGiven: true}, []float64{3, 1, 0}},
		{"linear", Options{Weights: []float64{3, -1, 0}, Extrapolate: true}, []float64{1.5, -0.5, 0}},
		{"linear", Options{Weights: []float64{1, -1, 0}, Extrapolate: true, AsGiven: true}, []float64{1, -1, 0}},
		{"task-arithmetic", Options{Weights: []float64{1, 2, 0.5}, Lambda: 0.5}, []float64{0.5, 1, 0.25, -0.75}},
		{"task-arithmetic", Options{}, []float64{0.3, 0.3, 0.3, 0.1}},
	} {
		s := find(t, c.method, c.o, in)
		if len(s.Recipe.Weights) != 1 || !slices.EqualFunc(s.Recipe.Weights[0], c.want, func(a, b float64) bool { return near(a, b, 1e-15) }) {
			t.Errorf("%s %+v: weights %v, want %v", c.method, c.o, s.Recipe.Weights, c.want)
		}
		if len(s.Parents) != len(c.want) || len(s.Names) != len(c.want) {
			t.Errorf("%s: %d parents and %d names for %d weights", c.method, len(s.Parents), len(s.Names), len(c.want))
		}
		if !strings.HasPrefix(s.Method, c.method) {
			t.Errorf("%s: recorded as %q", c.method, s.Method)
		}
	}
}

func TestBaseComesLast(t *testing.T) {
	in := three(t)
	in.Base, in.BaseName = open(t, garden+"base"), "base"
	for _, name := range []string{"task-arithmetic", "model-stock"} {
		s := find(t, name, Options{}, in)
		if s.Parents[3] != in.Base || s.Names[3] != "base" || s.Parents[0] != in.Parents[0] {
			t.Errorf("%s: parents %v", name, s.Names)
		}
		if len(in.Parents) != 3 {
			t.Errorf("%s changed its input", name)
		}
	}
}

func TestSet(t *testing.T) {
	var o Options
	for _, kv := range [][2]string{
		{"weights", "1, 2.5,-3"},
		{"as-given", "true"},
		{"extrapolate", "true"},
		{"lambda", "0.4"},
		{"t", "0,1"},
		{"half-life", "2"},
		{"last", "4"},
		{"workers", "3"},
	} {
		if err := o.Set(kv[0], kv[1]); err != nil {
			t.Errorf("%s=%s: %v", kv[0], kv[1], err)
		}
	}
	if got := o.given(); !slices.Equal(got, OptionNames()) {
		t.Errorf("given: %v", got)
	}
	if !slices.Equal(o.Weights, []float64{1, 2.5, -3}) || !slices.Equal(o.T, []float64{0, 1}) || o.Lambda != 0.4 || o.Last != 4 || o.Workers != 3 {
		t.Errorf("options %+v", o)
	}
	for _, kv := range [][2]string{
		{"speed", "1"}, {"weights", "1,x"}, {"weights", ""}, {"t", "0,"}, {"last", "1.5"}, {"lambda", "0"}, {"as-given", "perhaps"}, {"workers", "0"}, {"half-life", ""},
	} {
		err := new(Options).Set(kv[0], kv[1])
		if err == nil || !strings.Contains(err.Error(), kv[0]) || strings.Contains(err.Error(), "strconv") {
			t.Errorf("%s=%s: error %v", kv[0], kv[1], err)
		}
	}
	if err := new(Options).Set("extrapolate", "false"); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"ties", Options{}, `method: "ties" is not known`},
		{"uniform", Options{Lambda: 1}, "uniform: it takes no option lambda"},
		{"uniform", Options{Last: 2}, "takes no option last"},
		{"model-stock", Options{T: []float64{1}}, "model-stock: it takes no option t"},
		{"linear", Options{Weights: []float64{1, -1}}, "negative"},
		{"linear", Options{Weights: []float64{1, nan}}, "finite"},
		{"task-arithmetic", Options{Lambda: math.Inf(1)}, "finite"},
		{"slerp", Options{T: []float64{0.5, 1.5}}, "option t: not from 0 to 1"},
		{"slerp", Options{T: []float64{}}, "option t: no number"},
		{"slerp", Options{Workers: -1}, "option workers: -1"},
	} {
		_, err := New(c.name, c.o)
		var misuse *InputError
		if !errors.As(err, &misuse) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %+v: error %v, want %q", c.name, c.o, err, c.want)
		}
	}
	for name, want := range map[string]string{"ties": "model-stock", "slerp": "slerp takes t, extrapolate", "uniform": "uniform takes no options"} {
		_, err := New(name, Options{Lambda: 1})
		var h interface{ Hint() string }
		if !errors.As(err, &h) || !strings.Contains(h.Hint(), want) || strings.Contains(h.Hint(), "workers") {
			t.Errorf("%s: no hint at what there is: %v", name, err)
		}
	}
}

func TestSoupRefuses(t *testing.T) {
	in := three(t)
	base := open(t, garden+"base")
	two, one, none := in, in, in
	two.Parents, two.Names = in.Parents[:2], in.Names[:2]
	one.Parents, one.Names = in.Parents[:1], in.Names[:1]
	none.Parents, none.Names = nil, nil
	unnamed, among, lonely := in, in, one
	unnamed.Names = nil
	among.Base, lonely.Base = in.Parents[1], base
	for _, c := range []struct {
		name string
		o    Options
		in   Input
		want string
	}{
		{"uniform", Options{}, none, "0 parents"},
		{"linear", Options{}, none, "0 parents"},
		{"uniform", Options{}, unnamed, "0 names for 3 parents"},
		{"linear", Options{Weights: []float64{1, 2}}, in, "2 for 3 parents"},
		{"linear", Options{Weights: []float64{1, -1, 0}, Extrapolate: true}, in, "sum to 0"},
		{"task-arithmetic", Options{}, in, "no base"},
		{"task-arithmetic", Options{}, none, "0 parents"},
		{"task-arithmetic", Options{}, among, "is among the parents"},
		{"task-arithmetic", Options{Weights: []float64{1}}, Input{Parents: in.Parents, Names: in.Names, Base: base}, "1 for 3 parents"},
		{"slerp", Options{}, one, "1 parents"},
		{"slerp", Options{}, in, "it takes 2"},
		{"model-stock", Options{}, two, "no base"},
		{"model-stock", Options{}, lonely, "1 parents"},
	} {
		m, err := New(c.name, c.o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Soup(t.Context(), c.in)
		var misuse *InputError
		if !errors.As(err, &misuse) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// cooked returns the bytes of a soup's tensors.
func cooked(t *testing.T, s Soup) map[string]string {
	t.Helper()
	path := t.TempDir() + "/soup.safetensors"
	b, err := merge.NewBuffer(path, s.Parents[0], merge.AsStored)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Cook(t.Context(), s.Parents, s.Recipe); err != nil {
		t.Fatal(err)
	}
	return content(t, open(t, path))
}

func content(t *testing.T, c *merge.Checkpoint) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, x := range c.Tensors() {
		data, err := c.Bytes(x.Name)
		if err != nil {
			t.Fatal(err)
		}
		all[x.Name] = string(data)
	}
	return all
}

// TestSlerpEnds: t = 0 and t = 1 give the parents, bit for bit, whether tensors
// are nearly parallel (fine-tunes) or not (another run of training).
func TestSlerpEnds(t *testing.T) {
	for _, pair := range [][]string{{"finetune/arith", "finetune/call"}, {"finetune/arith", "uneven/mixed-far"}} {
		in := openGarden(t, pair...)
		for end := range 2 {
			got, want := cooked(t, find(t, "slerp", Options{T: []float64{float64(end)}}, in)), content(t, in.Parents[end])
			for name := range want {
				if got[name] != want[name] {
					t.Errorf("slerp of %v at %d: tensor %s is not the parent's", pair, end, name)
				}
			}
		}
	}
}

// TestSlerpArc: with A and B of one length, points of the arc have that length
// and are at the angles t and 1-t times that between A and B.
func TestSlerpArc(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		theta := rapid.Float64Range(0.05, math.Pi-0.05).Draw(rt, "theta")
		at := rapid.Float64Range(0, 1).Draw(rt, "t")
		l := rapid.Float64Range(0.1, 100).Draw(rt, "length")
		w := SlerpWeights([][]float64{{l * l, l * l * math.Cos(theta)}, {l * l * math.Cos(theta), l * l}}, at)
		x, y := l*(w[0]+w[1]*math.Cos(theta)), l*w[1]*math.Sin(theta) // A lies on the x axis
		if !near(math.Hypot(x, y), l, 1e-9*l) || !near(math.Atan2(y, x), theta*at, 1e-9) {
			rt.Fatalf("weights %v: at %v, %v", w, math.Hypot(x, y), math.Atan2(y, x))
		}
	})
}

// TestSlerpOfTaskVectors: the point on the arc lies from the base at the lengths and
// angles that two task vectors give, tensor by tensor.
func TestSlerpOfTaskVectors(t *testing.T) {
	in := openGarden(t, "finetune/arith", "finetune/call", "base")
	in.Base, in.BaseName = in.Parents[2], "base"
	in.Parents, in.Names = in.Parents[:2], in.Names[:2]
	s := find(t, "slerp", Options{T: []float64{0.25}}, in)
	products, err := Products(t.Context(), []Family{{"lm_head.weight", in.Parents, in.Base}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	row, want := s.Recipe.Weights[s.Recipe.Groups.Of["lm_head.weight"]], SlerpWeights(products[0], 0.25)
	if len(s.Parents) != 3 || s.Names[2] != "base" || !near(row[0], want[0], 0) || !near(row[1], want[1], 0) || !near(sum(row), 1, 1e-12) || want[0] < 0.76 {
		t.Errorf("%v %v, want %v", s.Names, row, want)
	}
	in.Base = in.Parents[0]
	m, err := New("slerp", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Soup(t.Context(), in); err == nil || !strings.Contains(err.Error(), "is among the parents") {
		t.Errorf("%v", err)
	}
}

func TestSlerpSpecialCases(t *testing.T) {
	for _, c := range []struct {
		name string
		p    [][]float64
		want []float64
	}{
		{"parallel", [][]float64{{1, 2}, {2, 4}}, []float64{0.75, 0.25}},
		{"opposite", [][]float64{{1, -2}, {-2, 4}}, []float64{0.75, 0.25}},
		{"just above the threshold", [][]float64{{1, 0.99951}, {0.99951, 1}}, []float64{0.75, 0.25}},
		{"not averaged", nil, []float64{0.75, 0.25}},
		{"a zero tensor", [][]float64{{0, 0}, {0, 9}}, []float64{math.Sin(0.75 * math.Pi / 2), math.Sin(0.25 * math.Pi / 2)}},
	} {
		if got := SlerpWeights(c.p, 0.25); !near(got[0], c.want[0], 1e-15) || !near(got[1], c.want[1], 1e-15) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := SlerpWeights([][]float64{{1, 0.9994}, {0.9994, 1}}, 0.25); got[0] == 0.75 {
		t.Error("an angle below the threshold is taken for a line")
	}
}

// TestSlerpGradient: numbers are spread over the layers, and tensors outside of
// them are at the first.
func TestSlerpGradient(t *testing.T) {
	in := openGarden(t, "finetune/arith", "finetune/call")
	s := find(t, "slerp", Options{T: []float64{0, 0.25, 1}}, in)
	for name, want := range map[string]float64{
		"model.embed_tokens.weight": 0, "model.norm.weight": 0, "lm_head.weight": 0,
		"model.layers.0.self_attn.q_proj.weight": 0, "model.layers.1.input_layernorm.weight": 0.25, "model.layers.2.mlp.up_proj.weight": 1,
	} {
		row := s.Recipe.Weights[s.Recipe.Groups.Of[name]]
		if !near(row[1], want, 1e-3) || want == 0 && row[1] != 0 {
			t.Errorf("%s: %v, want t %v", name, row, want)
		}
	}
	towers := []fake{vector("text.layers.0.a", merge.F32, 1, 2), vector("vision.layers.0.a", merge.F32, 1, 2)}
	m, err := New("slerp", Options{T: []float64{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Soup(t.Context(), inputs(t, towers, towers)); err == nil || !strings.Contains(err.Error(), "text.layers and vision.layers") {
		t.Errorf("a gradient over two towers: %v", err)
	}
}

// TestStockPerpendicular: what defines Model Stock is that the line from the
// result to each parent is perpendicular to the other parents. Differences of
// length l with the cosine c to each other are l (sqrt(c) u + sqrt(1-c) e_i)
// with orthonormal u, e_1, .. e_n.
func TestStockPerpendicular(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(rt, "n")
		c := rapid.Float64Range(0.01, 0.99).Draw(rt, "cosine")
		l := rapid.Float64Range(0.1, 10).Draw(rt, "length")
		d := make([][]float64, n)
		for i := range d {
			d[i] = make([]float64, n+1)
			d[i][n], d[i][i] = l*math.Sqrt(c), l*math.Sqrt(1-c)
		}
		w := StockWeights(gram(d), n)
		at := make([]float64, n+1) // relative to the base
		for i := range d {
			for k := range at {
				at[k] += w[i] * d[i][k]
			}
		}
		back := make([]float64, n+1)
		for k := range back {
			back[k] = d[0][k] - at[k]
		}
		if got := inner(back, d[1]); !near(got, 0, 1e-9*l*l) {
			rt.Fatalf("n %d, cosine %v: inner product %v", n, c, got)
		}
		if !near(sum(w), 1, 1e-12) {
			rt.Fatalf("weights %v sum to %v", w, sum(w))
		}
	})
}

func inner(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func gram(d [][]float64) [][]float64 {
	g := make([][]float64, len(d))
	for i := range d {
		for j := range d {
			g[i] = append(g[i], inner(d[i], d[j]))
		}
	}
	return g
}

func TestStockLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		p    [][]float64
		want float64
	}{
		{"orthogonal, 2", gram([][]float64{{1, 0}, {0, 3}}), 0},
		{"orthogonal, 3", gram([][]float64{{1, 0, 0}, {0, 3, 0}, {0, 0, 2}}), 0},
		{"parallel, 2", gram([][]float64{{1, 1}, {2, 2}}), 1},
		{"parallel, 3", gram([][]float64{{1, 1}, {2, 2}, {3, 3}}), 1},
		{"60 degrees", gram([][]float64{{1, 0}, {0.5, math.Sqrt(3) / 2}}), 2 * 0.5 / 1.5},
		{"no difference from the base", gram([][]float64{{0, 0}, {0, 0}}), 0},
		{"rounded to more than 1", [][]float64{{1, 1.0000001}, {1.0000001, 1}}, 1},
		{"cancelling, 2", gram([][]float64{{1, 0}, {-1, 0}}), 0},
		{"apart", gram([][]float64{{1, 0}, {-0.5, math.Sqrt(3) / 2}}), 2 * -0.5 / 0.5},
		// The mean of the cosines 1, 0 and 0.
		{"three pairs", gram([][]float64{{1, 0}, {1, 0}, {0, 1}}), 3 * (1.0 / 3) / (1 + 2.0/3)},
	} {
		if got := StockRatio(c.p); !near(got, c.want, 1e-12) {
			t.Errorf("%s: ratio %v, want %v", c.name, got, c.want)
		}
	}
}

// TestStockSoup follows one tensor by hand.
func TestStockSoup(t *testing.T) {
	in := inputs(t,
		[]fake{vector("a", merge.F32, 2, 1), vector("n", merge.I64, 7)},
		[]fake{vector("a", merge.F32, 1, 2), vector("n", merge.I64, 7)},
		[]fake{vector("a", merge.F32, 1, 1), vector("n", merge.I64, 7)})
	in.Base, in.BaseName = in.Parents[2], "base"
	in.Parents, in.Names = in.Parents[:2], in.Names[:2]
	s := find(t, "model-stock", Options{}, in) // differences (1,0) and (0,1): t = 0
	if len(s.Recipe.Weights) != 1 || !slices.Equal(s.Recipe.Weights[0], []float64{0, 0, 1}) {
		t.Errorf("weights %v", s.Recipe.Weights)
	}
}

func TestProductsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"slerp", "model-stock"} {
		in := openGarden(t, "finetune/arith", "finetune/call")
		in.Base = open(t, garden+"base")
		m, err := New(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Soup(ctx, in); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReads(t *testing.T) {
	for _, name := range append(Names(), "ties") {
		if want := name == "slerp" || name == "model-stock"; Reads(name) != want {
			t.Errorf("%s reads: %t", name, Reads(name))
		}
	}
}
