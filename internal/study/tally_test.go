package study

import (
	"slices"
	"strings"
	"testing"

	"soup/results"
)

// A run tells in its ledger what phase it is in and what it warns of; the phases
// come in order, and each with the candidates that it turned out to have.
func TestRunTellsItsPhases(t *testing.T) {
	file := smallStudy(t, "strategies: [{random: {budget: 2}}]\n")
	warned, err := tryRun(t, file, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := results.OpenReadOnly(DefaultDir(file))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	events, err := ledger.EventsAfter(0)
	if err != nil {
		t.Fatal(err)
	}
	var tally Tally
	var phases []string
	expected := map[string]int{}
	for _, e := range events {
		if err := tally.Add(e); err != nil {
			t.Fatal(err)
		}
		if e.Kind == warningEvent && !strings.Contains(warned, text(e)) {
			t.Errorf("warning %q is not what was printed: %q", text(e), warned)
		}
		if !slices.Contains(phases, tally.Phase) {
			phases = append(phases, tally.Phase)
		}
		expected[tally.Phase] = tally.Candidates
	}
	phases = slices.DeleteFunc(phases, func(name string) bool { return name == "" })
	if !slices.Equal(phases, []string{SearchPhase, SelectionPhase, TestPhase, FinishedPhase}) {
		t.Errorf("phases %v", phases)
	}
	trials, err := ledger.Trials()
	if err != nil || expected[SearchPhase] > len(trials) || expected[SearchPhase] < 3 || expected[SelectionPhase] < 2 {
		t.Errorf("expected %v, %d trials (%v)", expected, len(trials), err)
	}
	if tally.Swaps == 0 || tally.Idle() == nil || tally.Latest.IsZero() {
		t.Errorf("tally %+v", tally)
	}
}

func TestTallyOfAStudyThatGoesOn(t *testing.T) {
	var tally Tally
	for _, e := range []results.Event{
		{Kind: phaseEvent, Detail: []byte(`{"name":"search","candidates":0}`)},
		{Kind: phaseEvent, Detail: []byte(`{"name":"search","candidates":9}`)},
		{Kind: waitingEvent, Detail: []byte(`"the server"`)},
		{Kind: testAgain, Detail: []byte(`{}`)},
		{Kind: "unknown", Detail: []byte(`[]`)},
		{Kind: phaseEvent, Detail: []byte(`not JSON`)},
		{Kind: secondsEvent, Detail: []byte(`1.5`)},
	} {
		if err := tally.Add(e); err != nil {
			t.Error(err)
		}
	}
	if tally.Phase != SearchPhase || tally.Candidates != 9 || tally.Waiting != "the server" || !tally.Again || tally.Cost.Eval != 1.5 {
		t.Errorf("%+v", tally)
	}
	_ = tally.Add(results.Event{Kind: phaseEvent, Detail: []byte(`{"name":"search","candidates":0}`)})
	if tally.Waiting != "" || tally.Candidates != 0 {
		t.Errorf("begun again: %+v", tally)
	}
	if err := tally.Add(results.Event{Kind: useEvent, Detail: []byte(`x`)}); err == nil {
		t.Error("a use that is not JSON is added up")
	}
}

func TestEventsHaveWords(t *testing.T) {
	for _, c := range []struct{ kind, detail, want string }{
		{phaseEvent, `{"name":"search","candidates":0}`, "search begins"},
		{phaseEvent, `{"name":"test","candidates":12}`, "test: 12 candidates to score"},
		{phaseEvent, `{"name":"finished"}`, "finished"},
		{warningEvent, `"odd"`, "warning: odd"},
		{waitingEvent, `"the server"`, "waiting for the server"},
		{waitingEvent, `""`, "goes on"},
		{"winner", `{"trial":3,"path":"winner","reason":"best of 5"}`, "trial 3 wins, exported to winner: best of 5"},
		{testAgain, `{}`, "the test split is read for a second winner: its scores are no longer unseen"},
		{"config", `"study: x"`, "the study file has changed"},
		{swapEvent, `{}`, ""},
		{fleetEvent, `[{"worker":"a","state":"waiting","change":"joined"},{"worker":"b","state":"task 1-search-f","change":"left"}]`, "worker a has joined; worker b has left"},
		{fleetEvent, `[{"worker":"a","state":"waiting"},{"worker":"liar","state":"probing","change":"left"}]`, ""},
	} {
		e := results.Event{Kind: c.kind, Detail: []byte(c.detail)}
		if got, ok := Say(e); got != c.want || ok != (c.want != "") {
			t.Errorf("%s %s: %q, %t", c.kind, c.detail, got, ok)
		}
	}
	if !IsWarning(results.Event{Kind: warningEvent}) || IsWarning(results.Event{Kind: phaseEvent}) {
		t.Error("what is a warning")
	}
}
