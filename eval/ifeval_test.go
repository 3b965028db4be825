package eval

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

func ruled(metric, rule string) Item {
	return Item{ID: "x", Prompt: "?", Metric: metric, Rule: json.RawMessage(rule)}
}

func TestIFEvalFields(t *testing.T) {
	check := func(rule string, parts ...string) {
		t.Helper()
		wantError(t, ruled("ifeval", rule).Validate(), append(parts, "metric ifeval")...)
	}
	one := func(instruction string) string { return `{"instructions":[` + instruction + `]}` }
	check("", `"rule" is missing`)
	check("[]", `"rule" is no list`)
	check("{}", "no instructions")
	check(one(`{"id":"x"}`), "instruction x: unknown", "punctuation:no_comma")
	check(one(`{"id":"keywords:existence"}`), "keywords is missing")
	check(one(`{"id":"keywords:existence","keywords":["a",""]}`), "keywords is missing or empty")
	check(one(`{"id":"keywords:existence","keywords":["("]}`), `"("`, "RE2")
	check(one(`{"id":"keywords:frequency","keyword":"a","relation":"at least"}`), "frequency is missing")
	check(one(`{"id":"keywords:frequency","keyword":"a","frequency":-1,"relation":"at least"}`), "not positive")
	check(one(`{"id":"keywords:frequency","keyword":"a","frequency":1}`), `relation ""`, "less than")
	check(one(`{"id":"keywords:frequency","frequency":1,"relation":"at least"}`), "keyword is missing")
	check(one(`{"id":"keywords:forbidden_words","forbidden_words":["("]}`), `"("`, "no regular expression")
	check(one(`{"id":"length_constraints:nth_paragraph_first_word","num_paragraphs":2,"nth_paragraph":3,"first_word":"a"}`), "nth_paragraph 3", "2 paragraphs")
	check(one(`{"id":"length_constraints:nth_paragraph_first_word","num_paragraphs":2,"nth_paragraph":1}`), "first_word is missing")
	if s := (ifeval{}).Score(ruled("ifeval", "{}"), "x"); s != 0 {
		t.Errorf("score %v without a rule", s)
	}
	if strict, loose := Followed(ruled("ifeval", "{}"), "x"); strict != nil || loose != nil {
		t.Errorf("%v, %v followed without a rule", strict, loose)
	}
}

// The official function draws a letter where it is given none of a to z; this one
// counts what is given.
func TestIFEvalOddLetter(t *testing.T) {
	it := ruled("ifeval", `{"instructions":[{"id":"keywords:letter_frequency","letter":"#","let_frequency":2,"let_relation":"at least"}]}`)
	for answer, want := range map[string]float64{"#a #b": 1, "#a b": 0} {
		if got := (ifeval{}).Score(it, answer); got != want {
			t.Errorf("%q scores %v", answer, got)
		}
	}
}

// What is followed strictly is followed loosely.
func TestIFEvalLooseIsLoose(t *testing.T) {
	it := ruled("ifeval", `{"instructions":[{"id":"punctuation:no_comma"},{"id":"startend:quotation"},{"id":"detectable_format:title"},
		{"id":"length_constraints:number_paragraphs","num_paragraphs":2},{"id":"detectable_format:json_format"},{"id":"combination:two_responses"}]}`)
	letters := rapid.SampledFrom([]rune("a,\"*<>\n{}[]1 \\N"))
	rapid.Check(t, func(t *rapid.T) {
		answer := rapid.StringOfN(letters, 0, 40, -1).Draw(t, "answer")
		strict, loose := Followed(it, answer)
		for i := range strict {
			if strict[i] && !loose[i] {
				t.Fatalf("%q: instruction %d is followed strictly only", answer, i)
			}
		}
	})
}

func TestInfiniteBenchFields(t *testing.T) {
	check := func(task, answer string, parts ...string) {
		t.Helper()
		it := ruled("infinitebench", `{"task":"`+task+`"}`)
		it.Answer = answer
		wantError(t, it.Validate(), append(parts, "metric infinitebench")...)
	}
	check("passkey", "", `"answer" is missing`)
	check("longbook_sum_eng", "x", `task "longbook_sum_eng"`, "longbook_qa_eng")
	check("math_find", "x", "must be a number")
	check("math_calc", "[]", "whole numbers")
	check("math_calc", "1", "whole numbers")
	check("code_run", "1.5", "whole number")
	check("code_debug", "A", "answers")
	for _, rule := range []string{"", "[]", "{}"} {
		it := ruled("infinitebench", rule)
		it.Answer = "x"
		wantError(t, it.Validate(), `task ""`)
		if s := (infiniteBench{}).Score(it, "x"); s != 0 {
			t.Errorf("score %v without a task", s)
		}
	}
}

func FuzzIFEval(f *testing.F) {
	f.Add("```json\n{\"a\": NaN}\n```", "lamp")
	f.Add("SECTION 1\n* a\n\n***\nP.S. b", "İ")
	f.Fuzz(func(t *testing.T, answer, word string) {
		rule, err := json.Marshal(ifevalRule{Instructions: []Instruction{
			{ID: "detectable_format:json_format"},
			{ID: "keywords:existence", Keywords: []string{word}},
			{ID: "keywords:forbidden_words", ForbiddenWords: []string{word}},
			{ID: "change_case:capital_word_frequency", CapitalFrequency: 1, CapitalRelation: "at least"},
			{ID: "length_constraints:nth_paragraph_first_word", Paragraphs: 2, Nth: 2, FirstWord: word},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if it := ruled("ifeval", string(rule)); it.Validate() == nil {
			(ifeval{}).Score(it, answer)
		}
	})
}
