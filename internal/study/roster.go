package study

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"soup/internal/fleet"
	"soup/results"
)

// fleetEvent lists the workers of which there is news: a reader of the ledger has
// no other way to know of them.
const fleetEvent = "fleet"

// Worker is a process that scores candidates of a study, as its coordinator last
// heard of it.
type Worker struct {
	fleet.Presence
	Change      string `json:"change,omitempty"`      // joined, left, or neither
	Quarantined string `json:"quarantined,omitempty"` // why it gets no candidates
}

const (
	joined = "joined"
	left   = "left"
)

// Gone reports whether nothing is heard of it any more.
func (w Worker) Gone() bool { return w.Change == left }

// Doing is what the worker is at, in words.
func (w Worker) Doing() string {
	trial, rest, ok := strings.Cut(strings.TrimPrefix(w.State, "task "), "-")
	if !ok {
		return w.State
	}
	split, _, _ := strings.Cut(rest, "-")
	return "trial " + trial + ", " + split
}

// roster writes into the ledger who scores: at once who comes and who goes, and
// what the others do now and then. It is safe for concurrent use.
type roster struct {
	ledger  *results.Ledger
	mu      sync.Mutex
	workers map[string]Worker // as they were written
	written time.Time         // when all were last
}

// rosterEvery is the time between two lists of all workers: so many seconds, and one
// more for each beyond that many. A line of 250 bytes a second is 20 MB a day.
const rosterEvery = 10

func newRoster(l *results.Ledger) *roster {
	return &roster{ledger: l, workers: map[string]Worker{}}
}

// look takes in who is there.
func (r *roster) look(present []fleet.Presence, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := now.Sub(r.written) >= time.Duration(max(rosterEvery, len(present)))*time.Second
	var news []Worker
	for _, p := range present {
		was, known := r.workers[p.Worker]
		is := Worker{Presence: p, Quarantined: was.Quarantined}
		if p.Admitted() && p.Worker != localWorker && (!was.Admitted() || was.Gone()) {
			is.Change, is.Quarantined = joined, ""
		}
		if is.Change != "" || !known || was.Gone() || all && !p.Seen.Equal(was.Seen) {
			news = append(news, is)
		}
	}
	news = append(news, r.missing(present)...)
	if r.write(news) && all {
		r.written = now
	}
}

// missing are those that were there and are not.
func (r *roster) missing(present []fleet.Presence) (list []Worker) {
	for _, name := range slices.Sorted(maps.Keys(r.workers)) {
		w := r.workers[name]
		if !w.Gone() && !slices.ContainsFunc(present, func(p fleet.Presence) bool { return p.Worker == name }) {
			w.Change = left
			list = append(list, w)
		}
	}
	return list
}

// quarantine notes a worker that was turned away, which may be gone before it is
// seen.
func (r *roster) quarantine(worker, why string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.workers[worker]
	w.Worker, w.Quarantined, w.Change, w.Seen = worker, why, "", now
	r.write([]Worker{w})
}

// write reports whether there was news. An event that cannot be written does not
// end a study; it is news again next time.
func (r *roster) write(news []Worker) bool {
	if len(news) == 0 || r.ledger.Event(fleetEvent, news) != nil {
		return false
	}
	for _, w := range news {
		r.workers[w.Worker] = w
	}
	return true
}

// count looks every few seconds who is there.
func (c *crew) count(ctx context.Context) {
	for ctx.Err() == nil {
		if list, err := c.hub.Workers(ctx); err == nil {
			c.workers.Store(int32(min(len(list), mostLanes)))
			c.roster.look(list, time.Now())
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
}

// muster takes in news of workers.
func (t *Tally) muster(e results.Event) {
	var news []Worker
	if json.Unmarshal(e.Detail, &news) != nil {
		return
	}
	if t.Workers == nil {
		t.Workers = map[string]Worker{}
	}
	for _, w := range news {
		t.Workers[w.Worker] = w
	}
}

// OfWorkers reports whether an event says who scores: it comes also while nothing
// gets on.
func OfWorkers(e results.Event) bool { return e.Kind == fleetEvent }

// sayFleet says who came and went.
func sayFleet(e results.Event) (string, bool) {
	var news []Worker
	_ = json.Unmarshal(e.Detail, &news)
	var words []string
	for _, w := range news {
		if w.Change != "" && w.Admitted() {
			words = append(words, fmt.Sprintf("worker %s has %s", w.Worker, w.Change))
		}
	}
	return strings.Join(words, "; "), len(words) > 0
}
