package recompute

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"sort"
	"testing"

	_ "modernc.org/sqlite" // plain SQL on the ledger
)

// facts are what a report says, as JSON has it: maps, lists, numbers, text.
type facts = map[string]any

// ledger is the raw rows.
type ledger struct {
	t       testing.TB
	db      *sql.DB
	parents []string
	trials  []trial
	weights map[string]float64 // of categories
	keep    []kept

	known  map[string][]scored // rows by trial and split
	scored map[string]any      // scores likewise
	drawn  []dot
}

type trial struct {
	number                   int
	strategy, label          string
	weights                  [][]float64
	groups                   []string
	state                    string
	of                       int
	merge, swap, eval, first float64
	reason                   string
}

type kept struct {
	Category, Parent string
	Margin           float64
	Sure             bool
}

// expect computes everything that a report of the study should say. The ledger
// can be read on.
func expect(t testing.TB, dir string) (*ledger, facts) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "study.db")+"?mode=ro")
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	l := &ledger{t: t, db: db, known: map[string][]scored{}, scored: map[string]any{}}
	l.read()
	f := facts{
		"study": l.text(`SELECT name FROM study`), "seed": l.number(`SELECT seed FROM study`), "parents": anyList(l.parents),
		"candidates":     l.number(`SELECT count(*) FROM trials WHERE state = 'complete' AND strategy <> 'base'`),
		"swaps":          l.number(`SELECT count(*) FROM events WHERE kind = 'swap' AND coalesce(detail ->> 'canary', 0) = 0`),
		"items_answered": l.number(`SELECT count(*) FROM outcomes WHERE score IS NOT NULL`),
	}
	l.addCost(f)
	l.addTrials(f)
	l.addStrategies(f)
	l.addWinner(f)
	l.addChoice(f)
	l.addKeep(f)
	l.addInheritance(f)
	l.addMidpoints(f)
	l.addFindings(f)
	l.addCurve(f)
	l.addPath(f)
	l.addLandscape(f)
	l.addCalibration(f)
	l.addOptimism(f)
	return l, f
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func anyList(x []string) (list []any) {
	for _, s := range x {
		list = append(list, s)
	}
	return list
}

func (l *ledger) number(query string, args ...any) (x float64) {
	l.t.Helper()
	check(l.t, l.db.QueryRow(query, args...).Scan(&x))
	return x
}

func (l *ledger) text(query string, args ...any) (s string) {
	l.t.Helper()
	check(l.t, l.db.QueryRow(query, args...).Scan(&s))
	return s
}

// each calls a function for every row.
func (l *ledger) each(query string, row func(*sql.Rows), args ...any) {
	l.t.Helper()
	rows, err := l.db.Query(query, args...)
	check(l.t, err)
	defer rows.Close()
	for rows.Next() {
		row(rows)
	}
	check(l.t, rows.Err())
}

func (l *ledger) read() {
	l.each(`SELECT name FROM parents ORDER BY position`, func(r *sql.Rows) {
		var name string
		check(l.t, r.Scan(&name))
		l.parents = append(l.parents, name)
	})
	l.each(`SELECT number, strategy, label, weights, groups, state, of, merge_seconds, swap_seconds, eval_seconds, first_token_seconds, reason
		FROM trials ORDER BY number`, func(r *sql.Rows) {
		var x trial
		var weights, groups string
		check(l.t, r.Scan(&x.number, &x.strategy, &x.label, &weights, &groups, &x.state, &x.of, &x.merge, &x.swap, &x.eval, &x.first, &x.reason))
		check(l.t, json.Unmarshal([]byte(weights), &x.weights))
		check(l.t, json.Unmarshal([]byte(groups), &x.groups))
		l.trials = append(l.trials, x)
	})
	l.each(`SELECT name, value FROM settings WHERE name IN ('objective', 'keep')`, func(r *sql.Rows) {
		var name, value string
		check(l.t, r.Scan(&name, &value))
		check(l.t, json.Unmarshal([]byte(value), map[string]any{"objective": &l.weights, "keep": &l.keep}[name]))
	})
}

