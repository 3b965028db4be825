package search

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

var paramMargin = Parameter{Name: "margin", Default: 1, Low: 0, High: 10, Doc: "a step has to gain so many standard errors"}

// coordinate searches edges: pairs first, then one more parent at a time, as long
// as each is worth it. The third parent of Souper-Model's soup of 8B models
// (https://arxiv.org/abs/2511.13254, tables 1 and 3) adds 0.33 points to the pair.
//
// It begins at the best parent and tries a third of each other one. A parabola
// through these three scores, the other parent's among them, says where on its edge
// each pair is best: the two best pairs are tried there, and the best again with
// what that told (successive parabolic interpolation; Brent, "Algorithms for
// Minimization without Derivatives", 1973, chapter 5). From the best pair the ways
// to all parents are tried in the same way, a quarter first, and so on from what
// that gives. It ends when a step gains less than margin standard errors. All groups
// have the same weights.
type coordinate struct {
	*stages
	climb   climb
	known   record
	options options
}

func newCoordinate(space Space, _ uint64, o options) (Strategy, error) {
	c := &coordinate{climb: climb{space: space, margin: o["margin"]}, known: record{}, options: o}
	c.stages = newStages("coordinate", c.follow)
	return c, nil
}

func (c *coordinate) follow(done []Trial) []Point {
	c.known.add(done)
	fresh := c.climb.next(c.known)
	c.notes = c.climb.notes
	return fresh[:min(len(fresh), c.options.whole("budget")-len(done))]
}

// Recommended is the soup that it came to, not the luckiest point.
func (c *coordinate) Recommended() (Point, bool) { return c.climb.recommended(c.trials) }

// climb goes from the best parent to the best soup, all groups alike. What it does
// follows from the outcomes alone: it goes the whole way again each time, as far as
// these reach.
type climb struct {
	space  Space
	margin float64 // a step has to gain so many standard errors

	notes []string
	soup  *Trial // as far as it came
}

// next are the points whose outcomes it needs to go on. None: it has arrived.
func (c *climb) next(known record) []Point {
	c.notes, c.soup = nil, nil
	if lacking := known.lacks(c.space.singles()); len(lacking) > 0 {
		return lacking
	}
	first := c.space.corner(c.space.bestSingle(known))
	start := c.space.spelled("corner", c.space.everywhere("", first).Weights)
	if lacking := known.lacks([]Point{start}); len(lacking) > 0 {
		return lacking
	}
	c.soup = known.trial(start)
	if c.soup.State != StateComplete {
		c.note("%s has no score: nothing to start from", c.soup.Point.Label)
		c.soup = nil
		return nil
	}
	c.note("starts at %s: %.4f", c.soup.Point.Label, c.soup.Score)
	lacking, found := explore(known, c.lines(1.0/3))
	for found != nil && c.takes(found) {
		lacking, found = explore(known, c.lines(1.0/4))
	}
	return lacking
}

// lines lead from the soup to each corner but the one that it may be at, with a
// point at the given part of them.
func (c *climb) lines(part float64) []*line {
	var lines []*line
	for parent := range c.space.Parents {
		to := c.space.everywhere("", c.space.corner(parent)).Weights
		lines = append(lines, &line{"coordinate", c.space, c.soup.Point, to, []float64{part}})
	}
	return somewhere(lines)
}

// takes goes on from a trial that is better than the soup by more than noise, and
// says whether it is.
func (c *climb) takes(t *Trial) bool {
	switch gain := t.rank() - c.soup.Score; {
	case c.gains(t):
		c.goOn(t)
		return true
	case gain > 0:
		c.note("stops: %s gains %.4f, no more than noise", t.Point.Label, gain)
	default:
		c.note("stops: nothing on the way to any parent is better")
	}
	return false
}

func (c *climb) gains(t *Trial) bool {
	gain := t.rank() - c.soup.Score
	return gain > 0 && gain >= c.margin*c.space.doubt(*t, *c.soup)
}

func (c *climb) goOn(t *Trial) {
	c.note("goes on from %s: %.4f, a gain of %.4f", t.Point.Label, t.Score, t.Score-c.soup.Score)
	c.soup = t
}

// recommended is the soup, or the best point where that is better by more than
// noise: the search may have been cut short before it could go on from there.
func (c *climb) recommended(tried []Trial) (Point, bool) {
	top := best(tried)
	if top == nil || c.soup == nil {
		return Point{}, false
	}
	if c.gains(top) {
		return top.Point.clone(), true
	}
	return c.soup.Point.clone(), true
}

func (c *climb) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// line is a straight way in the space, with the parts of it where points are.
type line struct {
	label string // of the points, before their weights
	space Space
	from  Point
	to    [][]float64
	parts []float64
}

