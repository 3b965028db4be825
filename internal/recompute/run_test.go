package recompute

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"soup/internal/study"
)

// TestRunIsRecomputed is TestReportIsRecomputed for a study of one training run.
func TestRunIsRecomputed(t *testing.T) {
	folder := t.TempDir()
	garden, err := filepath.Abs("../../examples/garden")
	check(t, err)
	text := "study: run\nrun: " + garden + "/run/step-11*\nbenchmarks:\n"
	for _, c := range []string{"arith", "sort", "choice"} {
		take(t, filepath.Join(garden, "data", c+".jsonl"), filepath.Join(folder, c+".jsonl"), 13, c == "sort")
		text += "  - {name: " + c + ", file: " + c + ".jsonl}\n"
	}
	file := filepath.Join(folder, "run.yaml")
	check(t, os.WriteFile(file, []byte(text+"strategies: [{window: {methods: uniform, curve: 3}}, plane]\n"), 0o600))
	dir := finish(t, file)
	_, f := expect(t, dir)
	report, err := study.BuildReport(t.Context(), dir)
	check(t, err)
	if curve, ok := f["curve"].(facts); !ok || len(curve["points"].([]any)) != 4 || curve["window"] != 3.0 {
		t.Fatalf("no curve: %v", f["curve"])
	}
	checkJSON(t, f, report, 500)
	if plane, ok := f["landscape"].(facts); !ok || len(plane["points"].([]any)) != 16 || len(plane["categories"].([]any)) != 3 {
		t.Fatalf("no landscape: %v", f["landscape"])
	}
	checkStages(t, dir, f, report)
	checkLandscape(t, f["landscape"].(facts), report)
}

// addCurve looks for plain means of checkpoints in a row, whose window is the one
// that has been tried at the most steps.
func (l *ledger) addCurve(f facts) {
	if !strings.Contains(l.text(`SELECT config FROM study`), "\nrun:") {
		return
	}
	window := l.window()
	var list []any
	var raw, averaged []facts
	for i, name := range l.parents {
		p := facts{"checkpoint": name, "of": 0.0, "raw": l.mark(i, 1)}
		if n := min(window, i+1); n > 1 {
			if m := l.mark(i, n); m != nil {
				p["averaged"], p["of"] = m, float64(n)
				raw, averaged = append(raw, p["raw"].(facts)), append(averaged, m.(facts))
			}
		}
		list = append(list, p)
	}
	c := facts{"window": float64(window), "points": list, "raw": changes(raw), "averaged": changes(averaged)}
	target := list[len(list)-1].(facts)["raw"].(facts)["score"].(float64)
	at := slices.IndexFunc(list, func(x any) bool {
		m, ok := x.(facts)["averaged"].(facts)
		return ok && m["score"].(float64) >= target
	})
	if at >= 0 {
		c["earlier"] = float64(len(list) - 1 - at)
	}
	f["curve"] = c
}

// plainMean is the trial that averages n checkpoints up to the one at place last.
func (l *ledger) plainMean(last, n int) (trial int, ok bool) {
	for _, t := range l.trials {
		if _, scored := l.score(t.of, "search").(facts); !scored {
			continue
		}
		alike := true
		for i, w := range t.weights[0] {
			want := 0.0
			if i <= last && i > last-n {
				want = 1 / float64(n)
			}
			alike = alike && math.Abs(w-want) < 1e-9
		}
		if alike {
			return t.of, true
		}
	}
	return 0, false
}

func (l *ledger) window() (window int) {
	most := 0
	for k := 2; k <= len(l.parents); k++ {
		steps := 0
		for i := 1; i < len(l.parents); i++ {
			if _, ok := l.plainMean(i, min(k, i+1)); ok {
				steps++
			}
		}
		if steps > most {
			window, most = k, steps
		}
	}
	return window
}

// mark is a mean's score on search with its mean smooth score, nil if nobody tried it.
func (l *ledger) mark(last, n int) any {
	trial, ok := l.plainMean(last, n)
	if !ok {
		return nil
	}
	s := l.score(trial, "search").(facts)
	return facts{"trial": float64(trial), "score": s["mean"], "se": s["se"], "soft": l.number(`SELECT avg(soft) FROM
		(SELECT avg(o.soft) soft FROM outcomes o JOIN items i ON i.number = o.item WHERE o.trial = ? AND i.split = 'search' GROUP BY i.category)`, trial)}
}

func changes(list []facts) any {
	of := func(name string) float64 {
		var d []float64
		for i := 1; i < len(list); i++ {
			d = append(d, list[i][name].(float64)-list[i-1][name].(float64))
		}
		return stat.StdDev(d, nil)
	}
	return facts{"steps": float64(len(list) - 1), "score": of("score"), "soft": of("soft")}
}