func (l *ledger) weight(category string) float64 {
	if w, ok := l.weights[category]; ok {
		return w
	}
	return 1
}

// addCost adds up trials, and what finalists took after the search.
func (l *ledger) addCost(f facts) {
	var search, later spent
	for _, t := range l.trials {
		search.plus(spent{t.merge, t.swap, t.first, t.eval})
	}
	l.each(`SELECT detail ->> 'merge', detail ->> 'swap', detail ->> 'first_token', detail ->> 'eval' FROM events WHERE kind = 'seconds' ORDER BY number`, func(r *sql.Rows) {
		var s spent
		check(l.t, r.Scan(&s[0], &s[1], &s[2], &s[3]))
		later.plus(s)
	})
	search.plus(later)
	f["cost"] = facts{"merge": search[0], "swap": search[1], "first_token": search[2], "eval": search[3]}
	f["seconds"] = search.total()
	busy, wall := 0.0, 0.0
	l.each(`SELECT detail ->> 'busy', detail ->> 'wall' FROM events WHERE kind = 'server-use' ORDER BY number`, func(r *sql.Rows) {
		var b, w float64
		check(l.t, r.Scan(&b, &w))
		busy, wall = busy+b, wall+w
	})
	f["server_idle"] = max(0, 1-busy/wall)
}

// rows are the outcomes of a trial with a score, in the order of the items.
func (l *ledger) rows(trial int, split string) (list []scored) {
	key := fmt.Sprint(trial, split)
	if known, ok := l.known[key]; ok {
		return known
	}
	l.each(`SELECT i.item, i.category, i.cluster, o.score FROM outcomes o JOIN items i ON i.number = o.item
		WHERE o.trial = ? AND i.split = ? AND o.score IS NOT NULL ORDER BY i.number`, func(r *sql.Rows) {
		var s scored
		check(l.t, r.Scan(&s.item, &s.category, &s.cluster, &s.score))
		list = append(list, s)
	}, trial, split)
	l.known[key] = list
	return list
}

// in are the rows of one category.
func in(rows []scored, category string) (list []scored) {
	for _, r := range rows {
		if r.category == category {
			list = append(list, r)
		}
	}
	return list
}

