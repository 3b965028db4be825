package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Two-sided exact p-values, by hand: 2 * sum of binomial coefficients / 2^n.
func TestMcNemar(t *testing.T) {
	check := func(wins, losses int, want float64) {
		t.Helper()
		near(t, fmt.Sprintf("p of %d/%d", wins, losses), McNemar(wins, losses), want, 5e-4)
		near(t, fmt.Sprintf("p of %d/%d", losses, wins), McNemar(losses, wins), McNemar(wins, losses), 0)
	}
	check(0, 0, 1)
	check(1, 0, 1)
	check(1, 1, 1)
	check(4, 4, 1)
	check(5, 0, 0.0625)
	check(6, 0, 0.03125)
	check(8, 1, 0.0390625)
	check(9, 2, 0.0654)
	check(10, 3, 0.0923)
	check(20, 9, 0.0614)
	check(1200, 1000, 0.0000218)
}

// against gives outcomes of one category with so many wins, losses and ties for
// the first model.
func against(category string, wins, losses, ties int) (a, b []Outcome) {
	n := wins + losses + ties
	x, y := make([]float64, n), make([]float64, n)
	for i := range n {
		if i < wins {
			x[i] = 1
		} else if i < wins+losses {
			y[i] = 1
		}
	}
	return scores(category, x...), scores(category, y...)
}

func TestCompareOneCategory(t *testing.T) {
	check := func(wins, losses, ties int, want Verdict) {
		t.Helper()
		a, b := against("a", wins, losses, ties)
		c := Compare(a, b)
		if c.Wins != wins || c.Losses != losses || c.Ties != ties || c.N != wins+losses+ties {
			t.Errorf("counted %d/%d/%d of %d, want %d/%d/%d", c.Wins, c.Losses, c.Ties, c.N, wins, losses, ties)
		}
		if c.Verdict != want || c.Method != methodMcNemar || c.P != McNemar(wins, losses) {
			t.Errorf("%d/%d/%d: %s by %s with p %v, want %s", wins, losses, ties, c.Verdict, c.Method, c.P, want)
		}
		near(t, "delta", c.Delta, float64(wins-losses)/float64(c.N), 1e-12)
		near(t, "disagreement", Disagreement(a, b), float64(wins+losses)/float64(c.N), 1e-12)
		if c.Low > c.Delta || c.High < c.Delta {
			t.Errorf("delta %v outside [%v, %v]", c.Delta, c.Low, c.High)
		}
	}
	check(40, 10, 250, Better)
	check(10, 40, 250, Worse)
	check(20, 15, 265, Noise)
	check(0, 0, 50, Noise)
	check(5, 0, 0, Noise) // the interval is [1, 1], five items prove nothing
	check(6, 0, 0, Better)
	check(1, 0, 0, Noise)
}

// The interval of a mean of n differences with standard deviation s is close to
// mean ± 1.96 s/sqrt(n) for large n.
func TestIntervalIsNormalForManyItems(t *testing.T) {
	a, b := against("a", 150, 100, 750)
	c := Compare(a, b)
	se := math.Sqrt((0.25-0.05*0.05)/1000) * correction(1000)
	near(t, "low", c.Low, 0.05-1.96*se, 0.0015)
	near(t, "high", c.High, 0.05+1.96*se, 0.0015)
	near(t, "p", c.Categories["a"].P, McNemar(150, 100), 0)
}

// Delta is the mean of the categories' means, however many items they have.
func TestCompareIsMacro(t *testing.T) {
	a, b := against("small", 10, 0, 0)
	x, y := against("large", 0, 0, 1000)
	c := Compare(append(a, x...), append(b, y...))
	near(t, "delta", c.Delta, 0.5, 1e-12)
	if c.Method != methodItems || len(c.Categories) != 2 {
		t.Errorf("method %s of %d categories", c.Method, len(c.Categories))
	}
	near(t, "weighted", CompareWeighted(append(a, x...), append(b, y...), map[string]float64{"small": 3}).Delta, 0.75, 1e-12)
	only := CompareWeighted(append(a, x...), append(b, y...), map[string]float64{"large": 0})
	if only.N != 10 || only.Delta != 1 || only.Method != methodMcNemar || len(only.Categories) != 2 {
		t.Errorf("weight 0 gives %+v", only)
	}
}

func TestCategoryAloneIsAsAmongOthers(t *testing.T) {
	a, b := against("a", 30, 10, 60)
	x, y := against("b", 3, 20, 70)
	among := Compare(append(a, x...), append(b, y...)).Categories["a"]
	alone := Compare(a, b)
	alone.Categories = nil
	if diff := cmp.Diff(alone, among); diff != "" {
		t.Error(diff)
	}
}

