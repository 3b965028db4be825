package results

import (
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	columns = 100 // that the text report fits, if nothing else is said
	none    = "-" // where there is no number
)

// String is the mean in points with its standard error: "81.8 ± 0.9".
func (s *Score) String() string {
	if s == nil || s.Mean == nil {
		return none
	}
	if s.SE == nil {
		return points(*s.Mean)
	}
	return points(*s.Mean) + " ± " + points(*s.SE)
}

func (c CategoryScore) String() string {
	if c.Mean == nil {
		return none
	}
	return points(*c.Mean)
}

// String gives difference, interval and p-value, with "~" in place of a
// difference that may be noise.
func (d Difference) String() string {
	delta := signed(d.Delta)
	if d.Verdict == Noise {
		delta = Noise
	}
	p := Probability(d.P)
	if !strings.HasPrefix(p, "<") {
		p = "=" + p
	}
	return fmt.Sprintf("%s %s p%s", delta, d.interval(), p)
}

func (d Difference) interval() string {
	return fmt.Sprintf("[%s, %s]", signed(d.Low), signed(d.High))
}

// Probability is a p-value with two digits that count, as far down as resampling can tell.
func Probability(p float64) string {
	switch {
	case p < 0.0001:
		return "<0.0001"
	case p < 0.001:
		return fmt.Sprintf("%.4f", p)
	case p < 0.1:
		return fmt.Sprintf("%.3f", p)
	}
	return fmt.Sprintf("%.2f", p)
}

// points is 100 times a mean score.
func points(x float64) string { return fmt.Sprintf("%.1f", tenth(x)) }

func signed(x float64) string { return fmt.Sprintf("%+.1f", tenth(x)) }

// tenth rounds to a tenth of a point, and never to -0.
func tenth(x float64) float64 { return math.Round(1000*x)/10 + 0 }

// share is how many of how many, as a rate.
func share(part, all int) string {
	rate := 100 * float64(part) / float64(all)
	if rate < 0.1 {
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", rate)
}

// coefficient is a weight.
func coefficient(x float64) string { return fmt.Sprintf("%.3f", math.Round(1000*x)/1000+0) }

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// plural is "1 trial", "2 trials".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
