package search

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// link says how likely the answer is right to an item with a smooth score: the
// logistic curve of item response theory (Birnbaum 1968; Lord 1980), with the smooth
// score for the ability less the difficulty. Of graded answers it is the expected
// score.
type link struct {
	centre, scale    float64 // of the smooth scores
	offset, steepest float64 // of the log-odds, and per scale
}

// Beliefs of the logarithm of odds before any answer is known: Gaussians, wide
// beside what answers say unless all are right or all wrong.
const (
	offsetVariance = 50
	steepVariance  = 50
)

// curved is how many steps of Newton's method a curve may take: most need ten.
const curved = 40

// newLink is fitted to items, those without a smooth score left out. There is none
// where smooth scores are missing or all the same, or where higher ones do not mean
// better answers.
func newLink(items []Item) (link, bool) {
	var soft, score []float64
	for _, it := range items {
		if finite(it.Soft) && finite(it.Score) {
			soft, score = append(soft, it.Soft), append(score, it.Score)
		}
	}
	if len(soft) < 2 {
		return link{}, false
	}
	l := link{steepest: 1}
	l.centre, l.scale = stat.PopMeanStdDev(soft, nil)
	if !(l.scale > 0) || !finite(l.scale) {
		return link{}, false
	}
	for range curved {
		if l.improve(soft, score) < 1e-6 {
			break
		}
	}
	return l, l.steepest > 0 && finite(l.offset)
}

// improve is a step of Newton's method up the posterior density, and returns how
// long it is. Scores from 0 to 1 count as so much of a right answer.
func (l *link) improve(soft, score []float64) float64 {
	da, db := -l.offset/offsetVariance, (1-l.steepest)/steepVariance
	aa, ab, bb := 1.0/offsetVariance, 0.0, 1.0/steepVariance
	for i, s := range soft {
		z := (s - l.centre) / l.scale
		p := l.chance(s)
		rest, weight := score[i]-p, p*(1-p)
		da, db = da+rest, db+rest*z
		aa, ab, bb = aa+weight, ab+weight*z, bb+weight*z*z
	}
	determinant := aa*bb - ab*ab
	up, steeper := bound((bb*da-ab*db)/determinant), bound((aa*db-ab*da)/determinant)
	l.offset, l.steepest = l.offset+up, l.steepest+steeper
	return math.Abs(up) + math.Abs(steeper)
}

// bound keeps a step of Newton's method short where the curve is nearly flat.
func bound(step float64) float64 { return min(3, max(-3, step)) }

// chance is that of a right answer.
func (l link) chance(soft float64) float64 {
	return 1 / (1 + math.Exp(-l.offset-l.steepest*(soft-l.centre)/l.scale))
}

// chances are the items with their chances for scores; those without a smooth score
// keep theirs.
func (l link) chances(items [][]Item) [][]Item {
	all := make([][]Item, len(items))
	for i, row := range items {
		all[i] = slices.Clone(row)
		for k, it := range row {
			if finite(it.Soft) {
				all[i][k].Score = l.chance(it.Soft)
			}
		}
	}
	return all
}
