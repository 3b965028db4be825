package analysis

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"soup/eval"
	"soup/internal/usage"
	"soup/search"
)

// Recipe is a file that says how to read a table and what was published about
// it; see examples/souper.
type Recipe struct {
	About      string    `yaml:"about"`      // what it is, one line
	Model      string    `yaml:"model"`      // see Columns
	Categories []string  `yaml:"categories"` // see Columns
	Transposed bool      `yaml:"transposed"` // see Columns
	Leave      []string  `yaml:"leave"`      // models that are left out of the table
	Candidates []string  `yaml:"candidates"` // see Options.Among
	Tau        []float64 `yaml:"tau"`
	Published  Published `yaml:"published"`
}

// Published are numbers of a paper.
type Published struct {
	Source       string                 `yaml:"source"` // where they stand
	Correlations []PublishedCorrelation `yaml:"correlations"`
	Mix          []string               `yaml:"mix"`   // the experts that were mixed
	Means        map[string]float64     `yaml:"means"` // of a model over the categories, in the unit of the table
	Leads        []string               `yaml:"leads"` // models whose categories at the top, alone, are counted; nothing is published
	Optimism     *Optimism              `yaml:"optimism"`
}

// PublishedCorrelation is Pearson's of two categories.
type PublishedCorrelation struct {
	A     string  `yaml:"a"`
	B     string  `yaml:"b"`
	Value float64 `yaml:"value"`
}

// Optimism asks how much of a gain is what the best of so many soups shows by
// luck: see eval.ExpectedOptimism.
type Optimism struct {
	Gain          float64   `yaml:"gain"` // published, in percent points
	Soups         int       `yaml:"soups"`
	Items         int       `yaml:"items"`
	Disagreements []float64 `yaml:"disagreements"` // shares of items on which two soups may differ; assumed
}

// Compared is a published number beside the one computed here.
type Compared struct {
	What      string `json:"what"`
	Published string `json:"published"`
	Here      string `json:"here"`
	Verdict   string `json:"verdict"` // "reproduced", "not reproduced", or "" where there is nothing to decide
}

// ReadRecipe reads a recipe file; unknown keys are errors with their line.
func ReadRecipe(file string) (Recipe, error) {
	var r Recipe
	text, err := os.ReadFile(file)
	if err != nil {
		return r, &usage.Error{Message: err.Error()}
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&r); err != nil {
		return r, usage.Errorf("%s: %s", file, strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " "))
	}
	return r, nil
}

// Columns are the recipe's.
func (r Recipe) Columns() Columns {
	return Columns{Model: r.Model, Categories: r.Categories, Transposed: r.Transposed}
}

// Without returns the models that the recipe does not leave out.
func (r Recipe) Without(models []search.Model) ([]search.Model, error) {
	for _, name := range r.Leave {
		if !slices.ContainsFunc(models, func(m search.Model) bool { return m.Name == name }) {
			return nil, usage.Errorf("leave: no model is named %q", name)
		}
	}
	return slices.DeleteFunc(slices.Clone(models), func(m search.Model) bool { return slices.Contains(r.Leave, m.Name) }), nil
}

// rounding is how far a mean may be from one that was printed with one decimal.
const rounding = 0.05 + 1e-9

