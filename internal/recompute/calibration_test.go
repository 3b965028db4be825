package recompute

import (
	"database/sql"
	"encoding/json"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/floats"
)

// guess is a model's probabilities of one item's labels.
type guess struct {
	p     []float64
	right int
}

func (g guess) chosen() int { return floats.MaxIdx(g.p) }

// guesses are a trial's on test, by item.
func (l *ledger) guesses(trial int) map[string]guess {
	by := map[string]guess{}
	l.each(`SELECT i.item, b."right", b.logprobs FROM labels b JOIN items i ON i.number = b.item WHERE b.trial = ? AND i.split = 'test'`, func(r *sql.Rows) {
		var item, text string
		var g guess
		check(l.t, r.Scan(&item, &g.right, &text))
		check(l.t, json.Unmarshal([]byte(text), &g.p))
		whole := floats.LogSumExp(g.p)
		for i := range g.p {
			g.p[i] = math.Exp(g.p[i] - whole)
		}
		by[item] = g
	}, trial)
	return by
}

// addCalibration measures the probabilities of labels on test.
func (l *ledger) addCalibration(f facts) {
	number := int(l.number(`SELECT trial FROM winner`))
	winner := l.guesses(number)
	if len(winner) == 0 {
		return
	}
	parents, items := map[string]map[string]guess{}, []string{}
	for _, name := range l.parents {
		parents[name] = l.guesses(l.single(name))
	}
	for item := range winner {
		items = append(items, item)
	}
	sort.Strings(items)
	var of []string
	for i, name := range l.parents {
		if slices.ContainsFunc(l.trials[number].weights, func(row []float64) bool { return row[i] != 0 }) {
			of = append(of, name)
		}
	}
	if len(of) < 2 {
		of = l.parents
	}
	ensemble := map[string]guess{}
	for _, item := range items {
		g := guess{make([]float64, len(winner[item].p)), winner[item].right}
		for _, name := range of {
			floats.AddScaled(g.p, 1/float64(len(of)), parents[name][item].p)
		}
		ensemble[item] = g
	}
	var rows []any
	for _, name := range l.parents {
		x := calibrated(name, parents[name], items)
		x["trial"] = float64(l.single(name))
		rows = append(rows, x)
	}
	x := calibrated("winner", winner, items)
	x["trial"] = float64(number)
	rows = append(rows, x, calibrated("ensemble", ensemble, items))
	f["calibration"] = facts{"n": float64(len(items)), "rows": rows, "of": anyList(of), "ensemble": l.against(ensemble, winner, number)}
}

func calibrated(name string, of map[string]guess, items []string) facts {
	n, right, squares, ece := float64(len(items)), 0.0, 0.0, 0.0
	var bins []any
	for i := range 15 {
		low, high := float64(i)/15, float64(i+1)/15
		in, sure, hit := 0.0, 0.0, 0.0
		for _, item := range items {
			g := of[item]
			if p := g.p[g.chosen()]; p > low && p <= high {
				in, sure = in+1, sure+p
				if g.chosen() == g.right {
					hit++
				}
			}
		}
		if in > 0 {
			ece += math.Abs(hit-sure) / n
			bins = append(bins, facts{"low": low, "high": high, "n": in, "confidence": sure / in, "accuracy": hit / in})
		}
		right += hit
	}
	for _, item := range items {
		target := make([]float64, len(of[item].p))
		target[of[item].right] = 1
		squares += math.Pow(floats.Distance(of[item].p, target, 2), 2)
	}
	return facts{"name": name, "accuracy": right / n, "ece": ece, "brier": squares / n, "bins": bins}
}

// against compares the choices of two models on the items of a trial.
func (l *ledger) against(a, b map[string]guess, trial int) facts {
	scores := func(of map[string]guess) (list []scored) {
		for _, r := range l.rows(trial, "test") {
			g, ok := of[r.item]
			if !ok {
				continue
			}
			if r.score = 0; g.chosen() == g.right {
				r.score = 1
			}
			list = append(list, r)
		}
		return list
	}
	x, y := scores(a), scores(b)
	boots := map[string]resampled{}
	names := categoriesOf(x)
	for _, name := range names {
		own, _ := pairs(in(x, name), in(y, name))
		boots[name] = bootstrap(name, own, draws)
	}
	all, binary := pairs(x, y)
	return judge(all, binary, mix(names, boots, func(string) float64 { return 1 })).facts()
}
