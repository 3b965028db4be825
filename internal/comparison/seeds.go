package comparison

import (
	"math"
	"slices"

	"soup/results"
)

// Quartiles are the middle of several numbers: a quarter is below Low, half below
// Median, a quarter above High; between two numbers it is interpolated (the
// seventh definition of Hyndman & Fan 1996, https://doi.org/10.2307/2684934).
type Quartiles struct {
	Low    float64 `json:"low"`
	Median float64 `json:"median"`
	High   float64 `json:"high"`
}

// quartiles of no number are nil.
func quartiles(x []float64) *Quartiles {
	if len(x) == 0 {
		return nil
	}
	x = slices.Sorted(slices.Values(x))
	at := func(p float64) float64 {
		whole, part := math.Modf(p * float64(len(x)-1))
		i := int(whole)
		return x[i] + part*(x[min(i+1, len(x)-1)]-x[i])
	}
	return &Quartiles{at(0.25), at(0.5), at(0.75)}
}

// Seeds is one study that was run with several seeds.
type Seeds struct {
	Name       string     `json:"name"`
	Seeds      []uint64   `json:"seeds"`
	Test       *Quartiles `json:"test"` // of the winners
	Gain       *Quartiles `json:"gain"` // of the winners less their best single; 0 where that won
	Candidates *Quartiles `json:"candidates"`
	Items      *Quartiles `json:"items_answered"`
	Better     int        `json:"better"` // seeds whose winner is better than the best single, by the paired test
	Noise      int        `json:"noise"`
	Worse      int        `json:"worse"`
}

// addSeeds gathers the studies of one name and the same parents.
func (c *Comparison) addSeeds(reports []results.Report) {
	var done []int
	for i, r := range reports {
		if slices.Contains(done, i) {
			continue
		}
		var same []int
		for k := i; k < len(reports); k++ {
			if reports[k].Study == r.Study && slices.Equal(reports[k].Parents, r.Parents) {
				same = append(same, k)
			}
		}
		done = append(done, same...)
		if len(same) > 1 {
			c.Seeds = append(c.Seeds, c.seeds(r.Study, same))
		}
	}
}

func (c *Comparison) seeds(name string, studies []int) Seeds {
	s := Seeds{Name: name}
	var test, gain, candidates, items []float64
	for _, i := range studies {
		x := c.Studies[i]
		s.Seeds = append(s.Seeds, x.Seed)
		candidates, items = append(candidates, float64(x.Candidates)), append(items, float64(x.Items))
		if x.Test != nil && x.Test.Mean != nil {
			test = append(test, *x.Test.Mean)
		}
		if x.AgainstBestSingle == nil {
			gain = append(gain, 0)
			s.Noise++
			continue
		}
		gain = append(gain, x.AgainstBestSingle.Delta)
		s.count(x.AgainstBestSingle.Verdict)
	}
	s.Test, s.Gain, s.Candidates, s.Items = quartiles(test), quartiles(gain), quartiles(candidates), quartiles(items)
	return s
}

func (s *Seeds) count(verdict string) {
	switch verdict {
	case results.Better:
		s.Better++
	case results.Worse:
		s.Worse++
	default:
		s.Noise++
	}
}
