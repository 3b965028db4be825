package eval

import "slices"

// Share is how much of a gain was kept: 1 is all of it.
type Share struct{ Share, Low, High float64 }

// ShareKept says what part of the gain of better over worse a candidate between
// them has, on the items that all three were scored on: (candidate - worse) over
// (better - worse), with the percentile interval of the same ratio in 10,000
// resamples (Efron & Tibshirani 1993, chapter 13), in which the units drawn are the
// same above and below. It is false where better is not better beyond noise: then
// there is no gain to have a part of. Weights are those of CompareWeighted.
func ShareKept(candidate, worse, better []Outcome, weights map[string]float64) (Share, bool) {
	whole := CompareWeighted(better, worse, weights)
	if whole.Verdict != Better {
		return Share{}, false
	}
	other := map[string]bool{}
	for _, o := range better {
		other[o.ID] = o.Scored()
	}
	own := map[string]bool{}
	for _, o := range candidate {
		own[o.ID] = o.Scored()
	}
	common := slices.DeleteFunc(slices.Clone(worse), func(o Outcome) bool { return !own[o.ID] || !other[o.ID] })
	of := func(list []Outcome) (distribution, bool) {
		pairs, _ := pair(list, common)
		if len(weighing(pairs, weights)) == 0 {
			return distribution{}, false
		}
		return mix(resampleAll(pairs, resamples, nil), weights), true
	}
	part, ok := of(candidate)
	all, also := of(better)
	if !ok || !also || all.mean <= 0 {
		return Share{}, false
	}
	ratio := distribution{mean: part.mean / all.mean, samples: make([]float64, len(all.samples))}
	for i := range ratio.samples {
		ratio.samples[i] = part.samples[i] / all.samples[i]
	}
	s := Share{Share: ratio.mean}
	s.Low, s.High = ratio.interval()
	return s, true
}
