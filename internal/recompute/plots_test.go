package recompute

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"soup/results"
	"soup/results/plots"
)

// dot is a trial with a search score, in points: parents and soups, not the base.
type dot struct {
	trial
	score, se float64
	shares    [][]float64 // weights over their sum, a row a group
	mean      []float64   // of the groups
	test      any
}

func scorePoints(x any) (score, se float64, ok bool) {
	s, ok := x.(facts)
	if !ok {
		return 0, 0, false
	}
	if s["se"] != nil {
		se = 100 * s["se"].(float64)
	}
	return 100 * s["mean"].(float64), se, true
}

func (l *ledger) dots() []dot {
	if l.drawn == nil {
		l.drawn = l.findDots()
	}
	return l.drawn
}

func (l *ledger) findDots() (list []dot) {
	for _, t := range l.trials {
		d := dot{trial: t, test: l.scores(t)["test"], mean: make([]float64, len(l.parents))}
		var ok bool
		if d.score, d.se, ok = scorePoints(l.scores(t)["search"]); !ok || t.state != "complete" || t.strategy == "base" {
			continue
		}
		for _, row := range t.weights {
			sum := inOrder(row)
			var shares []float64
			for i, w := range row {
				shares = append(shares, w/sum)
				d.mean[i] += w / sum / float64(len(t.weights))
			}
			d.shares = append(d.shares, shares)
		}
		list = append(list, d)
	}
	return list
}

// lines are what is drawn: figure, series, label, and each number with its name.
type lines []string

func (d *lines) add(figure, series, label string, columns []string, values ...float64) {
	var text []string
	for i, v := range values {
		text = append(text, columns[i]+"="+strconv.FormatFloat(v, 'g', -1, 64))
	}
	*d = append(*d, strings.Join([]string{figure, series, label, strings.Join(text, " ")}, " | "))
}

func interval(x, y string) []string { return []string{x, y, "low", "high"} }

// checkPlots wants the numbers that figures are drawn from.
func checkPlots(t *testing.T, l *ledger, f facts, report results.Report) {
	t.Helper()
	got := drawn(report, func(name string) bool { return !slices.Contains(staged, name) })
	var want lines
	for _, draw := range []func(*lines, facts){l.drawProgress, l.drawGains, l.drawMixes, l.drawLines, l.drawCurse, l.drawCorrelation, l.drawCost} {
		draw(&want, f)
	}
	compareLines(t, got, want)
}

// drawn are the numbers of those figures that are wanted.
func drawn(report results.Report, wanted func(name string) bool) (list lines) {
	figures, _ := plots.Draw(report)
	for _, g := range figures {
		for _, s := range g.Data {
			for _, r := range s.Rows {
				if wanted(g.Name) {
					list.add(g.Name, s.Name, r.Label, s.Columns, r.Values...)
				}
			}
		}
	}
	return list
}

// compareLines wants the same rows on both sides.
func compareLines(t *testing.T, got, want lines) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	for _, x := range got {
		if !slices.Contains(want, x) {
			t.Errorf("drawn, not recomputed: %s", x)
		}
	}
	for _, x := range want {
		if !slices.Contains(got, x) {
			t.Errorf("recomputed, not drawn: %s", x)
		}
	}
	if len(got) != len(want) || len(got) < 80 {
		t.Errorf("%d rows drawn, %d recomputed", len(got), len(want))
	}
}

func titled(strategy string) string {
	if strategy == "single" {
		return "single checkpoints"
	}
	return strategy
}

func (l *ledger) drawProgress(d *lines, _ facts) {
	const figure, x = "best-so-far", "items answered"
	answered, top := 0.0, math.Inf(-1)
	items := map[int]float64{}
	for _, t := range l.trials {
		if t.state == "cached" {
			continue
		}
		answered += l.counts(t.number, "search", "")["n"].(float64)
		items[t.number] = answered
		score, _, ok := scorePoints(l.scores(t)["search"])
		if !ok {
			d.add(figure, t.state, fmt.Sprint(t.number), []string{x}, answered)
			continue
		}
		d.add(figure, titled(t.strategy), fmt.Sprint(t.number), []string{x, "search"}, answered, score)
		if t.strategy != "base" && score > top {
			top = score
			d.add(figure, "best so far", "", []string{x, "search"}, answered, top)
		}
	}
	d.add(figure, "best so far", "", []string{x, "search"}, answered, top)
	for _, t := range l.trials {
		s, ok := l.scores(t)["selection"].(facts)
		if !ok || t.state == "cached" {
			continue
		}
		answered += s["n"].(float64)
		score, se, _ := scorePoints(s)
		d.add(figure, "on selection", fmt.Sprint(t.number), interval(x, "selection"), answered, score, score-1.96*se, score+1.96*se)
	}
}

