package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reader opens what a writer has open.
func reader(t *testing.T, l *Ledger) *Ledger {
	t.Helper()
	r, err := OpenReadOnly(l.Dir())
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	return r
}

func version(t *testing.T, l *Ledger) int64 {
	t.Helper()
	v, err := l.Version()
	must(t, err)
	return v
}

func TestVersionChangesWithEveryWrite(t *testing.T) {
	l := begun(t)
	r := reader(t, l)
	before := version(t, r)
	if again := version(t, r); again != before {
		t.Errorf("version %d, then %d, and nothing was written", before, again)
	}
	must(t, l.Start(candidate(0)))
	if after := version(t, r); after == before {
		t.Errorf("version is still %d after a write", after)
	}
}

func TestTrialsAfter(t *testing.T) {
	l := begun(t)
	for number := range 4 {
		completed(t, l, number)
	}
	numbers := func(after int, again ...int) (list []int) {
		trials, err := l.TrialsAfter(after, again...)
		must(t, err)
		for _, x := range trials {
			list = append(list, x.Number)
		}
		return list
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3}, numbers(-1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{0, 1, 3}, numbers(2, 1, 0, 3)); diff != "" {
		t.Error(diff)
	}
	if got := numbers(3); got != nil {
		t.Errorf("trials after the last: %v", got)
	}
}

func TestEventsAfter(t *testing.T) {
	l := begun(t)
	for _, kind := range []string{"a", "b", "c"} {
		must(t, l.Event(kind, nil))
	}
	events, err := l.EventsAfter(1)
	must(t, err)
	if len(events) != 2 || events[0].Kind != "b" || events[0].Number != 2 || events[1].Kind != "c" {
		t.Errorf("%+v", events)
	}
}

// What was not measured counts in no mean.
func TestCategoryMeans(t *testing.T) {
	l := begun(t)
	for number := range 3 {
		completed(t, l, number)
	}
	must(t, l.Record(1, Search, []Outcome{{Item: "a", Category: "x", State: OK, Score: 7}}))
	must(t, l.Record(0, Search, []Outcome{
		{Item: "a", Category: "x", State: OK, Score: .5},
		{Item: "b", Category: "x", State: Truncated, Score: 1},
		{Item: "c", Category: "y", State: Failed},
		{Item: "d", Category: "x", State: Timeout},
		{Item: "e", Category: "y", State: Missing},
	}))
	must(t, l.Record(0, Test, []Outcome{{Item: "f", Category: "x", State: OK, Score: .25}}))
	got, err := l.CategoryMeans(0, 2)
	must(t, err)
	want := []CategoryMean{
		{0, Search, "x", .75, Counts{N: 2, Timeout: 1, Truncated: 1}},
		{0, Search, "y", 0, Counts{Failed: 1, Missing: 1}},
		{0, Test, "x", .25, Counts{N: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if none, err := l.CategoryMeans(); err != nil || none != nil {
		t.Errorf("of no trial: %v, %v", none, err)
	}
}

func TestSizeHasTheLog(t *testing.T) {
	l := begun(t)
	total, err := l.Size()
	must(t, err)
	log, err := os.Stat(filepath.Join(l.Dir(), File+"-wal"))
	must(t, err)
	if total <= log.Size() || log.Size() == 0 {
		t.Errorf("%d bytes, of them %d in the log", total, log.Size())
	}
	gone := &Ledger{dir: t.TempDir()}
	if _, err := gone.Size(); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("size of nothing: %v", err)
	}
}

// Asking whether somebody writes neither needs the right to write nor keeps a
// writer out.
func TestWriting(t *testing.T) {
	dir := t.TempDir()
	ask := func(want bool) {
		t.Helper()
		if got, err := Writing(dir); err != nil || got != want {
			t.Errorf("writing: %t, %v; want %t", got, err, want)
		}
	}
	ask(false)
	l, err := Open(dir)
	must(t, err)
	ask(true)
	must(t, l.Close())
	ask(false)
	again, err := Open(dir)
	must(t, err)
	must(t, again.Close())
}
