package comparison

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/olekukonko/tablewriter"
)

// WriteJSON prints everything.
func (c *Comparison) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(c)
}

// WriteText prints three tables: strategies over all studies, the studies, and
// their winners in pairs. Scores are points.
func (c *Comparison) WriteText(w io.Writer) error {
	for _, part := range []func(io.Writer) error{c.writeStrategies, c.writeStudies, c.writePairs} {
		if err := part(w); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, "points: 100 x the mean over categories, on test; better, ~ and worse by the paired test against each study's best single")
	return err
}

func (c *Comparison) writeStrategies(w io.Writer) error {
	table := tablewriter.NewTable(w)
	table.Header("strategy", "mean rank", "test", "gain", "better", "~", "worse", "tried", "studies")
	for _, s := range c.Strategies {
		rank, test, gain := "-", points(s.Test), "-"
		if s.MeanRank != nil {
			rank = fmt.Sprintf("%.1f", *s.MeanRank)
		}
		if s.Spread != nil {
			test += fmt.Sprintf(" (sd %.1f)", 100**s.Spread)
		}
		if s.Gain != nil {
			gain = fmt.Sprintf("%+.1f", 100**s.Gain)
		}
		err := table.Append(title(s.Name), rank, test, gain, fmt.Sprint(s.Better), fmt.Sprint(s.Noise), fmt.Sprint(s.Worse), fmt.Sprintf("%.0f", s.Tried), fmt.Sprint(s.Studies))
		if err != nil {
			return err
		}
	}
	return table.Render()
}

func (c *Comparison) writeStudies(w io.Writer) error {
	table := tablewriter.NewTable(w)
	table.Header("study", "seed", "candidates", "items", "winner", "test", "against best single")
	for _, s := range c.Studies {
		against := "-"
		if s.AgainstBestSingle != nil {
			against = s.AgainstBestSingle.String()
		}
		if err := table.Append(s.Dir, fmt.Sprint(s.Seed), fmt.Sprint(s.Candidates), fmt.Sprint(s.Items), s.Winner, s.Test.String(), against); err != nil {
			return err
		}
	}
	return table.Render()
}

func (c *Comparison) writePairs(w io.Writer) error {
	if len(c.Pairs) == 0 {
		_, err := fmt.Fprintln(w, "no two studies have the same test items: their winners cannot be paired")
		return err
	}
	table := tablewriter.NewTable(w)
	table.Header("winner of", "against winner of", "difference", "n", "verdict")
	for _, p := range c.Pairs {
		if err := table.Append(p.Of, p.Against, p.Difference.String(), fmt.Sprint(p.N), p.Verdict); err != nil {
			return err
		}
	}
	return table.Render()
}