func (l *ledger) drawGains(d *lines, f facts) {
	add := func(panel, label string, c facts) {
		d.add("categories", panel, label, []string{"difference", "low", "high", "n"}, 100*c["delta"].(float64), 100*c["low"].(float64), 100*c["high"].(float64), c["n"].(float64))
	}
	single, _ := l.best("single")
	for _, x := range f["comparisons"].([]any) {
		c := x.(facts)
		if c["against"] != "best-single" {
			continue
		}
		panel := "winner less best single checkpoint, " + l.trials[single].label
		for _, y := range c["categories"].([]any) {
			add(panel, y.(facts)["category"].(string), y.(facts))
		}
		add(panel, "all categories", c)
	}
	for _, x := range f["inheritance"].(facts)["specialists"].([]any) {
		s := x.(facts)
		add("winner less each category's best parent (by search)", s["category"].(string)+": "+s["parent"].(string), s)
	}
}

func (l *ledger) drawMixes(d *lines, f facts) {
	switch len(l.parents) {
	case 1:
	case 2:
		for _, c := range l.dots() {
			d.add("weights", "candidate", fmt.Sprint(c.number), interval("weight of "+l.parents[1], "search"), c.mean[1], c.score, c.score-1.96*c.se, c.score+1.96*c.se)
		}
	default:
		for _, c := range l.dots() {
			d.add("weights", "candidate", fmt.Sprint(c.number), append(slices.Clone(l.parents), "search"), append(c.mean, c.score)...)
		}
	}
	w := l.trials[int(f["winner"].(facts)["trial"].(float64))]
	for g, name := range w.groups {
		d.add("groups", "group", name, l.parents, w.weights[g]...)
	}
}

// drawLines has what lies between two parents, with equal weights in all groups.
func (l *ledger) drawLines(d *lines, _ facts) {
	const most = 12
	type pair struct {
		i, j, inner int
		on          []dot
		rise        float64
	}
	var found []pair
	for i := range l.parents {
		for j := i + 1; j < len(l.parents); j++ {
			p := pair{i: i, j: j}
			top, ends := math.Inf(-1), math.Inf(-1)
			for _, c := range l.dots() {
				off := false
				for _, row := range c.shares {
					for k, w := range row {
						off = off || w != c.shares[0][k] || w != 0 && k != i && k != j
					}
				}
				if off {
					continue
				}
				p.on = append(p.on, c)
				if c.shares[0][j] > 0 && c.shares[0][j] < 1 {
					p.inner++
					top = max(top, c.score)
				} else {
					ends = max(ends, c.score)
				}
			}
			p.rise = top - ends
			if len(p.on) >= 3 && p.inner > 0 {
				found = append(found, p)
			}
		}
	}
	sort.SliceStable(found, func(a, b int) bool {
		x, y := found[a], found[b]
		return len(x.on) > len(y.on) || len(x.on) == len(y.on) && x.rise > y.rise
	})
	if len(l.parents) == 2 {
		return // the figure of weights shows it
	}
	for _, p := range found[:min(most, len(found))] {
		for _, c := range p.on {
			d.add("interpolation", l.parents[p.i]+" to "+l.parents[p.j], fmt.Sprint(c.number), interval("weight of "+l.parents[p.j], "search"),
				c.shares[0][p.j], c.score, c.score-1.96*c.se, c.score+1.96*c.se)
		}
	}
}

