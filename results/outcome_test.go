package results

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRecord(t *testing.T) {
	l := begun(t)
	must(t, l.Start(candidate(0)))
	in := []Outcome{
		{Item: "z", Category: "arith", Cluster: "p1", State: OK, Score: 1, Soft: ptr(-0.02), Answer: "1663", Finish: "stop", Latency: 3 * time.Millisecond},
		{Item: "a", Category: "call", State: Truncated, Score: 0, Answer: "f(\x00\"é\n", Finish: "length"},
		{Item: "m", Category: "arith", State: Failed, Finish: "error", Error: "connection refused"},
		{Item: "n", Category: "arith", State: Timeout, Finish: "error", Error: "no answer in 30s", Latency: 30 * time.Second},
		{Item: "o", Category: "arith", State: Missing},
	}
	must(t, l.Record(0, Search, in))
	got, err := l.Outcomes(0, Search)
	must(t, err)
	for i := range in {
		in[i].Split = Search
	}
	if diff := cmp.Diff(in, got); diff != "" {
		t.Error(diff)
	}
	if n, err := l.Answered(); err != nil || n != 2 {
		t.Errorf("answered %d, error %v; want 2: not measured is not answered", n, err)
	}
}

func TestRecordAgain(t *testing.T) {
	l := begun(t)
	must(t, l.Start(candidate(0)))
	first := []Outcome{{Item: "a", Category: "c", State: OK, Score: 1, Answer: "yes"}, {Item: "b", Category: "c", State: Failed, Error: "server gone"}}
	must(t, l.Record(0, Search, first))
	must(t, l.Record(0, Search, first))
	must(t, l.Record(0, Search, []Outcome{
		{Item: "a", Category: "c", State: OK, Score: 0, Answer: "no"}, // stays as it was
		{Item: "b", Category: "c", State: OK, Score: 0.5},             // now measured
		{Item: "d", Category: "c", State: Timeout},
	}))
	must(t, l.Record(0, Search, []Outcome{{Item: "b", Category: "c", State: Failed}, {Item: "d", Category: "c", State: Failed}}))
	got, err := l.Outcomes(0, "")
	must(t, err)
	want := []Outcome{
		{Item: "a", Category: "c", Split: Search, State: OK, Score: 1, Answer: "yes"},
		{Item: "b", Category: "c", Split: Search, State: OK, Score: 0.5},
		{Item: "d", Category: "c", Split: Search, State: Timeout},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The order is that of the items, not that in which a trial answered them.
func TestOutcomesOrderAndSplits(t *testing.T) {
	l := begun(t)
	for number := range 2 {
		must(t, l.Start(candidate(number)))
	}
	one := func(item string) []Outcome { return []Outcome{{Item: item, Category: "c", State: OK}} }
	for _, item := range []string{"c", "a", "b"} {
		must(t, l.Record(0, Search, one(item)))
	}
	must(t, l.Record(1, Test, one("t")))
	for _, item := range []string{"b", "c", "a"} {
		must(t, l.Record(1, Search, one(item)))
	}
	must(t, l.Record(1, Selection, one("s")))
	check := func(trial int, split, want string) {
		t.Helper()
		outcomes, err := l.Outcomes(trial, split)
		must(t, err)
		got := ""
		for _, o := range outcomes {
			got += o.Item
		}
		if got != want {
			t.Errorf("trial %d, split %q: %s, want %s", trial, split, got, want)
		}
	}
	check(0, Search, "cab")
	check(1, Search, "cab")
	check(1, Selection, "s")
	check(1, Test, "t")
	check(1, "", "cabts")
	check(0, Test, "")
	_, err := l.Outcomes(7, Search)
	refuses(t, l, err, "no trial 7")
}

func TestRecordRefused(t *testing.T) {
	check := func(name, split string, o Outcome, want string) {
		t.Run(name, func(t *testing.T) {
			l := begun(t)
			must(t, l.Start(candidate(0)))
			must(t, l.Record(0, Search, []Outcome{{Item: "known", Category: "c", Cluster: "k", State: OK}}))
			batch := []Outcome{{Item: "good", Category: "c", State: OK}, o}
			refuses(t, l, l.Record(0, split, batch), want)
			got, err := l.Outcomes(0, "")
			must(t, err)
			if len(got) != 1 {
				t.Errorf("a part of the batch was recorded: %v", got)
			}
		})
	}
	check("no id", Search, Outcome{State: OK}, `trial 0: item "": no id`)
	check("state", Search, Outcome{Item: "i", State: "fine"}, `trial 0: item "i": unknown state "fine"`)
	check("no state", Search, Outcome{Item: "i"}, `trial 0: item "i": unknown state ""`)
	check("NaN", Search, Outcome{Item: "i", State: OK, Score: math.NaN()}, `trial 0: item "i": score NaN`)
	check("Inf", Search, Outcome{Item: "i", State: Truncated, Score: math.Inf(-1)}, `trial 0: item "i": score -Inf`)
	check("soft", Search, Outcome{Item: "i", State: OK, Soft: ptr(math.NaN())}, `trial 0: item "i": smooth score NaN`)
	check("latency", Search, Outcome{Item: "i", State: OK, Latency: -1}, `trial 0: item "i": latency -1ns`)
	check("split", "train", Outcome{Item: "i", State: OK}, `unknown split "train"`)
	check("two splits", Test, Outcome{Item: "known", Category: "c", Cluster: "k", State: OK}, `trial 0: item "known": is in split search, not test`)
	check("category", Search, Outcome{Item: "known", Category: "d", Cluster: "k", State: OK}, `trial 0: item "known": is in category "c", not "d"`)
	check("cluster", Search, Outcome{Item: "known", Category: "c", State: OK}, `trial 0: item "known": is in cluster "k", not ""`)

	l := begun(t)
	refuses(t, l, l.Record(3, Search, nil), "no trial 3")
}

// The ledger against a map: whatever is recorded in whatever order, the first
// score of an item stays.
func TestRecordLikeAMap(t *testing.T) {
	l := begun(t)
	trial := -1
	rapid.Check(t, func(rt *rapid.T) {
		trial++
		if err := l.Start(candidate(trial)); err != nil {
			rt.Fatal(err)
		}
		model := map[string]Outcome{}
		for range rapid.IntRange(1, 6).Draw(rt, "batches") {
			batch := rapid.SliceOfN(rapid.Custom(drawOutcome), 0, 8).Draw(rt, "batch")
			if err := l.Record(trial, Search, batch); err != nil {
				rt.Fatal(err)
			}
			for _, o := range batch {
				if was, known := model[o.Item]; !known || !was.Scored() && o.Scored() {
					o.Split = Search
					model[o.Item] = o
				}
			}
		}
		got, err := l.Outcomes(trial, Search)
		if err != nil {
			rt.Fatal(err)
		}
		back := map[string]Outcome{}
		for _, o := range got {
			back[o.Item] = o
		}
		if diff := cmp.Diff(model, back); diff != "" || len(got) != len(model) {
			rt.Fatal(diff)
		}
	})
}

func drawOutcome(t *rapid.T) Outcome {
	o := Outcome{
		Item:     rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "item"),
		Category: "c",
		State:    rapid.SampledFrom([]string{OK, Truncated, Failed, Timeout, Missing}).Draw(t, "state"),
		Answer:   rapid.String().Draw(t, "answer"),
		Latency:  time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "latency")),
	}
	if o.Scored() {
		o.Score = rapid.Float64Range(-1e300, 1e300).Draw(t, "score")
	}
	return o
}

