package plots

import (
	"slices"
	"testing"

	"soup/results"
)

func TestReliabilityFigure(t *testing.T) {
	r := made(3, 12)
	bins := []results.Bucket{{Low: 0.4, High: 0.5, N: 4, Confidence: 0.45, Accuracy: 0.5}, {Low: 0.9, High: 1, N: 6, Confidence: 0.95, Accuracy: 0.8}}
	r.Calibration = &results.Calibrations{N: 10, Rows: []results.CalibrationRow{
		{Name: "parent-a", Bins: bins}, {Name: results.OfWinner, ECE: 0.11, Bins: bins}, {Name: results.OfEnsemble, ECE: 0.02, Bins: bins},
	}}
	all := texts(t, draw1(t, r, "reliability"))
	for _, want := range []string{"winner (ece 11.0)", "ensemble (ece 2.0)", "as sure as right", "chosen rightly (%)"} {
		if !slices.Contains(all, want) {
			t.Errorf("no %q in %q", want, all)
		}
	}
}
