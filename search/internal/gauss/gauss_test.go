package gauss_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"soup/search/internal/gauss"
)

type golden struct {
	Level, Signal, Length, Mean float64
	Places, Queries             [][]float64
	Values, Noise, Means        []float64
	Covariance                  [][]float64
	Evidence                    float64
}

// Means, covariances and evidence are those of scikit-learn (tools/golden_gp.py).
func TestAgreesWithScikitLearn(t *testing.T) {
	raw, err := os.ReadFile("testdata/sklearn.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []golden }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 4 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		k := gauss.Kernel{Level: c.Level, Signal: c.Signal, Length: c.Length}
		p, err := gauss.Condition(k, c.Mean, gauss.Observations{Apart: gauss.Distances(c.Places), Values: c.Values, Noise: c.Noise})
		if err != nil {
			t.Fatal(err)
		}
		means, covariance := joint(p, c.Places, c.Queries)
		near(t, "evidence", p.Evidence, c.Evidence)
		for i := range c.Queries {
			near(t, "mean", means[i], c.Means[i])
			for j := range c.Queries {
				near(t, "covariance", covariance.At(i, j), c.Covariance[i][j])
			}
		}
	}
}

// joint is what a process that was observed at known places says of others.
func joint(p *gauss.Process, known, places [][]float64) (means []float64, covariance *mat.SymDense) {
	covariance = mat.NewSymDense(len(places), nil)
	var knowledge [][]float64
	for i, x := range places {
		v := gauss.NewView(x, known)
		means, knowledge = append(means, p.At(v)), append(knowledge, p.Known(v))
		for j := range i + 1 {
			covariance.SetSym(i, j, p.Kernel.Between(x, places[j])-floats.Dot(knowledge[i], knowledge[j]))
		}
	}
	return means, covariance
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-6*max(1, math.Abs(want))) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// An error that two observations share cannot be told from the value: it takes
// nothing away from what is known of their difference.
func TestSharedNoise(t *testing.T) {
	k := gauss.Kernel{Level: 0.25, Signal: 0.09, Length: 1}
	places := [][]float64{{1, 0}, {0, 1}}
	o := gauss.Observations{Apart: gauss.Distances(places), Values: []float64{0.4, 0.6}, Noise: []float64{0.01, 0.01}}
	deviation := func(shared gauss.Pairs) float64 {
		o.Shared = shared
		p, err := gauss.Condition(k, 0.5, o)
		if err != nil {
			t.Fatal(err)
		}
		_, c := joint(p, places, places)
		return math.Sqrt(c.At(0, 0) + c.At(1, 1) - 2*c.At(0, 1))
	}
	alone := deviation(nil)
	shared := deviation(gauss.Pairs{{}, {0.99}})
	if !(shared < 0.2*alone) {
		t.Errorf("difference known to %v with shared errors, %v with independent ones", shared, alone)
	}
}

// Means and variances are those of the textbook (equations 2.25 and 2.26), with noise
// that correlates, a place without a value, and one view for two lengths.
func TestAgreesWithTheTextbook(t *testing.T) {
	places, seen := [][]float64{{0.1}, {0.5}, {0.9}, {0.6}}, []int{0, 2, 3}
	o := gauss.Observations{
		Apart: gauss.Distances(places), Values: []float64{1, math.NaN(), 3, 2}, Noise: []float64{0.1, 0.2, 0.3, 0.4},
		Shared: gauss.Pairs{{}, {0.5}, {0.4, 0.3}, {0.2, 0.1, 0.6}},
	}
	x := []float64{0.4}
	view := gauss.NewView(x, places)
	for _, length := range []float64{0.3, 2} {
		k := gauss.Kernel{Level: 0.25, Signal: 0.5, Length: length}
		covariance, across, rest := mat.NewDense(3, 3, nil), mat.NewVecDense(3, nil), mat.NewVecDense(3, nil)
		for a, i := range seen {
			across.SetVec(a, k.Between(x, places[i]))
			rest.SetVec(a, o.Values[i]-0.5)
			for b, j := range seen[:a] {
				c := k.Between(places[i], places[j]) + o.Shared[i][j]*math.Sqrt(o.Noise[i]*o.Noise[j])
				covariance.Set(a, b, c)
				covariance.Set(b, a, c)
			}
			covariance.Set(a, a, k.Between(places[i], places[i])+o.Noise[i])
		}
		if err := covariance.Inverse(covariance); err != nil {
			t.Fatal(err)
		}
		p, err := gauss.Condition(k, 0.5, o)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "mean", p.At(view), 0.5+mat.Inner(across, covariance, rest))
		known := p.Known(view)
		near(t, "known variance", floats.Dot(known, known), mat.Inner(across, covariance, across))
	}
}

