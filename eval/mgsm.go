package eval

import "strings"

// mgsm is the rule of simple-evals for answers to grade school problems
// (openai/simple-evals, mgsm_eval.py, commit ee3b031): the result is the last
// number behind the last occurrence of the word that introduces an answer, its
// thousands separators and a decimal part of zeros removed, and must be the
// reference digit by digit. There is no sign: "-5" is 5. Without the word the answer
// is wrong. The word is the setting "prefix" in Item.Rule.
type mgsm struct{ answered }

type mgsmRule struct {
	Prefix string `json:"prefix"` // "Answer", "答え" and so on
}

func (m mgsm) Validate(it Item) error {
	if err := m.answered.Validate(it); err != nil {
		return err
	}
	rule, err := it.mgsmRule()
	if err == nil && rule.Prefix == "" {
		err = missing("rule: prefix")
	}
	return err
}

func (it Item) mgsmRule() (rule mgsmRule, err error) {
	err = it.readRule(&rule)
	return rule, err
}

// Ask asks for no likelihood: the reference is the end of an answer with its
// reasoning before it.
func (mgsm) Ask(it Item) Question { return Question{Request: it.Request()} }

func (mgsm) Score(it Item, answer string) float64 {
	rule, err := it.mgsmRule()
	if err != nil {
		return 0
	}
	got := numberBehind(answer, rule.Prefix)
	if strings.Contains(got, ".") {
		got = strings.TrimRight(strings.TrimRight(got, "0"), ".")
	}
	return best(it, func(ref string) float64 { return oneIf(strings.ReplaceAll(ref, ",", "") == got) })
}

// numberBehind is the last number after the last occurrence of a word, "" if
// there is none. Digits are those of any script, as in Python's \d.
func numberBehind(text, word string) string {
	at := strings.LastIndex(text, word)
	re, err := compilePython(`\d+\.?\d*`)
	if at < 0 || err != nil {
		return ""
	}
	found := re.findAll(strings.ReplaceAll(text[at+len(word):], ",", ""))
	if len(found) == 0 {
		return ""
	}
	return strings.TrimRight(found[len(found)-1][0], ".")
}
