package recompute

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"soup/internal/study"
	"soup/results"
)

// staged are the figures of some kinds of studies. That of the plane has a check of
// its own, [checkLandscape].
var staged = []string{"run", "path", "landscape", "reliability"}

// checkStages wants what the page's charts and the figures of some kinds of studies
// show.
func checkStages(t *testing.T, dir string, f facts, report results.Report) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	check(t, study.WritePage(t.Context(), dir, file))
	raw, err := os.ReadFile(file)
	check(t, err)
	var is facts
	check(t, json.Unmarshal([]byte(dataIn.FindStringSubmatch(string(raw))[1]), &is))
	var got, want lines
	for _, c := range is["charts"].([]any) {
		if c.(facts)["section"] != nil {
			chartLines(&got, c.(facts))
		}
	}
	chartCurve(&want, f)
	chartPath(&want, f)
	chartMidpoints(&want, f)
	if plane, ok := f["landscape"].(facts); ok {
		chartLandscape(&want, plane)
	}
	chartReliability(&want, f)
	sameLines(t, "charts", got, want)
	got, want = drawn(report, func(name string) bool { return slices.Contains(staged, name) && name != "landscape" }), nil
	drawCurve(&want, f)
	drawPath(&want, f)
	drawReliability(&want, f)
	sameLines(t, "figures", got, want)
}

