package search

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Notes say what was chosen and why, a line each.
func (a Analysis) Notes() []string {
	notes := []string{fmt.Sprintf("correlations of %d categories over %d models, tau %.4g", len(a.Categories), a.Models, a.Tau)}
	if a.Correlation == nil {
		notes[0] = fmt.Sprintf("%d models are too few to correlate: all %d categories are kept", a.Models, len(a.Categories))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Skipped)) {
		notes = append(notes, fmt.Sprintf("skips %s: %s", name, a.Skipped[name]))
	}
	if a.Correlation != nil {
		for i := range a.Categories {
			notes = append(notes, a.filtering(i))
		}
	}
	for _, e := range a.Experts {
		notes = append(notes, e.String())
	}
	return notes
}

// filtering says why a category was kept or dropped.
func (a Analysis) filtering(i int) string {
	name, j := a.Categories[i], a.weakest(i)
	if j < 0 {
		return fmt.Sprintf("keeps %s: there is no other to correlate with", name)
	}
	rho := a.Correlation[i][j]
	verdict := fmt.Sprintf("drops %s: least", name)
	if slices.Contains(a.Kept, name) {
		verdict = fmt.Sprintf("keeps %s: least", name)
	}
	return fmt.Sprintf("%s correlated with %s, rho %.2f%s", verdict, a.Categories[j], cents(rho), interval(rho, a.Models))
}

// interval is the 95 % interval of a correlation by Fisher's transformation: atanh
// rho is about normal with standard deviation 1/sqrt(n-3)
// (https://en.wikipedia.org/wiki/Fisher_transformation). It needs four models.
func interval(rho float64, n int) string {
	if n < 4 || math.Abs(rho) > 1-tie {
		return ""
	}
	z, half := math.Atanh(rho), 1.959964/math.Sqrt(float64(n-3))
	return fmt.Sprintf(" (95%% %.2f to %.2f)", cents(math.Tanh(z-half)), cents(math.Tanh(z+half)))
}

// cents rounds to two decimals, and has no -0.
func cents(x float64) float64 { return math.Round(x*100)/100 + 0 }

// String is a line such as "expert of call: call 0.8933, tied with call-b".
func (e Expert) String() string {
	line := fmt.Sprintf("expert of %s: %s %.4g", e.Category, e.Model, e.Mean)
	if e.SE > 0 {
		line += fmt.Sprintf(" ± %.2g", e.SE)
	}
	if len(e.Tied) > 0 {
		return line + ", tied with " + strings.Join(e.Tied, ", ")
	}
	if e.Next != "" {
		line += fmt.Sprintf(", %.3g above %s", e.Mean-e.NextScore, e.Next)
	}
	return line
}