// somewhere leaves out lines that end where they begin.
func somewhere(lines []*line) []*line {
	return slices.DeleteFunc(lines, func(l *line) bool { return Key(l.at(1)) == Key(l.from) })
}

// at is the point at a part of the way: 0 where it begins, 1 where it leads to.
func (l *line) at(part float64) Point {
	rows := l.space.rows(l.from)
	for g, row := range rows {
		for i := range row {
			row[i] += part * (l.to[g][i] - row[i])
		}
	}
	return l.space.spelled(l.label, rows)
}

// explore looks at the points of lines, then at the tops of the two best lines and
// of the best one. It returns the points that it lacks for that, or else the best
// trial that it found.
func explore(known record, lines []*line) (lacking []Point, found *Trial) {
	if lacking = known.lacks(points(lines)); len(lacking) > 0 {
		return lacking, nil
	}
	for _, width := range []int{2, 1} {
		lines = promising(lines, known, width)
		for _, l := range lines {
			l.addTop(known)
		}
		if lacking = known.lacks(points(lines)); len(lacking) > 0 {
			return lacking, nil
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	return nil, lines[0].best(known)
}

func points(lines []*line) []Point {
	var points []Point
	for _, l := range lines {
		for _, part := range l.parts {
			points = append(points, l.at(part))
		}
	}
	return points
}

// best is the best trial of the line's points.
func (l *line) best(known record) *Trial {
	top := known.trial(l.from)
	for _, part := range l.parts {
		if t := known.trial(l.at(part)); t.rank() > top.rank() {
			top = t
		}
	}
	return top
}

// promising are the lines with the best points, best first.
func promising(lines []*line, known record, width int) []*line {
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b *line) int { return cmp.Compare(b.highest(known), a.highest(known)) })
	return lines[:min(width, len(lines))]
}

// highest is the best score of the line's points but the first, which all lines
// have in common.
func (l *line) highest(known record) float64 {
	high := math.Inf(-1)
	for _, part := range l.parts {
		high = max(high, known.rank(l.at(part)))
	}
	return high
}

// least is how close parts of a line are looked at.
const least = 0.03

// addTop adds the part where the line promises most, unless there is none or it has
// been looked at.
func (l *line) addTop(known record) {
	x, y := l.samples(known)
	top, ok := peak(x, y)
	if !ok {
		return
	}
	top = max(l.start(), min(1, top))
	if !slices.ContainsFunc(x, func(part float64) bool { return math.Abs(part-top) < least }) {
		l.parts = append(l.parts, top)
	}
}

// peak is where the parabola through the best sample and its neighbours is highest.
// Of two samples it goes on behind the second or half way back.
func peak(x, y []float64) (float64, bool) {
	switch {
	case len(x) < 2:
		return 0, false
	case len(x) == 2 && y[1] > y[0]:
		return 2*x[1] - x[0], true
	case len(x) == 2:
		return (x[0] + x[1]) / 2, true
	}
	i := max(1, min(len(x)-2, floats.MaxIdx(y)))
	return vertex([3]float64(x[i-1:i+2]), [3]float64(y[i-1:i+2]))
}

// samples are the parts with a score, in order, with both ends if they have one.
func (l *line) samples(known record) (x, y []float64) {
	parts := append([]float64{0, 1}, l.parts...)
	slices.Sort(parts)
	for _, part := range parts {
		if rank := known.rank(l.at(part)); finite(rank) {
			x, y = append(x, part), append(y, rank)
		}
	}
	return x, y
}

// vertex is where the parabola through three points is highest; false if it has no
// top.
func vertex(x, y [3]float64) (float64, bool) {
	left, right := (y[1]-y[0])/(x[1]-x[0]), (y[2]-y[1])/(x[2]-x[1])
	bend := (right - left) / (x[2] - x[0])
	if !(bend < 0) {
		return 0, false
	}
	return (x[0] + x[1] - left/bend) / 2, true
}

// start is how far the line can be followed backwards: to where a weight is 0 or
// at its bounds.
func (l *line) start() float64 {
	start := math.Inf(-1)
	for g, row := range l.space.rows(l.from) {
		for i, w := range row {
			switch slope := l.to[g][i] - w; {
			case slope > 0:
				start = max(start, (l.space.Min-w)/slope)
			case slope < 0:
				start = max(start, (l.space.Max-w)/slope)
			}
		}
	}
	return min(0, start)
}

// corner has as much of a parent as the bounds allow and equal shares of the
// others, none if possible.
func (s Space) corner(parent int) []float64 {
	n := len(s.Parents)
	most := min(s.Max, s.Sum-float64(n-1)*max(0, s.Min))
	row := make([]float64, n)
	for i := range row {
		row[i] = (s.Sum - most) / max(1, float64(n-1))
	}
	row[parent] = most
	return row
}

