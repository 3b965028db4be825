package eval

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sh is an item whose metric is a line of shell.
func sh(script, timeout string) Item {
	rule, _ := json.Marshal(CommandRule{Command: []string{"/bin/sh", "-c", script}, Timeout: timeout})
	return Item{ID: "a", Category: "c", Metric: "command", Prompt: "?", Answer: "3", Rule: rule}
}

func TestCommandScores(t *testing.T) {
	for script, want := range map[string]float64{
		"echo 1": 1, "echo ' 0.25 '": 0.25,
		`grep -q '"answer":"right"' && echo 1 || echo 0`:                 1,
		`grep -q '"item":{"id":"a".*"answer":"3"' && echo 0.5 || echo 0`: 0.5,
		"exec 0<&-; echo 1": 1, // does not read what it is given
	} {
		if got, err := (command{}).TryScore(t.Context(), sh(script, ""), "right"); got != want || err != nil {
			t.Errorf("%s: %v, %v", script, got, err)
		}
	}
	if (command{}).Score(sh("echo 1", ""), "x") != 1 || (command{}).Score(sh("exit 1", ""), "x") != 0 {
		t.Error("Score")
	}
}

// What goes wrong leaves an item that is not scored, with its answer.
func TestCommandFailures(t *testing.T) {
	leftover := filepath.Join(t.TempDir(), "leftover")
	for _, c := range []struct{ script, timeout, part string }{
		{"echo good", "", `printed "good\n", not a number`},
		{"echo 2", "", "not a number from 0 to 1"},
		{"echo NaN", "", "not a number from 0 to 1"},
		{"true", "", "not a number from 0 to 1"},
		{"echo 1; echo oh no >&2; exit 3", "", "exit status 3 oh no"},
		{"(sleep 30; touch " + leftover + ") & sleep 30; echo 1", "100ms", "gave no score in 100ms"},
		{"while :; do echo 1111111111; done", "30s", "printed more than 65536 bytes"},
	} {
		it := sh(c.script, c.timeout)
		text := "said"
		started := time.Now()
		outcomes, err := ScoreAnswers([]Item{it}, []Recorded{{ID: "a", Answer: &text}})
		if err != nil {
			t.Fatal(err)
		}
		o := outcomes[0]
		if o.State != StateFailed || o.Answer != "said" || !strings.Contains(o.Error, c.part) || strings.Contains(o.Error, "\n") {
			t.Errorf("%s: %+v", c.script, o)
		}
		if time.Since(started) > 20*time.Second {
			t.Errorf("%s was not ended", c.script)
		}
	}
	if _, err := os.Stat(leftover); err == nil {
		t.Error("what a program had started was not ended with it")
	}
	it := sh("", "")
	it.Rule = json.RawMessage(`{"command":["/no/such/program"]}`)
	_, err := command{}.TryScore(t.Context(), it, "x")
	wantError(t, err, "/no/such/program")
}

func TestCommandItems(t *testing.T) {
	for rule, part := range map[string]string{``: "no program is named", `{"command":[]}`: "no program", `{"command":["x"],"timeout":"soon"}`: `"soon"`, `{"command":["x"],"timeout":"-1s"}`: `"-1s"`, `{"shell":"x"}`: `"shell"`} {
		it := sh("", "")
		it.Rule = json.RawMessage(rule)
		wantError(t, it.Validate(), part)
	}
	if q := (command{}).Ask(sh("", "")); q.Reference != "" || len(q.Messages) != 1 {
		t.Errorf("%+v", q)
	}
}

func TestJSONSchema(t *testing.T) {
	const schema = `{"type":"object","required":["city"],"properties":{"city":{"type":"string","format":"email"},"days":{"type":"integer","minimum":1}},"additionalProperties":false}`
	item := func(rule string) Item {
		return Item{ID: "a", Category: "c", Metric: "json_schema", Prompt: "?", Answer: `{"city":"Quito"}`, Rule: json.RawMessage(rule)}
	}
	plain := item(`{"schema":` + schema + `}`)
	if err := plain.Validate(); err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]float64{
		`{"city":"Quito"}`: 1, ` {"city":"Quito","days":3} `: 1, `{"city":"Quito","days":3.0}`: 1, `{"city":"Quito","days":0}`: 0, `{"city":7}`: 0, `{}`: 0,
		`{"city":"Quito"} and more`: 0, `city`: 0, ``: 0, "```json\n{\"city\":\"Quito\"}\n```": 0, `{"city":"Quito","day":3}`: 0,
	} {
		if got := (jsonSchema{}).Score(plain, answer); got != want {
			t.Errorf("%s: %v", answer, got)
		}
	}
	fenced := item(`{"fenced":true,"schema":` + schema + `}`)
	for answer, want := range map[string]float64{"Here:\n```json\n{\"city\":\"Quito\"}\n```\nDone.": 1, `{"city":"Quito"}`: 1, "```json\n{}\n```": 0, "``` {\"city\":\"Quito\"}": 0} {
		if got := (jsonSchema{}).Score(fenced, answer); got != want {
			t.Errorf("%q: %v", answer, got)
		}
	}
	if got := (jsonSchema{}).Score(item(`{"formats":true,"schema":`+schema+`}`), `{"city":"Quito"}`); got != 0 {
		t.Errorf("a city that is no address: %v", got)
	}
	if q := (jsonSchema{}).Ask(plain); q.Reference != plain.Answer {
		t.Errorf("%+v", q)
	}
	for rule, part := range map[string]string{
		``: "schema", `{"schema":{"type":"text"}}`: "rule:", `{"schema":{"$ref":"http://127.0.0.1/x.json"}}`: "is not followed", `{"schema":{"$ref":"file:///etc/passwd"}}`: "is not followed", `{"schemas":{}}`: `"schemas"`,
	} {
		wantError(t, item(rule).Validate(), part)
	}
}
