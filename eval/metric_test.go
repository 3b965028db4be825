package eval

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// scorer returns a closure that checks scores of answers to it.
func scorer(t *testing.T, it Item) func(answer string, want float64) {
	t.Helper()
	it.ID, it.Prompt = "x", "?"
	if err := it.Validate(); err != nil {
		t.Fatal(err)
	}
	return func(answer string, want float64) {
		t.Helper()
		if got := metrics[it.Metric].Score(it, answer); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: answer %q has %v, want %v", it.Metric, answer, got, want)
		}
	}
}

func TestExact(t *testing.T) {
	check := scorer(t, Item{Metric: "exact", Answer: "EPIEEHNT", Answers: []string{"other"}})
	check("EPIEEHNT", 1)
	check("other", 1)
	check(" EPIEEHNT", 0)
	check("epieehnt", 0)
	check("", 0)
}

func TestNumber(t *testing.T) {
	check := scorer(t, Item{Metric: "number", Answer: "1663", Answers: []string{"-0.5"}})
	for _, right := range []string{"1663", "1663.0", " 1663 ", "1_663", "+1663.", "1.663e3", "-.5", "-5e-1", "01663"} {
		check(right, 1)
	}
	for _, wrong := range []string{"", "1664", "1,663", "$1663", "0x67f", "1663 apples", "1__663", "_1663", "inf", "nan", "1663.0.0", "--1663"} {
		check(wrong, 0)
	}
}

// What Python 3.11's float() says.
func TestParseNumberIsPythonsFloat(t *testing.T) {
	check := func(text string, want float64) {
		t.Helper()
		if got, ok := parseNumber(text); !ok || got != want {
			t.Errorf("parseNumber(%q) = %v, %v, want %v", text, got, ok, want)
		}
	}
	check("1663.", 1663)
	check(".5", 0.5)
	check("+5", 5)
	check("1E+3", 1000)
	check("\t7\n", 7)
	check("1.5e-3", 0.0015)
	check("1_0.2_5e1_0", 102500000000)
	check("007", 7)
	check("\u00a08", 8)
	for _, no := range []string{
		"1__6", "_1", "1_", "--5", "1e", "e3", "0x10", "", "-", ".", "1 2", "5\x1c", "12a", "1.2.3",
		"inf", "-Infinity", "nan", "1e999",
	} { // Python takes these four
		if v, ok := parseNumber(no); ok {
			t.Errorf("parseNumber(%q) = %v", no, v)
		}
	}
}

func TestLetter(t *testing.T) {
	check := scorer(t, Item{Metric: "letter", Answer: "B", Choices: []string{"x", "y", "z"}})
	for _, right := range []string{"B", " B", "B)", "(B) because", "**B**", "B: y"} {
		check(right, 1)
	}
	for _, wrong := range []string{"", "A", "b", "Because", "The answer is B", "BB", "..."} {
		check(wrong, 0)
	}
	check = scorer(t, Item{Metric: "letter", Answer: "(2)", Labels: []string{"(1)", "(2)"}})
	check("2", 1)
	check("(1)", 0)
}

// Expected values: chrf of the garden's recipe/skills.py.
func TestChrF(t *testing.T) {
	check := func(hypothesis, reference string, want float64) {
		t.Helper()
		if got := (chrf{}).Score(Item{Answer: reference}, hypothesis); math.Abs(got-want) > 1e-9 {
			t.Errorf("chrF(%q, %q) = %.12f, want %.12f", hypothesis, reference, got, want)
		}
	}
	check("zofe baniti dima zuzo", "zofe baniti dima zuzo", 1)
	check("zofe baniti dima", "zofe baniti dima zuzo", 0.77946441010300371)
	check("funu duse", "funu duse tugo budabe", 0.39895401356760002)
	check("", "abc", 0)
	check("abc", "", 0)
	check("a", "a", 1)
	check("a", "b", 0)
	check("ab", "abc", 0.63636363636363624)
	check("abcdef", "abcdefg", 0.77571033442293191)
	check("the cat sat on the mat", "the cat is on the mat", 0.64577942062528704)
	check("mat the on sat cat the", "the cat sat on the mat", 0.33680555555555558)
	check("aaaaaaaa", "aaaa", 0.74226305609284327)
	check("aaaa", "aaaaaaaa", 0.41859830924461411)
	check("straße über", "strasse ueber", 0.26503822867631821)
	check("日本語の文", "日本語の文章", 0.75371549893842882)
	check("x y z", "xyz", 1)
	check("gato preto vê o rei", "o gato preto vê um rei velho", 0.52329911153669151)
	check("zzzzzz", "abcdef", 0)
	check("abcabcabc", "abcabd", 0.51363181021332782)
	check("a\tb\u00a0c\nd", "abcd", 1) // sacreBLEU drops all white space, not only spaces
	scorer(t, Item{Metric: "chrf", Answer: "abc", Answers: []string{"ab"}})("ab", 1)
}

func TestChrFProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, r := rapid.String().Draw(t, "hypothesis"), rapid.String().Draw(t, "reference")
		if got := (chrf{}).Score(Item{Answer: r}, h); !(got >= 0 && got <= 1+1e-12) {
			t.Fatalf("chrF = %v", got)
		}
		if got := (chrf{}).Score(Item{Answer: r}, r); got != 1 && len(removeSpace(r).text) > 0 {
			t.Fatalf("chrF of a text with itself = %v", got)
		}
	})
}

func TestContains(t *testing.T) {
	check := scorer(t, Item{Metric: "contains", Answer: "Paris", Answers: []string{"Lutetia"}})
	check("It is Paris.", 1)
	check("Lutetia", 1)
	check("paris", 0)
	check("", 0)
}

func TestRegex(t *testing.T) {
	check := scorer(t, Item{Metric: "regex", Pattern: `(?i)\byes\b`})
	check("Yes, it is", 1)
	check("eyes", 0)
	check = scorer(t, Item{Metric: "regex", Pattern: `#### (-?[0-9.,]+)`, Answer: "18"})
	check("#### 3 is not it. #### 18", 1)
	check("#### 18, no: #### 3", 0)
	check("18", 0)
	check = scorer(t, Item{Metric: "regex", Pattern: `[0-9]+`, Answer: "18", Answers: []string{"19"}})
	check("from 3 to 19", 1)
}

// Expected values by the definition of SQuAD's evaluate-v2.0.py.
func TestF1(t *testing.T) {
	check := scorer(t, Item{Metric: "f1", Answer: "the cat sat", Answers: []string{"a dog"}})
	check("The cat sat!", 1)
	check("cat", 2*1*0.5/1.5)
	check("a cat ran home", 2*(1.0/3)*0.5/(1.0/3+0.5))
	check("dog", 1)
	check("bird", 0)
	check("", 0)
	check("cat cat", 0.5)
	check = scorer(t, Item{Metric: "f1", Answer: "the"})
	check("", 1)
	check("x", 0)
}

const timer = `[{"name":"set_timer","parameters":{"properties":{"minutes":{"type":"integer"},"label":{"type":"string"},"speed":{"type":"float"}},"required":["minutes"]}},
	{"name":"music.play","parameters":{"properties":{"song":{"type":"string"}},"required":["song"]}}]`

func TestCallAST(t *testing.T) {
	check := scorer(t, Item{
		Metric: "call_ast", Function: json.RawMessage(timer),
		GroundTruth: json.RawMessage(`[{"set_timer":{"minutes":[5,6],"label":["","tea"],"speed":["",1.5,2.0]}}]`),
	})
	check(`{"name":"set_timer","arguments":{"minutes":5}}`, 1)
	check(` {"arguments":{"minutes":6,"label":"tea"},"name":"set_timer","id":"call_1"} `, 1)
	check(`[{"name":"set_timer","arguments":{"minutes":5}}]`, 1)
	check(`{"name":"set_timer","arguments":{"minutes":5,"minutes":6}}`, 1) // the last counts
	check(`{"name":"set_timer","arguments":{"minutes":5,"speed":1.50}}`, 1)
	check(`{"name":"set_timer","arguments":{"minutes":5,"speed":2}}`, 1) // integer for a float
	check(`{"name":"set_timer","arguments":{"minutes":5,"speed":"2"}}`, 0)
	check(`{"name":"set_timer","arguments":{"minutes":5.0}}`, 0) // float for an integer
	check(`{"name":"set_timer","arguments":{"minutes":5e0}}`, 0)
	check(`{"name":"set_timer","arguments":{"minutes":"5"}}`, 0)
	check(`{"name":"set_timer","arguments":{"minutes":7}}`, 0)
	check(`{"name":"set_timer","arguments":{}}`, 0)                          // required
	check(`{"name":"set_timer","arguments":{"minutes":5,"x":1}}`, 0)         // unknown argument
	check(`{"name":"set_timer","arguments":{"minutes":5,"label":"Tea"}}`, 0) // case
	check(`{"name":"Set_timer","arguments":{"minutes":5}}`, 0)
	check(`{"Name":"set_timer","Arguments":{"minutes":5}}`, 0)
	check(`{"name":"set_timer"}`, 0)
	check(`{"name":"set_timer","arguments":null}`, 0)
	check(`{"name":"set_timer","arguments":[5]}`, 0)
	check(`{"name":5,"arguments":{}}`, 0)
	check(`{"name":"set_timer","arguments":{"minutes":5}} done`, 0)
	check(`{"name":"set_timer","arguments":{"minutes":5}`, 0)
	check(`[{"name":"set_timer","arguments":{"minutes":5}},{"name":"set_timer","arguments":{"minutes":5}}]`, 0)
	check(`5`, 0)
	check(`[]`, 0)
	check(``, 0)
}