// Compare adds the published numbers, each beside its own.
//
// Models are all of the table, those left out included; rest are the others,
// and among those that may be experts.
func (a *Analysis) Compare(p Published, models, rest []search.Model, among []string) error {
	for _, c := range p.Correlations {
		here, ok := a.pair(c.A, c.B)
		if !ok {
			return usage.Errorf("published: %s and %s are not both in the table", c.A, c.B)
		}
		a.add(fmt.Sprintf("correlation %s ~ %s", c.A, c.B), fmt.Sprintf("%.2f", c.Value), here.Pearson.String(),
			here.Pearson.Value != nil && fmt.Sprintf("%.2f", *here.Pearson.Value) == fmt.Sprintf("%.2f", c.Value))
	}
	if len(p.Mix) > 0 {
		if err := a.compareMix(p.Mix, rest, among); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Means)) {
		mean, err := a.mean(models, name)
		if err != nil {
			return err
		}
		a.add("mean of "+name, fmt.Sprintf("%.2f", p.Means[name]), fmt.Sprintf("%.2f", mean), math.Abs(mean-p.Means[name]) <= rounding)
	}
	for _, name := range p.Leads {
		here := fmt.Sprintf("%d of %d", a.aloneAtTheTop(models, name), len(a.Categories))
		a.Published = append(a.Published, Compared{What: "categories that " + name + " leads alone", Published: "-", Here: here})
	}
	if o := p.Optimism; o != nil {
		for _, d := range o.Disagreements {
			luck := 100 * eval.ExpectedOptimism(o.Soups, d, o.Items)
			a.Published = append(a.Published, Compared{
				What:      fmt.Sprintf("gain, and what the best of %d equal soups shows by luck on %d items if two differ on %.0f %%", o.Soups, o.Items, 100*d),
				Published: fmt.Sprintf("%+.2f", o.Gain), Here: fmt.Sprintf("%+.2f", luck),
			})
		}
	}
	return nil
}

func (a *Analysis) add(what, published, here string, same bool) {
	verdict := "not reproduced"
	if same {
		verdict = "reproduced"
	}
	a.Published = append(a.Published, Compared{what, published, here, verdict})
}

// compareMix looks for the thresholds that choose the published experts, among
// all: the choice changes only where tau passes a category's weakest correlation.
func (a *Analysis) compareMix(published []string, models []search.Model, among []string) error {
	want := slices.Sorted(slices.Values(published))
	var at [][2]float64 // ranges of tau: above, up to
	steps := append(a.weakest(), 1+rounding)
	for k := 1; k < len(steps); k++ {
		found, err := search.Analyze(models, search.Criteria{Tau: steps[k], Among: among})
		if err != nil {
			return err
		}
		switch {
		case !slices.Equal(slices.Sorted(slices.Values(found.Distinct())), want):
		case len(at) > 0 && at[len(at)-1][1] == steps[k-1]:
			at[len(at)-1][1] = steps[k]
		default:
			at = append(at, [2]float64{steps[k-1], steps[k]})
		}
	}
	here := "at no tau"
	for i, r := range at {
		here = map[bool]string{true: "at tau", false: here + " and"}[i == 0] + fmt.Sprintf(" above %.3f up to %.3f", r[0], min(1, r[1]))
	}
	a.add("experts", strings.Join(published, " + "), here, len(at) > 0)
	return nil
}

// weakest are the least absolute correlations of the categories, rising.
func (a *Analysis) weakest() []float64 {
	var list []float64
	for _, x := range a.Categories {
		least := math.Inf(1)
		for _, c := range a.Correlations {
			if (c.A == x || c.B == x) && c.Pearson.Value != nil {
				least = min(least, math.Abs(*c.Pearson.Value))
			}
		}
		list = append(list, least)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// mean is over the categories, each counting the same.
func (a *Analysis) mean(models []search.Model, name string) (float64, error) {
	i := slices.IndexFunc(models, func(m search.Model) bool { return m.Name == name })
	if i < 0 {
		return 0, usage.Errorf("published: no model is named %q", name)
	}
	sum := 0.0
	for _, c := range a.Categories {
		sum += models[i].Categories[c].Mean
	}
	return sum / float64(len(a.Categories)), nil
}

// aloneAtTheTop counts the categories in which a model is better than all others.
func (a *Analysis) aloneAtTheTop(models []search.Model, name string) (count int) {
	for _, c := range a.Categories {
		best, second, leader := math.Inf(-1), math.Inf(-1), ""
		for _, m := range models {
			switch v := m.Categories[c].Mean; {
			case v > best:
				best, second, leader = v, best, m.Name
			case v > second:
				second = v
			}
		}
		if leader == name && best > second {
			count++
		}
	}
	return count
}
