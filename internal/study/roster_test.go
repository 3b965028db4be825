package study

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"soup/internal/fleet"
	"soup/results"
)

// The ledger is told at once who comes, who goes and who was turned away, and now
// and then what the others do.
func TestRoster(t *testing.T) {
	l, err := results.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := newRoster(l)
	begun := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	at := func(second int) time.Time { return begun.Add(time.Duration(second) * time.Second) }
	is := func(worker, state string, seen int) fleet.Presence {
		return fleet.Presence{Worker: worker, State: state, Seen: at(seen)}
	}
	seen := 0
	for _, c := range []struct {
		second  int
		present []fleet.Presence
		want    []string // worker, state, change
	}{
		{0, []fleet.Presence{is(localWorker, "waiting", 0), is("a", "probing", 0)}, []string{"coordinator waiting ", "a probing "}},
		{2, []fleet.Presence{is(localWorker, "waiting", 2), is("a", "probing", 2)}, nil},
		{4, []fleet.Presence{is(localWorker, "waiting", 4), is("a", "waiting", 4)}, []string{"a waiting joined"}},
		{6, []fleet.Presence{is(localWorker, "waiting", 6), is("a", "task", 6)}, nil},
		{10, []fleet.Presence{is(localWorker, "waiting", 4), is("a", "task", 10)}, []string{"coordinator waiting ", "a task "}},
		{20, []fleet.Presence{is(localWorker, "waiting", 4), is("a", "task", 10)}, nil}, // nothing was heard
		{21, []fleet.Presence{is(localWorker, "waiting", 4)}, []string{"a task left"}},
		{22, []fleet.Presence{is(localWorker, "waiting", 4), is("a", "task", 22)}, []string{"a task joined"}},
	} {
		r.look(c.present, at(c.second))
		var got []string
		for _, w := range rosterSince(t, l, &seen) {
			got = append(got, fmt.Sprint(w.Worker, " ", w.State, " ", w.Change))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("after %d s: %q, want %q", c.second, got, c.want)
		}
	}
}

func TestRosterKeepsWhoWasTurnedAway(t *testing.T) {
	l, err := results.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, now, seen := newRoster(l), time.Now(), 0
	r.quarantine("liar", "it lies", now)
	r.look(nil, now)
	if got := rosterSince(t, l, &seen); len(got) != 2 || !got[1].Gone() || got[1].Quarantined != "it lies" {
		t.Errorf("%+v", got)
	}
	r.look([]fleet.Presence{{Worker: "liar", State: "waiting"}}, now)
	if got := rosterSince(t, l, &seen); len(got) != 1 || got[0].Quarantined != "" || got[0].Change != joined {
		t.Errorf("it answers the probe now: %+v", got)
	}
}

// Many workers are listed less often.
func TestRosterOfMany(t *testing.T) {
	l, err := results.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, begun, seen := newRoster(l), time.Now(), 0
	for second := 0; second <= 120; second += 20 {
		list := make([]fleet.Presence, 100)
		for i := range list {
			list[i] = fleet.Presence{Worker: fmt.Sprint(i), Seen: begun.Add(time.Duration(second) * time.Second)}
		}
		r.look(list, begun.Add(time.Duration(second)*time.Second))
	}
	if n := len(rosterSince(t, l, &seen)); n != 200 {
		t.Errorf("%d lines of 100 workers in two minutes, want two each", n)
	}
}

// rosterSince are the lines that were written since the event numbered seen.
func rosterSince(t *testing.T, l *results.Ledger, seen *int) (list []Worker) {
	t.Helper()
	events, err := l.EventsAfter(*seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		var news []Worker
		mustUnmarshal(t, e.Detail, &news)
		list, *seen = append(list, news...), e.Number
	}
	return list
}

func TestWhatAWorkerDoes(t *testing.T) {
	for state, want := range map[string]string{"task 12-search-0a1b": "trial 12, search", "waiting": "waiting", "task x": "task x"} {
		if got := (Worker{Presence: fleet.Presence{State: state}}).Doing(); got != want {
			t.Errorf("%s: %q, want %q", state, got, want)
		}
	}
}
