package results

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEvents(t *testing.T) {
	l := begun(t)
	must(t, l.Event("start", map[string]int{"trials": 3}))
	must(t, l.Event("interrupt", nil))
	must(t, l.Event("start", "again"))
	check := func(kind string, want ...string) {
		t.Helper()
		events, err := l.Events(kind)
		must(t, err)
		var got []string
		for _, e := range events {
			got = append(got, e.Kind+" "+string(e.Detail))
			if e.Time.IsZero() {
				t.Error("an event without a time")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	check("start", `start {"trials":3}`, `start "again"`)
	check("", `start {"trials":3}`, `interrupt null`, `start "again"`)
	check("nothing")
	if err := l.Event("bad", math.NaN()); err == nil || !strings.Contains(err.Error(), "event bad: json: unsupported value: NaN") {
		t.Errorf("NaN: %v", err)
	}
}

func TestNotes(t *testing.T) {
	l := begun(t)
	must(t, l.Note("soce", []string{"kept arith", "expert of arith: order"}))
	must(t, l.Note("greedy", []string{"order first"}))
	must(t, l.Note("grid", []string{"one"}))
	must(t, l.Note("soce", []string{"kept arith, call"}))
	must(t, l.Note("grid", nil))
	got, err := l.Notes()
	must(t, err)
	want := []Note{{"greedy", []string{"order first"}}, {"soce", []string{"kept arith, call"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWinner(t *testing.T) {
	l := begun(t)
	if _, found, err := l.Winner(); err != nil || found {
		t.Errorf("found %v, error %v", found, err)
	}
	completed(t, l, 0)
	completed(t, l, 1)
	first := Winner{Trial: 0, Path: "out", SHA256: "ab", Reason: json.RawMessage(`{"rule":"one standard error"}`)}
	second := Winner{Trial: 1, Path: "out", SHA256: "cd", Reason: json.RawMessage("null")}
	must(t, l.SetWinner(first))
	must(t, l.SetWinner(first))
	must(t, l.SetWinner(Winner{Trial: 1, Path: "out", SHA256: "cd"}))
	got, found, err := l.Winner()
	must(t, err)
	if diff := cmp.Diff(second, got); diff != "" || !found {
		t.Error(diff, found)
	}
	events, err := l.Events("winner")
	must(t, err)
	if len(events) != 2 || !strings.Contains(string(events[0].Detail), `"sha256":"ab"`) {
		t.Errorf("a former winner is forgotten: %v", events)
	}
}

func TestWinnerRefused(t *testing.T) {
	l := begun(t)
	must(t, l.Start(candidate(0)))
	refuses(t, l, l.SetWinner(Winner{Trial: 0}), "trial 0 cannot win: it is not complete")
	refuses(t, l, l.SetWinner(Winner{Trial: 5}), "trial 5 cannot win: it is not complete")
	refuses(t, l, l.SetWinner(Winner{Reason: json.RawMessage("{")}), "winner: the reason is not JSON")
}