func TestCallASTSeveralCalls(t *testing.T) {
	check := scorer(t, Item{
		Metric: "call_ast", Function: json.RawMessage(timer),
		GroundTruth: json.RawMessage(`[{"set_timer":{"minutes":[5]}},{"music.play":{"song":["la"]}}]`),
	})
	five, song := `{"name":"set_timer","arguments":{"minutes":5}}`, `{"name":"music_play","arguments":{"song":"la"}}`
	check("["+five+","+song+"]", 1)
	check("["+song+","+five+"]", 1)
	check("["+five+","+five+"]", 0)
	check(five, 0)
}

func TestCallASTValues(t *testing.T) {
	check := func(allowed, value string, want float64) {
		t.Helper()
		it := Item{Metric: "call_ast", GroundTruth: json.RawMessage(`[{"f":{"x":` + allowed + `}}]`)}
		scorer(t, it)(`{"name":"f","arguments":{"x":`+value+`}}`, want)
	}
	check(`[1]`, `true`, 0)
	check(`[true]`, `1`, 0)
	check(`[true]`, `true`, 1)
	check(`[null]`, `null`, 1)
	check(`[null]`, `0`, 0)
	check(`["a"]`, `["a"]`, 0)
	check(`[0]`, `-0`, 1)
	check(`[12345678901234567890]`, `12345678901234567890`, 1)
	check(`[12345678901234567890]`, `12345678901234567891`, 0)
	check(`[1.0]`, `1`, 0) // no schema: types as they are
	check(`[1e1]`, `10.0`, 1)
	check(`[[1,"a"]]`, `[1,"a"]`, 1)
	check(`[[1,"a"]]`, `["a",1]`, 0)
	check(`[[1,"a"]]`, `[1]`, 0)
	check(`[{"k":[1,2],"o":["",3]}]`, `{"k":2}`, 1)
	check(`[{"k":[1,2]}]`, `{"k":[1,2]}`, 1)
	check(`[{"k":[1,2]}]`, `{"k":3}`, 0)
	check(`[{"k":[1,2]}]`, `{"k":1,"z":1}`, 0)
	check(`[{"k":[1,2]}]`, `{}`, 0)
	check(`[{"k":5}]`, `{"k":5}`, 1)
	check(`[[{"k":[1]},{"k":[2]}]]`, `[{"k":1},{"k":2}]`, 1)
	check(`[5]`, `{"k":5}`, 0)
}

func TestMetricFields(t *testing.T) {
	check := func(it Item, parts ...string) {
		t.Helper()
		it.ID, it.Prompt = "x", "?"
		wantError(t, it.Validate(), append(parts, "metric "+it.Metric)...)
	}
	for _, name := range []string{"exact", "number", "chrf", "chrf++", "bleu", "f1", "contains", "letter"} {
		check(Item{Metric: name}, `"answer" is missing`)
	}
	check(Item{Metric: "number", Answer: "two"}, `"two" is not a number`)
	check(Item{Metric: "number", Answer: "2", Answers: []string{"zwei"}}, "zwei")
	check(Item{Metric: "regex"}, `"pattern" is missing`)
	check(Item{Metric: "regex", Pattern: "("}, "pattern", "missing closing )")
	check(Item{Metric: "letter", Answer: "A"}, `"choices" is missing`)
	check(Item{Metric: "letter", Answer: "A", Choices: make([]string, 27)}, "27 choices", `"labels"`)
	check(Item{Metric: "letter", Answer: "A", Choices: []string{"x", "y"}, Labels: []string{"A"}}, "1 labels for 2 choices")
	check(Item{Metric: "letter", Answer: "A", Choices: []string{"x"}}, "no choice")
	check(Item{Metric: "letter", Answer: "C", Choices: []string{"x", "y"}}, `"C"`, "A, B")
	check(Item{Metric: "letter", Answer: "A", Labels: []string{"A", "A)"}}, `"A)"`)
	check(Item{Metric: "letter", Answer: "A", Labels: []string{"A", "?"}}, `"?"`)
	call := func(truth, function string) Item {
		return Item{Metric: "call_ast", GroundTruth: json.RawMessage(truth), Function: json.RawMessage(function)}
	}
	check(call("", ""), `"ground_truth" is missing`)
	check(call("[]", ""), `"ground_truth" is not a list of calls`)
	check(call(`{"f":{}}`, ""), `"ground_truth" is not a list of calls`)
	check(call(`[{"f":{"x":1}}]`, ""), `"ground_truth" is not a list of calls`)
	check(call(`[{"f":{},"g":{}}]`, ""), "call 1 names 2 functions")
	check(call(`[{"f":{}}]`, "{}"), `"function" is not a list`)
	check(call(`[{"f":{}}]`, timer), `does not describe "f"`)
}

