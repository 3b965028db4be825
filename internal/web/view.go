package web

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"soup/internal/follow"
	"soup/internal/study"
	"soup/results"
)

// shown is how many trials, failures and events the page has at most.
const (
	shownTrials   = 15
	shownFailures = 10
	shownEvents   = 12
)

// view is a study as the templates see it.
type view struct {
	*follow.Study
	Dir     string
	Trouble error
	Report  *written
	now     time.Time
}

// Phases are the steps of a study: those before the present one are done.
func (v view) Phases() []stage {
	var steps []stage
	reached := v.At()
	if v.Now() == follow.Starting {
		reached = ""
	}
	state := "done"
	for _, name := range []string{study.SearchPhase, study.SelectionPhase, study.TestPhase, study.FinishedPhase} {
		is := state
		if name == reached || reached == "" {
			is, state = "now", "later"
		}
		if reached == "" {
			is = "later"
		}
		if v.Now() == study.FinishedPhase {
			is = "done"
		}
		steps = append(steps, stage{name, is})
	}
	return steps
}

type stage struct{ Name, State string }

// Badge is the phase in a word.
func (v view) Badge() string {
	if now := v.Now(); now != follow.Stopped {
		return now
	}
	return "stopped in " + v.At()
}

// Expected is how many candidates the bar stands for.
func (v view) Expected() int { return max(v.Candidates, v.Done()) }

// ETA is the time to the end of the phase in words.
func (v view) ETA() string { return roughly(v.Left(v.now)) }

// Pending is the candidate that is being scored, in words.
func (v view) Pending() string {
	if v.Present == nil || !v.Running {
		return ""
	}
	asked, of := v.Asked(v.Present, v.At())
	if of == 0 {
		of = asked
	}
	return fmt.Sprintf("trial %d, %s: %s of %s items", v.Present.Number, named(&v.Present.Trial), count(asked), count(of))
}

// named is a trial's label, with its strategy where the label does not say it.
func named(t *results.Trial) string {
	if t.Label == "" || t.Strategy == t.Label {
		return t.Strategy
	}
	if len(t.Label) > len(t.Strategy) && t.Label[:len(t.Strategy)] == t.Strategy {
		return t.Label
	}
	return t.Strategy + " " + t.Label
}

// BestName is what the best trial is called.
func (v view) BestName() string { return named(&v.Best.Trial.Trial) }

// Interval is a 95 % interval of a search score, in points; "" if its standard
// error is unknown.
func (v view) Interval(s *results.Score) string {
	if s == nil || s.Mean == nil || s.SE == nil {
		return ""
	}
	const z = 1.96
	return fmt.Sprintf("%s to %s", points(*s.Mean-z**s.SE), points(*s.Mean+z**s.SE))
}

// Gain is how far the best lies above the best single checkpoint.
func (v view) Gain() string {
	if v.Best == nil || v.Single == nil || v.Best.Number == v.Single.Number {
		return ""
	}
	return signed(*v.Best.Search - *v.Single.Search)
}

// Weights are those of a trial: one group without a name, or several.
func (v view) Weights(t results.Trial) []group {
	var groups []group
	for i, row := range t.Weights {
		name, byParent := "", map[string]float64{}
		if i < len(t.Groups) {
			name = t.Groups[i]
		}
		for j, w := range row[:min(len(row), len(v.Parents))] {
			byParent[v.Parents[j]] = w
		}
		groups = append(groups, bars(name, v.Parents, byParent))
	}
	return groups
}

// Wide and Narrow are the chart for two widths of a window.
func (v view) Wide() *chart   { return draw(v.Study, 700, 330) }
func (v view) Narrow() *chart { return draw(v.Study, 360, 280) }

// category is the best candidate's score in a category beside the best single
// checkpoint's.
type category struct{ Name, Best, Single, Gain string }

// Categories are those of the search split.
func (v view) Categories() []category {
	if v.Best == nil || v.Best.Score == nil || v.Single == nil || v.Single.Score == nil {
		return nil
	}
	var list []category
	for _, name := range slices.Sorted(maps.Keys(v.Best.Score.Categories)) {
		best, single := v.Best.Score.Categories[name], v.Single.Score.Categories[name]
		c := category{Name: name, Best: best.String(), Single: single.String()}
		if best.Mean != nil && single.Mean != nil {
			c.Gain = signed(*best.Mean - *single.Mean)
		}
		list = append(list, c)
	}
	return list
}

