package web

import (
	"fmt"

	"soup/results"
)

// Fault is why there is no report, "" if there is one.
func (w *written) Fault() string {
	if w.err == nil {
		return ""
	}
	return w.err.Error()
}

// Outcome is the study's answer in one sentence.
func (w *written) Outcome() string {
	single, c := w.single(), w.test()
	switch {
	case single == nil || w.Winner == nil:
		return "The winner was not compared with the best single checkpoint."
	case w.Winner.Trial == single.Trial:
		return fmt.Sprintf("The best single checkpoint, %s, won: no soup was chosen.", single.Label)
	case c == nil:
		return "The winner was not compared with the best single checkpoint."
	case c.Verdict == results.Better:
		return fmt.Sprintf("The winner is better than the best single checkpoint, %s, by %s points.", single.Label, points(c.Delta))
	case c.Verdict == results.Worse:
		return fmt.Sprintf("The winner is worse than the best single checkpoint, %s, by %s points.", single.Label, points(-c.Delta))
	}
	return fmt.Sprintf("The winner cannot be told from the best single checkpoint, %s.", single.Label)
}

func (w *written) single() *results.StrategyReport {
	for i := range w.Strategies {
		if w.Strategies[i].Strategy == "single" {
			return &w.Strategies[i]
		}
	}
	return nil
}

// test is the comparison that the study is about, nil if it was not made.
func (w *written) test() *results.Comparison {
	for i, c := range w.Comparisons {
		if c.Of == results.OfWinner && c.Against == results.OfBestSingle && c.Split == results.Test {
			return &w.Comparisons[i]
		}
	}
	return nil
}

// Weights are the winner's.
func (w *written) Weights() []group {
	if w.Winner == nil {
		return nil
	}
	if w.Winner.Groups == nil {
		return []group{bars("", w.Parents, w.Winner.ByParent)}
	}
	var list []group
	for _, g := range w.Winner.Groups {
		list = append(list, bars(g.Name, w.Parents, g.ByParent))
	}
	return list
}

// judged is a paired difference with its verdict in a word.
type judged struct {
	Against string
	results.Difference
}

// Word is the verdict.
func (j judged) Word() string {
	if j.Verdict == results.Noise {
		return "~ may be noise"
	}
	return j.Verdict
}

// Class is the verdict for the style sheet.
func (j judged) Class() string {
	if j.Verdict == results.Noise {
		return "noise"
	}
	return j.Verdict
}

// Tested are the winner's comparisons on test.
func (w *written) Tested() []judged {
	var list []judged
	for _, c := range w.Comparisons {
		if c.Of != results.OfWinner || c.Split != results.Test {
			continue
		}
		against := c.Against
		if single := w.single(); against == results.OfBestSingle && single != nil {
			against = "best single: " + single.Label
		}
		list = append(list, judged{against, c.Difference})
	}
	return list
}

// PerCategory is the comparison with the best single checkpoint in each category.
func (w *written) PerCategory() []judged {
	c := w.test()
	if c == nil {
		return nil
	}
	var list []judged
	for _, x := range c.Categories {
		list = append(list, judged{x.Category, x.Difference})
	}
	return list
}

// ranked is a row of the table of strategies.
type ranked struct {
	results.StrategyReport
	Name string
	Won  bool
}

// Rows are the best candidates of all strategies.
func (w *written) Rows() []ranked {
	var list []ranked
	for _, s := range w.Strategies {
		name := s.Strategy
		switch name {
		case "single":
			name = "best single: " + s.Label
		case results.OfWinner: // none of the strategies' best
			name = s.Label
		}
		list = append(list, ranked{s, name, w.Winner != nil && w.Winner.Trial == s.Trial})
	}
	return list
}

// Optimism is the expected luck of the best search score in points, "" if it is
// not known.
func (w *written) Optimism() string {
	if w.Report.Optimism == nil {
		return ""
	}
	return points(*w.Report.Optimism)
}
