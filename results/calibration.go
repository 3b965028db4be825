package results

import (
	"fmt"
	"slices"
	"strings"

	"soup/results/table"
)

// Calibrations say, of the test items whose labels the server scored, how far
// probabilities can be believed.
type Calibrations struct {
	N    int              `json:"n"`    // items that every row was scored on
	Rows []CalibrationRow `json:"rows"` // the parents, the winner, the ensemble
	// Ensemble is what the mean of the probabilities of the winner's parents, or of
	// all parents where a parent won, is in accuracy against the winner: what the
	// parents would give together, at the cost of running all of them.
	Ensemble Difference `json:"ensemble"`
	Of       []string   `json:"of"` // parents in the ensemble
}

// CalibrationRow is one model.
type CalibrationRow struct {
	Name     string   `json:"name"` // of a parent, OfWinner or OfEnsemble
	Trial    *int     `json:"trial"`
	Accuracy float64  `json:"accuracy"`
	ECE      float64  `json:"ece"`   // expected calibration error, 0 to 1
	Brier    float64  `json:"brier"` // 0 to 2
	Bins     []Bucket `json:"bins"`
}

// Bucket is the items whose chosen label has a probability above Low and up to High.
type Bucket struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	N          int     `json:"n"`
	Confidence float64 `json:"confidence"` // mean
	Accuracy   float64 `json:"accuracy"`
}

// OfEnsemble is the ensemble's name in a report.
const OfEnsemble = "ensemble"

// Diagrammed are the rows of a reliability diagram: the winner, the ensemble and the
// best single checkpoint; nil where there is none.
func (r Report) Diagrammed() (rows []*CalibrationRow) {
	names := []string{OfWinner, OfEnsemble}
	if best := slices.IndexFunc(r.Strategies, func(s StrategyReport) bool { return s.Strategy == "single" }); best >= 0 {
		names = append(names, r.Strategies[best].Label)
	}
	for _, name := range names {
		at := slices.IndexFunc(r.Calibration.Rows, func(x CalibrationRow) bool { return x.Name == name })
		if at < 0 {
			rows = append(rows, nil)
			continue
		}
		rows = append(rows, &r.Calibration.Rows[at])
	}
	return rows
}

// writeCalibrations prints accuracy beside two measures of its probabilities.
func writeCalibrations(p *table.Page, r Report) {
	c := r.Calibration
	if c == nil {
		return
	}
	g := table.Grid{Header: []string{fmt.Sprintf("labels on test, n=%d", c.N), "accuracy", "calibration error", "Brier score"}}
	for _, x := range c.Rows {
		g.Add(x.Name, points(x.Accuracy), points(x.ECE), fmt.Sprintf("%.3f", x.Brier))
	}
	p.Blank()
	p.Table(g)
	p.Item(fmt.Sprintf("ensemble, the mean of the probabilities of %s, less winner: %s %s %s", strings.Join(c.Of, ", "), signed(c.Ensemble.Delta), c.Ensemble.interval(), c.Ensemble.Verdict))
}
