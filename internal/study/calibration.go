package study

import (
	"maps"
	"slices"

	"soup/eval"
	"soup/results"
)

// forecaster is a model with its forecasts of test items.
type forecaster struct {
	name  string
	trial int
	of    map[string]eval.Forecast
}

// addCalibration measures the probabilities of labels, of the parents, the winner
// and the ensemble of its parents, from what the ledger has.
func (b *reporter) addCalibration(r *results.Report) error {
	if b.winner == nil {
		return nil
	}
	parents, winner, err := b.forecasters()
	if err != nil || len(winner.of) == 0 {
		return err
	}
	common := slices.DeleteFunc(slices.Sorted(maps.Keys(winner.of)), func(item string) bool {
		return slices.ContainsFunc(parents, func(f forecaster) bool {
			return len(f.of[item].Probabilities) != len(winner.of[item].Probabilities)
		})
	})
	if len(common) == 0 {
		return nil
	}
	c := &results.Calibrations{N: len(common)}
	members := b.members(parents)
	ensemble := forecaster{name: results.OfEnsemble, of: map[string]eval.Forecast{}}
	for _, f := range members {
		c.Of = append(c.Of, f.name)
	}
	for _, item := range common {
		var each []eval.Forecast
		for _, f := range members {
			each = append(each, f.of[item])
		}
		ensemble.of[item] = eval.Ensemble(each)
	}
	for _, f := range append(parents, winner, ensemble) {
		c.Rows = append(c.Rows, f.calibrated(common))
	}
	known, err := b.outcomes(b.winner.Trial, results.Test)
	if err != nil {
		return err
	}
	c.Ensemble = difference(eval.Compare(ensemble.outcomes(known), winner.outcomes(known)))
	r.Calibration = c
	return nil
}

// forecasters are the parents that were scored on test, and the winner.
func (b *reporter) forecasters() (parents []forecaster, winner forecaster, err error) {
	read := func(name string, trial int) (f forecaster, err error) {
		labels, err := b.ledger.Labels(trial, results.Test)
		f = forecaster{name, trial, map[string]eval.Forecast{}}
		for item, s := range labels {
			f.of[item] = eval.NewForecast(s.LogProbs, s.Right)
		}
		return f, err
	}
	for i, name := range b.parents {
		if trial, ok := b.parentTrial(i); ok {
			f, err := read(name, trial)
			if err != nil {
				return nil, winner, err
			}
			if len(f.of) > 0 {
				parents = append(parents, f)
			}
		}
	}
	winner, err = read(results.OfWinner, b.winner.Trial)
	return parents, winner, err
}

// members are the parents that the winner is made of; all, where it is one of them.
func (b *reporter) members(parents []forecaster) []forecaster {
	weights := b.trials[b.winner.Trial].Weights
	in := slices.DeleteFunc(slices.Clone(parents), func(f forecaster) bool {
		i := slices.Index(b.parents, f.name)
		return !slices.ContainsFunc(weights, func(row []float64) bool { return row[i] != 0 })
	})
	if len(in) < 2 {
		return parents
	}
	return in
}

func (f forecaster) calibrated(items []string) results.CalibrationRow {
	var list []eval.Forecast
	for _, item := range items {
		list = append(list, f.of[item])
	}
	c := eval.Calibrate(list)
	row := results.CalibrationRow{Name: f.name, Accuracy: c.Accuracy, ECE: c.ECE, Brier: c.Brier}
	if f.name != results.OfEnsemble {
		row.Trial = &f.trial
	}
	for _, x := range c.Bins {
		row.Bins = append(row.Bins, results.Bucket{Low: x.Low, High: x.High, N: x.N, Confidence: x.Confidence, Accuracy: x.Accuracy})
	}
	return row
}

// outcomes are what the choices of labels score, on the items of known outcomes.
func (f forecaster) outcomes(known []eval.Outcome) (list []eval.Outcome) {
	for _, o := range known {
		forecast, ok := f.of[o.ID]
		if !ok {
			continue
		}
		o.State, o.Score, o.Soft = eval.StateOK, 0, nil
		if forecast.Chosen() == forecast.Right {
			o.Score = 1
		}
		list = append(list, o)
	}
	return list
}
