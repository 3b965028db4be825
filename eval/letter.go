package eval

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// letter is a multiple choice question. A server that can tells how likely each
// label is as the first thing the model says, and the likeliest is the answer
// (the first of equals); the smooth score is the log-probability of the right
// label minus that of the likeliest wrong one. Where the server cannot, the
// answer is generated and its first word must be the label. Settings are those of
// letterRule.
type letter struct{}

func (letter) Validate(it Item) error {
	labels := it.labels()
	_, err := it.letterRule()
	switch {
	case err != nil:
		return err
	case it.Answer == "":
		return missing("answer")
	case len(labels) == 0 && len(it.Choices) == 0:
		return missing("choices")
	case len(labels) == 0:
		return fmt.Errorf("%d choices need the field %q", len(it.Choices), "labels")
	case len(it.Choices) > 0 && len(it.Choices) != len(labels):
		return fmt.Errorf("%d labels for %d choices", len(labels), len(it.Choices))
	case len(labels) < 2:
		return fmt.Errorf("one label is no choice")
	case !slices.Contains(labels, it.Answer):
		return fmt.Errorf("answer %q is none of the labels %s", it.Answer, strings.Join(labels, ", "))
	}
	return distinct(labels)
}

// distinct refuses labels that firstWord cannot tell apart.
func distinct(labels []string) error {
	seen := map[string]bool{"": true}
	for _, label := range labels {
		word := firstWord(label)
		if seen[word] {
			return fmt.Errorf("label %q cannot be told from another: labels must differ in their first word", label)
		}
		seen[word] = true
	}
	return nil
}

func (letter) Ask(it Item) Question {
	q := Question{Request: it.Request()}
	if rule, _ := it.letterRule(); !rule.Generate {
		q.Labels = it.labels()
	}
	return q
}

func (letter) Score(it Item, answer string) float64 {
	if rule, _ := it.letterRule(); rule.Answer != "" {
		return oneIf(writtenLetter(answer) == it.Answer)
	}
	return oneIf(firstWord(answer) == firstWord(it.Answer))
}

// labels are the item's own or A, B, C and so on, one a choice, up to Z.
func (it Item) labels() []string {
	if len(it.Labels) > 0 || len(it.Choices) > 26 {
		return it.Labels
	}
	labels := make([]string, len(it.Choices))
	for i := range labels {
		labels[i] = string(rune('A' + i))
	}
	return labels
}

// firstWord is the first run of letters and digits: "B" of "(B) because".
func firstWord(text string) string {
	other := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	text = strings.TrimLeftFunc(text, other)
	if end := strings.IndexFunc(text, other); end >= 0 {
		return text[:end]
	}
	return text
}
