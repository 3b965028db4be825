package template

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"soup/eval"
)

func user(text string) []eval.Message { return []eval.Message{{Role: "user", Content: text}} }

func TestRender(t *testing.T) {
	const source = `{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m['content'] }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}`
	with, err := New(source, "<s>", "</s>")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		t    Template
		r    eval.Request
		want string
	}{
		{"conversation", with, eval.Request{Messages: user("1+1")}, "<s><|user|>1+1</s><|assistant|>"},
		{"raw", with, eval.Request{Messages: user("1+1"), Raw: "as it is"}, "as it is"},
		{"raw, no template", Template{}, eval.Request{Raw: "as it is"}, "as it is"},
	} {
		if got, err := c.t.Render(c.r); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	if _, err := New("{% if %}", "", ""); err == nil || !strings.HasPrefix(err.Error(), "chat template: ") {
		t.Errorf("a template that is none: %v", err)
	}
	if _, err := (Template{}).Render(eval.Request{Messages: user("1+1")}); !errors.Is(err, errNone) {
		t.Errorf("no template: %v", err)
	}
	strict, err := New("{{ raise_exception('only users') }}{{ tools }}", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strict.Render(eval.Request{Messages: user("1+1")}); err == nil || !strings.Contains(err.Error(), "only users") {
		t.Errorf("a template that raises: %v", err)
	}
	for _, broken := range []string{`[{"a":`, `[1`, `{"a" 1}`, `]`} {
		if _, err := strict.Render(eval.Request{Messages: user("1+1"), Tools: json.RawMessage(broken)}); err == nil || !strings.HasPrefix(err.Error(), "tools: ") {
			t.Errorf("tools %s: %v", broken, err)
		}
	}
}

// Functions are printed with the keys in the order in which they were written,
// as transformers does.
func TestTools(t *testing.T) {
	const tools = `[{"type": "function", "function": {"name": "zoom", "description": "a < b", "arguments": {"n": 1, "m": [2, true, null]}}}]`
	with, err := New(`{% if tools %}{{ tools | tojson }}{% endif %}{{ messages[0].content }}`, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := with.Render(eval.Request{Messages: user("hi"), Tools: json.RawMessage(tools)}); err != nil || got != tools+"hi" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := with.Render(eval.Request{Messages: user("hi")}); err != nil || got != "hi" {
		t.Errorf("no tools: %q, %v", got, err)
	}
	without, err := New(`{{ messages[0].content }}`, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		t Template
		r eval.Request
	}{{without, eval.Request{Messages: user("hi")}}, {with, eval.Request{Raw: "hi"}}, {Template{}, eval.Request{Messages: user("hi")}}} {
		c.r.Tools = json.RawMessage(tools)
		if _, err := c.t.Render(c.r); !errors.Is(err, eval.ErrNoTools) {
			t.Errorf("tools that cannot be offered: %v", err)
		}
	}
}
