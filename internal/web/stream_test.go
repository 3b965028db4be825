package web

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStreamSendsOnlyWhatChanged(t *testing.T) {
	w := begun(t, "night")
	w.complete(0, "single", .5)
	s := serve(t, Options{Dir: w.Dir()})
	v := s.watch(t, "")
	first, _ := v.next()
	if len(first.Parts) != len(pieces) || len(first.Rows) != 1 || !strings.Contains(first.Parts["best"], "50.0") {
		t.Fatalf("first message %+v", first)
	}
	w.complete(1, "random", .75)
	m := v.until(says("best", "75.0"))
	if _, same := m.Parts["failures"]; same {
		t.Error("a part that is as it was is sent again")
	}
	w.fail(2, "server gone", "gone")
	m = v.until(func(m message) bool { return len(m.Rows) > 0 && m.Rows[0].ID == "trial-2" })
	if len(m.Rows) != 1 || !strings.Contains(m.Parts["failures"], "server gone") {
		t.Errorf("%+v", m)
	}
}

// A viewer that comes back after a break is sent what it missed, and no more.
func TestStreamGoesOnAfterABreak(t *testing.T) {
	w := begun(t, "night")
	w.complete(0, "single", .5)
	s := serve(t, Options{Dir: w.Dir()})
	v := s.watch(t, "")
	v.next()
	v.body.Close()
	w.complete(1, "random", .25)
	again := s.watch(t, v.id)
	m := again.until(func(m message) bool { return len(m.Rows) > 0 })
	if len(m.Rows) != 1 || m.Rows[0].ID != "trial-1" || len(m.Parts["best"]) > 0 {
		t.Errorf("%+v", m)
	}
	for _, id := range []string{"", "nonsense", "other-3", strings.Repeat("9", 99), s.hub.epoch + "-99999999999999999999"} {
		m, _ := s.watch(t, id).next()
		if len(m.Parts) != len(pieces) || len(m.Rows) != 2 {
			t.Errorf("after %q: %d parts, %d rows; want everything", id, len(m.Parts), len(m.Rows))
		}
	}
}

// An id ahead of what there is would wait for ever.
func TestStreamIgnoresAnIDFromTheFuture(t *testing.T) {
	h := newHub()
	h.publish([]part{{name: "a", html: "1"}}, nil)
	if got := h.seen(h.epoch + "-7"); got != 1 {
		t.Errorf("seen %d of 1 change", got)
	}
}

func TestStreamHasAHeartbeat(t *testing.T) {
	w := begun(t, "night")
	const beats, request = 20, 50 * time.Millisecond // the time of a request is not that of a stream
	s := serve(t, Options{Dir: w.Dir(), beat: 10 * time.Millisecond, read: request})
	v := s.watch(t, s.hub.id(s.hub.number))
	heard := 0
	for heard < beats && v.lines.Scan() {
		if v.lines.Text() == ": still here" {
			heard++
		}
	}
	if heard < beats {
		t.Errorf("%d heartbeats of %d: %v", heard, beats, v.lines.Err())
	}
}

func TestStreamOfAHeadEnds(t *testing.T) {
	w := begun(t, "night")
	s := serve(t, Options{Dir: w.Dir()})
	if status, text := s.raw(t, "HEAD /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); status != http.StatusOK || text != "" {
		t.Errorf("%d %q", status, text)
	}
}

// The last that viewers get is what the study has come to, and that the page ends.
func TestViewersAreToldTheEnd(t *testing.T) {
	w := begun(t, "night")
	s := serve(t, Options{Dir: w.Dir(), poll: time.Hour})
	v := s.watch(t, "")
	v.next()
	w.complete(0, "single", .5)
	go func() { _ = s.end() }() // the test's end looks at its error
	if m, more := v.next(); !more || !strings.Contains(m.Parts["best"], "50.0") {
		t.Errorf("%t, %+v", more, m)
	}
	if m, more := v.next(); more {
		t.Errorf("after the last word: %+v", m)
	}
}

// A hundred viewers come to see the last trial; one that takes nothing holds
// nobody up.
func TestHundredViewers(t *testing.T) {
	const all, trials = 100, 30
	w := begun(t, "night")
	s := serve(t, Options{Dir: w.Dir()})
	deaf, err := net.Dial("tcp", s.listener.Addr().String())
	must(t, err)
	defer deaf.Close()
	_, err = deaf.Write([]byte("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	must(t, err)
	var group sync.WaitGroup
	for range all {
		v := s.watch(t, "")
		group.Go(func() {
			for {
				m, more := v.next()
				if !more {
					t.Error("the stream ended")
					return
				}
				if n := len(m.Rows); n > 0 && m.Rows[n-1].ID == fmt.Sprint("trial-", trials-1) && strings.Contains(m.Rows[n-1].HTML, "complete") {
					return
				}
			}
		})
	}
	for number := range trials {
		w.complete(number, "random", float64(number)/trials)
	}
	group.Wait()
	for { // the deaf one may come late
		if _, text := s.get(t, "/metrics"); strings.Contains(text, fmt.Sprintf("soup_viewers %d\n", all+1)) {
			return
		}
	}
}

func TestTooManyViewersAreTurnedAway(t *testing.T) {
	w := begun(t, "night")
	s := serve(t, Options{Dir: w.Dir()})
	for range viewers {
		s.seats <- struct{}{}
	}
	answer, text := s.get(t, "/events")
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || !strings.Contains(text, "256 viewers") {
		t.Errorf("%s %q", answer.Status, text)
	}
	for range viewers {
		<-s.seats
	}
}
