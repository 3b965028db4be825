package plots

import (
	"fmt"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"soup/results"
)

// attempt is a trial on one split at the moment when its last item was answered.
type attempt struct {
	trial    int
	strategy string
	state    string  // of the trial
	items    float64 // answered by then, on search and then on selection
	score    float64 // points; means nothing unless scored
	se       float64
	scored   bool
	soup     bool // false for the base, which no candidate is made of
}

// progress is how the best score grew.
type progress struct {
	search    []attempt
	selection []attempt // of the finalists, by number of trial
	end       float64   // items answered when the search was over
}

// progressOf adds up the items of the trials in the order of their numbers. A
// cached trial asked nothing and is left out.
func progressOf(r results.Report) progress {
	var p progress
	for _, t := range r.Trials {
		if t.State == results.Cached || t.State == results.Running {
			continue
		}
		p.end += float64(searchItems(t))
		a := attempted(t, t.Scores.Search, p.end)
		a.soup = weightRows(r.Parents, t.Weights) != nil
		p.search = append(p.search, a)
	}
	at := p.end
	for _, t := range r.Trials {
		if s := t.Scores.Selection; s != nil && t.State != results.Cached {
			at += float64(s.N)
			p.selection = append(p.selection, attempted(t, s, at))
		}
	}
	return p
}

// searchItems is how many search items of a trial were answered, also of one
// that was pruned.
func searchItems(t results.TrialReport) int {
	if t.Scores.Search != nil {
		return t.Scores.Search.N
	}
	return t.Answered
}

func attempted(t results.TrialReport, s *results.Score, items float64) attempt {
	a := attempt{trial: t.Number, strategy: t.Strategy, state: t.State, items: items}
	if s != nil && s.Mean != nil {
		a.scored = true
		a.score, a.se = inPoints(s)
	}
	return a
}

func (a attempt) name() string { return strconv.Itoa(a.trial) }

// best is the highest score of a candidate so far, as corners of a line with steps.
func best(list []attempt, end float64) plotter.XYs {
	var line plotter.XYs
	for _, a := range list {
		if a.scored && a.soup && (len(line) == 0 || a.score > line[len(line)-1].Y) {
			line = append(line, plotter.XY{X: a.items, Y: a.score})
		}
	}
	if len(line) > 0 {
		line = append(line, plotter.XY{X: end, Y: line[len(line)-1].Y})
	}
	return line
}

func drawProgress(r results.Report) (*Figure, string) {
	data := progressOf(r)
	line := best(data.search, data.end)
	if len(line) == 0 {
		return nil, "no candidate has been scored yet"
	}
	p := newPanel("items answered", "score (points)")
	addGrid(p, false, true)
	f := &Figure{title: "Best score so far against items answered", width: 6.5 * vg.Inch, height: 4 * vg.Inch}
	f.subtitle = fmt.Sprintf("%s on search (n = %d items each)", plural(len(data.search), "trial"), commonItems(r, search))
	if len(data.selection) > 0 {
		f.subtitle += fmt.Sprintf(", then %s on selection (n = %d) with 95 %% intervals", plural(len(data.selection), "finalist"), commonItems(r, selection))
		p.Add(upright{data.end, stroke(grey, 0.8, 3, 2)})
	}
	for i, name := range strategies(r) {
		if !slices.ContainsFunc(data.search, func(a attempt) bool { return a.strategy == name && a.scored }) {
			continue
		}
		dots := f.series(strategyTitle(name), "items answered", "search")
		for _, a := range data.search {
			if a.strategy == name && a.scored {
				dots.add(a.name(), a.items, a.score)
			}
		}
		style := glyph(hue(i), 2.2, shape(i))
		p.Add(&plotter.Scatter{XYs: dots.xys(), GlyphStyle: style})
		f.keys = append(f.keys, glyphKey(strategyTitle(name), style))
	}
	top := f.series("best so far", "items answered", "search")
	for _, at := range line {
		top.add("", at.X, at.Y)
	}
	steps := &plotter.Line{XYs: top.xys(), StepStyle: plotter.PostStep, LineStyle: stroke(black, 1.2)}
	p.Add(steps)
	f.keys = append(f.keys, lineKey("best so far", steps.LineStyle))
	addFinalists(f, p, r, data)
	addUnscored(f, p, data)
	p.X.Min = 0
	f.body = p.Draw
	return f, ""
}

func addFinalists(f *Figure, p *plot.Plot, r results.Report, data progress) {
	if len(data.selection) == 0 {
		return
	}
	style := glyph(black, 2.6, draw.SquareGlyph{})
	f.keys = append(f.keys, glyphKey("on selection", style))
	marks := f.series("on selection", intervalColumns("items answered", "selection")...)
	for _, a := range data.selection {
		if !a.scored {
			continue
		}
		mark := style
		if isWinner(r, a.trial) {
			mark = winnerGlyph()
			f.keys = append(f.keys, glyphKey("winner", mark))
		}
		p.Add(marks.add(a.name(), a.items, a.score, a.score-z95*a.se, a.score+z95*a.se).whisker(mark))
	}
}

// addUnscored marks, on the lower edge, the trials that have no score.
func addUnscored(f *Figure, p *plot.Plot, data progress) {
	for _, state := range []string{results.Pruned, results.Failed} {
		style := glyph(vermillion, 3, draw.CrossGlyph{})
		if state == results.Pruned {
			style = glyph(grey, 3, draw.PlusGlyph{})
		}
		var at plotter.XYs
		var names []string
		for _, a := range data.search {
			if a.state == state && !a.scored {
				at, names = append(at, plotter.XY{X: a.items, Y: p.Y.Min}), append(names, a.name())
			}
		}
		if len(at) > 0 {
			marks := f.series(state, "items answered")
			for i, x := range at {
				marks.add(names[i], x.X)
			}
			p.Add(&plotter.Scatter{XYs: at, GlyphStyle: style})
			f.keys = append(f.keys, glyphKey(fmt.Sprintf("%s (%d, no score)", state, len(at)), style))
		}
	}
}

// A split of a candidate's scores.
func search(s results.Scores) *results.Score    { return s.Search }
func selection(s results.Scores) *results.Score { return s.Selection }
func test(s results.Scores) *results.Score      { return s.Test }

// commonItems is how many items most candidates were scored on in a split.
func commonItems(r results.Report, of func(results.Scores) *results.Score) int {
	counts := map[int]int{}
	for _, t := range r.Trials {
		if s := of(t.Scores); s != nil {
			counts[s.N]++
		}
	}
	most := 0
	for n, times := range counts {
		if times > counts[most] || times == counts[most] && n > most {
			most = n
		}
	}
	return most
}