// Fit finds the length over which values change.
func TestFitFindsTheLength(t *testing.T) {
	for _, c := range []struct{ wave, low, high float64 }{{12, 0, 0.6}, {1.5, 0.8, 9}} {
		var o gauss.Observations
		var places [][]float64
		r := rand.New(rand.NewPCG(1, 1))
		for range 40 {
			x := r.Float64()
			places = append(places, []float64{x, 1 - x})
			o.Values = append(o.Values, 0.5+0.3*math.Sin(c.wave*x))
			o.Noise = append(o.Noise, 1e-5)
		}
		o.Apart = gauss.Distances(places)
		p, err := gauss.Fit(gauss.Prior{Mean: 0.5, Level: 0.25, Signal: 0.3, SignalFactor: 1, Length: 0.7, LengthFactor: 0.7}, o)
		if err != nil {
			t.Fatal(err)
		}
		if p.Kernel.Length < c.low || p.Kernel.Length > c.high {
			t.Errorf("sin %v x: length %v, want %v to %v", c.wave, p.Kernel.Length, c.low, c.high)
		}
		means, _ := joint(p, places, [][]float64{{0.35, 0.65}})
		if want := 0.5 + 0.3*math.Sin(c.wave*0.35); math.Abs(means[0]-want) > 0.02 {
			t.Errorf("sin %v x at 0.35: %v, want %v", c.wave, means[0], want)
		}
	}
}

// Without observations the prior is all there is; with a singular covariance there
// is an error.
func TestNothingAndTooMuch(t *testing.T) {
	prior := gauss.Prior{Mean: 0.4, Level: 0.25, Signal: 0.3, SignalFactor: 1, Length: 1, LengthFactor: 0.5}
	p, err := gauss.Fit(prior, gauss.Observations{})
	if err != nil {
		t.Fatal(err)
	}
	if means, c := joint(p, nil, [][]float64{{1}}); means[0] != 0.4 || math.Abs(c.At(0, 0)-0.34) > 1e-12 {
		t.Errorf("mean %v, variance %v", means[0], c.At(0, 0))
	}
	twice := gauss.Observations{Apart: gauss.Distances([][]float64{{1}, {1}}), Values: []float64{0, 1}, Noise: []float64{-1, -1}}
	if _, err := gauss.Fit(prior, twice); err == nil {
		t.Error("noise below 0 is no error")
	}
}

// What is known never grows less with more observations, and variances are never
// below 0 but for rounding.
func TestObservationsTeach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 30).Draw(t, "observations")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var o gauss.Observations
		var places [][]float64
		for range n {
			places = append(places, []float64{r.Float64(), r.Float64(), r.Float64()})
			o.Values, o.Noise = append(o.Values, r.Float64()), append(o.Noise, 1e-3*(0.01+r.Float64()))
		}
		k := gauss.Kernel{Level: 0.25, Signal: 0.01 + r.Float64(), Length: 0.2 + 2*r.Float64()}
		x := [][]float64{{r.Float64(), r.Float64(), r.Float64()}}
		before := k.Between(x[0], x[0])
		for count := 1; count <= n; count++ {
			p, err := gauss.Condition(k, 0.5, gauss.Observations{Apart: gauss.Distances(places[:count]), Values: o.Values[:count], Noise: o.Noise[:count]})
			if err != nil {
				t.Fatal(err)
			}
			_, c := joint(p, places[:count], x)
			if v := c.At(0, 0); v > before+1e-9 || v < -1e-9 {
				t.Fatalf("variance %v after %d observations, %v before", v, count, before)
			}
			before = c.At(0, 0)
		}
	})
}
