package study

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"soup/eval"
	"soup/results"
)

// addCurve sets, for a study of one training run, each checkpoint beside the mean
// of the last few at that step.
func (b *reporter) addCurve(r *results.Report) error {
	var c Config
	if err := parseInto(&c, b.study.Config); err != nil || c.Run == "" {
		return nil // a text that another version wrote says nothing of a run here
	}
	means := b.means()
	curve := &results.Curve{Window: commonWindow(means, len(b.parents))}
	for i, name := range b.parents {
		step := results.CurveStep{Checkpoint: name}
		for _, x := range []struct {
			of   int
			into **results.RunScore
		}{{1, &step.Raw}, {min(curve.Window, i+1), &step.Averaged}} {
			trial, ok := means[[2]int{i, x.of}]
			if x.into == &step.Averaged && x.of < 2 || !ok {
				continue
			}
			score, err := b.runScore(trial)
			if err != nil {
				return err
			}
			*x.into = score
		}
		if step.Averaged != nil {
			step.Of = min(curve.Window, i+1)
		}
		curve.Points = append(curve.Points, step)
	}
	if curve.Window > 1 {
		steady(curve)
		curve.Earlier = earlier(curve.Points)
		r.Curve = curve
	}
	return nil
}

// means are the trials that are plain means of checkpoints in a row, by the place
// of the newest and how many they are.
func (b *reporter) means() map[[2]int]int {
	found := map[[2]int]int{}
	for _, t := range b.trials {
		last, n := row(t.Weights)
		if _, known := found[[2]int{last, n}]; n > 0 && !known && b.byNumber[t.Of].Scores.Search != nil {
			found[[2]int{last, n}] = t.Of
		}
	}
	return found
}

// row is the place of the last of several checkpoints in a row with equal weights
// in all groups, and how many they are; 0 for other weights.
func row(weights [][]float64) (last, n int) {
	first, last := -1, -1
	for i, w := range weights[0] {
		if w == 0 {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	for _, group := range weights {
		for i, w := range group {
			if in := first >= 0 && i >= first && i <= last; in != (w != 0) || in && math.Abs(w-weights[0][first]) > 1e-9 {
				return 0, 0
			}
		}
	}
	if first < 0 {
		return 0, 0
	}
	return last, last - first + 1
}

// commonWindow is the window that has a mean at the most steps, the smaller of
// equals; 0 where none has two.
func commonWindow(means map[[2]int]int, checkpoints int) (window int) {
	most := 1
	for k := 2; k <= checkpoints; k++ {
		steps := 0
		for i := 1; i < checkpoints; i++ {
			if _, ok := means[[2]int{i, min(k, i+1)}]; ok {
				steps++
			}
		}
		if steps > most {
			window, most = k, steps
		}
	}
	return window
}

// runScore is a trial's score on search with its mean smooth score.
func (b *reporter) runScore(trial int) (*results.RunScore, error) {
	score := b.byNumber[trial].Scores.Search
	if score == nil || score.Mean == nil {
		return nil, nil
	}
	outcomes, err := b.outcomes(trial, results.Search)
	if err != nil {
		return nil, err
	}
	r := &results.RunScore{Trial: trial, Score: *score.Mean, SE: score.SE}
	if soft, known := eval.Summarize(outcomes).MeanSoft(b.weights); known {
		r.Soft = &soft
	}
	return r, nil
}

// steady measures the changes from step to step where both have a score.
func steady(c *results.Curve) {
	var raw, averaged []results.RunScore
	for _, p := range c.Points {
		if p.Raw != nil && p.Averaged != nil {
			raw, averaged = append(raw, *p.Raw), append(averaged, *p.Averaged)
		}
	}
	if len(raw) < 3 {
		return
	}
	c.Raw, c.Averaged = steadiness(raw), steadiness(averaged)
}

func steadiness(list []results.RunScore) *results.Steadiness {
	s := &results.Steadiness{Steps: len(list) - 1}
	var scores, softs []float64
	for i := 1; i < len(list); i++ {
		scores = append(scores, list[i].Score-list[i-1].Score)
		if a, b := list[i-1].Soft, list[i].Soft; a != nil && b != nil {
			softs = append(softs, *b-*a)
		}
	}
	s.Score = stat.StdDev(scores, nil)
	if len(softs) == len(scores) {
		sd := stat.StdDev(softs, nil)
		s.Soft = &sd
	}
	return s
}

// earlier is how many checkpoints before the last one a mean scores at least as
// high as it.
func earlier(points []results.CurveStep) *int {
	last := points[len(points)-1].Raw
	for i, p := range points {
		if last != nil && p.Averaged != nil && p.Averaged.Score >= last.Score {
			n := len(points) - 1 - i
			return &n
		}
	}
	return nil
}
