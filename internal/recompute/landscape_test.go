package recompute

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"soup/results"
	"soup/results/plots"
)

// spot is a trial in a plane with its weights of the corners.
type spot struct {
	trial  int
	shares []float64
}

// addLandscape takes the plane that was noted last, or of all that ten trials lie in,
// one of them inside, the one with the most.
func (l *ledger) addLandscape(f facts) {
	var noted struct {
		Parents   []string
		Distances []float64
	}
	l.each(`SELECT detail FROM events WHERE kind = 'plane' ORDER BY number`, func(r *sql.Rows) {
		var text string
		check(l.t, r.Scan(&text))
		check(l.t, json.Unmarshal([]byte(text), &noted))
	})
	var most []spot
	if noted.Parents != nil {
		most = l.spots(noted.Parents)
	} else {
		for _, t := range l.trials {
			var names []string
			for i, p := range l.parents {
				if t.weights[0][i] != 0 {
					names = append(names, p)
				}
			}
			if len(names) != 3 {
				continue
			}
			if list := l.spots(names); len(list) > len(most) {
				most, noted.Parents = list, names
			}
		}
	}
	if most == nil {
		return
	}
	categories := l.likely(most)
	total := 0.0
	for _, c := range categories {
		total += l.weight(c)
	}
	var list []any
	for _, s := range most {
		x, y := placed(noted.Distances, s.shares)
		scores := l.scores(l.trials[s.trial])
		p := facts{"trial": float64(s.trial), "weights": numbers(s.shares), "x": x, "y": y, "search": 1 - scores["search"].(facts)["mean"].(float64)}
		if test, ok := scores["test"].(facts); ok {
			p["test"] = 1 - test["mean"].(float64)
		}
		loss := 0.0
		for _, c := range categories {
			loss += l.weight(c) / total * l.surprise(s.trial, c)
		}
		if len(categories) > 0 {
			p["loss"] = loss
		}
		list = append(list, p)
	}
	plane := facts{"corners": anyList(noted.Parents), "ordered": strings.Contains(l.text(`SELECT config FROM study`), "\nrun:"), "categories": anyList(categories), "points": list}
	if noted.Distances != nil {
		plane["distances"] = numbers(noted.Distances)
	}
	f["landscape"] = plane
}

func numbers(x []float64) (list []any) {
	for _, v := range x {
		list = append(list, v)
	}
	return list
}

// spots are the trials in a plane, the corners first; nil if they are too few.
func (l *ledger) spots(corners []string) []spot {
	first, rest := make([]spot, 3), []spot{}
	seen, corner, inside := map[int]bool{}, 0, false
	for _, t := range l.trials {
		if _, ok := l.scores(t)["search"].(facts); !ok || seen[t.of] || t.strategy == "base" {
			continue
		}
		s, off := spot{trial: t.of}, false
		for _, row := range t.weights {
			off = off || !slices.Equal(row, t.weights[0])
		}
		for i, p := range l.parents {
			off = off || t.weights[0][i] != 0 && !slices.Contains(corners, p)
		}
		for _, c := range corners {
			s.shares = append(s.shares, t.weights[0][slices.Index(l.parents, c)]/inOrder(t.weights[0]))
		}
		if off {
			continue
		}
		seen[t.of] = true
		if at := slices.Index(s.shares, 1); at >= 0 {
			first[at] = s
			corner++
			continue
		}
		inside = inside || !slices.Contains(s.shares, 0)
		rest = append(rest, s)
	}
	if all := slices.Concat(first, rest); corner == 3 && inside && len(all) >= 10 {
		return all
	}
	return nil
}

// placed goes from the first corner to the second, and turns left to the third.
func placed(distances, shares []float64) (x, y float64) {
	if distances == nil {
		distances = []float64{1, 1, 1}
	}
	a, b, c := distances[0], distances[1], distances[2]
	angle := math.Acos((a*a + b*b - c*c) / (2 * a * b))
	return shares[1]*a + shares[2]*b*math.Cos(angle), shares[2] * b * math.Sin(angle)
}

// likely are the categories that count whose smooth scores are likelihoods: of labels,
// or never above 0.
func (l *ledger) likely(on []spot) (list []string) {
	for _, c := range categoriesOf(l.rows(on[0].trial, "search")) {
		wrong := 0.0
		for _, s := range on {
			wrong += l.number(`SELECT count(*) FROM outcomes o JOIN items i ON i.number = o.item WHERE o.trial = ? AND i.split = 'search' AND i.category = ? AND o.score IS NOT NULL
				AND NOT EXISTS (SELECT 1 FROM labels b WHERE b.trial = o.trial AND b.item = o.item) AND coalesce(o.soft, 1) > 0`, s.trial, c)
		}
		if wrong == 0 && l.weight(c) > 0 {
			list = append(list, c)
		}
	}
	return list
}

// surprise is the negative mean log-likelihood of a category's reference answers: of
// labels, among all labels.
func (l *ledger) surprise(trial int, category string) float64 {
	sum, n := 0.0, 0.0
	l.each(`SELECT coalesce(o.soft, 0), coalesce(b.logprobs, ''), coalesce(b."right", 0) FROM outcomes o JOIN items i ON i.number = o.item
		LEFT JOIN labels b ON b.trial = o.trial AND b.item = o.item WHERE o.trial = ? AND i.split = 'search' AND i.category = ? AND o.score IS NOT NULL`, func(r *sql.Rows) {
		var soft float64
		var text string
		var right int
		check(l.t, r.Scan(&soft, &text, &right))
		if text != "" {
			var logprobs []float64
			check(l.t, json.Unmarshal([]byte(text), &logprobs))
			all := 0.0
			for _, x := range logprobs {
				all += math.Exp(x)
			}
			soft = logprobs[right] - math.Log(all)
		}
		sum, n = sum-soft, n+1
	}, trial, category)
	return sum / n
}

// checkLandscape wants the numbers that the picture is drawn from.
func checkLandscape(t *testing.T, plane facts, report results.Report) {
	t.Helper()
	figures, _ := plots.Draw(report)
	at := slices.IndexFunc(figures, func(f *plots.Figure) bool { return f.Name == "landscape" })
	if at < 0 {
		t.Fatal("no picture of the landscape")
	}
	rows := 0
	for k, name := range []string{"loss", "test"} {
		series := figures[at].Data[k]
		for i, r := range series.Rows {
			p := plane["points"].([]any)[i].(facts)
			value := p[name].(float64)
			if name == "test" {
				value *= 100
			}
			for j, want := range []float64{p["x"].(float64), p["y"].(float64), value} {
				if math.Abs(r.Values[j]-want) > nearness*max(1, math.Abs(want)) || r.Label != fmt.Sprint(p["trial"]) {
					t.Errorf("%s: trial %s: %s is %v, want %v", series.Name, r.Label, series.Columns[j], r.Values[j], want)
				}
			}
			rows++
		}
	}
	if rows != 32 {
		t.Errorf("%d points drawn", rows)
	}
}
