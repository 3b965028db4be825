package plots

import (
	"fmt"
	"time"

	"gonum.org/v1/plot/vg"

	"soup/results"
)

// spent is what a strategy's trials cost.
type spent struct {
	name   string
	trials int
	results.Seconds
}

// costs are by strategy, then of the finalists after the search, and of all last.
// Strategies that cost nothing are left out.
func costs(r results.Report) []spent {
	by := map[string]*spent{}
	all := spent{name: "all"}
	var list []spent
	for _, t := range r.Trials {
		if t.State == results.Cached || t.Seconds.Total() == 0 {
			continue
		}
		s := by[t.Strategy]
		if s == nil {
			s = &spent{name: strategyTitle(t.Strategy)}
			by[t.Strategy] = s
		}
		for _, x := range []*spent{s, &all} {
			x.trials++
			x.Add(t.Seconds)
		}
	}
	for _, name := range strategies(r) {
		if s := by[name]; s != nil {
			list = append(list, *s)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if later := r.Later(); later.Total() > 0 {
		list = append(list, spent{"selection and test", finalists(r), later})
		all.Add(later)
	}
	return append(list, all)
}

// finalists counts the trials that were scored on selection.
func finalists(r results.Report) (n int) {
	for _, t := range r.Trials {
		if t.Scores.Selection != nil && t.State != results.Cached {
			n++
		}
	}
	return n
}

// unit is that in which so many seconds are best said.
func unit(seconds float64) (name string, size float64) {
	switch {
	case seconds >= 3*3600:
		return "hours", 3600
	case seconds >= 3*60:
		return "minutes", 60
	}
	return "seconds", 1
}

func drawCost(r results.Report) (*Figure, string) {
	list := costs(r)
	if len(list) == 0 {
		return nil, "no trial has cost any time yet"
	}
	all := list[len(list)-1]
	name, size := unit(all.Total())
	kinds := []string{"merging", "swapping", "until the first answer", "answering"}
	b := bars{}
	f := &Figure{title: "Where the time went", width: 6.5 * vg.Inch}
	data := f.series(name, kinds...)
	for _, s := range list {
		values := data.add(s.name, s.Merge/size, s.Swap/size, s.FirstToken/size, max(s.Eval-s.FirstToken, 0)/size).Values
		b.names = append(b.names, fmt.Sprintf("%s (n = %d)", shortName(s.name, 20), s.trials))
		b.rows = append(b.rows, stack(values, make([]string, len(values))))
		b.ends = append(b.ends, brief(s.Total()))
	}
	total := all.Total()
	f.subtitle = fmt.Sprintf("%s that were scored, %s items answered; merging %.1f %%, swapping %.1f %%, until the first answer %.1f %%, answering %.1f %%",
		plural(all.trials, "trial"), thousands(float64(r.ItemsAnswered)), 100*all.Merge/total, 100*all.Swap/total, 100*all.FirstToken/total, 100*(all.Eval-all.FirstToken)/total)
	for i, kind := range kinds {
		f.keys = append(f.keys, fillKey(kind, fillOf(i)))
	}
	f.drawBars(b, name)
	return f, ""
}

// brief is a duration, to the second from a minute on.
func brief(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
