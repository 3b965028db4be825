package eval

import (
	"encoding/json"
	"fmt"

	"soup/eval/bfcl"
)

// leaderboard is metric bfcl_ast: 1 if the answer calls the right functions with
// right arguments by the rules of the Berkeley Function Calling Leaderboard, to
// the letter (see package eval/bfcl); call_ast is soup's own, stricter form.
// Fields function and ground_truth are as in the benchmark's files, rule is a
// [bfcl.Rule]:
//
//	{"language": "java", "matching": "parallel", "calling": true, "underscores": true}
//
// Answers are text such as "[f(a=1), g(b='x')]"; with calling, the calls that the
// server read: [{"name": "f", "arguments": {"a": 1}}].
type leaderboard struct{}

func (leaderboard) judge(it Item) (*bfcl.Judge, error) {
	switch {
	case len(it.Function) == 0:
		return nil, missing("function")
	case len(it.GroundTruth) == 0:
		return nil, missing("ground_truth")
	}
	rule, err := leaderboardRule(it)
	if err != nil {
		return nil, err
	}
	return bfcl.NewJudge(rule, it.Function, it.GroundTruth)
}

func leaderboardRule(it Item) (rule bfcl.Rule, err error) {
	if len(it.Rule) > 0 {
		if err := json.Unmarshal(it.Rule, &rule); err != nil {
			return rule, fmt.Errorf("rule: %w", err)
		}
	}
	return rule, nil
}

func (l leaderboard) Validate(it Item) error {
	_, err := l.judge(it)
	return err
}

func (leaderboard) Ask(it Item) Question {
	return Question{Request: it.Request(), Reference: it.Answer}
}

func (l leaderboard) Score(it Item, answer string) float64 {
	judge, err := l.judge(it)
	return oneIf(err == nil && judge.Right(answer))
}

// relevance is metric bfcl_relevance, 1 if the answer has any function call, and
// bfcl_irrelevance, 1 if it has none, by the leaderboard's decoder. What is
// called does not matter. Field rule is as of bfcl_ast.
type relevance struct{ want bool }

func (relevance) Validate(it Item) error {
	_, err := leaderboardRule(it)
	return err
}

func (relevance) Ask(it Item) Question { return leaderboard{}.Ask(it) }

func (r relevance) Score(it Item, answer string) float64 {
	rule, err := leaderboardRule(it)
	return oneIf(err == nil && bfcl.Calls(rule, answer) == r.want)
}