// sameLines wants the same lines, with numbers to ten digits: see near.
func sameLines(t *testing.T, what string, got, want lines) {
	t.Helper()
	for _, list := range []lines{got, want} {
		for i, line := range list {
			list[i] = decimals.ReplaceAllStringFunc(line, func(digits string) string {
				v, err := strconv.ParseFloat(digits, 64)
				check(t, err)
				return strconv.FormatFloat(v+0, 'g', 10, 64)
			})
		}
		slices.Sort(list)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s show\n%s\nrecomputed\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// eachStep visits the scores along a run: of single checkpoints and of means.
func eachStep(f facts, visit func(line string, at float64, s facts)) {
	curve, ok := f["curve"].(facts)
	if !ok {
		return
	}
	for i, x := range curve["points"].([]any) {
		for key, name := range map[string]string{"raw": "single checkpoint", "averaged": fmt.Sprintf("mean of the last %v", curve["window"])} {
			if s, ok := x.(facts)[key].(facts); ok {
				visit(name, float64(i), s)
			}
		}
	}
}

func drawCurve(want *lines, f facts) {
	eachStep(f, func(line string, at float64, s facts) {
		score, half, soft := 100*s["score"].(float64), 196*s["se"].(float64), s["soft"].(float64)
		want.add("run", line, fmt.Sprint(s["trial"]), interval("checkpoint", "score (points)"), at, score, score-half, score+half)
		want.add("run", line, fmt.Sprint(s["trial"]), interval("checkpoint", "smooth score (nats)"), at, soft, soft, soft)
	})
}

// onLine are the points of a path between two parents; nothing for other studies.
func onLine(f facts) (path facts, points []facts) {
	path, ok := f["path"].(facts)
	if !ok {
		return nil, nil
	}
	for _, x := range path["points"].([]any) {
		if p := x.(facts); p["third"] == nil {
			points = append(points, p)
		}
	}
	return path, points
}

func drawPath(want *lines, f facts) {
	path, points := onLine(f)
	names := func(key string) string {
		var list []string
		for _, name := range path[key].([]any) {
			list = append(list, name.(string))
		}
		return strings.Join(list, ", ")
	}
	for _, p := range points {
		for key, name := range map[string]string{"target": names("target"), "keep": "to keep: " + names("keep")} {
			s := p[key].(facts)
			score, half := 100*s["mean"].(float64), 196*s["se"].(float64)
			want.add("path", name, fmt.Sprint(p["trial"]), interval("weight of "+path["to"].(string), "score"), p["at"].(float64), score, score-half, score+half)
		}
	}
}

func drawReliability(want *lines, f facts) {
	eachReliability(f, func(name string, bins []any) {
		for _, y := range bins {
			b := y.(facts)
			want.add("reliability", name, "", []string{"probability", "right", "n"}, 100*b["confidence"].(float64), 100*b["accuracy"].(float64), b["n"].(float64))
		}
	})
}

// eachReliability visits the calibration of the winner, the ensemble and the best
// single checkpoint.
func eachReliability(f facts, visit func(name string, bins []any)) {
	c, ok := f["calibration"].(facts)
	if !ok {
		return
	}
	best := ""
	for _, x := range f["strategies"].([]any) {
		if s := x.(facts); s["strategy"] == "single" {
			best = s["label"].(string)
		}
	}
	for _, x := range c["rows"].([]any) {
		row := x.(facts)
		if name := row["name"].(string); name == "winner" || name == "ensemble" || name == best {
			visit(name, row["bins"].([]any))
		}
	}
}

// step is a point on a line with its 95 % interval.
func step(want *lines, chart, series string, trial any, x, y, half float64) {
	addChart(want, chart, series, fmt.Sprint(trial), x, y)
	addChart(want, chart, series, "line", x, y-half, x, y+half)
}

func chartCurve(want *lines, f facts) {
	eachStep(f, func(line string, at float64, s facts) {
		step(want, "run", line, s["trial"], at, 100*s["score"].(float64), 1.96*(100*s["se"].(float64)))
		step(want, "soft", line, s["trial"], at, s["soft"].(float64), 0)
	})
}

func chartPath(want *lines, f facts) {
	_, points := onLine(f)
	for _, p := range points {
		for key, name := range map[string]string{"target": "gained", "keep": "to keep"} {
			s := p[key].(facts)
			step(want, "path", name, p["trial"], p["at"].(float64), 100*s["mean"].(float64), 1.96*(100*s["se"].(float64)))
		}
		if p["trial"] == f["winner"].(facts)["trial"] {
			addChart(want, "path", "winner", fmt.Sprint(p["trial"]), p["at"].(float64), 100*p["target"].(facts)["mean"].(float64))
		}
	}
}

func chartMidpoints(want *lines, f facts) {
	m, ok := f["midpoints"].(facts)
	if !ok {
		return
	}
	at := func(name any) float64 { return float64(slices.Index(f["parents"].([]any), name)) }
	for _, x := range m["barriers"].([]any) {
		b := x.(facts)
		label := fmt.Sprintf("%s and %s: %s [%s, %s], n = %v", b["first"], b["second"], signed(b["delta"]), signed(b["low"]), signed(b["high"]), b["n"])
		for _, place := range [][2]any{{b["first"], b["second"]}, {b["second"], b["first"]}} {
			addChart(want, "midpoints", "barrier", label, at(place[0]), at(place[1]), math.Round(1000*b["delta"].(float64))/10)
		}
	}
}

func chartLandscape(want *lines, plane facts) {
	for i, x := range plane["points"].([]any) {
		p := x.(facts)
		addChart(want, "landscape", "loss", fmt.Sprint(p["trial"]), p["x"].(float64), p["y"].(float64), p["loss"].(float64))
		if i < 3 {
			addChart(want, "landscape", "corner", plane["corners"].([]any)[i].(string), p["x"].(float64), p["y"].(float64))
		}
	}
}

func chartReliability(want *lines, f facts) {
	eachReliability(f, func(name string, bins []any) {
		if name == "winner" {
			addChart(want, "reliability", name, "line", 0, 0, 100, 100)
		}
		for _, y := range bins {
			b := y.(facts)
			sure, right := 100*b["confidence"].(float64), 100*b["accuracy"].(float64)
			addChart(want, "reliability", name, fmt.Sprintf("%s: n = %v, as sure as %.0f %%, right in %.0f %%", name, b["n"], sure, right), sure, right)
		}
	})
}