func TestConcurrentUse(t *testing.T) {
	l := begun(t)
	must(t, l.Start(candidate(0)))
	r, err := OpenReadOnly(l.Dir())
	must(t, err)
	defer func() { checkAndClose(t, r) }()
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 10 {
				o := Outcome{Item: fmt.Sprint(worker, "-", i), Category: "c", State: OK}
				if err := l.Record(0, Search, []Outcome{o}); err != nil {
					t.Error(err)
				}
				if _, err := r.Outcomes(0, Search); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n, err := r.Answered(); err != nil || n != 40 {
		t.Errorf("answered %d, error %v", n, err)
	}
}

// Items that are registered are read in that order, whichever is answered first.
func TestRegister(t *testing.T) {
	l := begun(t)
	must(t, l.Start(candidate(0)))
	items := []Outcome{{Item: "a", Category: "x"}, {Item: "b", Category: "x"}, {Item: "c", Category: "y"}}
	must(t, l.Register(Selection, items))
	must(t, l.Record(0, Selection, []Outcome{{Item: "c", Category: "y", State: OK}, {Item: "a", Category: "x", State: OK}}))
	must(t, l.Register(Selection, items)) // of a run that goes on
	got, err := l.Outcomes(0, Selection)
	must(t, err)
	if len(got) != 2 || got[0].Item != "a" || got[1].Item != "c" {
		t.Errorf("got %+v", got)
	}
	items[1].Category = "z"
	if err := l.Register(Selection, items); err == nil || !strings.Contains(err.Error(), `item "b": is in category "x", not "z"`) {
		t.Errorf("another category: %v", err)
	}
}
