package study

import (
	"math"
	"slices"
	"strings"
	"testing"

	"soup/search"
)

// fleetOf simulates workers that score what a strategy asks, in time units of one
// candidate give or take a third, and returns the share of the time that they work,
// until it has nothing more to ask. Two candidates a worker wait or are scored, as in a
// study.
func fleetOf(t *testing.T, workers int, s search.Strategy) float64 {
	t.Helper()
	r := search.Rand(1, "idle", workers)
	free := make([]float64, workers) // when each worker is
	type flight struct {
		point search.Point
		end   float64
	}
	var flying []flight
	now, busy, last := 0.0, 0.0, 0.0
	for {
		for _, p := range s.Ask(2*workers - len(flying)) {
			first := slices.Index(free, slices.Min(free))
			took := 2.0/3 + r.Float64()*2/3
			free[first] = max(free[first], now) + took
			flying = append(flying, flight{p, free[first]})
			busy, last = busy+took, max(last, free[first])
		}
		if len(flying) == 0 {
			return busy / (float64(workers) * last)
		}
		slices.SortFunc(flying, func(a, b flight) int { return int(math.Copysign(1, a.end-b.end)) })
		now = flying[0].end
		s.Tell([]search.Trial{{Point: flying[0].point, State: search.StateComplete, Score: valley(flying[0].point.Weights[0])}})
		flying = flying[1:]
	}
}

// valley has its best at unequal weights, one of which is none.
func valley(weights []float64) (score float64) {
	for i, w := range weights {
		score -= (w - float64(i)/6) * (w - float64(i)/6)
	}
	return score
}

// Strategies that do not adapt keep all workers busy but for the end; those that learn
// do with twice as many points at a time as there are workers, mostly.
func TestWorkersAreBusy(t *testing.T) {
	space := search.Space{Parents: []string{"a", "b", "c", "d"}, Groups: []string{"all"}}
	for _, c := range []struct {
		name    string
		options map[string]any
		least   float64
	}{
		{"random", map[string]any{"budget": 400}, 0.97},
		{"sobol", map[string]any{"budget": 400}, 0.97},
		{"grid", map[string]any{"step": 0.1}, 0.97},
		{"cmaes", map[string]any{"budget": 400}, 0.60},
		{"cmaes", map[string]any{"budget": 400, "population": 8}, 0.65},
		{"cmaes", map[string]any{"budget": 400, "population": 16}, 0.75},
		{"cmaes", map[string]any{"budget": 400, "population": 32}, 0.85},
		{"gp", map[string]any{"budget": 48, "batch": 8}, 0.60},
		{"gp", map[string]any{"budget": 48, "batch": 16}, 0.70},
	} {
		s, err := search.New(c.name, c.options, space, 1)
		if err != nil {
			t.Fatal(err)
		}
		share := fleetOf(t, 8, s)
		t.Logf("8 workers, %s %v: %.0f %% busy", c.name, c.options, 100*share)
		if share < c.least {
			t.Errorf("%s %v: workers work %.0f %% of the time, less than %.0f %%", c.name, c.options, 100*share, 100*c.least)
		}
	}
}

// Who runs the study is told once that workers waited for a strategy that could have
// asked more at a time, and only if they did.
func TestIdleWorkersAreNoted(t *testing.T) {
	space := search.Space{Parents: []string{"a", "b", "c", "d"}, Groups: []string{"all"}}
	for name, want := range map[string]string{
		"random": "",
		"cmaes":  "soup: 3 of 8 workers waited for the outcomes of cmaes; with population: 16 it would ask more at a time\n",
	} {
		options := map[string]any{"budget": 15}
		if name == "cmaes" {
			options["population"] = 5
		}
		strategy, err := search.New(name, options, space, 1)
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		s := &session{config: &Config{}, info: &said}
		s.fleet = &crew{session: s}
		s.fleet.workers.Store(8)
		p := &paced{Strategy: strategy, session: s}
		for points := p.Ask(100); len(points) > 0; points = p.Ask(100) {
			for _, point := range points {
				p.Tell([]search.Trial{{Point: point, State: search.StateComplete, Score: valley(point.Weights[0])}})
			}
		}
		if said.String() != want {
			t.Errorf("%s: %q, want %q", name, said.String(), want)
		}
	}
}
