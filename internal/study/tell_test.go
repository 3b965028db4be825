package study

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"soup/eval"
	"soup/search"
)

// Strategies are told the items that were scored, with their smooth scores.
func TestStrategiesAreToldItems(t *testing.T) {
	soft := -0.5
	got := items([]eval.Outcome{
		{ID: "a", Category: "x", Cluster: "c", State: eval.StateOK, Score: 1, Soft: &soft},
		{ID: "b", Category: "x", State: eval.StateFailed},
		{ID: "d", Category: "y", State: eval.StateTruncated, Score: 0.25},
	})
	want := []search.Item{
		{ID: "a", Category: "x", Cluster: "c", Score: 1, Soft: -0.5},
		{ID: "d", Category: "y", Score: 0.25, Soft: math.NaN()},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Strategies know what every category counts, also those that the study file
// does not name.
func TestStrategiesKnowTheObjective(t *testing.T) {
	set := eval.Search{{Category: "x"}, {Category: "y"}, {Category: "z"}, {Category: "y"}}
	got := aggregate(set, map[string]float64{"y": 2, "z": 0})
	if diff := cmp.Diff(map[string]float64{"x": 1, "y": 2, "z": 0}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every strategy asks the same points in a study that was stopped by its budget
// three times as in one that was not.
func TestStoppedStudyAsksTheSamePoints(t *testing.T) {
	const strategies = "strategies: [{coordinate: {budget: 7}}, {hillclimb: {budget: 5, steps: 2}}, {layerwise: {budget: 8, start: 4}}," +
		" {cmaes: {budget: 8, population: 4}}, {sobol: {budget: 2}}, {gp: {budget: 8, batch: 2}}, {itemwise: {budget: 8}}, {auto: {budget: 8}}, {tpe: {budget: 5, startup: 3}}]\n"
	unbroken := smallStudy(t, strategies+"groups: {layers: 2}\n")
	calmly(t, unbroken)
	want := read(t, DefaultDir(unbroken))
	for _, spec := range []string{"coordinate", "hillclimb", "layerwise", "cmaes", "sobol", "gp", "itemwise", "auto", "tpe"} {
		if _, tried, _ := bestProposal(want.Trials, spec, func(int) (float64, bool) { return 0, true }); tried == 0 {
			t.Errorf("%s asks nothing", spec)
		}
	}
	stopped := smallStudy(t, strategies+"groups: {layers: 2}\nbudget: {trials: 9}\n")
	for _, budget := range []int{9, 16, 25, 1000} {
		setBudget(t, stopped, budget)
		calmly(t, stopped)
	}
	got := read(t, DefaultDir(stopped))
	if diff := cmp.Diff(want.Trials, got.Trials); diff != "" {
		t.Errorf("(-unbroken +stopped):\n%s", diff)
	}
}

// setBudget writes another budget into a study file.
func setBudget(t *testing.T, file string, trials int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "budget: {trials")
	changed := before + fmt.Sprintf("budget: {trials: %d}\n", trials)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A soup that a strategy recommends is scored on selection even if the best on
// search are others.
func TestRecommendedSoupIsAFinalist(t *testing.T) {
	file := smallStudy(t, "strategies: [{random: {budget: 12}}, {gp: {budget: 10}}]\nfinalists: 1\n")
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), c, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.search(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.advised) != 1 {
		t.Fatalf("gp recommends trials %v; want one", s.advised)
	}
	for _, advised := range []int{s.advised[0], s.complete()[len(s.complete())-1].trial} {
		s.advised = []int{advised}
		if !slices.ContainsFunc(s.finalists(), func(f finalist) bool { return f.trial == advised }) {
			t.Errorf("trial %d is recommended and no finalist", advised)
		}
	}
}