func TestCompareLeavesOutWhatIsNotPaired(t *testing.T) {
	a, b := against("a", 20, 0, 20)
	a[0].State, a[1].State, b[1].State = StateFailed, StateTimeout, StateMissing
	b = append(b, scores("b", 1, 1)...)
	c := Compare(a, b)
	if c.N != 38 || c.Wins != 18 || c.Unpaired != 4 || c.Categories["a"].Unpaired != 2 {
		t.Errorf("%+v", c)
	}
	if !slices.Equal(c.LeftOut, []string{"b"}) || c.Verdict != Noise {
		t.Errorf("%s without categories %v", c.Verdict, c.LeftOut)
	}
	if c := CompareWeighted(a, b, map[string]float64{"b": 0}); c.LeftOut != nil || c.Verdict != Better {
		t.Errorf("%s without categories %v of weight 0", c.Verdict, c.LeftOut)
	}
	a, b = scores("a", 1), scores("b", 1)
	none := Compare(a, b)
	want := Comparison{P: 1, Verdict: Noise, Method: methodNone, Unpaired: 2, LeftOut: []string{"a", "b"}, Categories: map[string]Comparison{}}
	if diff := cmp.Diff(want, none); diff != "" {
		t.Error(diff)
	}
	near(t, "disagreement on nothing", Disagreement(a, b), 0, 0)
}

// One item in a category says nothing about that category's noise.
func TestThinCategoryIsNoVerdict(t *testing.T) {
	a, b := against("a", 40, 0, 10)
	x, y := against("b", 1, 0, 0)
	if c := Compare(append(a, x...), append(b, y...)); c.Verdict != Noise || c.P > 0.05 {
		t.Errorf("verdict %s with p %v", c.Verdict, c.P)
	}
}

func TestCompareByCluster(t *testing.T) {
	a, b := against("a", 20, 0, 20)
	for i := range a {
		a[i].Cluster, b[i].Cluster = fmt.Sprint("p", i/10), fmt.Sprint("p", i/10)
	}
	c := Compare(a, b) // two of four passages won as a whole
	if c.Method != methodClustered || c.Verdict != Noise || c.Low > 0 || c.P < 0.5 {
		t.Errorf("%+v", c)
	}
	for i := range a {
		a[i].Cluster, b[i].Cluster = a[i].ID, b[i].ID
	}
	if c := Compare(a, b); c.Method != methodMcNemar || c.Verdict != Better {
		t.Errorf("clusters of one item: %s by %s", c.Verdict, c.Method)
	}
}

// A problem asked in two languages is drawn once for both: equal differences in
// both give the interval of one.
func TestClustersAcrossCategoriesAreDrawnTogether(t *testing.T) {
	a, b := against("de", 60, 20, 170)
	x, y := against("en", 60, 20, 170)
	apart := Compare(append(a, x...), append(b, y...))
	one := Compare(a, b)
	for i := range a {
		for _, o := range []*Outcome{&a[i], &b[i], &x[i], &y[i]} {
			o.Cluster = fmt.Sprint("problem ", i)
		}
	}
	c := Compare(append(a, x...), append(b, y...))
	near(t, "width", c.High-c.Low, one.High-one.Low, 0.008)
	near(t, "width if apart", apart.High-apart.Low, (one.High-one.Low)/math.Sqrt2, 0.008)
}

func TestTieIsTransitive(t *testing.T) {
	d := func(category, cluster string) difference {
		return difference{category: category, unit: unit{cluster: cluster}}
	}
	got := tie([]difference{d("d", "1"), d("c", "1"), d("b", "2"), d("a", "2"), d("c", "3"), d("b", "3"), d("e", "4")})
	want := map[string]string{"a": "a", "b": "a", "c": "a", "d": "a", "e": "e"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCompareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawOutcomes(t, "a"), drawOutcomes(t, "b")
		c, mirror := Compare(a, b), Compare(b, a)
		if diff := cmp.Diff(c, mirrored(mirror)); diff != "" {
			t.Fatalf("Compare(b, a) is no mirror image:\n%s", diff)
		}
		shuffled := slices.Clone(a)
		slices.Reverse(shuffled)
		if diff := cmp.Diff(c, Compare(shuffled, b)); diff != "" {
			t.Fatalf("the order of items matters:\n%s", diff)
		}
		if c.P <= 0 || c.P > 1 || c.Wins+c.Losses+c.Ties != c.N {
			t.Fatalf("%+v", c)
		}
		if _, err := json.Marshal(c); err != nil { // NaN would not marshal
			t.Fatal(err)
		}
		self := Compare(a, a)
		if self.Delta != 0 || self.Low != 0 || self.High != 0 || self.P != 1 || self.Verdict != Noise {
			t.Fatalf("a against itself: %+v", self)
		}
	})
}

func mirrored(c Comparison) Comparison {
	c.Delta, c.Low, c.High = 0-c.Delta, 0-c.High, 0-c.Low
	c.Wins, c.Losses = c.Losses, c.Wins
	c.Verdict = map[Verdict]Verdict{Better: Worse, Worse: Better, Noise: Noise}[c.Verdict]
	var categories map[string]Comparison
	if c.Categories != nil {
		categories = map[string]Comparison{}
	}
	for name, in := range c.Categories {
		categories[name] = mirrored(in)
	}
	c.Categories = categories
	return c
}

