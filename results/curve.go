package results

import (
	"fmt"

	"soup/results/table"
)

// Curve is what a study of one training run saw along it: each checkpoint beside
// the mean of the last few at that step, on the search items, which every candidate
// answers.
type Curve struct {
	Window int         `json:"window"` // checkpoints in a mean; fewer where the run had not so many yet
	Points []CurveStep `json:"points"` // oldest first
	// Raw and Averaged say how steady the two are, over the steps that both have;
	// nil with fewer than three.
	Raw      *Steadiness `json:"raw"`
	Averaged *Steadiness `json:"averaged"`
	// Earlier is how many checkpoints before the last one the mean first scores at
	// least as high as the last checkpoint; nil where it never does.
	Earlier *int `json:"earlier"`
}

// CurveStep is one checkpoint of a run, and the mean that ends with it.
type CurveStep struct {
	Checkpoint string    `json:"checkpoint"`
	Raw        *RunScore `json:"raw"`      // nil where it was not scored
	Averaged   *RunScore `json:"averaged"` // nil likewise, and for the first
	Of         int       `json:"of"`       // checkpoints in Averaged
}

// RunScore is a candidate's score on the search items.
type RunScore struct {
	Trial int      `json:"trial"`
	Score float64  `json:"score"` // of the objective
	SE    *float64 `json:"se"`
	// Soft is the mean smooth score in nats: the log-likelihood of a reference answer,
	// for labels their lead; by the objective's weights; nil where items lack one.
	Soft *float64 `json:"soft"`
}

// Steadiness is the standard deviation of the changes from step to step.
type Steadiness struct {
	Steps int      `json:"steps"` // changes
	Score float64  `json:"score"`
	Soft  *float64 `json:"soft"`
}

// writeCurve prints a run step by step.
func writeCurve(p *table.Page, r Report) {
	c := r.Curve
	if c == nil {
		return
	}
	g := table.Grid{Header: []string{"along the run, on search", "checkpoint", "smooth", fmt.Sprintf("mean of last %d", c.Window), "smooth"}}
	for _, s := range c.Points {
		g.Add(s.Checkpoint, s.Raw.score(), s.Raw.soft(), s.Averaged.score(), s.Averaged.soft())
	}
	p.Blank()
	p.Table(g)
	for _, line := range c.lines() {
		p.Item(line)
	}
}

func (s *RunScore) score() string {
	switch {
	case s == nil:
		return none
	case s.SE == nil:
		return points(s.Score)
	}
	return points(s.Score) + " ± " + points(*s.SE)
}

func (s *RunScore) soft() string {
	if s == nil || s.Soft == nil {
		return none
	}
	return fmt.Sprintf("%.3f", *s.Soft)
}

// lines say what the curve is for.
func (c *Curve) lines() (lines []string) {
	if c.Raw != nil && c.Averaged != nil {
		line := fmt.Sprintf("from step to step, standard deviation of %s: single checkpoints %s points, means %s",
			plural(c.Raw.Steps, "change"), points(c.Raw.Score), points(c.Averaged.Score))
		if c.Raw.Soft != nil && c.Averaged.Soft != nil {
			line += fmt.Sprintf("; smooth scores %.3f and %.3f nats", *c.Raw.Soft, *c.Averaged.Soft)
		}
		lines = append(lines, line)
	}
	last := c.Points[len(c.Points)-1]
	switch {
	case last.Raw == nil:
	case c.Earlier == nil:
		lines = append(lines, "no mean reaches the score of the last checkpoint")
	default:
		at := c.Points[len(c.Points)-1-*c.Earlier]
		lines = append(lines, fmt.Sprintf("the mean reaches the score of the last checkpoint, %s, at %s: %s earlier", points(last.Raw.Score), at.Checkpoint, plural(*c.Earlier, "checkpoint")))
	}
	return lines
}