// strategy is a row of what strategies have done.
type strategy struct {
	Name   string
	Tried  int
	States string
	Best   string
	Label  string
}

// Strategies are those that have tried anything, in the order in which they began.
func (v view) Strategies() []strategy {
	var list []strategy
	at, states, best := map[string]int{}, map[string]map[string]int{}, map[string]float64{}
	for i := range v.Trials {
		t := &v.Trials[i]
		n, known := at[t.Strategy]
		if !known {
			n = len(list)
			at[t.Strategy], states[t.Strategy] = n, map[string]int{}
			list = append(list, strategy{Name: t.Strategy})
		}
		list[n].Tried++
		states[t.Strategy][t.State]++
		score := v.Trials[t.Of].Search
		if high, any := best[t.Strategy]; score != nil && (!any || *score > high) {
			best[t.Strategy] = *score
			list[n].Best, list[n].Label = points(*score), t.Label
		}
	}
	for i := range list {
		list[i].States = others(states[list[i].Name])
	}
	return list
}

// others are the states that are not the usual one, with their counts.
func others(states map[string]int) string {
	text := ""
	for _, state := range slices.Sorted(maps.Keys(states)) {
		if state != results.Complete {
			text += fmt.Sprintf("%s%d %s", map[bool]string{true: ", "}[text != ""], states[state], state)
		}
	}
	return text
}

// Failures are the failed trials, the latest first, and how many more there are.
func (v view) Failures() (f failures) {
	for i := len(v.Trials) - 1; i >= 0; i-- {
		t := &v.Trials[i]
		if t.State != results.Failed {
			continue
		}
		if f.All++; len(f.Shown) < shownFailures {
			f.Shown = append(f.Shown, failure{t.Number, named(&t.Trial), t.Failure, cmp.Or(t.Reason, "no reason recorded")})
		}
	}
	return f
}

type failures struct {
	Shown []failure
	All   int
}

type failure struct {
	Number             int
	Name, Kind, Reason string
}

// happening is an event in words.
type happening struct {
	Time time.Time
	Text string
	Loud bool // a warning
}

// Happenings are the latest events, the latest first.
func (v view) Happenings() []happening {
	var list []happening
	for i := len(v.Events) - 1; i >= 0 && len(list) < shownEvents; i-- {
		e := v.Events[i]
		if text, ok := study.Say(e); ok {
			list = append(list, happening{e.Time, text, study.IsWarning(e)})
		}
	}
	return list
}

// IdleShare is the share of the time that the server idled, "" if unknown.
func (v view) IdleShare() string {
	idle := v.Idle()
	if idle == nil {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100**idle)
}

// Unmeasured are items without an answer, as a share of all that were asked.
func (v view) Unmeasured() string { return share(v.Lost.Failed+v.Lost.Timeout+v.Lost.Missing, v.Lost) }

// Truncated are answers that were cut off.
func (v view) Truncated() string { return share(v.Lost.Truncated, v.Lost) }

func share(n int, all results.Counts) string {
	total := all.N + all.Failed + all.Timeout + all.Missing
	if total == 0 || n == 0 {
		return "none"
	}
	return fmt.Sprintf("%s (%.2g %%)", count(n), 100*float64(n)/float64(total))
}

// table are the latest trials, newest first.
func (v view) table() []trialRow {
	var rows []trialRow
	for i := len(v.Trials) - 1; i >= 0 && len(rows) < shownTrials; i-- {
		t := &v.Trials[i]
		row := trialRow{Trial: t, Name: t.Label, Score: "–", Rate: "–"}
		holder := &v.Trials[t.Of]
		if holder.Search != nil {
			row.Score = points(*holder.Search)
		}
		if rate := t.ItemRate(); rate > 0 {
			row.Rate = short(math.Round(rate))
		}
		row.Best = v.Best != nil && v.Best.Number == t.Number
		if t.State == results.Running {
			asked, of := v.Asked(t, results.Search)
			row.Score = fmt.Sprintf("%s / %s", count(asked), count(max(asked, of)))
		}
		rows = append(rows, row)
	}
	return rows
}

type trialRow struct {
	*follow.Trial
	Name, Score, Rate string
	Best              bool
}