// world draws differences with a known mean, as items of two categories or as
// passages of 10 questions.
func world(random *rand.Rand, clustered bool) []difference {
	var ds []difference
	for _, category := range []string{"a", "b"} {
		shared := 0.0
		for i := range map[string]int{"a": 60, "b": 40}[category] {
			if i%10 == 0 {
				shared = random.NormFloat64()
			}
			d := difference{id: fmt.Sprint(category, i), category: category, unit: unit{id: fmt.Sprint(category, i)}, value: 0.1 + random.ExpFloat64() - 1}
			if clustered {
				d.value += shared
				d.unit = unit{cluster: fmt.Sprint(category, i/10)}
			}
			ds = append(ds, d)
		}
	}
	return ds
}

// coverage returns how often the interval holds the true mean, 0.1.
func coverage(trials int, ignoreClusters, clustered bool) float64 {
	random := rand.New(rand.NewPCG(7, 7))
	held := 0
	for range trials {
		ds := world(random, clustered)
		if ignoreClusters {
			for i := range ds {
				ds[i].unit = unit{id: ds[i].id}
			}
		}
		boots := map[string]distribution{}
		for _, s := range strata(ds) {
			for name, d := range s.resample(s.generator(), 250) {
				boots[name] = d
			}
		}
		if low, high := mix(boots, nil).interval(); low <= 0.1 && 0.1 <= high {
			held++
		}
	}
	return float64(held) / float64(trials)
}

func TestIntervalsHoldTheTruth(t *testing.T) {
	check := func(what string, got, low, high float64) {
		t.Helper()
		t.Logf("%s: %.3f", what, got)
		if got < low || got > high {
			t.Errorf("95 %% intervals of %s hold the truth in %.3f of cases", what, got)
		}
	}
	check("independent items", coverage(1000, false, false), 0.935, 0.965)
	check("six and four clusters", coverage(500, false, true), 0.87, 0.965)
	check("clusters taken for items", coverage(300, true, true), 0, 0.7)
}

// Under no difference, p is below 0.05 in at most about 5 % of cases.
func TestFalseAlarms(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	alarms, trials := 0, 200
	for range trials {
		var a, b []Outcome
		for _, category := range []string{"a", "b"} {
			x, y := make([]float64, 30), make([]float64, 30)
			for i := range x {
				x[i], y[i] = float64(random.IntN(11))/10, float64(random.IntN(11))/10
			}
			a, b = append(a, scores(category, x...)...), append(b, scores(category, y...)...)
		}
		if Compare(a, b).P < 0.05 {
			alarms++
		}
	}
	if rate := float64(alarms) / float64(trials); rate > 0.08 || rate < 0.02 {
		t.Errorf("false alarms: %.3f", rate)
	}
}

func TestExpectedOptimism(t *testing.T) {
	check := func(k int, want, within float64) {
		t.Helper()
		near(t, fmt.Sprintf("z of %d", k), ExpectedMaximum(k), want, within)
	}
	check(0, 0, 0)
	check(1, 0, 0)
	check(2, 1/math.Sqrt(math.Pi), 1e-9)
	check(3, 1.5/math.Sqrt(math.Pi), 1e-9)
	check(9, 1.485, 0.001)
	check(36, 2.118, 0.002)
	check(100, 2.5076, 0.001)
	check(1000, 3.2414, 0.001)
	near(t, "optimism", ExpectedOptimism(36, 0.05, 100), 0.0335, 0.0001)
	near(t, "optimism", ExpectedOptimism(36, 0.10, 4000), 0.0075, 0.0001)
	for _, none := range []float64{ExpectedOptimism(1, 0.1, 100), ExpectedOptimism(9, 0, 100), ExpectedOptimism(9, 0.1, 0), ExpectedOptimism(9, math.NaN(), 10)} {
		near(t, "optimism without a choice", none, 0, 0)
	}
}

func TestShrink(t *testing.T) {
	near(t, "equal variances", Shrink(0.1, 0.04, 0.2), 0.05, 1e-15)
	near(t, "no noise", Shrink(0.1, 0, 0), 0.1, 0)
	near(t, "only noise", Shrink(0.1, 0, 0.2), 0, 0)
	near(t, "negative variance", Shrink(0.1, -1, 0.2), 0, 0)
	near(t, "true variance", TrueVariance([]float64{0, 2, 4}, []float64{1, 1, 2}), 2, 1e-12)
	near(t, "true variance of noise", TrueVariance([]float64{0, 2, 4}, []float64{3, 3, 3}), 0, 0)
	near(t, "true variance of one", TrueVariance([]float64{1}, []float64{3}), 0, 0)
}

func BenchmarkCompare1800Items(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	var x, y []Outcome
	for _, category := range []string{"a", "b", "c", "d", "e", "f"} {
		v, w := make([]float64, 300), make([]float64, 300)
		for i := range v {
			v[i], w[i] = random.Float64(), random.Float64()
		}
		x, y = append(x, scores(category, v...)...), append(y, scores(category, w...)...)
	}
	for b.Loop() {
		Compare(x, y)
	}
}
