package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Report is what a study found, as soup report --json prints it. Scores are
// means of item scores, 0 to 1. A pointer is nil, and null in JSON, where there
// is nothing to say; no number is NaN.
type Report struct {
	Study         string   `json:"study"`
	Seed          uint64   `json:"seed"`
	Parents       []string `json:"parents"`        // names, in the study's order
	Candidates    int      `json:"candidates"`     // tried: different soups and single checkpoints
	Swaps         int      `json:"swaps"`          // times that the server loaded another candidate
	ItemsAnswered int      `json:"items_answered"` // over all candidates and splits
	Seconds       float64  `json:"seconds"`        // spent merging, swapping and evaluating
	Cost          Seconds  `json:"cost"`           // the same by what it was spent on
	ServerIdle    *float64 `json:"server_idle"`    // share of the study's time in which the server loaded and answered nothing; nil if unknown

	Trials      []TrialReport    `json:"trials"`
	Strategies  []StrategyReport `json:"strategies"` // in the order to print
	Winner      *WinnerReport    `json:"winner"`
	Comparisons []Comparison     `json:"comparisons"`

	// Curve is nil unless the study is of one training run.
	Curve *Curve `json:"curve,omitempty"`

	// Path is nil unless the study is of two parents and keeps up with one of them.
	Path *Path `json:"path,omitempty"`

	// Landscape is nil unless enough points of a plane were scored.
	Landscape *Landscape `json:"landscape,omitempty"`

	// Midpoints is nil unless the strategy of that name ran.
	Midpoints *Midpoints `json:"midpoints,omitempty"`

	// Constraints are what the winner had to keep, judged on test.
	Constraints []Constraint `json:"constraints,omitempty"`

	// Inheritance is nil until the winner and every parent were scored on test.
	Inheritance *Inheritance `json:"inheritance"`

	// Calibration is nil unless the winner was scored on test items with labels.
	Calibration *Calibrations `json:"calibration,omitempty"`

	// Optimism is how far the best search score of this many candidates is
	// expected to lie above its true value by luck alone.
	Optimism *float64 `json:"optimism"`
	Notes    []Note   `json:"notes"`
	Warnings []string `json:"warnings"` // one line each

	// Findings are what to beware of, of the parents as the last session found them,
	// then of the winner.
	Findings []Finding `json:"findings"`

	// Choice is nil until the winner was chosen, and in studies of earlier versions.
	Choice *Choice `json:"choice"`
	// Exchanges is nil until the winner was compared with the best single checkpoint.
	Exchanges *Exchanges `json:"exchanges"`
}

// Weights are a soup's coefficients by name of parent: either ByParent, for all
// tensors, or Groups.
type Weights struct {
	ByParent map[string]float64 `json:"weights"`
	Groups   []GroupWeights     `json:"groups"`
}

// GroupWeights are the coefficients for one group of tensors.
type GroupWeights struct {
	Name     string             `json:"name"`
	ByParent map[string]float64 `json:"weights"`
}

// TrialReport is one trial.
type TrialReport struct {
	Number   int    `json:"number"`
	Strategy string `json:"strategy"`
	Label    string `json:"label"`
	Weights
	State   string  `json:"state"` // as of Trial
	Of      int     `json:"of"`    // as of Trial
	Reason  string  `json:"reason,omitempty"`
	Failure string  `json:"failure,omitempty"` // kind of failure, such as "out of memory"
	Scores  Scores  `json:"scores"`            // of a cached trial: those of the trial it points to
	Seconds Seconds `json:"seconds"`

	// Partial is what is known of a pruned trial; nil for all others. It stands
	// apart from Scores because it is no score: nothing can win by it.
	Partial *Partial `json:"partial,omitempty"`

	// Answered is how many search items have a score, also of a trial that was
	// pruned or failed and so has none itself; 0 for a cached trial.
	Answered int `json:"answered"`
}

// Partial is what a candidate that was stopped early has answered on search.
type Partial struct {
	Score         // expected over all items; N and the like count those that were answered
	Of    int     `json:"of"`      // items that a complete candidate answers
	Delta float64 `json:"delta"`   // expected difference to the trial that it was raced against
	To    int     `json:"against"` // that trial
}

// Seconds says where a trial's time went.
type Seconds struct {
	Merge      float64 `json:"merge"`
	Swap       float64 `json:"swap"`
	FirstToken float64 `json:"first_token"` // of Eval: until the first whole answer came, there being no streaming
	Eval       float64 `json:"eval"`
}

// Add adds another trial's time.
func (s *Seconds) Add(t Seconds) {
	s.Merge, s.Swap, s.FirstToken, s.Eval = s.Merge+t.Merge, s.Swap+t.Swap, s.FirstToken+t.FirstToken, s.Eval+t.Eval
}

// Total is all of it.
func (s Seconds) Total() float64 { return s.Merge + s.Swap + s.Eval }

// Scores are a candidate's scores by split; nil where it was not scored.
type Scores struct {
	Search    *Score `json:"search"`
	Selection *Score `json:"selection"`
	Test      *Score `json:"test"`
}

// Score is a candidate's score on one split.
type Score struct {
	Mean *float64 `json:"mean"` // of the study's objective; nil if a category of it was not measured
	SE   *float64 `json:"se"`   // standard error of Mean; nil if unknown
	Counts
	Categories map[string]CategoryScore `json:"categories,omitempty"`
}

