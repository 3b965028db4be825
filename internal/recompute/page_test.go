package recompute

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"soup/internal/study"
)

// checkPage wants what the HTML report shows: the data in it, from which its script
// builds tables and charts, and the tables that are in it as text.
func checkPage(t *testing.T, l *ledger, f facts, dir string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	check(t, study.WritePage(t.Context(), dir, file))
	raw, err := os.ReadFile(file)
	check(t, err)
	page := string(raw)
	data := dataIn.FindStringSubmatch(page)
	if data == nil {
		t.Fatal("no data in the page")
	}
	var is facts
	check(t, json.Unmarshal([]byte(data[1]), &is))
	charts := is["charts"]
	delete(is, "charts")
	order := l.order(is["items"])
	compareLeaves(t, "page: ", is, l.page(f, order), 500)
	var got lines
	for _, c := range charts.([]any) {
		if c.(facts)["section"] == nil { // else see checkStages
			chartLines(&got, c.(facts))
		}
	}
	compareLines(t, got, l.charts(f))
	checkRows(t, f, rowsOf(page))
}

var (
	dataIn    = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)
	rowIn     = regexp.MustCompile(`(?s)<tr[ >].*?</tr>`)
	cellIn    = regexp.MustCompile(`</t[dh]>`)
	thousands = regexp.MustCompile(`(\d),(\d{3})`)
	decimals  = regexp.MustCompile(`-?\d+\.\d{6,}(e-?\d+)?`)
	tagIn     = regexp.MustCompile(`<[^>]*>`)
)

// rowsOf are the rows of the page's tables as text.
func rowsOf(page string) (rows []string) {
	for _, row := range rowIn.FindAllString(page, -1) {
		row = thousands.ReplaceAllString(row, "$1$2")
		rows = append(rows, html.UnescapeString(tagIn.ReplaceAllString(cellIn.ReplaceAllString(row, " "), "")))
	}
	return rows
}

// rounded has the six digits of numbers in the page.
func rounded(x any) any {
	v, ok := x.(float64)
	if !ok {
		return x
	}
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	return v
}

// order is that in which the page has the items: each once.
func (l *ledger) order(items any) (ids []string) {
	for _, id := range items.(facts)["id"].([]any) {
		ids = append(ids, id.(string))
	}
	if n := l.number(`SELECT count(*) FROM items`); float64(len(ids)) != n {
		l.t.Errorf("%d items in the page of %v", len(ids), n)
	}
	return ids
}

// page is the data without charts.
func (l *ledger) page(f facts, order []string) facts {
	names := categoriesOf(l.rows(0, "search"))
	winner := f["winner"].(facts)["trial"].(float64)
	out := facts{"parents": anyList(l.parents), "categories": anyList(names), "winner": winner, "mark_of": alphabet}
	var trials, singles []any
	for i, x := range f["trials"].([]any) {
		trials = append(trials, l.pageTrial(l.trials[i], x.(facts), names))
		if l.trials[i].strategy == "single" && l.trials[i].state == "complete" {
			singles = append(singles, float64(i))
		}
	}
	out["trials"], out["singles"] = trials, singles
	out["items"] = l.pageItems(order, names)
	var shown []any
	seen := map[int]bool{}
	show := func(name string, trial int) {
		if trial >= 0 && !seen[trial] {
			seen[trial] = true
			text, marks := l.answers(trial, order)
			shown = append(shown, facts{"name": name, "label": l.trials[trial].label, "trial": float64(trial), "text": text, "marks": marks})
		}
	}
	show("winner", int(winner))
	for _, x := range [][2]string{{"single", "best single"}, {"uniform", "uniform"}, {"base", "base"}} {
		trial, _ := l.best(x[0])
		show(x[1], trial)
	}
	marks := facts{}
	for _, trial := range l.promising(seen) {
		if (len(marks)+1)*len(order) > 400_000 {
			break // of single items no more than that, for browsers' sake
		}
		_, marks[fmt.Sprint(trial)] = l.answers(trial, order)
	}
	out["shown"], out["marks"] = shown, marks
	return out
}

// promising are the other candidates: first those scored on test, then the best on
// search.
func (l *ledger) promising(but map[int]bool) (list []int) {
	for _, t := range l.trials {
		if _, ok := l.mean(t.number); ok && !but[t.number] {
			list = append(list, t.number)
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		first, second := len(l.rows(list[i], "test")) > 0, len(l.rows(list[j], "test")) > 0
		x, _ := l.mean(list[i])
		y, _ := l.mean(list[j])
		return first && !second || first == second && x > y
	})
	return list
}