func TestAsk(t *testing.T) {
	check := func(it Item, want Question) {
		t.Helper()
		it.Raw, want.Raw = "?", "?"
		if diff := cmp.Diff(want, metrics[it.Metric].Ask(it)); diff != "" {
			t.Errorf("%s: %s", it.Metric, diff)
		}
	}
	for _, name := range []string{"exact", "number", "chrf", "chrf++", "bleu", "f1", "call_ast"} {
		check(Item{Metric: name, Answer: "2"}, Question{Reference: "2"})
	}
	check(Item{Metric: "contains", Answer: "2"}, Question{})
	check(Item{Metric: "regex", Pattern: "2", Answer: "2"}, Question{})
	check(Item{Metric: "ifeval"}, Question{})
	check(Item{Metric: "infinitebench", Answer: "2"}, Question{Reference: "2"})
	check(Item{Metric: "letter", Answer: "A", Choices: []string{"x", "y"}}, Question{Labels: []string{"A", "B"}})
}

// Every metric scores any answer between 0 and 1.
func TestScoresAreInRange(t *testing.T) {
	items := []Item{
		choiceItem(""),
		sh("echo 0.5", ""),
		{Metric: "json_schema", Rule: json.RawMessage(`{"schema":{"type":"number"}}`)},
		extractItem(`{"filters":[{"function":"regex"},{"function":"multi_choice_regex"},{"function":"map"}]}`),
		{Metric: "mgsm", Answer: "1", Rule: json.RawMessage(`{"prefix":"A"}`)},
		{Metric: "exact", Answer: "a"},
		{Metric: "number", Answer: "1"},
		{Metric: "chrf", Answer: "abc"},
		{Metric: "chrf++", Answer: "a b c", Answers: []string{"abc"}},
		{Metric: "bleu", Answer: "a b c d", Answers: []string{"abc"}},
		{Metric: "ifeval", Rule: json.RawMessage(`{"instructions":[{"id":"punctuation:no_comma"},{"id":"startend:quotation"}],"loose":true,"share":true}`)},
		{Metric: "infinitebench", Answer: "a", Rule: json.RawMessage(`{"task":"longbook_qa_eng"}`)},
		{Metric: "contains", Answer: "a"},
		{Metric: "f1", Answer: "a b c"},
		{Metric: "regex", Pattern: "(a)|b", Answer: "a"},
		{Metric: "letter", Answer: "A", Labels: []string{"A", "B"}},
		{Metric: "call_ast", GroundTruth: json.RawMessage(`[{"f":{}}]`)},
		{Metric: "bfcl_ast", GroundTruth: json.RawMessage(`[{"f":{}}]`), Function: json.RawMessage(timer)},
		{Metric: "bfcl_relevance"},
		{Metric: "bfcl_irrelevance"},
	}
	if len(items) != len(MetricNames()) {
		t.Fatalf("%d of %d metrics", len(items), len(MetricNames()))
	}
	rapid.Check(t, func(t *rapid.T) {
		it := rapid.SampledFrom(items).Draw(t, "item")
		if s := metrics[it.Metric].Score(it, rapid.String().Draw(t, "answer")); !(s >= 0 && s <= 1+1e-12) {
			t.Fatalf("score %v", s)
		}
	})
}

func FuzzCallAST(f *testing.F) {
	f.Add(`{"name":"set_timer","arguments":{"minutes":5}}`)
	f.Add(`[{"name":"f","arguments":{"x":[1,{"a":null}]}}]`)
	f.Add(`{"name":"set_timer","arguments":{"minutes":1e999999999}}`)
	it := Item{
		Metric: "call_ast", Function: json.RawMessage(timer),
		GroundTruth: json.RawMessage(`[{"set_timer":{"minutes":[5],"speed":["",1.5]}}]`),
	}
	f.Fuzz(func(t *testing.T, answer string) {
		if s := (callAST{}).Score(it, answer); s != 0 && s != 1 {
			t.Errorf("score %v", s)
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"1663", "-1.5e-3", "1_000", "0x1p-2", "∞"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, ok := parseNumber(text); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			t.Errorf("%q is %v", text, v)
		}
	})
}
