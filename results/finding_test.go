package results

import (
	"bytes"
	"strings"
	"testing"
)

func TestLosses(t *testing.T) {
	in := &Inheritance{Specialists: []Specialist{
		{"arith", "a", Difference{Delta: -0.1, Low: -0.15, High: -0.05, N: 30, Verdict: Worse}},
		{"call", "b", Difference{Delta: -0.1, Low: -0.25, High: 0.05, N: 30, Verdict: Noise}},
		{"sort", "c", Difference{Delta: 0.1, Low: 0.05, High: 0.15, N: 30, Verdict: Better}},
	}}
	found := in.Losses()
	if len(found) != 1 || found[0].Code != LossCode || found[0].Parent != "a" || !strings.Contains(found[0].Message, "in arith the winner is 10.0 points [5.0, 15.0] below this parent") {
		t.Errorf("%+v", found)
	}
	var none *Inheritance
	if found := none.Losses(); found != nil {
		t.Errorf("%+v", found)
	}
	r := Report{Study: "s", Findings: append(found, Finding{Code: "licence", Severity: "note", Message: "they differ"})}
	for form, write := range map[string]func(*bytes.Buffer) error{
		"text":     func(b *bytes.Buffer) error { return WriteText(b, r) },
		"markdown": func(b *bytes.Buffer) error { return WriteMarkdown(b, r) },
		"json":     func(b *bytes.Buffer) error { return WriteJSON(b, r) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{LossCode, "in arith", "objective.keep", "licence", "they differ"} {
			if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), part) {
				t.Errorf("%s lacks %q:\n%s", form, part, &out)
			}
		}
	}
}
