package eval

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "answers.jsonl")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScoreAnswers(t *testing.T) {
	items, _ := sums(5)
	path := file(t, "\uFEFF"+`{"id":"sum-1","answer":"2.0","model":"m"}`+"\r\n\n"+
		`{"id":"sum-0","answer":"7"}`+"\n"+
		`{"id":"sum-2","answer":"3","finish":"length"}`+"\n"+
		`{"id":"sum-3","finish":"error"}`+"\n"+
		`{"id":"sum-4","answer":null}`)
	answers, err := LoadAnswers(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ScoreAnswers(items, answers)
	if err != nil {
		t.Fatal(err)
	}
	want := []Outcome{
		{ID: "sum-0", Category: "sum", State: StateOK, Answer: "7", Finish: FinishStop},
		{ID: "sum-1", Category: "sum", State: StateOK, Score: 1, Answer: "2.0", Finish: FinishStop},
		{ID: "sum-2", Category: "sum", State: StateTruncated, Score: 1, Answer: "3", Finish: FinishLength},
		{ID: "sum-3", Category: "sum", State: StateFailed, Finish: FinishError, Error: "the server had failed when the answers were recorded"},
		{ID: "sum-4", Category: "sum", State: StateMissing},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadAnswersErrors(t *testing.T) {
	check := func(content string, parts ...string) {
		t.Helper()
		_, err := LoadAnswers(file(t, content))
		wantError(t, err, append(parts, "answers.jsonl")...)
	}
	good := `{"id":"a","answer":"1"}` + "\n"
	check("", "no answers")
	check("\n \n", "no answers")
	check(good+`{"id":"b"`, ":2:", "broken JSON at byte 9")
	check(good+`{"id":"b"} {}`, ":2:", "broken JSON")
	check(good+`{"answer":"1"}`, ":2:", `"id" is missing`)
	check(good+"\n"+good, ":3:", `"a"`, "line 1")
	check(`{"id":"a","answer":1}`, ":1:", `"answer" is a number, must be a string`)
	check(`{"id":"a","finish":"later"}`, ":1:", "later", "stop, length, error")
	check(`[1]`, ":1:", "not a JSON object")
	check("{\"id\":\"\xff\"}", ":1:", "not UTF-8")
	check(good+`{"id":"`+strings.Repeat("x", maxLine)+`"}`, ":2:", "longer than 16 MB")
	_, err := LoadAnswers(t.TempDir() + "/none.jsonl")
	wantError(t, err, "none.jsonl", "no such file")
	_, err = LoadAnswers(t.TempDir())
	wantError(t, err, ":1:", "is a directory")
}

func TestScoreAnswersErrors(t *testing.T) {
	items, _ := sums(2)
	text := "1"
	check := func(answers []Recorded, parts ...string) {
		t.Helper()
		_, err := ScoreAnswers(items, answers)
		wantError(t, err, parts...)
	}
	check([]Recorded{{ID: "sum-9", Answer: &text, Where: "f:7"}}, "f:7", `no item has the id "sum-9"`)
	check([]Recorded{{ID: "sum-9"}}, "sum-9")
	check([]Recorded{{ID: "sum-1"}, {ID: "sum-1"}}, "sum-1", "two answers")
	check([]Recorded{{ID: "sum-1", Where: "f:1"}, {ID: "sum-1", Where: "g:2"}}, "g:2", "sum-1", "f:1")
	items[1].Metric = "wer"
	check(nil, "wer")
}

func FuzzReadAnswers(f *testing.F) {
	f.Add([]byte(`{"id":"a","answer":"1"}` + "\n" + `{"id":"b","answer":null}`))
	f.Add([]byte("\uFEFF{}\r\n\n{\"id\":[1]}"))
	f.Add([]byte(`{"id":"a","finish":"stop"}{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := 0
		err := readJSONL(strings.NewReader(string(data)), "f", func(line int, r Recorded) error {
			if line <= lines {
				t.Errorf("line %d after %d", line, lines)
			}
			lines = line
			return r.validate()
		})
		if err != nil && !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("error %q names no line", err)
		}
	})
}
