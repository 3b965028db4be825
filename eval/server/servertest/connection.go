package servertest

import (
	"net/http/httptest"
	"slices"
	"testing"

	"soup/eval"
	"soup/eval/server/servertest/faulty"
)

// faultRate is the share of requests that meet each of the five faults.
const faultRate = 0.05

// BadConnection scores items through a connection that drops, delays, cuts off,
// doubles and corrupts 5 % of the replies each, with eval.Options.Verify, and
// wants every outcome to be that of a good connection. A hundred items and more
// make the faults come.
func BadConnection(t *testing.T, f Fake, items []eval.Item) {
	t.Helper()
	server := httptest.NewServer(f.Well(t))
	defer server.Close()
	want := scored(t, f, server.URL, items, eval.Options{})
	for seed := range uint64(3) {
		proxy, err := faulty.New(server.URL, faulty.All(faultRate), seed)
		if err != nil {
			t.Fatal(err)
		}
		got := scored(t, f, proxy.URL, items, eval.Options{Verify: true})
		counts := proxy.Counts()
		proxy.Close()
		for i := range want {
			if got[i].Score != want[i].Score || got[i].State != want[i].State || got[i].Answer != want[i].Answer || !equal(got[i].Soft, want[i].Soft) {
				t.Errorf("seed %d: %+v, through a good connection %+v", seed, got[i], want[i])
			}
		}
		for _, fault := range []string{faulty.Drop, faulty.Delay, faulty.Truncate, faulty.Double, faulty.Corrupt} {
			if counts[fault] == 0 {
				t.Errorf("seed %d: no %s among %v: too few items", seed, fault, counts)
			}
		}
	}
}

func equal(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }

// scored loads A, as often as it takes, and asks the items.
func scored(t *testing.T, f Fake, url string, items []eval.Item, o eval.Options) []eval.Outcome {
	t.Helper()
	driver := f.New(t, url)
	defer driver.Close()
	for attempt := 1; ; attempt++ {
		_, err := driver.Load(t.Context(), f.A)
		if err == nil {
			break
		}
		if attempt == 5 {
			t.Fatalf("load, for the fifth time: %v", err)
		}
	}
	var outcomes []eval.Outcome
	err := eval.Run(t.Context(), driver, items, o, func(batch []eval.Outcome) error {
		outcomes = append(outcomes, batch...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != len(items) || slices.ContainsFunc(outcomes, func(o eval.Outcome) bool { return !o.Scored() }) {
		t.Errorf("%d outcomes to %d items, or some not scored: %+v", len(outcomes), len(items), outcomes[0])
	}
	return outcomes
}
