package bench

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"soup/search"
)

// grid is what was recorded of soups on a lattice of the simplex: every item's
// score and smooth score. Between the lattice's points both are interpolated
// linearly, in simplices, so that no soup is better than the best on the lattice.
type grid struct {
	parents    []string
	steps      int            // a weight of 1
	rows       map[string]int // by weights in steps
	items      []gridItem
	categories []string
	score      [][]float64 // [row][item]
	soft       [][]float64
}

type gridItem struct {
	id       string
	category int
	test     bool
}

// readGrid reads grid.jsonl (a line a soup, with its weights), and
// grid_scores.csv.gz and grid_soft.csv.gz (a line of item names
// CATEGORY-SPLIT-NUMBER, then a line a soup).
func readGrid(dir string) (*grid, error) {
	g := &grid{rows: map[string]int{}}
	if err := g.readWeights(filepath.Join(dir, "grid.jsonl")); err != nil {
		return nil, err
	}
	var err error
	var names, again []string
	scores, soft := filepath.Join(dir, "grid_scores.csv.gz"), filepath.Join(dir, "grid_soft.csv.gz")
	if names, g.score, err = readTable(scores); err != nil {
		return nil, err
	}
	if again, g.soft, err = readTable(soft); err != nil {
		return nil, err
	}
	if !slices.Equal(names, again) || len(g.score) != len(g.rows) || len(g.soft) != len(g.rows) {
		return nil, fmt.Errorf("%s and %s differ in items or rows from each other or from grid.jsonl", scores, soft)
	}
	return g, g.readItems(scores, names)
}

func (g *grid) readWeights(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	decoder := json.NewDecoder(f)
	var rows []map[string]float64
	for {
		var row struct{ Weights map[string]float64 }
		if err := decoder.Decode(&row); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("%s: line %d: %w", path, len(rows)+1, err)
		}
		rows = append(rows, row.Weights)
	}
	return g.layOut(path, rows)
}

// layOut finds the step of the lattice and the row of each of its points.
func (g *grid) layOut(path string, rows []map[string]float64) error {
	if len(rows) == 0 {
		return fmt.Errorf("%s: no soups", path)
	}
	least := 1.0
	for name := range rows[0] {
		g.parents = append(g.parents, name)
	}
	slices.Sort(g.parents)
	for _, row := range rows {
		for _, w := range row {
			if w > 1e-9 {
				least = min(least, w)
			}
		}
	}
	g.steps = int(math.Round(1 / least))
	for i, row := range rows {
		at := make([]int, len(g.parents))
		for p, name := range g.parents {
			at[p] = int(math.Round(row[name] * float64(g.steps)))
		}
		g.rows[fmt.Sprint(at)] = i
	}
	if want := binomial(g.steps+len(g.parents)-1, len(g.parents)-1); len(g.rows) != want {
		return fmt.Errorf("%s: %d different soups; a lattice of %d parents in steps of 1/%d has %d", path, len(g.rows), len(g.parents), g.steps, want)
	}
	return nil
}

func binomial(n, k int) int {
	b := 1
	for i := range k {
		b = b * (n - i) / (i + 1)
	}
	return b
}

func readTable(path string) (header []string, rows [][]float64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		cells := strings.Split(lines.Text(), ",")
		if header == nil {
			header = cells
			continue
		}
		row := make([]float64, len(cells))
		for i, cell := range cells {
			if row[i], err = strconv.ParseFloat(cell, 64); err != nil {
				return nil, nil, fmt.Errorf("%s: line %d: %w", path, len(rows)+2, err)
			}
		}
		if len(row) != len(header) {
			return nil, nil, fmt.Errorf("%s: line %d has %d cells, not %d", path, len(rows)+2, len(row), len(header))
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return header, rows, nil
}

func (g *grid) readItems(path string, names []string) error {
	for _, name := range names {
		parts := strings.Split(name, "-")
		if len(parts) != 3 {
			return fmt.Errorf("%s: item %q is not CATEGORY-SPLIT-NUMBER", path, name)
		}
		c := slices.Index(g.categories, parts[0])
		if c < 0 {
			c = len(g.categories)
			g.categories = append(g.categories, parts[0])
		}
		g.items = append(g.items, gridItem{name, c, parts[1] == "test"})
	}
	return nil
}

// corner is a point of the lattice with its part in an interpolation.
type corner struct {
	row  int
	part float64
}

// corners are the vertices of the simplex of Freudenthal's triangulation that
// weights lie in.
func (g *grid) corners(weights []float64) []corner {
	n := len(weights) - 1
	floor, rest := make([]float64, n), make([]float64, n)
	order, sum := make([]int, n), 0.0
	for i := range n {
		sum += weights[i] * float64(g.steps)
		at := math.Round(sum*1e9) / 1e9
		floor[i] = math.Floor(at)
		rest[i], order[i] = at-floor[i], i
	}
	// Of equal rests the later goes first, so that partial sums never fall.
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rest[b], rest[a]), b-a)
	})
	var corners []corner
	above := 1.0
	for k := 0; k <= n; k++ {
		below := 0.0
		if k < n {
			below = rest[order[k]]
		}
		if above-below > 1e-12 {
			corners = append(corners, corner{g.row(floor), above - below})
		}
		if k < n {
			floor[order[k]]++
			above = below
		}
	}
	return corners
}

