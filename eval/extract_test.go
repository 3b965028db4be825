package eval

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// Golden vectors of the filters are in benchmarks/testdata; these are the parts.

func TestPythonRegex(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          [][]string
	}{
		{`(a)|(b)`, "ab", [][]string{{"a", ""}, {"", "b"}}},
		{`(?P<q>['"])(\w+)(?P=q)`, `'x' "y'`, [][]string{{"'", "x"}}},
		{`\w+`, "naïve_1 কি", [][]string{{"naïve_1"}, {"ক"}}}, // no marks, unlike .NET
		{`\s`, "a\x1cb\u2028", [][]string{{"\x1c"}, {"\u2028"}}},
		{`[\s\S]\Z`, "a\n", [][]string{{"\n"}}},
		{`[^[\]]+`, "[x]", [][]string{{"x"}}},
		{`[\W]`, "a_·‿", [][]string{{"·"}, {"‿"}}},
		{`\bs\B`, "so as", [][]string{{"s"}}},
		{`a{,2}b`, "aaab", [][]string{{"aab"}}},
		{`(?i)É(?:x)`, "éX", [][]string{{"éX"}}},
		{`(?s:a.b)`, "a\nb", [][]string{{"a\nb"}}},
		{`[]a]+`, "]a", [][]string{{"]a"}}},
		{`\.\$`, "x.$", [][]string{{".$"}}},
		{`(?<=x)\d`, "x٣", [][]string{{"٣"}}},
		{`x`, "", nil},
	} {
		re, err := compilePython(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := re.findAll(c.text); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s in %q: %q, want %q", c.pattern, c.text, got, c.want)
		}
	}
	for pattern, part := range map[string]string{
		`\`: "bad escape", `\pL`: `\p is not understood`, `[\B]`: "in a set", `[a`: "unterminated", `(?P<n`: "missing >",
		`(?P=n)`: `unknown group name "n"`, `(?<n>x)`: "unknown extension", `a(?i)`: "not at the start", `(?a)x`: "unknown extension", `(`: "pattern",
	} {
		_, err := compilePython(pattern)
		wantError(t, err, part)
	}
}

func extractItem(rule string) Item {
	return Item{ID: "x", Category: "c", Metric: "extract", Raw: "?", Answer: "12", Choices: []string{"ice", "mud"}, Rule: json.RawMessage(rule)}
}

func TestExtract(t *testing.T) {
	score := func(rule, answer string) float64 {
		t.Helper()
		it := extractItem(rule)
		if err := it.Validate(); err != nil {
			t.Fatal(err)
		}
		return extract{}.Score(it, answer)
	}
	for _, c := range []struct {
		rule, right, wrong string
	}{
		{``, "12", "12."},
		{`{"ignore_punctuation":true}`, "1,2.", "13"},
		{`{"regexes_to_ignore":["\\$"],"filters":[{"function":"regex","regex_pattern":"[$0-9]+","group_select":-1},{"function":"take_first"}]}`, "3 or $12", "12 or 3"},
		{`{"filters":[{"function":"map","mapping_dict":{"dozen":"12"}}]}`, "dozen", "12"},
		{`{"filters":[{"function":"regex","regex_pattern":"x","fallback":"12"}]}`, "none", "x"},
		{`{"filters":[{"function":"regex","regex_pattern":"[0-9]+","group_select":1}]}`, "1 12", "12"},
		{`{"ignore_numbers":true}`, "7", "x"},
	} {
		if score(c.rule, c.right) != 1 || score(c.rule, c.wrong) != 0 {
			t.Errorf("%s: %q is %v, %q is %v", c.rule, c.right, score(c.rule, c.right), c.wrong, score(c.rule, c.wrong))
		}
	}
	it := extractItem(`{"delimiter":" "}`)
	it.Answers = []string{"dozen"}
	if q := (extract{}).Ask(it); q.Reference != " 12" || (extract{}).Score(it, "dozen") != 1 {
		t.Errorf("%+v", q)
	}
}

func TestExtractItems(t *testing.T) {
	check := func(rule string, parts ...string) {
		t.Helper()
		wantError(t, extractItem(rule).Validate(), parts...)
	}
	check(`{"filters":[{"function":"majority_vote"}]}`, `unknown filter "majority_vote"`, "take_first")
	check(`{"filters":[{"function":"take_first"},{"function":"lowercase"}]}`, "take_first is not the last")
	check(`{"filters":[{"function":"regex","regex_pattern":"("}]}`, "filter regex", `pattern "("`)
	check(`{"filters":[{"function":"multi_choice_regex","regexes_to_ignore":["("]}]}`, "filter multi_choice_regex")
	check(`{"regexes_to_ignore":["["]}`, "regexes_to_ignore")
	check(`{"case":true}`, `"case"`)
	it := extractItem(`{"filters":[{"function":"multi_choice_regex"}]}`)
	it.Choices = nil
	wantError(t, it.Validate(), "multi_choice_regex", `"choices" is missing`)
	it.Answer = ""
	wantError(t, it.Validate(), `"answer" is missing`)
}

func TestMGSMItems(t *testing.T) {
	it := Item{ID: "x", Category: "c", Metric: "mgsm", Prompt: "?", Answer: "1,000", Rule: json.RawMessage(`{"prefix":"Answer"}`)}
	if err := it.Validate(); err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]float64{"Answer: 7, Answer: 1000.00": 1, "Answer: -1,000": 1, "1000": 0, "Answer: 1000.5": 0, "Answer 1000 of 2": 0, "Answer:": 0} {
		if got := (mgsm{}).Score(it, answer); got != want {
			t.Errorf("%q: %v", answer, got)
		}
	}
	if q := (mgsm{}).Ask(it); q.Reference != "" {
		t.Errorf("%+v", q)
	}
	it.Rule = nil
	wantError(t, it.Validate(), "prefix")
	it.Rule = json.RawMessage(`{"word":"x"}`)
	wantError(t, it.Validate(), `"word"`)
	it.Answer = ""
	wantError(t, it.Validate(), `"answer" is missing`)
}

func TestWrittenLetters(t *testing.T) {
	it := Item{ID: "x", Category: "c", Metric: "letter", Prompt: "?", Answer: "B", Choices: []string{"x", "y"}, Rule: json.RawMessage(`{"generate":true,"answer":"simple-evals"}`)}
	if err := it.Validate(); err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]float64{"Think.\nAnswer: **B**": 1, "উত্তর: ব": 1, "B": 0, "Answer: b": 0, "Answer: A. Answer: B": 0} {
		if got := (letter{}).Score(it, answer); got != want {
			t.Errorf("%q: %v", answer, got)
		}
	}
	if q := (letter{}).Ask(it); len(q.Labels) != 0 {
		t.Errorf("%+v", q)
	}
	it.Rule = json.RawMessage(`{"answer":"last-word"}`)
	wantError(t, it.Validate(), "last-word", "simple-evals")
	if strings.Contains(writtenLetter("Answer: none"), "A") {
		t.Error("a letter in a word")
	}
}