func (l *ledger) drawCurse(d *lines, _ facts) {
	const figure = "search-test"
	var both []dot
	var scores, noise []float64
	all := l.dots()
	known := len(all) > 2
	for _, c := range all {
		scores, noise, known = append(scores, c.score), append(noise, c.se*c.se/float64(len(all))), known && c.se > 0
		if c.test != nil {
			both = append(both, c)
		}
	}
	if len(both) < 3 {
		return
	}
	sort.SliceStable(both, func(i, j int) bool { return both[i].score < both[j].score })
	fall := 0.0
	for _, c := range both {
		test, testSE, _ := scorePoints(c.test)
		less, se, name := test-c.score, math.Hypot(c.se, testSE), fmt.Sprint(c.number)
		fall += (c.score - test) / float64(len(both))
		d.add(figure, "search", name, interval("search", "test"), c.score, test, c.score-1.96*c.se, c.score+1.96*c.se)
		d.add(figure, "test", name, interval("search", "test"), c.score, test, test-1.96*testSE, test+1.96*testSE)
		d.add(figure, "test less search", name, interval("search", "test less search"), c.score, less, less-1.96*se, less+1.96*se)
	}
	low, high := both[0].score, both[len(both)-1].score
	test, _, _ := scorePoints(both[len(both)-1].test)
	d.add(figure, "search less test", "best on search", []string{"points"}, high-test)
	d.add(figure, "search less test", "mean", []string{"points"}, fall)
	columns := []string{"search", "test"}
	d.add(figure, "test = search", "", columns, low, low)
	d.add(figure, "test = search", "", columns, high, high)
	if !known {
		return
	}
	mean, spread := stat.MeanVariance(scores, nil)
	keep := max(spread-inOrder(noise), 0) / spread
	label := fmt.Sprintf("search scores shrunk by their noise (keep %.0f %%, n = %d candidates)", 100*keep, len(all))
	d.add(figure, label, "", columns, low, mean+keep*(low-mean))
	d.add(figure, label, "", columns, high, mean+keep*(high-mean))
}

// correlation is gonum's, of two categories' search scores over the candidates.
func (l *ledger) correlation(a, b string) float64 {
	if a == b {
		return 1
	}
	var x, y []float64
	for _, c := range l.dots() {
		rows := l.rows(c.of, "search")
		if len(in(rows, a)) > 0 && len(in(rows, b)) > 0 {
			x, y = append(x, meanOf(in(rows, a))), append(y, meanOf(in(rows, b)))
		}
	}
	return stat.Correlation(x, y, nil)
}

func (l *ledger) drawCorrelation(d *lines, _ facts) {
	names := categoriesOf(l.rows(0, "search"))
	for _, a := range names {
		var row []float64
		for _, b := range names {
			row = append(row, l.correlation(a, b))
		}
		d.add("correlation", "category", a, names, row...)
	}
}

// spent is merging, swapping, until the first answer, evaluating.
type spent [4]float64

func (s *spent) plus(t spent) {
	for i := range s {
		s[i] += t[i]
	}
}

func (s spent) total() float64 { return s[0] + s[1] + s[3] }

// costs are by strategy, and of finalists after the search.
func (l *ledger) costs(f facts) (by map[string]spent, later spent) {
	by = map[string]spent{}
	var search spent
	for _, t := range l.trials {
		own := spent{t.merge, t.swap, t.first, t.eval}
		search.plus(own)
		sum := by[t.strategy]
		sum.plus(own)
		by[t.strategy] = sum
	}
	for i, name := range []string{"merge", "swap", "first_token", "eval"} {
		later[i] = f["cost"].(facts)[name].(float64) - search[i]
	}
	return by, later
}

func (l *ledger) drawCost(d *lines, f facts) {
	by, later := l.costs(f)
	var all spent
	for _, t := range l.trials {
		all.plus(spent{t.merge, t.swap, t.first, t.eval})
	}
	all.plus(later)
	unit, size := "seconds", 1.0
	switch {
	case all.total() >= 3*3600:
		unit, size = "hours", 3600
	case all.total() >= 3*60:
		unit, size = "minutes", 60
	}
	add := func(name string, s spent) {
		d.add("cost", unit, name, []string{"merging", "swapping", "until the first answer", "answering"}, s[0]/size, s[1]/size, s[2]/size, max(s[3]-s[2], 0)/size)
	}
	for strategy, s := range by {
		if s.total() > 0 {
			add(titled(strategy), s)
		}
	}
	add("selection and test", later)
	add("all", all)
}
