package study

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/sync/errgroup"

	"soup/eval"
	"soup/results"
)

// The large item sets of few finalists are divided, so that no worker is idle while
// others are at work: a part is a task of its own.

const (
	// leastItems is the fewest that a part has: every part costs a swap.
	leastItems = 100
	// tolerable is how much longer than with all workers busy to the end it may take
	// before more parts are made.
	tolerable = 1.2
)

// divided is an event: how many parts the items of each finalist have. A study that
// goes on keeps to it, for tasks are known by what they are.
type divided struct {
	Split     string `json:"split"`
	Finalists int    `json:"finalists"`
	Parts     int    `json:"parts"`
}

const dividedEvent = "parts"

// divide settles into how many parts the items of each finalist go. Whichever is
// answered first, the ledger has the items in the order in which one machine asks them.
func (s *session) divide(ctx context.Context, split string, finalists int, items []eval.Item) error {
	if s.fleet == nil || finalists == 0 {
		return nil
	}
	var known []results.Outcome
	for _, it := range items {
		known = append(known, results.Outcome{Item: it.ID, Category: it.Category, Cluster: it.Cluster})
	}
	if err := s.ledger.Register(split, known); err != nil {
		return fatal(err)
	}
	events, err := s.ledger.Events(dividedEvent)
	if err != nil {
		return fatal(err)
	}
	for _, e := range events {
		var d divided
		if err := json.Unmarshal(e.Detail, &d); err != nil {
			return fatal(fmt.Errorf("event %d: %w", e.Number, err))
		}
		if d.Split == split && d.Finalists == finalists {
			s.fleet.parts[split] = d.Parts
			return nil
		}
	}
	n := cmp.Or(s.fleet.always, parts(finalists, s.fleet.admitted(ctx), len(items)/leastItems))
	s.fleet.parts[split] = n
	return fatal(s.ledger.Event(dividedEvent, divided{split, finalists, n}))
}

// admitted is how many take tasks now, this process among them.
func (c *crew) admitted(ctx context.Context) (n int) {
	list, err := c.hub.Workers(ctx)
	if err != nil {
		return 1 // not divided, then
	}
	for _, p := range list {
		if p.Admitted() {
			n++
		}
	}
	return n
}

// parts is the fewest parts of each finalist with which the workers are done about as
// soon as if all were busy to the end; no more than most.
func parts(finalists, workers, most int) int {
	best, shortest := 1, 0.0
	for n := 1; n <= max(1, most); n++ {
		rounds := (finalists*n + workers - 1) / max(1, workers)
		took := float64(rounds) / float64(n) // in the time that one worker takes for one finalist
		if n == 1 || took < shortest {
			best, shortest = n, took
		}
		if took <= tolerable*float64(finalists)/float64(max(1, workers)) {
			return n
		}
	}
	return best
}

// score has a candidate scored by whoever is free, and records the outcomes.
func (c *crew) score(ctx context.Context, trial int, split string, who candidate, r *race) (all spent, err error) {
	list := newAssignment(trial, split, who, r).divide(c.parts[split], len(c.course(assignment{Split: split}, r).items))
	took := make([]spent, len(list))
	together, within := errgroup.WithContext(ctx)
	for i, a := range list {
		together.Go(func() (err error) {
			took[i], err = c.delegate(within, a, r)
			return err
		})
	}
	err = together.Wait()
	for _, t := range took {
		all = all.plus(t)
	}
	return all, err
}

// divide is the assignment in n parts of about as many items.
func (a assignment) divide(n, items int) (list []assignment) {
	if n < 2 {
		return []assignment{a}
	}
	for i := range n {
		a.From, a.To = i*items/n, (i+1)*items/n
		list = append(list, a)
	}
	return list
}
