package recompute

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"soup/internal/study"
)

// TestMidpointsAreRecomputed is TestReportIsRecomputed for a study with a probe.
func TestMidpointsAreRecomputed(t *testing.T) {
	folder := t.TempDir()
	garden, err := filepath.Abs("../../examples/garden")
	check(t, err)
	text := "study: pairs\nprobe: midpoints\nstrategies: []\nobjective: {weights: {arith: 2}}\nparents:\n"
	for _, p := range []string{"arith", "hot", "order"} {
		text += "  - {name: " + p + ", path: " + garden + "/finetune/" + p + "}\n"
	}
	text += "benchmarks:\n"
	for _, c := range []string{"arith", "sort"} {
		take(t, filepath.Join(garden, "data", c+".jsonl"), filepath.Join(folder, c+".jsonl"), 13, c == "sort")
		text += "  - {name: " + c + ", file: " + c + ".jsonl}\n"
	}
	file := filepath.Join(folder, "pairs.yaml")
	check(t, os.WriteFile(file, []byte(text), 0o600))
	dir := finish(t, file)
	_, f := expect(t, dir)
	report, err := study.BuildReport(t.Context(), dir)
	check(t, err)
	m, ok := f["midpoints"].(facts)
	if !ok || len(m["barriers"].([]any)) != 3 || len(m["needless"].([]any)) == 0 {
		t.Fatalf("midpoints %v", f["midpoints"])
	}
	checkJSON(t, f, report, 500)
	checkStages(t, dir, f, report)
}

// addMidpoints looks for the trials of the parents' midpoints.
func (l *ledger) addMidpoints(f facts) {
	middle := map[string]int{}
	for _, t := range l.trials {
		if _, scored := l.score(t.of, "search").(facts); !scored || t.strategy != "midpoints" {
			continue
		}
		names := ""
		for i, w := range t.weights[0] {
			if w != 0 {
				names += l.parents[i] + " "
			}
		}
		middle[names] = t.of
	}
	if len(middle) == 0 {
		return
	}
	var barriers, needless []any
	for j, a := range l.parents {
		for _, b := range l.parents[j+1:] {
			trial := middle[a+" "+b+" "]
			x := l.onSearch(l.halfway(middle[a+" "], middle[b+" "]), l.rows(trial, "search")).facts()
			x["first"], x["second"], x["trial"] = a, b, float64(trial)
			barriers = append(barriers, x)
		}
	}
	for j, a := range l.parents {
		most, top := facts(nil), 0.0
		for k, b := range l.parents {
			names := b + " " + a + " "
			if j < k {
				names = a + " " + b + " "
			}
			if j == k || !l.coveredBy(l.rows(middle[a+" "], "search"), l.rows(middle[b+" "], "search")) {
				continue
			}
			if v := l.onSearch(l.rows(middle[b+" "], "search"), l.rows(middle[names], "search")); v.says == "better" && v.delta > top {
				most, top = v.facts(), v.delta
				most["parent"], most["over"] = a, b
			}
		}
		if most != nil {
			needless = append(needless, most)
		}
	}
	f["midpoints"] = facts{"barriers": barriers, "needless": needless}
}

// halfway is the mean of two candidates, item by item.
func (l *ledger) halfway(first, second int) []scored {
	mean := append([]scored{}, l.rows(first, "search")...)
	other := map[string]float64{}
	for _, r := range l.rows(second, "search") {
		other[r.item] = r.score
	}
	for i := range mean {
		mean[i].score = (mean[i].score + other[mean[i].item]) / 2
	}
	return mean
}

// onSearch compares rows as the objective does.
func (l *ledger) onSearch(of, against []scored) verdict {
	all, binary := pairs(of, against)
	names, boots := categoriesOf(all), map[string]resampled{}
	for _, name := range names {
		own, _ := pairs(in(of, name), in(against, name))
		boots[name] = bootstrap(name, own, draws)
	}
	return judge(all, binary, mix(names, boots, l.weight))
}

// coveredBy says whether the second is in no category below the first by more than
// a standard error, a 3.92th of the interval.
func (l *ledger) coveredBy(first, second []scored) bool {
	for _, name := range categoriesOf(first) {
		own, binary := pairs(in(second, name), in(first, name))
		v := judge(own, binary, bootstrap(name, own, draws))
		if v.delta < -(v.high-v.low)/3.92 {
			return false
		}
	}
	return true
}

// midpointFindings are said of parents with a barrier to all others, and of those
// that nothing speaks for.
func (l *ledger) midpointFindings(f facts) (list []any) {
	m, ok := f["midpoints"].(facts)
	if !ok {
		return nil
	}
	unsigned := func(x any) string { return fmt.Sprintf("%.1f", math.Round(1000*x.(float64))/10) }
	for _, name := range l.parents {
		low, high, n := math.Inf(1), math.Inf(-1), 0
		for _, x := range m["barriers"].([]any) {
			b := x.(facts)
			if (b["first"] == name || b["second"] == name) && b["verdict"] == "better" {
				n++
				low, high = math.Min(low, b["delta"].(float64)), math.Max(high, b["delta"].(float64))
			}
		}
		if n == len(l.parents)-1 {
			list = append(list, facts{
				"code": "barrier", "severity": "warn", "parent": name, "tensor": "",
				"message": "halfway to each other parent the score lies below the mean of the two, by " + unsigned(low) + " to " + unsigned(high) + " points",
				"remedy":  "leave it out: it cannot be averaged with the others",
			})
		}
	}
	for _, x := range m["needless"].([]any) {
		n := x.(facts)
		list = append(list, facts{
			"code": "adds-nothing", "severity": "note", "parent": n["parent"], "tensor": "",
			"message": fmt.Sprintf("%s is as good or better in every category, and half of this parent costs it %s points [%s, %s]", n["over"], unsigned(n["delta"]), unsigned(n["low"]), unsigned(n["high"])),
			"remedy":  "leave it out, unless it is good at what is not scored here",
		})
	}
	return list
}
