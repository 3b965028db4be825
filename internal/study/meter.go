package study

import (
	"context"
	"errors"
	"sync"
	"time"

	"soup/eval"
)

// meter measures how long a server has something to do, and when its answers
// come. It is safe for concurrent use.
type meter struct {
	mu     sync.Mutex
	begun  time.Time     // of what is noted next
	busy   time.Duration // with a load or a request, since then
	flying int           // loads and requests now
	since  time.Time     // when there came to be some

	loaded time.Time     // when the server had its present candidate
	first  time.Duration // from then to the first answer; 0 while there is none
	lost   bool          // a request of the batch was cut off
}

func newMeter() *meter { return &meter{begun: time.Now()} }

func (m *meter) enter() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flying++; m.flying == 1 {
		m.since = time.Now()
	}
}

func (m *meter) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flying--; m.flying == 0 {
		m.busy += time.Since(m.since)
	}
}

// ready says that the server has a candidate.
func (m *meter) ready() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loaded, m.first, m.lost = time.Now(), 0, false
}

// watch is eval.Options.Watch.
func (m *meter) watch() func(...eval.Answer) {
	m.enter()
	return func(answers ...eval.Answer) {
		m.leave()
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, a := range answers {
			if a.Finish != eval.FinishError && m.first == 0 {
				m.first = max(time.Since(m.loaded), 1)
			}
			m.lost = m.lost || errors.Is(a.Err, eval.ErrUnreachable) && !errors.Is(a.Err, context.DeadlineExceeded)
		}
	}
}

// firstAnswer is the seconds from the load to the first answer.
func (m *meter) firstAnswer() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.first.Seconds()
}

// cutOff says whether a request was since it was last asked.
func (m *meter) cutOff() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	lost := m.lost
	m.lost = false
	return lost
}

// use is what a server had to do in a time, in seconds.
type use struct {
	Busy float64 `json:"busy"`
	Wall float64 `json:"wall"`
}

// take returns the use since it was last taken.
func (m *meter) take() use {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if m.flying > 0 {
		m.busy += now.Sub(m.since)
		m.since = now
	}
	u := use{m.busy.Seconds(), now.Sub(m.begun).Seconds()}
	m.busy, m.begun = 0, now
	return u
}
