package eval

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Shrink pulls an observed lead over the mean of several candidates towards 0 by
// how much of the candidates' spread is noise: obs * tau2/(tau2+se^2), the best
// estimate if true leads are normal around 0 with variance tau2 and obs has
// standard error se (James & Stein 1961; Efron & Morris 1973, JASA 68:117). A
// lead without noise stays as it is.
func Shrink(obs, tau2, se float64) float64 {
	if se == 0 {
		return obs
	}
	tau2 = max(0, tau2)
	return obs * tau2 / (tau2 + se*se)
}

// TrueVariance estimates the tau2 of Shrink by moments: the variance of the
// observed leads less their mean squared standard error, at least 0. The slices
// are of equal length; 0 for fewer than 2.
func TrueVariance(obs, se []float64) float64 {
	if len(obs) < 2 {
		return 0
	}
	noise := 0.0
	for _, s := range se {
		noise += s * s / float64(len(se))
	}
	return max(0, stat.Variance(obs, nil)-noise)
}

// Shrunken is a gap between scores without the luck of the best of several.
type Shrunken struct {
	Delta, SE float64
	Factor    float64 // what is left of the candidate's lead over the mean of its peers
}

// ShrunkenGap is Gap(of, reference) after the lead of candidate of over the mean
// of its peers, itself one of them, has been shrunk. Noise that the peers share
// counts as none of it: the standard error of one of k leads is that of the
// paired difference to the mean, times sqrt(k/(k-1)), since each is a part of
// that mean. SE is that of the mean's gap and of what is left of the lead,
// tau2*se^2/(tau2+se^2). With fewer than three peers nothing can be told about
// their spread, and nothing is shrunk.
func (s Part) ShrunkenGap(peers []int, of, reference int) Shrunken {
	if len(peers) < 3 {
		delta, se := s.Gap(of, reference)
		return Shrunken{delta, se, 1}
	}
	k := float64(len(peers))
	mean := make([]float64, s.panel.candidates)
	for _, i := range peers {
		mean[i] = 1 / k
	}
	var leads, noise []float64
	var lead, se float64
	for _, i := range peers {
		x, e := s.Contrast(shifted(mean, -1, i, 1))
		e *= math.Sqrt(k / (k - 1))
		leads, noise = append(leads, x), append(noise, e)
		if i == of {
			lead, se = x, e
		}
	}
	factor := 1.0
	if se > 0 {
		factor = Shrink(1, TrueVariance(leads, noise), se)
	}
	delta, common := s.Contrast(shifted(mean, 1, reference, -1))
	return Shrunken{delta + factor*lead, math.Hypot(common, math.Sqrt(factor)*se), factor}
}

// shifted is sign times coefficients, with x added in one place.
func shifted(coefficients []float64, sign float64, place int, x float64) []float64 {
	out := make([]float64, len(coefficients))
	for i, c := range coefficients {
		out[i] = sign * c
	}
	out[place] += x
	return out
}
