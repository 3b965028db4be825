package eval

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ifeval judges whether an answer follows instructions that a program can check,
// as IFEval's official functions do (google-research, instruction_following_eval,
// in lm-evaluation-harness 0.4.13's copy, lm_eval/tasks/ifeval; Zhou et al. 2023,
// https://arxiv.org/abs/2311.07911), with nltk 3.10.4. Rule is a list of
// instructions and how strict to be:
//
//	{"instructions": [{"id": "punctuation:no_comma"}], "loose": false, "share": false}
//
// An answer scores 1 if it follows all of them, with share the part that it
// follows. Loose also takes the answer without asterisks, without its first or its
// last line. There is no smooth score.
//
// Two official checks are random. The language is detected by drawing n-grams;
// here the draws are those of seed 0, see package langdetect. Where an argument is
// missing or out of range the official function makes one up; here that is an
// error, save for a letter that is no letter of a to z, which is counted as it is.
type ifeval struct{}

// Followed is which of an item's instructions an answer follows, strictly and
// loosely, in their order. The item must be valid and of metric ifeval.
func Followed(it Item, answer string) (strict, loose []bool) {
	rule, err := ifevalRuleOf(it)
	if err != nil {
		return nil, nil
	}
	return rule.followed(answer, false), rule.followed(answer, true)
}

type ifevalRule struct {
	Instructions []Instruction `json:"instructions"`
	Loose        bool          `json:"loose,omitempty"`
	Share        bool          `json:"share,omitempty"`
}

func ifevalRuleOf(it Item) (ifevalRule, error) {
	var rule ifevalRule
	if len(it.Rule) == 0 {
		return rule, missing("rule")
	}
	if err := json.Unmarshal(it.Rule, &rule); err != nil {
		return rule, fmt.Errorf("field %q is no list of instructions: %w", "rule", err)
	}
	if len(rule.Instructions) == 0 {
		return rule, fmt.Errorf("field %q has no instructions", "rule")
	}
	return rule, nil
}

func (ifeval) Validate(it Item) error {
	rule, err := ifevalRuleOf(it)
	if err != nil {
		return err
	}
	for _, in := range rule.Instructions {
		if err := in.Validate(); err != nil {
			return fmt.Errorf("instruction %s: %w", in.ID, err)
		}
	}
	return nil
}

func (ifeval) Ask(it Item) Question { return Question{Request: it.Request()} }

func (ifeval) Score(it Item, answer string) float64 {
	rule, err := ifevalRuleOf(it)
	if err != nil {
		return 0
	}
	right := 0
	followed := rule.followed(answer, rule.Loose)
	for _, yes := range followed {
		if yes {
			right++
		}
	}
	if rule.Share {
		return float64(right) / float64(len(followed))
	}
	return oneIf(right == len(followed))
}

func (r ifevalRule) followed(answer string, loose bool) []bool {
	answer = strings.ToValidUTF8(answer, "\uFFFD")
	texts := []string{answer}
	if loose {
		texts = loosened(answer)
	}
	followed := make([]bool, len(r.Instructions))
	for i, in := range r.Instructions {
		for _, text := range texts {
			if pythonStrip(text) != "" && in.followedBy(text) {
				followed[i] = true
				break
			}
		}
	}
	return followed
}

// loosened are the texts any of which may follow an instruction.
func loosened(answer string) []string {
	lines := strings.Split(answer, "\n")
	last := max(1, len(lines)-1)
	texts := []string{
		answer,
		pythonStrip(strings.Join(lines[1:], "\n")),
		pythonStrip(strings.Join(lines[:len(lines)-1], "\n")),
		pythonStrip(strings.Join(lines[1:last], "\n")),
	}
	for _, text := range texts[:4] {
		texts = append(texts, strings.ReplaceAll(text, "*", ""))
	}
	return texts
}
