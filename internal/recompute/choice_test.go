package recompute

import (
	"cmp"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// contest is the choice between the finalists by the selection items that all of
// them have a score for.
type contest struct {
	l          *ledger
	trials     []int // finalists, by number
	soups      []int // places among them
	parents    []int
	categories []string
	share      map[string]float64
	units      []*chosenUnit
	kinds      [][]int // units by the categories of their items
	items      int
}

// chosenUnit is a cluster, or an item without one: its items and the sums of
// their scores, a number a finalist, by category.
type chosenUnit struct {
	items map[string]float64
	sums  map[string][]float64
}

func (l *ledger) contest() *contest {
	c := &contest{l: l, share: map[string]float64{}}
	l.each(`SELECT j.value FROM json_each((SELECT detail ->> 'trials' FROM events WHERE kind = 'choice' ORDER BY number DESC LIMIT 1)) j ORDER BY j.value`, func(r *sql.Rows) {
		var n int
		check(l.t, r.Scan(&n))
		c.trials = append(c.trials, n)
	})
	for i, n := range c.trials {
		if used(l.trials[n]) == 1 {
			c.parents = append(c.parents, i)
		} else {
			c.soups = append(c.soups, i)
		}
	}
	if len(c.trials) > 0 {
		c.addCategories()
		c.addUnits()
	}
	return c
}

// addCategories takes those with a weight above 0.
func (c *contest) addCategories() {
	total := 0.0
	for _, name := range categoriesOf(c.l.rows(c.trials[0], "selection")) {
		if w := c.l.weight(name); w > 0 {
			c.categories = append(c.categories, name)
			total += w
		}
	}
	for _, name := range c.categories {
		c.share[name] = c.l.weight(name) / total
	}
}

func (c *contest) addUnits() {
	var rows []scored
	common := map[string][]float64{}
	for i, n := range c.trials {
		for _, r := range c.l.rows(n, "selection") {
			if c.share[r.category] == 0 {
				continue
			}
			if i == 0 {
				rows = append(rows, r)
			}
			common[r.item] = append(common[r.item], r.score)
		}
	}
	slices.SortFunc(rows, func(a, b scored) int { return cmp.Compare(a.item, b.item) })
	at, kinds := map[string]int{}, map[string]int{}
	for _, r := range rows {
		scores := common[r.item]
		if len(scores) < len(c.trials) {
			continue
		}
		c.items++
		if _, known := at[r.unit()]; !known {
			at[r.unit()] = len(c.units)
			c.units = append(c.units, &chosenUnit{map[string]float64{}, map[string][]float64{}})
		}
		u := c.units[at[r.unit()]]
		u.items[r.category]++
		if u.sums[r.category] == nil {
			u.sums[r.category] = make([]float64, len(scores))
		}
		for i, s := range scores {
			u.sums[r.category][i] += s
		}
	}
	for i, u := range c.units {
		kind := fmt.Sprint(slices.Sorted(maps.Keys(u.items)))
		if _, known := kinds[kind]; !known {
			kinds[kind] = len(c.kinds)
			c.kinds = append(c.kinds, nil)
		}
		c.kinds[kinds[kind]] = append(c.kinds[kinds[kind]], i)
	}
}

// half is a part of the units, with the means on it.
type half struct {
	*contest
	of    []int
	n     map[string]float64   // items
	u     map[string]float64   // units
	means map[string][]float64 // by category, a number a finalist
	score []float64
}

func (c *contest) on(units []int) *half {
	h := &half{contest: c, of: units, n: map[string]float64{}, u: map[string]float64{}, means: map[string][]float64{}, score: make([]float64, len(c.trials))}
	for _, name := range c.categories {
		sums := make([]float64, len(c.trials))
		for _, k := range units {
			if n := c.units[k].items[name]; n > 0 {
				h.n[name], h.u[name] = h.n[name]+n, h.u[name]+1
				for i, s := range c.units[k].sums[name] {
					sums[i] += s
				}
			}
		}
		for i := range sums {
			sums[i] /= h.n[name]
			h.score[i] += c.share[name] * sums[i]
		}
		h.means[name] = sums
	}
	return h
}

func (c *contest) all() *half {
	var every []int
	for i := range c.units {
		every = append(every, i)
	}
	return c.on(every)
}

// contrast is a sum of finalists' scores, each times a number, and its standard
// error: the root of the summed squares of what each unit adds to it.
func (h *half) contrast(times map[int]float64) (value, se float64) {
	apply := func(x []float64) (sum float64) {
		for _, i := range slices.Sorted(maps.Keys(times)) {
			if times[i] != 0 {
				sum += times[i] * x[i]
			}
		}
		return sum
	}
	for _, name := range h.categories {
		value += h.share[name] * apply(h.means[name])
	}
	squares := 0.0
	for _, k := range h.of {
		adds := 0.0
		for _, name := range h.categories {
			if n := h.units[k].items[name]; n > 0 {
				adds += h.share[name] * widening(uint64(h.u[name])) * (apply(h.units[k].sums[name]) - n*apply(h.means[name])) / h.n[name]
			}
		}
		squares += adds * adds
	}
	return value, math.Sqrt(squares)
}

func (h *half) gap(a, b int) (delta, se float64) { return h.contrast(map[int]float64{a: 1, b: -1}) }

// first is the best of some, -1 of none.
func (h *half) first(of []int) int {
	if len(of) == 0 {
		return -1
	}
	return h.top(of)[0]
}

// top are those with the highest score.
func (h *half) top(of []int) (best []int) {
	highest := math.Inf(-1)
	for _, i := range of {
		highest = max(highest, h.score[i])
	}
	for _, i := range of {
		if h.score[i] == highest {
			best = append(best, i)
		}
	}
	return best
}

// equal says whether all weights of a finalist are one share.
func (c *contest) equal(i int) bool {
	first := 0.0
	for _, row := range c.l.trials[c.trials[i]].weights {
		for _, w := range row {
			if first == 0 {
				first = w
			}
			if w != 0 && math.Abs(w-first) > 1e-9 {
				return false
			}
		}
	}
	return true
}

// counting are the soups with one row of weights for all groups, and those with more
// that lie above the best of these by the 95 % interval.
func (h *half) counting() (list []int) {
	one := func(i int) bool {
		rows := h.l.trials[h.trials[i]].weights
		return slices.EqualFunc(rows, slices.Repeat(rows[:1], len(rows)), slices.Equal[[]float64])
	}
	for _, i := range h.soups {
		if one(i) {
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		return h.soups
	}
	plain := h.first(list)
	for _, i := range h.soups {
		if delta, se := h.gap(i, plain); !one(i) && delta > 1.96*se {
			list = append(list, i)
		}
	}
	return slices.Sorted(slices.Values(list))
}

// simplest takes, of the soups within a standard error of the best and with four
// fifths of its gain, that of the fewest parents, then of equal shares, then of the
// highest score, then the first. Without a parent any gain is good; none is -1.
func (h *half) simplest() (soup, parent int) {
	counting := h.counting()
	parent, soup = h.first(h.parents), h.first(counting)
	best, allowed := soup, math.Inf(1)
	if soup >= 0 && parent >= 0 {
		allowed = 0.2 * max(0, h.score[best]-h.score[parent]) // not a fifth: the last bit decides where so few items make so few scores
	}
	rank := func(i int) []float64 {
		shares := 1.0
		if h.equal(i) {
			shares = 0
		}
		return []float64{float64(used(h.l.trials[h.trials[i]])), shares, -h.score[i], float64(i)}
	}
	for _, i := range counting {
		if slices.Compare(rank(i), rank(soup)) >= 0 {
			continue
		}
		if delta, se := h.gap(best, i); delta <= se && delta <= allowed {
			soup = i
		}
	}
	return soup, parent
}

// halves deals the units of every kind evenly, a thousand times.
func (c *contest) halves(visit func(choosing, judging *half)) (done int) {
	source := rand.New(rand.NewChaCha8(sha256.Sum256([]byte("soup halves 1\n"))))
	for range 1000 {
		var first, second []int
		for _, units := range c.kinds {
			dealt := source.Perm(len(units))
			n := (len(units) + source.IntN(2)) / 2
			for i, k := range dealt {
				if i < n {
					first = append(first, units[k])
				} else {
					second = append(second, units[k])
				}
			}
		}
		a, b := c.on(first), c.on(second)
		if len(a.n) == len(c.categories) && len(b.n) == len(c.categories) {
			visit(a, b)
			done++
		}
	}
	return done
}

func (l *ledger) addChoice(f facts) {
	c := l.contest()
	if !slices.Contains(c.trials, int(l.number(`SELECT trial FROM winner`))) {
		return // of an earlier version, which did not note who the finalists were
	}
	l.addExchanges(f)
	all, wins, gain := c.all(), make([]float64, len(c.trials)), 0.0
	done := c.halves(func(choosing, judging *half) {
		if soup, parent := choosing.simplest(); soup >= 0 && parent >= 0 {
			gain += judging.score[soup] - judging.score[parent]
		}
		best := choosing.top(append(slices.Clone(c.soups), c.parents...))
		for _, i := range best {
			wins[i] += 1 / float64(len(best))
		}
	})
	var finalists []any
	var places []int
	for i := range c.trials {
		places = append(places, i)
	}
	slices.SortStableFunc(places, func(a, b int) int {
		return cmp.Or(cmp.Compare(wins[b]/float64(done), wins[a]/float64(done)), cmp.Compare(all.score[b], all.score[a]))
	})
	for _, i := range places {
		finalists = append(finalists, facts{"trial": float64(c.trials[i]), "label": l.trials[c.trials[i]].label, "score": all.score[i], "best": wins[i] / float64(done)})
	}
	f["choice"] = facts{
		"n": float64(c.items), "halvings": float64(done), "finalists": finalists,
		"gain": c.gain(all, gain/float64(done)), "plateau": c.plateau(all),
	}
}

// gain is the soup's over the parent as observed, as halves have it, and with
// its lead over its rivals shrunk.
func (c *contest) gain(all *half, byHalves float64) any {
	soup, parent := all.simplest()
	if soup < 0 || parent < 0 {
		return nil
	}
	observed, _ := c.l.compared(c.trials[soup], c.trials[parent], "selection", c.l.weight)
	moved := byHalves - observed.delta
	delta, se, factor := c.shrunken(all, soup, parent)
	seen := observed.facts()
	return facts{
		"soup": float64(c.trials[soup]), "parent": float64(c.trials[parent]), "observed": seen,
		"repeated": facts{"delta": byHalves, "low": observed.low + moved, "high": observed.high + moved},
		"shrunken": facts{"delta": delta, "low": delta - 1.96*se, "high": delta + 1.96*se},
		"factor":   factor,
	}
}

// shrunken is tau2 / (tau2 + se2) of the soup's lead over the mean of its rivals,
// and what that mean is ahead of the parent. A rival is within two standard errors.
func (c *contest) shrunken(all *half, soup, parent int) (delta, se, factor float64) {
	var rivals []int
	for _, i := range c.soups {
		if d, e := all.gap(soup, i); i == soup || math.Abs(d) <= 2*e {
			rivals = append(rivals, i)
		}
	}
	if len(rivals) < 3 {
		delta, se = all.gap(soup, parent)
		return delta, se, 1
	}
	k := float64(len(rivals))
	of := func(sign float64, place int, more float64) map[int]float64 {
		times := map[int]float64{}
		for _, i := range rivals {
			times[i] = sign * (1 / k)
		}
		times[place] += more
		return times
	}
	var leads, noise []float64
	var lead, own float64
	for _, i := range rivals {
		x, e := all.contrast(of(-1, i, 1))
		e *= math.Sqrt(k / (k - 1))
		leads, noise = append(leads, x), append(noise, e*e/k)
		if i == soup {
			lead, own = x, e
		}
	}
	factor = 1
	if own > 0 {
		tau2 := max(0, stat.Variance(leads, nil)-inOrder(noise))
		factor = tau2 / (tau2 + own*own)
	}
	ahead, common := all.contrast(of(1, parent, -1))
	return ahead + factor*lead, math.Hypot(common, math.Sqrt(factor)*own), factor
}

// plateau is there where equal shares are within a standard error of the best
// other soup, and better than the best parent.
func (c *contest) plateau(all *half) any {
	var same, others []int
	for _, i := range c.soups {
		if c.equal(i) {
			same = append(same, i)
		} else {
			others = append(others, i)
		}
	}
	if len(same) == 0 || len(others) == 0 {
		return nil
	}
	e, o := all.first(same), all.first(others)
	if delta, se := all.gap(o, e); delta > se || len(c.parents) > 0 && all.score[e] <= all.score[all.first(c.parents)] {
		return nil
	}
	v, _ := c.l.compared(c.trials[e], c.trials[o], "selection", c.l.weight)
	f := v.facts()
	t := c.l.trials[c.trials[e]]
	var names []any
	for i, name := range c.l.parents {
		if slices.ContainsFunc(t.weights, func(row []float64) bool { return row[i] != 0 }) {
			names = append(names, name)
		}
	}
	f["equal"], f["other"], f["label"], f["parents"] = float64(c.trials[e]), float64(c.trials[o]), t.label, names
	return f
}

// addExchanges compares winner and best single checkpoint 200 times, in each unit
// the one for the other by chance.
func (l *ledger) addExchanges(f facts) {
	winner := int(l.number(`SELECT trial FROM winner`))
	single, _ := l.best("single")
	if winner == single {
		return
	}
	counting := func(trial int) []scored {
		return slices.DeleteFunc(slices.Clone(l.rows(trial, "test")), func(r scored) bool { return l.weight(r.category) <= 0 })
	}
	rows, binary := pairs(counting(winner), counting(single))
	source := rand.New(rand.NewChaCha8(sha256.Sum256([]byte("soup exchange 1\n"))))
	said := map[string]float64{}
	const times = 200
	for range times {
		sign := map[string]float64{}
		for i, r := range rows {
			if sign[r.unit()] == 0 {
				sign[r.unit()] = []float64{1, -1}[source.IntN(2)]
			}
			rows[i].score *= sign[r.unit()]
		}
		boots := map[string]resampled{}
		names := categoriesOf(rows)
		for _, name := range names {
			boots[name] = bootstrap(name, in(rows, name), 500)
		}
		said[judge(rows, binary, mix(names, boots, l.weight)).says]++
	}
	f["exchanges"] = facts{"n": float64(times), "items": float64(len(rows)), "better": said["better"], "worse": said["worse"]}
}
