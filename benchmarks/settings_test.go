package benchmarks

import (
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	check := func(options map[string]any, parts ...string) {
		t.Helper()
		o := settingsOf(Source{Options: options})
		o.choice("choice", "a", "b")
		o.text("text")
		o.count("count", 3, 1)
		o.list("list")
		o.table("table")
		err := o.done()
		if len(parts) == 0 {
			if err != nil {
				t.Error(err)
			}
			return
		}
		for _, part := range parts {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%v: error %v, want %q", options, err, part)
			}
		}
	}
	check(nil)
	check(map[string]any{"choice": "b", "text": "x", "count": uint64(1), "list": []any{"x"}, "table": map[string]any{"x": "y"}})
	check(map[string]any{"list": "x", "count": 1})
	check(map[string]any{"choice": "c"}, `"choice"`, "c is none of a, b")
	check(map[string]any{"choice": 1}, `"choice"`, "1 is none of")
	check(map[string]any{"text": 1}, `"text"`, "want text, not 1")
	check(map[string]any{"count": 0}, `"count"`, "from 1 on, not 0")
	check(map[string]any{"count": "x"}, `"count"`, "not x")
	check(map[string]any{"count": 1.5}, `"count"`, "not 1.5")
	check(map[string]any{"list": 1}, `"list"`, "a list of texts")
	check(map[string]any{"list": []any{}}, `"list"`, "a list of texts")
	check(map[string]any{"list": []any{"x", 2}}, `"list"`, "not 2 in it")
	check(map[string]any{"table": "x"}, `"table"`, "texts by name")
	check(map[string]any{"table": map[string]any{"x": 1}}, `"table"`, "text for x, not 1")
	check(map[string]any{"other": 1}, `unknown option "other"`, "choice, count, list, table, text")
}