func (l *ledger) pageTrial(t trial, x facts, names []string) facts {
	out := facts{"number": x["number"], "strategy": t.strategy, "label": t.label, "state": t.state, "of": x["of"], "seconds": rounded(t.merge + t.swap + t.eval)}
	if t.reason != "" {
		out["reason"] = t.reason
	}
	if t.groups != nil {
		out["groups"] = anyList(t.groups)
	}
	var weights []any
	for _, row := range t.weights {
		var list []any
		for _, w := range row {
			list = append(list, rounded(w))
		}
		weights = append(weights, list)
	}
	out["weights"] = weights
	for split, score := range x["scores"].(facts) {
		s, ok := score.(facts)
		if !ok {
			continue
		}
		var means []any
		for _, name := range names {
			means = append(means, rounded(s["categories"].(facts)[name].(facts)["mean"]))
		}
		o := facts{"mean": rounded(s["mean"]), "se": rounded(s["se"]), "n": s["n"], "categories": means}
		if lost := l.number(`SELECT count(*) FROM outcomes o JOIN items i ON i.number = o.item WHERE o.trial = ? AND i.split = ? AND o.score IS NULL`, t.of, split); lost > 0 {
			o["lost"] = lost
		}
		if s["truncated"] != 0.0 {
			o["cut"] = s["truncated"]
		}
		out[split] = o
	}
	return out
}

