package method

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRun(t *testing.T) {
	r2, r3 := math.Sqrt(2), math.Sqrt(3)
	for _, c := range []struct {
		name string
		o    Options
		want []float64
	}{
		{"uniform", Options{}, []float64{0.25, 0.25, 0.25, 0.25}},
		{"uniform", Options{Last: 2}, []float64{0, 0, 0.5, 0.5}},
		{"uniform", Options{Last: 4}, []float64{0.25, 0.25, 0.25, 0.25}},
		{"linear", Options{}, []float64{0.1, 0.2, 0.3, 0.4}},
		{"ema", Options{HalfLife: 1}, []float64{1. / 15, 2. / 15, 4. / 15, 8. / 15}},
		{"ema", Options{HalfLife: 1, Last: 2}, []float64{0, 0, 1. / 3, 2. / 3}},
		{"wsm-linear", Options{}, []float64{0.25, 0.25, 0.25, 0.25}},
		// Square roots of 0, 1/4, 1/2, 3/4 and 1, differences.
		{"wsm-1-sqrt", Options{}, []float64{0.5, (r2 - 1) / 2, (r3 - r2) / 2, 1 - r3/2}},
		// (1+cos)/2 at 0, 45, 90, 135 and 180 degrees, differences.
		{"wsm-cosine", Options{}, []float64{0.5 - r2/4, r2 / 4, r2 / 4, 0.5 - r2/4}},
	} {
		got, err := Run(c.name, 4, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return near(a, b, 1e-15) }) {
			t.Errorf("%s %+v: %v, want %v", c.name, c.o, got, c.want)
		}
	}
	// The default half-life.
	if w, err := Run("ema", 4, Options{}); err != nil || !near(w[3]/w[0], 2, 1e-12) {
		t.Errorf("ema: %v, %v: the last of 4 must weigh twice the first", w, err)
	}
}

// TestDecayInverse: the weights from checkpoint i on sum to the learning rate
// that they stand for.
func TestDecayInverse(t *testing.T) {
	for name, curve := range map[string]func(x float64) float64{
		"wsm-1-sqrt": func(x float64) float64 { return 1 - math.Sqrt(x) },
		"wsm-linear": func(x float64) float64 { return 1 - x },
		"wsm-cosine": func(x float64) float64 { return 0.5 + 0.5*math.Cos(math.Pi*x) },
	} {
		rapid.Check(t, func(rt *rapid.T) {
			n := rapid.IntRange(1, 200).Draw(rt, "n")
			w, err := Run(name, n, Options{})
			if err != nil {
				rt.Fatal(err)
			}
			rest := 0.0
			for i := n - 1; i >= 0; i-- {
				if rest += w[i]; !near(rest, curve(float64(i)/float64(n)), 1e-12) {
					rt.Fatalf("%s, %d of %d: %v", name, i, n, rest)
				}
			}
		})
	}
}

func TestRunSums(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(RunNames()).Draw(rt, "name")
		n := rapid.IntRange(1, 300).Draw(rt, "n")
		o := Options{Last: rapid.IntRange(0, n).Draw(rt, "last")}
		if name == "ema" {
			o.HalfLife = rapid.Float64Range(0.01, 1000).Draw(rt, "half-life")
		}
		w, err := Run(name, n, o)
		if err != nil {
			rt.Fatal(err)
		}
		if len(w) != n || !near(sum(w), 1, 1e-12) || slices.Min(w) < 0 {
			rt.Fatalf("%s: %v", name, w)
		}
		if o.Last > 0 && slices.ContainsFunc(w[:n-o.Last], func(x float64) bool { return x != 0 }) {
			rt.Fatalf("%s: the first of %v have a weight", name, w)
		}
	})
}

func TestRunRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		o    Options
		want string
	}{
		{"slerp", 3, Options{}, `"slerp" is not known for a run`},
		{"uniform", 0, Options{}, "no checkpoints"},
		{"uniform", 3, Options{Last: 4}, "option last: 4 of 3"},
		{"uniform", 3, Options{Last: -1}, "option last: -1"},
		{"uniform", 3, Options{HalfLife: 2}, "takes no option half-life"},
		{"ema", 3, Options{HalfLife: -2}, "option half-life: -2"},
		{"ema", 3, Options{HalfLife: math.NaN()}, "finite"},
		{"linear", 3, Options{Weights: []float64{1}}, "takes no option weights"},
	} {
		if _, err := Run(c.name, c.n, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := AlongRun("uniform", Input{}, Options{}); err == nil {
		t.Error("a run without checkpoints")
	}
	if _, err := AlongRun("uniform", openGarden(t, "run/step-1200"), Options{Last: 2}); err == nil {
		t.Error("the last 2 of 1")
	}
}

// TestAlongRun: the soup of the last two holds them only.
func TestAlongRun(t *testing.T) {
	in := openGarden(t, "run/step-1150", "run/step-1175", "run/step-1200")
	s, err := AlongRun("ema", in, Options{Last: 2, HalfLife: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Names, []string{"step-1175", "step-1200"}) || s.Parents[0] != in.Parents[1] || s.Method != "ema, half-life 1 checkpoints" {
		t.Errorf("soup %+v", s)
	}
	if w := s.Recipe.Weights; len(w) != 1 || !near(w[0][0], 1./3, 1e-15) || !near(w[0][1], 2./3, 1e-15) {
		t.Errorf("weights %v", w)
	}
	if len(cooked(t, s)) != len(in.Parents[0].Tensors()) {
		t.Error("not cooked whole")
	}
}
