package comparison

import (
	"context"

	"soup/internal/study"
	"soup/results"
)

// Duel counts the studies in which one strategy's best candidate is better on
// test than another's, paired on the study's items; in which it is worse; and
// in which they cannot be told apart.
type Duel struct {
	Of      string `json:"of"`
	Against string `json:"against"`
	Wins    int    `json:"wins"`
	Ties    int    `json:"ties"`
	Losses  int    `json:"losses"`
}

// addDuels compares every two strategies within each study.
func (c *Comparison) addDuels(ctx context.Context, dirs []string, reports []results.Report) error {
	at := map[[2]string]int{}
	for i, r := range reports {
		for k, a := range r.Strategies {
			for _, b := range r.Strategies[k+1:] {
				verdict, err := duel(ctx, dirs[i], a, b)
				if err != nil {
					return err
				}
				if verdict == "" || a.Strategy == results.OfWinner || b.Strategy == results.OfWinner {
					continue
				}
				c.count(at, a.Strategy, b.Strategy, verdict)
			}
		}
	}
	c.tallyDuels()
	return nil
}

// tallyDuels adds up each strategy's duels.
func (c *Comparison) tallyDuels() {
	for i := range c.Strategies {
		s := &c.Strategies[i]
		for _, d := range c.Duels {
			switch s.Name {
			case d.Of:
				s.Wins, s.Ties, s.Losses = s.Wins+d.Wins, s.Ties+d.Ties, s.Losses+d.Losses
			case d.Against:
				s.Wins, s.Ties, s.Losses = s.Wins+d.Losses, s.Ties+d.Ties, s.Losses+d.Wins
			}
		}
	}
}

// duel is the verdict on a against b; "" where one was not scored on test.
func duel(ctx context.Context, dir string, a, b results.StrategyReport) (string, error) {
	switch {
	case a.Scores.Test == nil || b.Scores.Test == nil:
		return "", nil
	case a.Trial == b.Trial:
		return results.Noise, nil
	case a.Strategy == "single" && b.AgainstBestSingle != nil: // the report has it
		return mirrored(b.AgainstBestSingle.Verdict), nil
	}
	d, err := study.CompareTrials(ctx, dir, a.Trial, b.Trial)
	return d.Verdict, err
}

// mirrored is the verdict from the other side.
func mirrored(verdict string) string {
	switch verdict {
	case results.Better:
		return results.Worse
	case results.Worse:
		return results.Better
	}
	return verdict
}

// count adds a verdict to the duel of two strategies, whichever comes first.
func (c *Comparison) count(at map[[2]string]int, of, against, verdict string) {
	if _, other := at[[2]string{against, of}]; other {
		of, against = against, of
		verdict = mirrored(verdict)
	}
	i, known := at[[2]string{of, against}]
	if !known {
		i = len(c.Duels)
		at[[2]string{of, against}] = i
		c.Duels = append(c.Duels, Duel{Of: of, Against: against})
	}
	switch verdict {
	case results.Better:
		c.Duels[i].Wins++
	case results.Worse:
		c.Duels[i].Losses++
	default:
		c.Duels[i].Ties++
	}
}
