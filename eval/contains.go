package eval

import "strings"

// contains is 1 if the reference occurs anywhere in the answer, letter by
// letter and with its case. There is no smooth score, for the reference is only
// a part of a right answer.
type contains struct{ answered }

func (contains) Ask(it Item) Question { return Question{Request: it.Request()} }

func (contains) Score(it Item, answer string) float64 {
	return best(it, func(ref string) float64 { return oneIf(ref != "" && strings.Contains(answer, ref)) })
}
