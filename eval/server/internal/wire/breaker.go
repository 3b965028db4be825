package wire

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"soup/eval"
)

const (
	defaultTrip  = 10                     // requests in a row that nothing answered
	firstProbe   = 50 * time.Millisecond  // after the last of them
	longestProbe = 250 * time.Millisecond // so long a request waits for another's probe, too
)

// breaker spares a dead server, and those who wait, requests that nothing will
// answer. After trip attempts in a row that did not reach the server only one
// at a time goes through, the probe; the others fail when it has, or after a
// quarter of a second. The first that is answered, whatever it says, opens the
// way for all.
type breaker struct {
	trip int

	mu      sync.Mutex
	fails   int           // in a row
	pause   time.Duration // until the next probe
	next    time.Time     // when it may start
	probing bool
	decided chan struct{} // closed when the probe under way has ended; nil if nobody waits
}

// enter waits until the request may be made, and says why not if it may not.
// probe is to be given to done.
func (b *breaker) enter(ctx context.Context) (probe bool, err error) {
	give := time.NewTimer(longestProbe)
	defer give.Stop()
	for {
		probe, wait, decided := b.ask()
		if wait == 0 {
			return probe, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false, context.Cause(ctx)
		case <-give.C:
			timer.Stop()
			return false, b.refused()
		case <-decided:
			timer.Stop()
			if b.open() {
				return false, b.refused()
			}
		case <-timer.C:
		}
	}
}

// ask returns no wait if the request may be made now, else when to ask again,
// and what is closed when the probe under way has ended.
func (b *breaker) ask() (probe bool, wait time.Duration, decided <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails < b.trip {
		return false, 0, nil
	}
	wait = time.Until(b.next)
	if !b.probing && wait <= 0 {
		b.probing = true
		return true, 0, nil
	}
	if !b.probing {
		return false, wait, nil
	}
	if b.decided == nil {
		b.decided = make(chan struct{})
	}
	return false, longestProbe, b.decided
}

func (b *breaker) open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fails >= b.trip
}

// done notes how a request ended that was let in.
func (b *breaker) done(probe bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // the caller's, which tells nothing
	case errors.Is(err, eval.ErrUnreachable):
		b.fails++
		b.pause = min(max(firstProbe, 2*b.pause), longestProbe)
		b.next = time.Now().Add(b.pause)
	default:
		b.fails, b.pause = 0, 0
	}
	if !probe {
		return
	}
	b.probing = false
	if b.decided != nil {
		close(b.decided)
		b.decided = nil
	}
}

// refused is the error of a request that was not made.
func (b *breaker) refused() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Errorf("not tried: nothing has answered %d requests in a row", max(b.fails, b.trip))
}