// CategoryScore is the score in one category.
type CategoryScore struct {
	Mean *float64 `json:"mean"` // nil if N is 0
	SE   *float64 `json:"se"`   // nil if unknown
	Counts
}

// Counts says how many items a score rests on and how many it lacks.
type Counts struct {
	N         int `json:"n"`                 // scored
	Failed    int `json:"failed"`            // not measured: no answer
	Timeout   int `json:"timeout,omitempty"` // not measured: no answer in time
	Missing   int `json:"missing,omitempty"` // not measured: no recorded answer
	Truncated int `json:"truncated"`         // of N: cut off at the token limit
}

// StrategyReport is the best candidate of one strategy.
type StrategyReport struct {
	Strategy string `json:"strategy"` // "single" is the best single checkpoint
	Label    string `json:"label"`    // of its best candidate
	Trial    int    `json:"trial"`    // that holds the outcomes
	Weights
	Candidates        int         `json:"candidates"` // tried by this strategy, cached ones included
	Scores            Scores      `json:"scores"`
	AgainstBestSingle *Comparison `json:"against_best_single"` // on test
}

// WinnerReport is the soup that was exported.
type WinnerReport struct {
	Trial    int    `json:"trial"`
	Strategy string `json:"strategy"`
	Label    string `json:"label"`
	Weights
	Path   string          `json:"path"`
	SHA256 string          `json:"sha256"`
	Reason json.RawMessage `json:"reason,omitempty"`
}

// The names that comparisons in a report have in Of and Against, beside those
// of strategies ("uniform", "greedy", ...).
const (
	OfWinner     = "winner"
	OfBestSingle = "best-single"
)

// Comparison says how much better one candidate is than another on the items
// of a split that both answered.
type Comparison struct {
	Of      string `json:"of"`
	Against string `json:"against"`
	Split   string `json:"split"`
	Difference
	Categories []CategoryDifference `json:"categories,omitempty"` // in the order to print
}

// CategoryDifference is a comparison within one category.
type CategoryDifference struct {
	Category string `json:"category"`
	Difference
}

// Difference is a paired difference with its 95 % interval and two-sided
// p-value.
type Difference struct {
	Delta   float64 `json:"delta"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	P       float64 `json:"p"`
	N       int     `json:"n"` // items
	Wins    int     `json:"wins"`
	Losses  int     `json:"losses"`
	Ties    int     `json:"ties"`
	Verdict string  `json:"verdict"` // Better, Worse or Noise
	Method  string  `json:"method,omitempty"`
}

// The verdicts.
const (
	Better = "better"
	Worse  = "worse"
	Noise  = "~"
)

// MarshalJSON writes lists without elements as [], never null.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	r.Parents = list(r.Parents)
	r.Trials = list(r.Trials)
	r.Strategies = list(r.Strategies)
	r.Comparisons = list(r.Comparisons)
	r.Notes = list(r.Notes)
	r.Warnings = list(r.Warnings)
	r.Findings = list(r.Findings)
	return json.Marshal(plain(r))
}

func list[T any](x []T) []T {
	if x == nil {
		return []T{}
	}
	return x
}

// WriteJSON writes the report, indented. Equal reports give equal bytes. A
// number that is NaN or infinite is an error, and then nothing is written.
func WriteJSON(w io.Writer, r Report) error {
	if err := writeJSON(io.Discard, r); err != nil {
		return fmt.Errorf("report of %s: %w", r.Study, err)
	}
	out := bufio.NewWriter(w)
	return errors.Join(writeJSON(out, r), out.Flush())
}

// writeJSON writes one trial after the other: of ten thousand, the whole text
// takes several times the memory of the report.
func writeJSON(w io.Writer, r Report) error {
	trials := r.Trials
	r.Trials = nil
	frame, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	const empty = "\n  \"trials\": []"
	before, after, _ := bytes.Cut(frame, []byte(empty))
	if len(trials) == 0 {
		_, err := w.Write(append(frame, '\n'))
		return err
	}
	if _, err := fmt.Fprintf(w, "%s%s", before, strings.TrimSuffix(empty, "]")); err != nil {
		return err
	}
	for i, t := range trials {
		text, err := json.MarshalIndent(t, "    ", "  ")
		if err != nil {
			return err
		}
		comma := ","
		if i == 0 {
			comma = ""
		}
		if _, err := fmt.Fprintf(w, "%s\n    %s", comma, text); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "\n  ]%s\n", after)
	return err
}

// Later is what the finalists took on selection and test, after the search.
func (r Report) Later() Seconds {
	var search Seconds
	for _, t := range r.Trials {
		search.Add(t.Seconds)
	}
	if search.Total() >= r.Cost.Total() {
		return Seconds{}
	}
	return Seconds{
		Merge: r.Cost.Merge - search.Merge, Swap: r.Cost.Swap - search.Swap, Eval: r.Cost.Eval - search.Eval, FirstToken: r.Cost.FirstToken - search.FirstToken,
	}
}

// trial returns the trial of a number, nil if the report lacks it.
func (r Report) trial(number int) *TrialReport {
	for i := range r.Trials {
		if r.Trials[i].Number == number {
			return &r.Trials[i]
		}
	}
	return nil
}

// single returns the row of the best single checkpoint, nil if there is none.
func (r Report) single() *StrategyReport {
	for i := range r.Strategies {
		if r.Strategies[i].Strategy == "single" {
			return &r.Strategies[i]
		}
	}
	return nil
}
