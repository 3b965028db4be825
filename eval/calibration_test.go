package eval

import (
	"math"
	"testing"
)

func TestCalibrate(t *testing.T) {
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	of := func(right int, p ...float64) Forecast { return Forecast{p, right} }
	// By hand: 0.9 right, 0.9 wrong, 0.6 right; bins (13/15, 14/15] and (8/15, 9/15].
	c := Calibrate([]Forecast{of(0, 0.9, 0.1), of(1, 0.9, 0.1), of(1, 0.4, 0.6)})
	near("accuracy", c.Accuracy, 2./3)
	near("ECE", c.ECE, (2*0.4+0.4)/3)
	near("Brier", c.Brier, (0.02+1.62+0.32)/3)
	if len(c.Bins) != 2 || c.Bins[0].N != 1 || c.Bins[1].N != 2 || c.Bins[1].Low != 13./15 {
		t.Errorf("%+v", c.Bins)
	}
	if c := Calibrate(nil); c.N != 0 || c.ECE != 0 {
		t.Errorf("%+v", c)
	}
	if c := Calibrate([]Forecast{of(0, 1, 0)}); c.ECE != 0 || c.Brier != 0 || c.Bins[0].High != 1 {
		t.Errorf("%+v", c)
	}
}

func TestEnsemble(t *testing.T) {
	f := NewForecast([]float64{math.Log(0.1) - 700, math.Log(0.3) - 700}, 1)
	if math.Abs(f.Probabilities[1]-0.75) > 1e-12 || f.Right != 1 {
		t.Errorf("%+v", f)
	}
	e := Ensemble([]Forecast{f, {[]float64{0.75, 0.25}, 1}, {[]float64{1, 0}, 1}})
	if math.Abs(e.Probabilities[0]-2./3) > 1e-12 || e.Right != 1 || e.Chosen() != 0 {
		t.Errorf("%+v", e)
	}
}
