package eval

import (
	"math"
	"slices"
)

// Forecast is what a model says about the labels of one question.
type Forecast struct {
	Probabilities []float64 // of the labels; their sum is 1
	Right         int       // place of the right label
}

// NewForecast scales the labels' probabilities to a sum of 1: what else the model
// might say is left out.
func NewForecast(logprobs []float64, right int) Forecast {
	f := Forecast{Probabilities: make([]float64, len(logprobs)), Right: right}
	most, sum := slices.Max(logprobs), 0.0
	for i, lp := range logprobs {
		f.Probabilities[i] = math.Exp(lp - most)
		sum += f.Probabilities[i]
	}
	for i := range f.Probabilities {
		f.Probabilities[i] /= sum
	}
	return f
}

// Ensemble is the mean of several models' probabilities for one question, as in
// deep ensembles (Lakshminarayanan et al. 2017, https://arxiv.org/abs/1612.01474).
func Ensemble(of []Forecast) Forecast {
	f := Forecast{Probabilities: make([]float64, len(of[0].Probabilities)), Right: of[0].Right}
	for _, m := range of {
		for i, p := range m.Probabilities {
			f.Probabilities[i] += p / float64(len(of))
		}
	}
	return f
}

// Chosen is the likeliest label, the first of equals.
func (f Forecast) Chosen() int {
	chosen := 0
	for i, p := range f.Probabilities {
		if p > f.Probabilities[chosen] {
			chosen = i
		}
	}
	return chosen
}

// CalibrationBins divide confidence from 0 to 1: 15 as in Guo et al. 2017.
const CalibrationBins = 15

// Calibration says how far a model's probabilities can be believed.
type Calibration struct {
	N        int
	Accuracy float64
	// ECE is the expected calibration error: the mean over questions of how far the
	// accuracy of a bin of equal confidence is from that confidence (Guo et al. 2017,
	// https://arxiv.org/abs/1706.04599, equation 3).
	ECE float64
	// Brier is the mean over questions of the squared distance of the probabilities
	// from 1 for the right label and 0 for the others: 0 is best, 2 worst (Brier
	// 1950, Monthly Weather Review 78, 1-3).
	Brier float64
	Bins  []CalibrationBin // those with questions, by confidence
}

// CalibrationBin is the questions whose chosen label has a probability above Low
// and up to High.
type CalibrationBin struct {
	Low, High            float64
	N                    int
	Confidence, Accuracy float64 // means
}

// Calibrate measures forecasts; of none, everything is 0.
func Calibrate(list []Forecast) (c Calibration) {
	bins := make([]CalibrationBin, CalibrationBins)
	for _, f := range list {
		chosen := f.Chosen()
		p := f.Probabilities[chosen]
		b := &bins[max(0, int(math.Ceil(p*CalibrationBins))-1)]
		b.N++
		b.Confidence += p
		b.Accuracy += oneIf(chosen == f.Right)
		c.Accuracy += oneIf(chosen == f.Right) / float64(len(list))
		for i, q := range f.Probabilities {
			d := q - oneIf(i == f.Right)
			c.Brier += d * d / float64(len(list))
		}
	}
	c.N = len(list)
	for i, b := range bins {
		if b.N == 0 {
			continue
		}
		b.Low, b.High = float64(i)/CalibrationBins, float64(i+1)/CalibrationBins
		b.Confidence, b.Accuracy = b.Confidence/float64(b.N), b.Accuracy/float64(b.N)
		c.ECE += math.Abs(b.Accuracy-b.Confidence) * float64(b.N) / float64(c.N)
		c.Bins = append(c.Bins, b)
	}
	return c
}
