package eval

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// The lines of testdata are written by tools/text_metrics.py, which scores
// invented answers with the official functions: `python tools/text_metrics.py
// golden` writes them anew. The build tag anchors compares many more.

func readLines[T any](t testing.TB, path string) []T {
	t.Helper()
	var lines []T
	err := ReadJSONL(path, func(_ int, line T) error {
		lines = append(lines, line)
		return nil
	})
	if err != nil || len(lines) == 0 {
		t.Fatalf("%s: %d lines, %v", path, len(lines), err)
	}
	return lines
}

// scored is a pair with sacreBLEU's scores, or a script's pairs as a corpus; from
// 0 to 100.
type scored struct {
	Script     string   `json:"script"`
	Corpus     bool     `json:"corpus"`
	Answer     string   `json:"answer"`
	References []string `json:"references"`
	ChrF       float64  `json:"chrf"`
	ChrFPlus   float64  `json:"chrf++"`
	BLEU       float64  `json:"bleu"`
}

// compareTranslation returns how many scores there are and the largest difference
// of one, on the scale of 0 to 100.
func compareTranslation(t testing.TB, lines []scored) (scores int, largest float64) {
	t.Helper()
	sums := map[string][]int{}
	for i, l := range lines {
		for name, want := range map[string]float64{"chrf": l.ChrF, "chrf++": l.ChrFPlus, "bleu": l.BLEU} {
			metric, ok := CorpusMetricNamed(name)
			if !ok {
				t.Fatalf("no metric %s", name)
			}
			var got float64
			if l.Corpus {
				got = metric.Corpus(sums[l.Script+name])
			} else {
				it := Item{Answer: l.References[0], Answers: l.References[1:]}
				got = metric.Score(it, l.Answer)
				sums[l.Script+name] = plus(sums[l.Script+name], metric.Counts(it, l.Answer))
			}
			scores++
			difference := math.Abs(100*got - want)
			if largest = max(largest, difference); !(difference <= 1e-9) {
				t.Errorf("line %d (%s): %s is %.12f, sacrebleu has %.12f of %q for %q", i+1, l.Script, name, 100*got, want, l.Answer, l.References)
			}
		}
	}
	return scores, largest
}

func plus(sums, counts []int) []int {
	if sums == nil {
		return counts
	}
	for i, c := range counts {
		sums[i] += c
	}
	return sums
}

func TestTranslationGolden(t *testing.T) {
	compareTranslation(t, readLines[scored](t, "testdata/translation.jsonl"))
}

// judged is an answer to a task of InfiniteBench; Score is nil where the official
// function fails.
type judged struct {
	Task   string          `json:"task"`
	Label  json.RawMessage `json:"label"`
	Answer string          `json:"answer"`
	Score  *float64        `json:"score"`
}

// item has the label as package benchmarks puts it.
func (j judged) item(t testing.TB) Item {
	t.Helper()
	it := Item{ID: "x", Prompt: "?", Metric: "infinitebench", Rule: json.RawMessage(`{"task":"` + j.Task + `"}`)}
	var texts []string
	var number json.Number
	var numbers []json.Number
	switch {
	case json.Unmarshal(j.Label, &texts) == nil:
		it.Answer, it.Answers = texts[0], texts[1:]
		if j.Task == "longbook_choice_eng" || j.Task == "code_debug" {
			it.Answer, it.Answers = texts[1], texts[:1]
		}
	case j.Task == "math_calc":
		it.Answer = strings.ReplaceAll(strings.ReplaceAll(string(j.Label), "[[", "["), "]]", "]")
	case json.Unmarshal(j.Label, &numbers) == nil:
		it.Answer = numbers[0].String()
	case json.Unmarshal(j.Label, &number) == nil && j.Label[0] != '"':
		it.Answer = number.String()
	default:
		if err := json.Unmarshal(j.Label, &it.Answer); err != nil {
			t.Fatal(err)
		}
	}
	if err := it.Validate(); err != nil {
		t.Fatal(err)
	}
	return it
}

func compareInfiniteBench(t testing.TB, lines []judged) (largest float64) {
	t.Helper()
	for i, l := range lines {
		want := 0.0
		if l.Score != nil {
			want = *l.Score
		}
		got := (infiniteBench{}).Score(l.item(t), l.Answer)
		difference := math.Abs(got - want)
		if largest = max(largest, difference); !(difference <= 1e-9) {
			t.Errorf("line %d: %s is %v, officially %v, for %q with label %s", i+1, l.Task, got, want, l.Answer, l.Label)
		}
	}
	return largest
}

func TestInfiniteBenchGolden(t *testing.T) {
	lines := readLines[judged](t, "testdata/infinitebench.jsonl")
	compareInfiniteBench(t, lines)
	for _, task := range InfiniteBenchTasks() {
		found := false
		for _, l := range lines {
			found = found || l.Task == task && l.Score != nil && *l.Score > 0
		}
		if !found {
			t.Errorf("no right answer to %s among the golden lines", task)
		}
	}
}

// obeyed is a response with what the official functions say of each instruction.
type obeyed struct {
	Instructions  []Instruction `json:"instructions"`
	Answer        string        `json:"answer"`
	Strict, Loose []bool
}

func compareIFEval(t testing.TB, lines []obeyed) (verdicts, right int) {
	t.Helper()
	for i, l := range lines {
		rule, err := json.Marshal(ifevalRule{Instructions: l.Instructions})
		if err != nil {
			t.Fatal(err)
		}
		it := Item{ID: "x", Prompt: "?", Metric: "ifeval", Rule: rule}
		if err := it.Validate(); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		strict, loose := Followed(it, l.Answer)
		for k, in := range l.Instructions {
			if strict[k] != l.Strict[k] || loose[k] != l.Loose[k] {
				t.Errorf("line %d: %+v: strict %v, loose %v, officially %v, %v, of %q", i+1, in, strict[k], loose[k], l.Strict[k], l.Loose[k], l.Answer)
			}
			verdicts++
			if l.Strict[k] {
				right++
			}
		}
	}
	return verdicts, right
}

func TestIFEvalGolden(t *testing.T) {
	lines := readLines[obeyed](t, "testdata/ifeval.jsonl")
	compareIFEval(t, lines)
	seen := map[string][2]int{}
	for _, l := range lines {
		for k, in := range l.Instructions {
			n := seen[in.ID]
			if l.Loose[k] {
				n[0]++
			} else {
				n[1]++
			}
			seen[in.ID] = n
		}
	}
	for _, name := range InstructionNames() {
		if n := seen[name]; n[0] == 0 || n[1] == 0 {
			t.Errorf("%s is followed %d times and not %d times in the golden lines", name, n[0], n[1])
		}
	}
}
