package recompute

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"testing"

	"soup/internal/study"
)

// TestPathIsRecomputed is TestReportIsRecomputed for studies of two and of three
// parents one of which is to be kept up with, with items that have labels.
func TestPathIsRecomputed(t *testing.T) {
	garden, err := filepath.Abs("../../examples/garden")
	check(t, err)
	for _, c := range []struct {
		name, more    string
		items, points int
	}{
		{"line", "", 40, 3},
		{"triangle", "  - {name: base, path: " + garden + "/base}\n", 30, 7}, // six and the mean
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "study: path\nparents:\n  - {name: sft, path: " + garden + "/posttrain/sft}\n  - {name: rl, path: " + garden + "/posttrain/rl-arith}\n" + c.more + "benchmarks:\n"
			checkPath(t, garden, text, c.items, c.points)
		})
	}
}

func checkPath(t *testing.T, garden, text string, items, points int) {
	t.Helper()
	folder := t.TempDir()
	for _, c := range []string{"arith", "sort", "call", "choice"} {
		take(t, filepath.Join(garden, "data", c+".jsonl"), filepath.Join(folder, c+".jsonl"), items, false)
		text += "  - {name: " + c + ", file: " + c + ".jsonl}\n"
	}
	file := filepath.Join(folder, "path.yaml")
	check(t, os.WriteFile(file, []byte(text+`objective: {weights: {arith: 2, sort: 0, call: 0, choice: 0}, keep: [{category: sort, of: sft, margin: 0.2}, {category: call, of: sft, margin: 0.2}]}
strategies: [{path: {step: 0.5, finest: 0.5}}]
`), 0o600))
	dir := finish(t, file)
	_, f := expect(t, dir)
	report, err := study.BuildReport(t.Context(), dir)
	check(t, err)
	if p, ok := f["path"].(facts); !ok || len(p["points"].([]any)) != points || p["share"] == nil {
		t.Fatalf("no path: %v", f["path"])
	}
	if c, ok := f["calibration"].(facts); !ok || c["n"] != float64(items) {
		t.Errorf("no calibration of labels: %v", f["calibration"])
	}
	checkJSON(t, f, report, 400)
	checkStages(t, dir, f, report)
}

// addPath is for two or three parents of which the constraints name one.
func (l *ledger) addPath(f facts) {
	if len(l.parents) > 3 || len(l.keep) == 0 || slices.ContainsFunc(l.keep, func(k kept) bool { return k.Parent == "" || k.Parent != l.keep[0].Parent }) {
		return
	}
	from := slices.Index(l.parents, l.keep[0].Parent)
	near, far, third, best := l.parents[from], "", "", math.Inf(-1)
	weight := map[string]float64{}
	var target, keep []string
	for _, k := range l.keep {
		keep = append(keep, k.Category)
	}
	for _, name := range categoriesOf(l.rows(l.single(near), "search")) {
		if weight[name] = l.weight(name); slices.Contains(keep, name) {
			weight[name] = 0
		} else if weight[name] > 0 {
			target = append(target, name)
		}
	}
	for _, name := range l.parents {
		if score := l.score(l.single(name), "search").(facts)["categories"].(facts); name != near {
			if mean := over(score, target, weight)["mean"].(float64); mean > best {
				far, third, best = name, far, mean
			} else {
				third = name
			}
		}
	}
	by := map[int]trial{}
	for _, t := range l.trials {
		if _, ok := l.score(t.of, "search").(facts); ok && t.strategy != "base" && (t.state == "complete" || t.state == "cached") {
			if _, known := by[t.of]; !known {
				by[t.of] = t
			}
		}
	}
	var order []int
	for number := range by {
		order = append(order, number)
	}
	share := func(number int, of string) float64 {
		if of == "" {
			return 0
		}
		return by[number].weights[0][slices.Index(l.parents, of)]
	}
	at := func(number int) float64 { return share(number, far) }
	sort.Slice(order, func(i, j int) bool {
		a, b := order[i], order[j]
		return slices.Compare([]float64{at(a), share(a, third), float64(a)}, []float64{at(b), share(b, third), float64(b)}) < 0
	})
	var list []any
	for _, number := range order {
		score := l.score(number, "search").(facts)["categories"].(facts)
		x := facts{"at": at(number), "trial": float64(number), "target": over(score, target, weight), "keep": over(score, keep, nil)}
		if third != "" && share(number, third) != 0 {
			x["third"] = share(number, third)
		}
		list = append(list, x)
	}
	of := func(name string) float64 { return weight[name] }
	gain, _ := l.compared(l.single(far), l.single(near), "test", of)
	p := facts{"from": near, "to": far, "target": anyList(target), "keep": anyList(keep), "points": list, "gain": gain.facts()}
	if third != "" {
		p["third"] = third
	}
	if gain.says == "better" {
		p["share"] = l.share(int(l.number(`SELECT trial FROM winner`)), l.single(near), l.single(far), target, of)
	}
	f["path"] = p
}

func over(scores facts, names []string, weight map[string]float64) facts {
	sum, total, squares := 0.0, 0.0, 0.0
	for _, name := range names {
		w := 1.0
		if weight != nil {
			w = weight[name]
		}
		c := scores[name].(facts)
		se := c["se"].(float64)
		sum, total, squares = sum+w*c["mean"].(float64), total+w, squares+w*w*se*se
	}
	return facts{"mean": sum / total, "se": math.Sqrt(squares) / total}
}

// share is the ratio of two mean differences and its percentiles, from the same
// draws of items.
func (l *ledger) share(winner, near, far int, target []string, weight func(string) float64) facts {
	boot := func(trial int) resampled {
		boots := map[string]resampled{}
		for _, name := range target {
			own, _ := pairs(in(l.rows(trial, "test"), name), in(l.rows(near, "test"), name))
			boots[name] = bootstrap(name, own, draws)
		}
		return mix(target, boots, weight)
	}
	part, all := boot(winner), boot(far)
	ratios := make([]float64, draws)
	for i := range ratios {
		ratios[i] = part.at[i] / all.at[i]
	}
	sort.Float64s(ratios)
	return facts{"delta": part.mean / all.mean, "low": ratios[249], "high": ratios[draws-250]}
}
