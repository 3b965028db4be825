package eval

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// extract takes the result out of a longer answer by filters, as lm-eval does, and
// compares it with the reference as its exact_match does. The settings are an
// Extraction in Item.Rule.
type extract struct{ answered }

// Extraction says how a result is taken out of an answer and compared: a
// filter_list entry and the options of exact_match in a task of lm-eval
// (lm_eval/api/metrics.py, release 0.4.13).
type Extraction struct {
	// Filters are applied in order; none leave the answer as it is.
	Filters []Filter `json:"filters,omitempty"`
	// RegexesToIgnore are removed from result and reference, one after the other,
	// then case, ASCII punctuation and ASCII digits are ignored if asked for.
	RegexesToIgnore   []string `json:"regexes_to_ignore,omitempty"`
	IgnoreCase        bool     `json:"ignore_case,omitempty"`
	IgnorePunctuation bool     `json:"ignore_punctuation,omitempty"`
	IgnoreNumbers     bool     `json:"ignore_numbers,omitempty"`
	// Delimiter stands between the prompt and the reference where the likelihood of
	// the reference is the smooth score.
	Delimiter string `json:"delimiter,omitempty"`
}

func (x extract) Validate(it Item) error {
	if err := x.answered.Validate(it); err != nil {
		return err
	}
	rule, err := it.extraction()
	if err != nil {
		return err
	}
	for i, f := range rule.Filters {
		if err := f.validate(it); err != nil {
			return fmt.Errorf("rule: %w", err)
		}
		if f.Function == "take_first" && i < len(rule.Filters)-1 {
			return errors.New("rule: take_first is not the last filter")
		}
	}
	for _, pattern := range rule.RegexesToIgnore {
		if _, err := compilePython(pattern); err != nil {
			return fmt.Errorf("rule: regexes_to_ignore: %w", err)
		}
	}
	return nil
}

func (it Item) extraction() (rule Extraction, err error) {
	err = it.readRule(&rule)
	return rule, err
}

func (extract) Ask(it Item) Question {
	rule, _ := it.extraction()
	return Question{Request: it.Request(), Reference: rule.Delimiter + it.Answer}
}

func (extract) Score(it Item, answer string) float64 {
	rule, err := it.extraction()
	if err != nil {
		return 0
	}
	return rule.Score(it, answer)
}

// Score is 1 if the result in the answer is one of the item's references, else 0.
func (x Extraction) Score(it Item, answer string) float64 {
	result, ok := x.Result(it, answer)
	if !ok {
		return 0
	}
	return best(it, func(ref string) float64 { return oneIf(x.plain(result) == x.plain(ref)) })
}

// Result is what the filters take out of an answer; false where they find nothing
// that could be compared.
func (x Extraction) Result(it Item, answer string) (string, bool) {
	for _, f := range x.Filters {
		apply := filters[f.Function]
		if apply == nil {
			return "", false
		}
		var ok bool
		if answer, ok = apply(f, it, answer); !ok {
			return "", false
		}
	}
	return answer, true
}

// asciiPunctuation is string.punctuation of Python.
const asciiPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// plain is what exact_match compares. Texts pass through arrays of numpy there, which
// end them at trailing NULs and cut off what lower case makes longer.
func (x Extraction) plain(text string) string {
	for _, pattern := range x.RegexesToIgnore {
		if re, err := compilePython(pattern); err == nil {
			text = re.replaceAll(text, "")
		}
	}
	if x.IgnoreCase {
		text = cut(pythonLower(text), utf8.RuneCountInString(text))
	}
	if x.IgnorePunctuation {
		text = remove(text, func(r rune) bool { return strings.ContainsRune(asciiPunctuation, r) })
	}
	if x.IgnoreNumbers {
		text = remove(text, func(r rune) bool { return r >= '0' && r <= '9' })
	}
	return strings.TrimRight(text, "\x00")
}

// cut returns the first n characters.
func cut(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
