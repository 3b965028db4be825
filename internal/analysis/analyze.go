package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"soup/internal/usage"
	"soup/results"
	"soup/search"
)

// Options say what to compute.
type Options struct {
	Tau       []float64 // thresholds of SoCE; default DefaultTau
	Among     []string  // models that may be experts, and go into a soup; default all
	Seed      uint64    // of the resampling
	Resamples int       // default 2000
}

// DefaultTau are the thresholds that are tried where none is given.
func DefaultTau() []float64 { return []float64{0.05, 0.1, 0.15, 0.2, 0.25, 0.5} }

const defaultResamples = 2000

// fewModels is below what a warning is given: at 20 models the 95 % interval of a
// correlation of 0.5 reaches from 0.07 to 0.77 (Fisher's transformation).
const fewModels = 20

// Analysis is what Analyze found. Its JSON has the same names.
type Analysis struct {
	Table        string            `json:"table"`
	Models       int               `json:"models"`
	Categories   []string          `json:"categories"`
	Skipped      map[string]string `json:"skipped,omitempty"` // columns without a correlation, and why
	Correlations []Correlation     `json:"correlations"`
	Thresholds   []Threshold       `json:"thresholds"`
	Warnings     []string          `json:"warnings,omitempty"`
	Published    []Compared        `json:"published,omitempty"`
	Souping      *Souping          `json:"souping,omitempty"` // of a study only
	Front        *results.Front    `json:"front,omitempty"`   // likewise, where asked for
}

// Correlation is one pair of categories; see search.Correlation. A number that
// cannot be computed is null.
type Correlation struct {
	A          string   `json:"a"`
	B          string   `json:"b"`
	Pearson    Estimate `json:"pearson"`
	Spearman   Estimate `json:"spearman"`
	BetterHalf *float64 `json:"better_half"`
}

// Estimate is a number with its 95 % bootstrap interval.
type Estimate struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// Threshold is SoCE's choice at one tau.
type Threshold struct {
	Tau     float64  `json:"tau"`
	Kept    []string `json:"kept"`
	Experts []Expert `json:"experts"`
	Mix     []string `json:"mix"`   // the distinct experts, in the order of the categories
	Soups   float64  `json:"soups"` // that SoCE would try: weights 0.1 to 0.9 in steps of 0.1, and equal weights
}

// Expert is the best candidate of a category.
type Expert struct {
	Category string   `json:"category"`
	Model    string   `json:"model"`
	Score    float64  `json:"score"`
	Tied     []string `json:"tied,omitempty"`
	Next     string   `json:"next,omitempty"`
	Margin   float64  `json:"margin"` // above Next, in the unit of the table; 0 if there is none
}

// Analyze correlates the categories over all models and names the experts among
// the candidates, at every threshold.
func Analyze(name string, models []search.Model, o Options) (*Analysis, error) {
	if len(o.Tau) == 0 {
		o.Tau = DefaultTau()
	}
	if o.Resamples == 0 {
		o.Resamples = defaultResamples
	}
	a := &Analysis{Table: name, Models: len(models)}
	for _, tau := range o.Tau {
		found, err := search.Analyze(models, search.Criteria{Tau: tau, Among: o.Among})
		if err != nil {
			return nil, usage.Errorf("%s: %s", name, err)
		}
		a.Categories, a.Skipped = found.Categories, found.Skipped
		a.Thresholds = append(a.Thresholds, threshold(found))
	}
	if len(a.Categories) == 0 {
		return nil, usage.Errorf("%s: no category has a score for every model", name)
	}
	pairs, err := search.Correlations(models, a.Categories, o.Seed, o.Resamples)
	if err != nil {
		return nil, usage.Errorf("%s: %s", name, err)
	}
	for _, c := range pairs {
		a.Correlations = append(a.Correlations, Correlation{c.A, c.B, estimate(c.Pearson), estimate(c.Spearman), number(c.Better)})
	}
	a.warn(pairs, o.Among)
	return a, nil
}

func threshold(found search.Analysis) Threshold {
	t := Threshold{Tau: found.Tau, Kept: append([]string{}, found.Kept...), Experts: []Expert{}, Mix: append([]string{}, found.Distinct()...)}
	for _, e := range found.Experts {
		one := Expert{Category: e.Category, Model: e.Model, Score: e.Mean, Tied: e.Tied, Next: e.Next}
		if e.Next != "" {
			one.Margin = e.Mean - e.NextScore
		}
		t.Experts = append(t.Experts, one)
	}
	t.Soups = gridSize(len(t.Mix))
	return t
}

// gridSize is how many soups of n experts Algorithm 1 of Souper-Model
// (https://arxiv.org/abs/2511.13254) tries: C(9, n-1) with weights that are
// multiples of 0.1 from 0.1 on and sum to 1, and equal weights, which are among
// those where n divides 10.
func gridSize(n int) float64 {
	if n < 2 {
		return 0
	}
	size := 1.0
	for k := range n - 1 {
		size = size * float64(9-k) / float64(k+1)
	}
	if 10%n != 0 {
		size++
	}
	return size
}

func estimate(e search.Estimate) Estimate {
	return Estimate{number(e.Value), number(e.Low), number(e.High)}
}

// number is nil for what JSON has no form for.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// warn says what makes the correlations doubtful.
func (a *Analysis) warn(pairs []search.Correlation, among []string) {
	if a.Models < fewModels {
		a.Warnings = append(a.Warnings, fmt.Sprintf("%d models are few: look at the intervals before you trust a correlation", a.Models))
	}
	if len(among) == a.Models {
		a.Warnings = append(a.Warnings, "the table has the candidates only: chosen models are no sample, and correlations over them are not those of models at large")
	}
	var turned []string
	for _, c := range pairs {
		if c.Pearson.Low > 0 && c.Better < 0 {
			turned = append(turned, fmt.Sprintf("%s~%s %.2f (all: %.2f)", c.A, c.B, c.Better, c.Pearson.Value))
		}
	}
	if len(turned) > 0 {
		const most = 3
		more := ""
		if len(turned) > most {
			more = fmt.Sprintf(" and %d more", len(turned)-most)
		}
		a.Warnings = append(a.Warnings, "over the better half of the models, correlations turn negative: "+
			strings.Join(turned[:min(most, len(turned))], ", ")+more+"; a table that is cut off at the top shows anti-correlation that is not there")
	}
}

// pair finds a correlation, whichever category comes first.
func (a *Analysis) pair(x, y string) (Correlation, bool) {
	i := slices.IndexFunc(a.Correlations, func(c Correlation) bool { return c.A == x && c.B == y || c.A == y && c.B == x })
	if i < 0 {
		return Correlation{}, false
	}
	return a.Correlations[i], true
}