// pageItems have prompts from the data files, which [ran] wrote: they are compared
// by the benchmark's own test, and only counted here.
func (l *ledger) pageItems(order, names []string) facts {
	var category, split []any
	for _, id := range order {
		category = append(category, float64(slices.Index(names, l.text(`SELECT category FROM items WHERE item = ?`, id))))
		split = append(split, l.text(`SELECT split FROM items WHERE item = ?`, id))
	}
	return facts{"id": anyList(order), "category": category, "split": split}
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"

// answers are a trial's texts, or errors, and its scores as characters: sixtieths,
// - where it was not asked, ! where it was not measured.
func (l *ledger) answers(trial int, order []string) (text []any, marks string) {
	type answer struct{ text, mark string }
	of := map[string]answer{}
	l.each(`SELECT i.item, iif(o.score IS NULL, o.error, o.answer), coalesce(o.score, -1.0) FROM outcomes o JOIN items i ON i.number = o.item WHERE o.trial = ?`, func(r *sql.Rows) {
		var id string
		var a answer
		var score float64
		check(l.t, r.Scan(&id, &a.text, &score))
		level := int(math.Round(60 * score))
		switch {
		case score < 0:
			a.mark = "!"
		case score > 0 && score < 1:
			a.mark = alphabet[max(1, min(level, 59)):][:1]
		default:
			a.mark = alphabet[level:][:1]
		}
		of[id] = a
	}, trial)
	for _, id := range order {
		a, asked := of[id]
		if !asked {
			a.mark = "-"
		}
		text, marks = append(text, a.text), marks+a.mark
	}
	return text, marks
}

// chartLines are the values that ECharts is given, by chart and series.
func chartLines(to *lines, chart facts) {
	for _, x := range chart["option"].(facts)["series"].([]any) {
		s := x.(facts)
		list, _ := s["data"].([]any)
		for _, y := range list {
			point := y.(facts)
			label, _ := point["name"].(string)
			var values []float64
			switch v := point["value"].(type) {
			case float64:
				values = append(values, v)
			case []any:
				for _, n := range v {
					values = append(values, n.(float64))
				}
			}
			addChart(to, chart["id"].(string), s["name"].(string), label, values...)
		}
		if ends, ok := s["markLine"].(facts); ok {
			pairs, _ := ends["data"].([]any)
			for _, y := range pairs {
				if pair, ok := y.([]any); ok {
					a, b := pair[0].(facts)["coord"].([]any), pair[1].(facts)["coord"].([]any)
					addChart(to, chart["id"].(string), s["name"].(string), "line", a[0].(float64), a[1].(float64), b[0].(float64), b[1].(float64))
				}
			}
		}
	}
}

func addChart(to *lines, chart, series, label string, values ...float64) {
	columns := make([]string, len(values))
	to.add(chart, series, label, columns, values...)
}

// charts are the lines that chartLines should find.
func (l *ledger) charts(f facts) (want lines) {
	l.chartProgress(&want)
	winner := int(f["winner"].(facts)["trial"].(float64))
	series := func(trial int) string {
		if trial == winner {
			return "winner"
		}
		return "candidate"
	}
	low, high, twice := 100.0, 0.0, 0
	for _, c := range l.dots() {
		row := make([]float64, len(l.parents))
		for _, weights := range c.weights {
			for i, w := range weights {
				row[i] += w / float64(len(c.weights))
			}
		}
		addChart(&want, "weights", series(c.number), fmt.Sprint(c.number), append(row, c.score)...)
		if test, _, ok := scorePoints(c.test); ok {
			twice++
			low, high = min(low, c.score, test), max(high, c.score, test)
			addChart(&want, "optimism", series(c.number), fmt.Sprint(c.number), c.score, test)
		}
	}
	if twice > 1 {
		addChart(&want, "optimism", "candidate", "line", low, low, high, high)
	}
	l.chartCategories(&want, f)
	names := categoriesOf(l.rows(0, "search"))
	for i, a := range names {
		for k, b := range names {
			if r := l.correlation(a, b); !math.IsNaN(r) {
				addChart(&want, "correlation", "correlation", "", float64(i), float64(k), math.Round(100*r)/100)
			}
		}
	}
	by, later := l.costs(f)
	by["selection and test"] = later
	for name, s := range by {
		addChart(&want, "cost", "evaluating", name, s[3])
		addChart(&want, "cost", "swapping", name, s[1])
		addChart(&want, "cost", "merging", name, s[0])
	}
	return want
}

func (l *ledger) chartProgress(want *lines) {
	answered, top := 0.0, math.Inf(-1)
	for _, t := range l.trials {
		if t.state != "cached" {
			answered += l.counts(t.number, "search", "")["n"].(float64)
		}
		mean, ok := l.mean(t.number)
		if !ok || t.strategy == "base" {
			continue
		}
		name := fmt.Sprint(t.number)
		addChart(want, "best", "candidate on search", name, answered, 100*mean)
		if 100*mean >= top {
			top = 100 * mean
			addChart(want, "best", "best so far on search", name, answered, top)
		}
		if score, _, ok := scorePoints(l.scores(t)["selection"]); ok {
			addChart(want, "best", "finalist on selection", name, answered, score)
		}
	}
	addChart(want, "best", "best so far on search", "", answered, top)
}

func (l *ledger) chartCategories(want *lines, f facts) {
	for _, x := range f["comparisons"].([]any) {
		c := x.(facts)
		if c["against"] != "best-single" {
			continue
		}
		for i, y := range c["categories"].([]any) {
			d := y.(facts)
			series := map[string]string{"better": "better", "worse": "worse", "~": "~ noise"}[d["verdict"].(string)]
			p := "p = " + printed(d["p"].(float64))
			label := fmt.Sprintf("%s: %s [%s, %s], %s, n = %v", d["category"], signed(d["delta"]), signed(d["low"]), signed(d["high"]), strings.Replace(p, "= <", "< ", 1), d["n"])
			addChart(want, "categories", series, label, 100*d["delta"].(float64), float64(i))
			addChart(want, "categories", series, "line", 100*d["low"].(float64), float64(i), 100*d["high"].(float64), float64(i))
		}
	}
}

// checkRows wants the rows of the page's tables.
func checkRows(t *testing.T, f facts, rows []string) {
	t.Helper()
	shown := func(start string, want ...string) {
		t.Helper()
		i := slices.IndexFunc(rows, func(row string) bool {
			rest, ok := strings.CutPrefix(row, start)
			return ok && strings.HasPrefix(rest, " ") && oneByOne(numbersIn(rest), want)
		})
		if i < 0 {
			t.Errorf("page: no row %q with %q", start, want)
		}
	}
	checkTables(f, shown)
	w := f["winner"].(facts)
	groups, _ := w["groups"].([]any)
	if groups == nil {
		groups = []any{facts{"weights": w["weights"]}}
	}
	for _, g := range groups {
		for parent, x := range g.(facts)["weights"].(facts) {
			shown(parent, strconv.FormatFloat(math.Round(1000*x.(float64))/1000, 'f', 3, 64))
		}
	}
}
