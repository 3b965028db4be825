package bfcl

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// judges are those of the invented items, in both modes.
func judges(t testing.TB) []*Judge {
	t.Helper()
	raw, err := os.ReadFile("testdata/items.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []*Judge
	for text := range strings.Lines(string(raw)) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		for _, calling := range []bool{false, true} {
			l.Rule.Calling = calling
			j, err := NewJudge(l.Rule, l.Function, l.GroundTruth)
			if err != nil {
				t.Fatalf("%s: %v", l.Item, err)
			}
			all = append(all, j)
		}
	}
	return all
}

// Any text is judged, and what is right has calls.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"[kettle.boil(litres=1.5, cups=3)]", `{"name":"lamp.set","arguments":{"colour":"red"}}`, "f(a={1: [2, (3,)], 'x': -4.5e-3j}, b=2**8 // 3 % 5)",
		"f(x for x in y if z)", "[f(a=lambda x, *y: x[1:2, ...], b=not c is not d)]", "Orchard.pick(rows=new int[]{1, 2}, limits=new HashMap<String, Object>() {{ put(\"max\", 10); }})",
		"pick(a=(int) x, b=() -> { return List<String>.class; }, c=x::y)", "drawKite(style={stroke: \"red\", w() {}}, f=async (a) => a?.b, r=/x/g, t=`${1}`)",
		`f(a="\x41\101\u00e9\N{DASH}", b=b'\xff', c=f'{x}', d=r"\n")`, "\\", "f(a=07, b=0x_f, c=1__0)",
	} {
		f.Add(seed)
	}
	all := judges(f)
	f.Fuzz(func(t *testing.T, answer string) {
		for _, j := range all {
			if j.Right(answer) && !Calls(j.rule, answer) {
				t.Errorf("%q is right and no call", answer)
			}
		}
	})
}

// Deep nesting is an answer like any other: no overflow, no exponential time.
func TestDeepNesting(t *testing.T) {
	rules := []Rule{{Language: Python}, {Language: Java}, {Language: JavaScript}, {Language: Python, Calling: true}}
	for _, open := range []string{"(", "[", "{", "{{", "-", "not ", "f(a=", "new int[]{", "A<", "x->{", "(a)", "{a:", "function(){", "!", "lambda: ", "[{(", "\"", "/*"} {
		for _, n := range []int{60, 190, 1100} {
			text := strings.Repeat(open, n)
			closing := strings.NewReplacer("(", ")", "[", "]", "{", "}", "<", ">").Replace(reversed(open))
			for _, answer := range []string{"f(a=" + text, "f(a=" + text + "1" + strings.Repeat(closing, n) + ")", text + "1" + strings.Repeat(":1"+closing, n)} {
				for _, r := range rules {
					calls, err := decode(r, answer)
					if err == nil && len(calls) > 1 {
						t.Errorf("%.40q is %d calls", answer, len(calls))
					}
				}
			}
		}
	}
}

// reversed keeps the brackets of a text, the last first.
func reversed(text string) string {
	out := ""
	for _, r := range text {
		if strings.ContainsRune("([{<", r) {
			out = string(r) + out
		}
	}
	return out
}
