package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

// scores are the outcomes of one category, ids by number.
func scores(category string, values ...float64) []Outcome {
	var out []Outcome
	for i, v := range values {
		out = append(out, Outcome{ID: fmt.Sprint(category, "-", i), Category: category, State: StateOK, Score: v, Finish: FinishStop})
	}
	return out
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestSummarize(t *testing.T) {
	outcomes := append(scores("a", 1, 0, 1, 1), scores("b", 0.5, 0.25)...)
	outcomes = append(outcomes,
		Outcome{ID: "x", Category: "a", State: StateFailed},
		Outcome{ID: "y", Category: "a", State: StateTimeout},
		Outcome{ID: "z", Category: "b", State: StateMissing},
		Outcome{ID: "w", Category: "b", State: StateTruncated, Score: 0})
	s := Summarize(outcomes)
	a, b := s.Categories["a"], s.Categories["b"]
	near(t, "mean of a", a.Mean, 0.75, 1e-15)
	near(t, "mean of b", b.Mean, 0.25, 1e-15)
	near(t, "macro mean", s.Mean, 0.5, 1e-15)
	near(t, "se of a", a.SE, stat.StdDev([]float64{1, 0, 1, 1}, nil)/2, 1e-12)
	near(t, "se of b", b.SE, stat.StdDev([]float64{0.5, 0.25, 0}, nil)/math.Sqrt(3), 1e-12)
	near(t, "macro se", s.SE, math.Hypot(a.SE, b.SE)/2, 1e-12)
	if diff := cmp.Diff(Counts{N: 7, Failed: 1, Timeout: 1, Missing: 1, Truncated: 1}, s.Counts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Counts{N: 3, Missing: 1, Truncated: 1}, b.Counts); diff != "" {
		t.Error(diff)
	}
}

// The clustered standard error by the cross products of Miller's formula.
func TestClusteredStandardError(t *testing.T) {
	outcomes := scores("a", 1, 1, 0, 1, 0, 0, 1, 0.5)
	for i := range outcomes {
		outcomes[i].Cluster = fmt.Sprint("passage ", i/2)
	}
	s := Summarize(outcomes).Categories["a"]
	sum := 0.0
	for i, x := range outcomes {
		for j, y := range outcomes {
			if i/2 == j/2 {
				sum += (x.Score - s.Mean) * (y.Score - s.Mean)
			}
		}
	}
	near(t, "se", s.SE, math.Sqrt(sum*4/3)/8, 1e-12)
	if s.Units != 4 {
		t.Errorf("%d units, want 4", s.Units)
	}
}

// A problem asked in two languages is one unit of the mean over both.
func TestClustersAcrossCategories(t *testing.T) {
	a, b := scores("de", 1, 0, 1, 1, 0), scores("en", 1, 0, 1, 1, 0)
	apart := Summarize(append(a, b...))
	for i := range a {
		a[i].Cluster, b[i].Cluster = a[i].ID, a[i].ID
	}
	together := Summarize(append(a, b...))
	near(t, "se of equal scores", together.SE, together.Categories["de"].SE, 1e-12)
	near(t, "se taken as apart", apart.SE, together.SE/math.Sqrt2, 1e-12)
}

func TestSummarySoft(t *testing.T) {
	outcomes := scores("a", 1, 0)
	x, y := -1.0, -2.0
	outcomes[0].Soft = &x
	if s := Summarize(outcomes).Categories["a"]; s.Soft != nil {
		t.Errorf("soft mean %v of half the items", *s.Soft)
	}
	outcomes[1].Soft = &y
	if s := Summarize(outcomes).Categories["a"]; s.Soft == nil || *s.Soft != -1.5 {
		t.Errorf("soft mean %v, want -1.5", s.Soft)
	}
}

func TestSummaryJSONHasNoFalseZeros(t *testing.T) {
	check := func(outcomes []Outcome, want string) {
		t.Helper()
		got, err := json.Marshal(Summarize(outcomes))
		if err != nil || string(got) != want {
			t.Errorf("got  %s %v\nwant %s", got, err, want)
		}
	}
	check(nil, `{"mean":null,"se":null,"n":0,"failed":0,"truncated":0,"categories":{}}`)
	check(scores("a", 1), `{"mean":1,"se":null,"n":1,"failed":0,"truncated":0,"categories":{"a":{"mean":1,"se":null,"n":1,"failed":0,"truncated":0,"units":1}}}`)
	check(scores("a", 1, 1), `{"mean":1,"se":0,"n":2,"failed":0,"truncated":0,"categories":{"a":{"mean":1,"se":0,"n":2,"failed":0,"truncated":0,"units":2}}}`)
	check(append(scores("a", 1, 1), Outcome{ID: "b", Category: "b", State: StateFailed}),
		`{"mean":null,"se":null,"n":2,"failed":1,"truncated":0,"categories":{"a":{"mean":1,"se":0,"n":2,"failed":0,"truncated":0,"units":2},`+
			`"b":{"mean":null,"se":null,"n":0,"failed":1,"truncated":0,"units":0}},"unmeasured":["b"]}`)
}

func TestAggregate(t *testing.T) {
	s := Summarize(append(scores("a", 1, 0), scores("b", 1, 1)...))
	check := func(weights map[string]float64, want float64, parts ...string) {
		t.Helper()
		got, err := s.Aggregate(weights)
		if len(parts) > 0 {
			wantError(t, err, parts...)
		} else if err != nil || math.Abs(got-want) > 1e-15 {
			t.Errorf("%v gives %v, %v, want %v", weights, got, err, want)
		}
	}
	check(nil, 0.75)
	check(map[string]float64{"a": 3}, 2.5/4)
	check(map[string]float64{"a": 0}, 1)
	check(map[string]float64{"c": 1}, 0, `unknown category "c"`)
	check(map[string]float64{"a": -1}, 0, "-1", `"a"`)
	check(map[string]float64{"a": math.NaN()}, 0, "NaN", `"a"`)
	check(map[string]float64{"a": math.Inf(1)}, 0, "Inf", `"a"`)
	check(map[string]float64{"a": 0, "b": 0}, 0, "no category")
	s = Summarize(append(scores("a", 1, 0), Outcome{ID: "b", Category: "b", State: StateTimeout}))
	check(nil, 0, `"b"`, "not measured", "1 timed out")
	check(map[string]float64{"b": 0}, 0.5)
}

func TestSummaryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		outcomes := drawOutcomes(t, "outcomes")
		s := Summarize(outcomes)
		if s.N+s.Failed+s.Timeout+s.Missing != len(outcomes) {
			t.Fatalf("%+v does not add up to %d", s.Counts, len(outcomes))
		}
		if mean, err := s.Aggregate(nil); err == nil && math.Abs(mean-s.Mean) > 1e-12 {
			t.Fatalf("Aggregate(nil) %v, Mean %v", mean, s.Mean)
		} else if err != nil && len(s.Unmeasured) == 0 && s.N > 0 {
			t.Fatal(err)
		}
		if _, err := json.Marshal(s); err != nil { // NaN would not marshal
			t.Fatal(err)
		}
	})
}

// drawOutcomes draws up to 40 outcomes of three categories in any state, some in
// clusters that may span categories.
func drawOutcomes(t *rapid.T, label string) []Outcome {
	states := []State{StateOK, StateOK, StateOK, StateTruncated, StateFailed, StateTimeout, StateMissing}
	n := rapid.IntRange(0, 40).Draw(t, label)
	out := make([]Outcome, n)
	for i := range out {
		out[i] = Outcome{
			ID:       fmt.Sprint("item-", i),
			Category: []string{"a", "b", "c"}[i%3],
			Cluster:  []string{"", "", fmt.Sprint("p", i/4), fmt.Sprint("q", i/7)}[i%4],
			State:    rapid.SampledFrom(states).Draw(t, "state"),
			Score:    rapid.SampledFrom([]float64{0, 0, 1, 1, 0.25, 0.7}).Draw(t, "score"),
		}
	}
	return out
}
