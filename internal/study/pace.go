package study

import (
	"context"
	"fmt"
	"slices"

	"soup/results"
	"soup/search"
)

// paced is a strategy as a study asks it: no more points at once than there is
// somebody to score them, none beyond the budget, and of a study that goes on
// those that were asked before, whatever the budget was then. With several workers
// a budget of trials counts what is being scored; any other is noticed when it is
// spent, by so many candidates too late.
type paced struct {
	search.Strategy
	session *session
	begun   int // number of its first trial
	asked   int
	told    int
	idle    int // workers that had nothing to do when it last asked for too little
	said    bool
}

// Ask implements search.Strategy.
func (p *paced) Ask(n int) []search.Point {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	if n = min(n, p.room()); n <= 0 {
		return nil
	}
	points := p.Strategy.Ask(n)
	p.asked += len(points)
	p.noteIdle(len(points), n)
	return points
}

// noteIdle says, once, that workers waited for a strategy that could have asked more at
// a time. Whether it had more to ask is known when it asks again.
func (p *paced) noteIdle(points, room int) {
	if points > 0 && p.idle > 0 && !p.said {
		if option := together(p.Name()); option != "" {
			p.said = true
			fmt.Fprintf(p.session.info, "soup: %d of %d workers waited for the outcomes of %s; with %s: %d it would ask more at a time\n",
				p.idle, p.session.fleet.workers.Load(), p.Name(), option, p.session.lanes())
		}
	}
	p.idle = 0
	if p.session.fleet != nil && points < room {
		p.idle = max(0, int(p.session.fleet.workers.Load())-(p.asked-p.told))
	}
}

// together is the option by which a strategy asks more points at a time; "" for none.
func together(strategy string) string {
	for _, p := range search.Parameters(strategy) {
		if p.Name == "batch" || p.Name == "population" {
			return p.Name
		}
	}
	return ""
}

// Tell implements search.Strategy.
func (p *paced) Tell(trials []search.Trial) {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	p.told += len(trials)
	p.Strategy.Tell(trials)
}

// Done implements search.Strategy.
func (p *paced) Done() bool {
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	return p.Strategy.Done() || p.allowed() <= 0
}

// room is how many points may be asked now.
func (p *paced) room() int {
	return min(p.allowed(), p.session.lanes()-(p.asked-p.told))
}

// allowed is how many more the budget lets be asked, besides those in flight.
func (p *paced) allowed() int {
	s := p.session
	const many = 1 << 30
	if s.config.always(p.Name()) {
		return many
	}
	if before := p.before(); before > 0 {
		return before
	}
	if s.budgetSpent() {
		return 0
	}
	if s.config.Budget.Trials > 0 {
		return s.config.Budget.Trials - s.consumed().trials - (p.asked - p.told)
	}
	return many
}

// before is how many of the next points an earlier session asked.
func (p *paced) before() int {
	next := min(p.begun+p.asked, len(p.session.past))
	rest := p.session.past[next:]
	if i := slices.IndexFunc(rest, func(t results.Trial) bool { return t.Strategy != p.Name() }); i >= 0 {
		return i
	}
	return len(rest)
}

// lanes is how many candidates may wait or be scored at once: two for everyone who
// scores, so that nobody waits for the next.
func (s *session) lanes() int {
	if s.fleet == nil {
		return 1
	}
	return s.fleet.lanes()
}

// ahead bounds lanes.
func (s *session) ahead() int {
	if s.fleet == nil {
		return 1
	}
	return mostLanes
}

// takeTurn returns, with mu, when all candidates before this one have their number.
func (s *session) takeTurn(number int) {
	s.mu.Lock()
	for s.next != number {
		s.turn.Wait()
	}
	s.next++
	s.trials = append(s.trials, results.Trial{Number: number, State: results.Running})
	s.turn.Broadcast()
}

// unbooked scores a candidate with the books open to others.
func (s *session) unbooked(key string, score func()) {
	done := make(chan struct{})
	s.flying[key] = done
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.flying, key)
		close(done)
	}()
	score()
}

// awaitTwin waits while the same candidate is being scored for an earlier trial.
func (s *session) awaitTwin(ctx context.Context, c candidate, t results.Trial) error {
	for {
		twin, ok := s.flying[c.key]
		if !ok {
			return nil
		}
		// Those after it must find its number taken.
		if err := s.ledger.Start(t); err != nil {
			return err
		}
		s.mu.Unlock()
		select {
		case <-twin:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
