package eval

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Metric says what is asked about an item and how right an answer is.
type Metric interface {
	// Validate returns an error that names the field of it that is missing or
	// wrong.
	Validate(it Item) error
	// Ask returns what to ask a server about it: a text to generate, with the
	// reference whose likelihood is the smooth score, or labels to choose from.
	Ask(it Item) Question
	// Score returns how right the answer is, from 0 (wrong) to 1.
	Score(it Item, answer string) float64
}

var metrics = map[string]Metric{
	"bfcl_ast":         leaderboard{},
	"bfcl_irrelevance": relevance{},
	"bfcl_relevance":   relevance{want: true},
	"bleu":             bleu{},
	"call_ast":         callAST{},
	"choice":           choice{},
	"chrf":             chrf{},
	"chrf++":           chrf{words: 2},
	"command":          command{},
	"contains":         contains{},
	"exact":            exact{},
	"extract":          extract{},
	"f1":               tokenF1{},
	"ifeval":           ifeval{},
	"infinitebench":    infiniteBench{},
	"json_schema":      jsonSchema{},
	"letter":           letter{},
	"mgsm":             mgsm{},
	"number":           number{},
	"regex":            matches{},
}

// MetricNamed returns the metric that items call name; the error lists those
// that exist.
func MetricNamed(name string) (Metric, error) {
	if m, ok := metrics[name]; ok {
		return m, nil
	}
	return nil, fmt.Errorf("unknown metric %q: use one of %s", name, strings.Join(MetricNames(), ", "))
}

// CorpusMetric is a Metric whose published number is no mean over items: counts
// are added up over all items first, as for BLEU.
type CorpusMetric interface {
	Metric
	// Counts are what an answer adds to the sums; always as many.
	Counts(it Item, answer string) []int
	// Corpus is the metric of summed counts, from 0 to 1.
	Corpus(counts []int) float64
}

// CorpusMetricNamed returns the metric of a name if it is a CorpusMetric.
func CorpusMetricNamed(name string) (CorpusMetric, bool) {
	m, ok := metrics[name].(CorpusMetric)
	return m, ok
}

// MetricNames returns the names of all metrics, sorted.
func MetricNames() []string { return slices.Sorted(maps.Keys(metrics)) }

// answered is the common part of metrics that compare a generated text with
// the item's answer.
type answered struct{}

func (answered) Validate(it Item) error {
	if it.Answer == "" {
		return missing("answer")
	}
	return nil
}

func (answered) Ask(it Item) Question {
	return Question{Request: it.Request(), Reference: it.Answer}
}

// best returns the highest score over the item's right answers.
func best(it Item, score func(reference string) float64) float64 {
	top := 0.0
	for _, r := range it.references() {
		top = max(top, score(r))
	}
	return top
}

// oneIf is 1 for true, 0 for false.
func oneIf(right bool) float64 {
	if right {
		return 1
	}
	return 0
}