func categoriesOf(rows []scored) []string {
	names := map[string]bool{}
	for _, r := range rows {
		names[r.category] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// counts says what became of the items; category "" is all.
func (l *ledger) counts(trial int, split, category string) facts {
	f := facts{}
	for name, condition := range map[string]string{
		"n": "score IS NOT NULL", "failed": "state = 'failed'", "timeout": "state = 'timeout'", "missing": "state = 'missing'", "truncated": "state = 'truncated'",
	} {
		n := l.number(`SELECT count(*) FROM outcomes o JOIN items i ON i.number = o.item
			WHERE o.trial = ? AND i.split = ? AND (? = '' OR i.category = ?) AND o.`+condition, trial, split, category, category)
		if n > 0 || name != "timeout" && name != "missing" {
			f[name] = n
		}
	}
	return f
}

// score is a candidate's on one split, nil if it was not asked.
func (l *ledger) score(trial int, split string) any {
	key := fmt.Sprint(trial, split)
	if _, ok := l.scored[key]; !ok {
		l.scored[key] = l.measure(trial, split)
	}
	return l.scored[key]
}

func (l *ledger) measure(trial int, split string) any {
	rows := l.rows(trial, split)
	if len(rows) == 0 {
		return nil
	}
	f, categories := l.counts(trial, split, ""), facts{}
	names := categoriesOf(rows)
	sum, total, moved := 0.0, 0.0, map[string]float64{}
	for _, name := range names {
		own := in(rows, name)
		c := l.counts(trial, split, name)
		c["mean"], c["se"] = meanOf(own), spread(shares(own))
		categories[name] = c
		sum += l.weight(name) * meanOf(own)
		total += l.weight(name)
		for unit, x := range shares(own) {
			moved[unit] += x / float64(len(names))
		}
	}
	f["mean"], f["categories"] = sum/total, categories
	if f["se"] = nil; len(l.weights) == 0 {
		f["se"] = spread(moved)
	}
	return f
}

func (l *ledger) scores(t trial) facts {
	f := facts{"search": nil, "selection": nil, "test": nil}
	if t.state == "complete" || t.state == "cached" {
		for split := range f {
			f[split] = l.score(t.of, split)
		}
	}
	return f
}

// mean is the search score of the trial that holds it.
func (l *ledger) mean(trial int) (float64, bool) {
	t := l.trials[trial]
	s, ok := l.scores(t)["search"].(facts)
	if !ok || t.state != "complete" {
		return 0, false
	}
	return s["mean"].(float64), true
}

// named are a trial's weights by parent, those that are not 0.
func (l *ledger) named(t trial) (weights, groups any) {
	by := func(row []float64) facts {
		f := facts{}
		for i, w := range row {
			if w != 0 {
				f[l.parents[i]] = w
			}
		}
		return f
	}
	if t.groups == nil {
		return by(t.weights[0]), nil
	}
	var list []any
	for g, name := range t.groups {
		list = append(list, facts{"name": name, "weights": by(t.weights[g])})
	}
	return nil, list
}

func (l *ledger) addTrials(f facts) {
	var list []any
	for _, t := range l.trials {
		x := facts{
			"number": float64(t.number), "strategy": t.strategy, "label": t.label, "state": t.state, "of": float64(t.of), "scores": l.scores(t),
			"answered": l.number(`SELECT count(o.score) FROM outcomes o JOIN items i ON i.number = o.item WHERE o.trial = ? AND i.split = 'search'`, t.number),
			"seconds":  facts{"merge": t.merge, "swap": t.swap, "eval": t.eval, "first_token": t.first},
		}
		x["weights"], x["groups"] = l.named(t)
		if t.reason != "" {
			x["reason"] = t.reason
		}
		list = append(list, x)
	}
	f["trials"] = list
}

// used counts the parents with a weight.
func used(t trial) int {
	some := map[int]bool{}
	for _, row := range t.weights {
		for i, w := range row {
			some[i] = some[i] || w != 0
		}
	}
	n := 0
	for _, yes := range some {
		if yes {
			n++
		}
	}
	return n
}

// best is a strategy's best trial by search, less what it does not keep, and how
// many it put forward: single parents only where it has nothing else.
func (l *ledger) best(strategy string) (number, tried int) {
	var own, soups []trial
	for _, t := range l.trials {
		if t.strategy == strategy {
			own = append(own, t)
			if used(t) != 1 {
				soups = append(soups, t)
			}
		}
	}
	if len(soups) > 0 && strategy != "greedy" {
		own = soups
	}
	number, top := -1, math.Inf(-1)
	for _, t := range own {
		if mean, ok := l.mean(t.of); ok && mean-l.penalty(t.of) > top {
			number, top = t.of, mean-l.penalty(t.of)
		}
	}
	return number, len(own)
}

// compared sets two trials against each other on test; and each category.
func (l *ledger) compared(of, against int, split string, weight func(string) float64) (verdict, map[string]verdict) {
	all, _ := pairs(l.rows(of, split), l.rows(against, split))
	names := categoriesOf(all)
	boots, each := map[string]resampled{}, map[string]verdict{}
	var counting []scored
	right := true // or wrong: nothing between, in what counts
	for _, name := range names {
		own, binary := pairs(in(l.rows(of, split), name), in(l.rows(against, split), name))
		boots[name] = bootstrap(name, own, draws)
		each[name] = judge(own, binary, boots[name])
		if weight(name) > 0 {
			counting, right = append(counting, own...), right && binary
		}
	}
	return judge(counting, right, mix(names, boots, weight)), each
}

func (v verdict) facts() facts {
	return facts{
		"delta": v.delta, "low": v.low, "high": v.high, "p": v.p, "n": float64(v.n), "wins": float64(v.wins), "losses": float64(v.losses),
		"ties": float64(v.ties), "verdict": v.says, "method": v.method,
	}
}

// comparison is nil where one of the two was not asked on test.
func (l *ledger) comparison(of string, first int, against string, second int) any {
	if len(l.rows(first, "test")) == 0 || len(l.rows(second, "test")) == 0 {
		return nil
	}
	v, each := l.compared(first, second, "test", l.weight)
	f := v.facts()
	f["of"], f["against"], f["split"] = of, against, "test"
	var list []any
	for _, name := range slices.Sorted(maps.Keys(each)) {
		c := each[name].facts()
		c["category"] = name
		list = append(list, c)
	}
	f["categories"] = list
	return f
}

// baselines come first in the table, then the base, then what else ran.
var baselines = []string{"single", "uniform", "greedy"}

func (l *ledger) addStrategies(f facts) {
	order := append(slices.Clone(baselines), "base")
	for _, t := range l.trials {
		if !slices.Contains(order, t.strategy) {
			order = append(order, t.strategy)
		}
	}
	single, _ := l.best("single")
	winner := int(l.number(`SELECT trial FROM winner`))
	var list []any
	shown := map[int]bool{}
	row := func(name string, number, tried int) {
		t := l.trials[number]
		x := facts{"strategy": name, "label": t.label, "trial": float64(number), "candidates": float64(tried), "scores": l.scores(t), "against_best_single": nil}
		x["weights"], x["groups"] = l.named(t)
		if number != single {
			x["against_best_single"] = l.comparison(name, number, "best-single", single)
		}
		list, shown[number] = append(list, x), true
	}
	for _, name := range order {
		if number, tried := l.best(name); number >= 0 {
			row(name, number, tried)
		}
	}
	if !shown[winner] {
		row("winner", winner, 1)
	}
	f["strategies"] = list
}

func (l *ledger) addWinner(f facts) {
	number := int(l.number(`SELECT trial FROM winner`))
	t := l.trials[number]
	var reason any
	check(l.t, json.Unmarshal([]byte(l.text(`SELECT reason FROM winner`)), &reason))
	w := facts{"trial": float64(number), "strategy": t.strategy, "label": t.label, "sha256": l.text(`SELECT sha256 FROM winner`), "reason": reason}
	w["weights"], w["groups"] = l.named(t)
	f["winner"] = w
	var list []any
	for _, name := range append(slices.Clone(baselines), "base") {
		best, _ := l.best(name)
		if best < 0 || best == number {
			continue
		}
		against := name
		if name == "single" {
			against = "best-single"
		}
		if c := l.comparison("winner", number, against, best); c != nil {
			list = append(list, c)
		}
	}
	f["comparisons"] = list
}

// single is the trial of a parent alone.
func (l *ledger) single(parent string) int {
	for _, t := range l.trials {
		if t.strategy != "single" || used(t) != 1 {
			continue
		}
		if i := slices.Index(l.parents, parent); t.weights[0][i] != 0 {
			return t.of
		}
	}
	l.t.Fatalf("no trial of %s alone", parent)
	return 0
}

// reference is the trial of the parent that a category is kept up with.
func (l *ledger) reference(k kept) int {
	if k.Parent != "" {
		return l.single(k.Parent)
	}
	best, _ := l.specialist(k.Category)
	return l.single(best)
}

// specialist is the best parent of a category on search, the first of equals.
func (l *ledger) specialist(category string) (name string, mean float64) {
	mean = math.Inf(-1)
	for _, p := range l.parents {
		if own := in(l.rows(l.single(p), "search"), category); len(own) > 0 && meanOf(own) > mean {
			name, mean = p, meanOf(own)
		}
	}
	return name, mean
}

// penalty is ten times what lies below the margin by more than a standard error,
// of every category that must be kept; of those to keep surely, what the 95 %
// interval reaches below it.
func (l *ledger) penalty(trial int) (cost float64) {
	for _, k := range l.keep {
		d, _ := pairs(in(l.rows(trial, "search"), k.Category), in(l.rows(l.reference(k), "search"), k.Category))
		if len(d) > 0 {
			doubt := 1.0
			if k.Sure {
				doubt = -1.96
			}
			cost += 10 * max(0, -k.Margin-meanOf(d)-doubt*spread(shares(d)))
		}
	}
	return cost
}

func (l *ledger) addKeep(f facts) {
	winner := int(l.number(`SELECT trial FROM winner`))
	var list []any
	for _, k := range l.keep {
		reference := l.reference(k)
		_, each := l.compared(winner, reference, "test", func(string) float64 { return 1 })
		x := each[k.Category].facts()
		x["category"], x["parent"], x["trial"], x["margin"] = k.Category, l.trials[reference].label, float64(reference), k.Margin
		switch v := each[k.Category]; {
		case v.low >= -k.Margin:
			x["kept"] = "kept"
		case v.high < -k.Margin:
			x["kept"] = "lost"
		default:
			x["kept"] = "open"
		}
		list = append(list, x)
	}
	if len(list) > 0 {
		f["constraints"] = list
	}
}

// addInheritance counts by SQL: an item is solved from a score of one half on.
func (l *ledger) addInheritance(f facts) {
	winner := int(l.number(`SELECT trial FROM winner`))
	inherited := facts{}
	var list, specialists []any
	singles := ""
	for i, p := range l.parents {
		s := l.single(p)
		if i > 0 {
			singles += ", "
		}
		singles += fmt.Sprint(s)
		both := func(parent, ours string) float64 {
			return l.number(`SELECT count(*) FROM outcomes p JOIN outcomes w ON w.item = p.item JOIN items i ON i.number = p.item
				WHERE p.trial = ? AND w.trial = ? AND i.split = 'test' AND w.score IS NOT NULL AND p.score `+parent+` AND w.score `+ours, s, winner)
		}
		list = append(list, facts{
			"parent": p, "trial": float64(s), "solves": both(">= 0.5", ">= 0"), "kept": both(">= 0.5", ">= 0.5"),
			"fails": both("< 0.5", ">= 0"), "gained": both("< 0.5", ">= 0.5"),
		})
	}
	together := func(failing int, ours string) float64 {
		return l.number(`SELECT count(*) FROM outcomes w JOIN items i ON i.number = w.item WHERE w.trial = ? AND i.split = 'test' AND w.score `+ours+`
			AND (SELECT count(p.score) FROM outcomes p WHERE p.item = w.item AND p.trial IN (`+singles+`)) = ?
			AND (SELECT count(*) FROM outcomes p WHERE p.item = w.item AND p.score < 0.5 AND p.trial IN (`+singles+`)) = ?`, winner, len(l.parents), failing)
	}
	inherited["all_fail"], inherited["all_fail_solved"] = together(len(l.parents), ">= 0"), together(len(l.parents), ">= 0.5")
	inherited["one_fails"], inherited["one_fails_solved"] = together(1, ">= 0"), together(1, ">= 0.5")
	for _, category := range categoriesOf(l.rows(winner, "search")) {
		best, _ := l.specialist(category)
		_, each := l.compared(winner, l.single(best), "test", func(string) float64 { return 1 })
		x := each[category].facts()
		x["category"], x["parent"] = category, best
		specialists = append(specialists, x)
	}
	inherited["parents"], inherited["specialists"] = list, specialists
	f["inheritance"] = inherited
}

// addOptimism is z_K sqrt(d / 2n): d is how often the best and the next eight
// disagree.
func (l *ledger) addOptimism(f facts) {
	type ranked struct {
		number int
		mean   float64
	}
	var list []ranked
	for _, t := range l.trials {
		if mean, ok := l.mean(t.number); ok && t.strategy != "base" {
			list = append(list, ranked{t.number, mean})
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].mean > list[j].mean })
	var differ []float64
	for _, other := range list[1:min(len(list), 9)] {
		d, _ := pairs(l.rows(list[0].number, "search"), l.rows(other.number, "search"))
		n := 0
		for _, r := range d {
			if r.score != 0 {
				n++
			}
		}
		differ = append(differ, float64(n)/float64(len(d)))
	}
	items := l.number(`SELECT count(*) FROM outcomes o JOIN items i ON i.number = o.item WHERE o.trial = ? AND i.split = 'search'`, list[0].number)
	f["optimism"] = expectedMaximum(len(list)) * math.Sqrt(meanOfValues(differ)/(2*items))
}