// rows are a point's weights with the right sum, which a parent itself may not have.
func (s Space) rows(p Point) [][]float64 {
	rows := p.clone().Weights
	if parent := p.parent(); parent >= 0 {
		for _, row := range rows {
			row[parent] = s.Sum
		}
	}
	return rows
}

// spelled is the point of these rows with its weights in its label.
func (s Space) spelled(kind string, rows [][]float64) Point {
	p := s.tidy("", rows)
	p.Label = kind + " " + s.describe(p)
	return p
}

// bestSingle is the parent with the best score, the first of equals.
func (s Space) bestSingle(known record) int {
	singles := s.singles()
	first := 0
	for i, p := range singles {
		if known.rank(p) > known.rank(singles[first]) {
			first = i
		}
	}
	return first
}

// record holds trials by the keys of their points.
type record map[string]Trial

// add takes in trials of different points: it is given all of them each time and
// looks at the new ones.
func (r record) add(done []Trial) {
	for _, t := range done[len(r):] {
		r[Key(t.Point)] = t
	}
}

// lacks are the points without an outcome, each once.
func (r record) lacks(points []Point) []Point {
	var lacking []Point
	seen := map[string]bool{}
	for _, p := range points {
		key := Key(p)
		if _, ok := r[key]; !ok && !seen[key] {
			lacking = append(lacking, p)
		}
		seen[key] = true
	}
	return lacking
}

// trial is that of a point, without a state if it has none.
func (r record) trial(p Point) *Trial {
	t := r[Key(p)]
	return &t
}

func (r record) rank(p Point) float64 { return r.trial(p).rank() }

// doubt is the standard error of the difference between the scores of two trials:
// over the items that both answered, by cluster, each category with its weight in
// the aggregate. Without items it is that of the first one's score, which it is if
// the two correlate by a half; 0 if nothing is known about it.
func (s Space) doubt(a, b Trial) float64 {
	if variances := paired(a.Items, b.Items); len(variances) > 0 {
		return s.standardError(variances)
	}
	variances := map[string]float64{}
	for name, c := range a.Categories {
		if c.SE > 0 && finite(c.SE) {
			variances[name] = c.SE * c.SE
		} else {
			variances[name] = 0
		}
	}
	return s.standardError(variances)
}

// standardError is that of the aggregate of categories whose means have these
// variances.
func (s Space) standardError(variances map[string]float64) float64 {
	sum, total := 0.0, 0.0
	for _, name := range slices.Sorted(maps.Keys(variances)) {
		weight := 1.0
		if s.Aggregate != nil {
			weight = s.Aggregate[name]
		}
		sum += weight * weight * variances[name]
		total += weight
	}
	if total == 0 {
		return 0
	}
	return math.Sqrt(sum) / total
}

// paired are the variances of the mean differences of the items that both lists
// have, by category: sums over clusters, of which items that share none are one
// each (Liang and Zeger 1986, with the factor k/(k-1) for k clusters).
func paired(a, b []Item) map[string]float64 {
	scores := map[string]float64{}
	for _, item := range b {
		scores[item.ID] = item.Score
	}
	differences := map[string]*clusters{}
	for _, item := range a {
		score, ok := scores[item.ID]
		if !ok {
			continue
		}
		if differences[item.Category] == nil {
			differences[item.Category] = &clusters{index: map[string]int{}}
		}
		differences[item.Category].add(item, item.Score-score)
	}
	variances := map[string]float64{}
	for name, d := range differences {
		variances[name] = d.variance()
	}
	return variances
}

// clusters sums up differences by cluster.
type clusters struct {
	index       map[string]int
	sums, sizes []float64
}

func (c *clusters) add(item Item, difference float64) {
	key := "cluster " + item.Cluster
	if item.Cluster == "" {
		key = "item " + item.ID
	}
	i, ok := c.index[key]
	if !ok {
		i = len(c.sums)
		c.index[key] = i
		c.sums, c.sizes = append(c.sums, 0), append(c.sizes, 0)
	}
	c.sums[i] += difference
	c.sizes[i]++
}

// variance is that of the mean; 0 of a single cluster, where it is unknown.
func (c *clusters) variance() float64 {
	k, n := float64(len(c.sums)), floats.Sum(c.sizes)
	if k < 2 {
		return 0
	}
	mean, squares := floats.Sum(c.sums)/n, 0.0
	for i, sum := range c.sums {
		d := sum - c.sizes[i]*mean
		squares += d * d
	}
	return squares * k / (k - 1) / (n * n)
}