// row is that of partial sums of weights in steps.
func (g *grid) row(sums []float64) int {
	at, before := make([]int, len(sums)+1), 0
	for i, sum := range sums {
		at[i] = int(sum) - before
		before = int(sum)
	}
	at[len(sums)] = g.steps - before
	return g.rows[fmt.Sprint(at)]
}

func interpolate(table [][]float64, corners []corner, item int) float64 {
	sum := 0.0
	for _, c := range corners {
		sum += c.part * table[c.row][item]
	}
	return sum
}

// problems are the grid as it is, and with its parents shuffled and a bad one
// among them.
func (g *grid) problems() []problem {
	return []problem{
		{"grid", len(g.parents), g.world},
		{"grid-bad", len(g.parents) + 1, g.spoiled},
	}
}

func (g *grid) world(seed uint64, items int) world {
	names := slices.Clone(g.parents)
	e := emulation{grid: g, items: g.draw(seed, items)}
	return world{
		space: search.Space{Parents: names},
		try:   func(p search.Point) search.Trial { return e.trial(p.Weights[0], 0) },
		truth: func(p search.Point) float64 { return g.truth(p.Weights[0]) },
		best:  g.best(),
	}
}

// spoiled adds a parent that damages every soup that it is in, about as the
// garden's overheated one does: a quarter of it costs four of ten right answers.
func (g *grid) spoiled(seed uint64, items int) world {
	r := search.Rand(seed, "bench grid-bad", 0)
	n := len(g.parents) + 1
	order := r.Perm(n)
	e := emulation{grid: g, items: g.draw(seed, items), luck: make([]float64, len(g.items))}
	for i := range e.luck {
		e.luck[i] = r.Float64()
	}
	names := make([]string, n)
	for i, parent := range order {
		names[i] = append(slices.Clone(g.parents), "bad")[parent]
	}
	split := func(p search.Point) ([]float64, float64) { return unshuffled(order, p.Weights[0]) }
	return world{
		space: search.Space{Parents: names},
		try:   func(p search.Point) search.Trial { return e.trial(split(p)) },
		truth: func(p search.Point) float64 { w, bad := split(p); return g.truth(w) * spared(bad) },
		best:  g.best(),
	}
}

// unshuffled are the weights of the good parents, scaled to 1, and that of the
// bad one.
func unshuffled(order []int, weights []float64) (good []float64, bad float64) {
	good = make([]float64, len(weights)-1)
	for i, parent := range order {
		if parent == len(good) {
			bad = weights[i]
		} else {
			good[parent] = weights[i]
		}
	}
	total := 1 - bad
	for i := range good {
		if total < 1e-9 {
			good[i] = 1 / float64(len(good))
		} else {
			good[i] /= total
		}
	}
	return good, bad
}

// spared is the share of right answers that a weight of the bad parent leaves.
func spared(bad float64) float64 { return 0.02 + 0.98*math.Exp(-bad*bad/(0.34*0.34)) }

// draw takes so many items of every category, at random, from those that are not
// for the test.
func (g *grid) draw(seed uint64, items int) []int {
	r := search.Rand(seed, "bench grid items", 0)
	var drawn []int
	for c := range g.categories {
		var pool []int
		for i, item := range g.items {
			if item.category == c && !item.test {
				pool = append(pool, i)
			}
		}
		rand.New(r).Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
		drawn = append(drawn, pool[:min(items, len(pool))]...)
	}
	return drawn
}

// truth is the mean over categories of the test items' scores.
func (g *grid) truth(weights []float64) float64 {
	total := 0.0
	for _, c := range g.corners(weights) {
		total += c.part * g.testScore(c.row)
	}
	return total
}

func (g *grid) testScore(row int) float64 {
	sums, counts := make([]float64, len(g.categories)), make([]float64, len(g.categories))
	for i, item := range g.items {
		if item.test {
			sums[item.category] += g.score[row][i]
			counts[item.category]++
		}
	}
	mean := 0.0
	for c, sum := range sums {
		mean += sum / counts[c] / float64(len(sums))
	}
	return mean
}

func (g *grid) best() float64 {
	top := 0.0
	for _, row := range g.rows {
		top = max(top, g.testScore(row))
	}
	return top
}

// emulation answers points with some of the grid's items.
type emulation struct {
	grid  *grid
	items []int
	luck  []float64 // of each item, against a bad parent
}

func (e emulation) trial(weights []float64, bad float64) search.Trial {
	corners := e.grid.corners(weights)
	var items []search.Item
	for _, i := range e.items {
		item := e.grid.items[i]
		it := search.Item{ID: item.id, Category: e.grid.categories[item.category], Score: interpolate(e.grid.score, corners, i), Soft: interpolate(e.grid.soft, corners, i)}
		if bad > 0 {
			it.Soft += math.Log(spared(bad))
			if e.luck[i] > spared(bad) {
				it.Score = 0
			}
		}
		items = append(items, it)
	}
	return summed(items)
}
