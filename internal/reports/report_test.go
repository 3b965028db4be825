package reports

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"soup/internal/usage"
	"soup/results"
)

func TestCheck(t *testing.T) {
	check := func(r Request, want string) {
		t.Helper()
		err := Run(context.Background(), &bytes.Buffer{}, &bytes.Buffer{}, r)
		var wrong *usage.Error
		if got := errors.As(err, &wrong); got != (want != "") || got && wrong.Message != want {
			t.Errorf("%+v: %v, want %q", r, err, want)
		}
	}
	check(Request{JSON: true, CSV: true}, "give --json or --csv, not both")
	check(Request{Markdown: true, PNG: "x"}, "give --md or pictures, not both")
	check(Request{Dir: "nowhere", SVG: "x", PNG: "x"}, "")
}

func TestWinnersNotes(t *testing.T) {
	notes := []results.Note{{Strategy: "greedy", Lines: []string{"a", "b"}}, {Strategy: results.OfWinner, Lines: []string{"why"}}, {Strategy: "soce", Lines: []string{"c"}}}
	got := winnersNotes(notes, "out")
	if len(got) != 2 || got[0].Lines[0] != "why" || got[1].Lines[0] != "3 lines on how they chose: soup report --notes out" {
		t.Errorf("%+v", got)
	}
	if got := winnersNotes(notes[1:2], "out"); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}
