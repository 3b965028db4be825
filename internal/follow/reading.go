package follow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"soup/eval"
	"soup/internal/study"
	"soup/results"
)

const (
	// kept is how many events a Study has.
	kept = 30
	// foremost is how many of the latest trials are read before all others.
	foremost = 16
)

// reading is how far a ledger has been read.
type reading struct {
	study   Study
	weights map[string]float64 // of the objective
	looked  bool               // not for the first time
	event   int                // number of the last event that was read
	unread  []int              // trials whose means are to be read, by number
	byKey   map[string]int     // trials that hold outcomes
	live    []int              // trials whose outcomes may grow
	loaded  []string           // keys that the server was given since the last look
	chunk   int                // trials that are read at a time
	beat    bool               // the last look found nothing but who scores, as far as can be told
	ahead   bool               // the foremost of a ledger that was there have been read
}

func begin(l *results.Ledger) (reading, error) {
	about, parents, err := l.Study()
	if err != nil {
		return reading{}, err
	}
	r := reading{
		byKey: map[string]int{}, chunk: 4,
		study: Study{
			Name: about.Name, Seed: about.Seed, Created: about.Created, Server: study.ServerIdentity(about), Keep: study.HasKeep(about),
			Items: map[string]int{},
		},
	}
	for _, p := range parents {
		r.study.Parents = append(r.study.Parents, p.Name)
	}
	r.weights, err = study.CategoryWeights(about)
	return r, err
}

// news reads what was written since.
func (r *reading) news(l *results.Ledger) error {
	for _, step := range []func(*results.Ledger) error{r.events, r.trials, r.grown, r.winner} {
		if err := step(l); err != nil {
			return err
		}
	}
	r.looked = true
	return r.rank(l)
}

func (r *reading) events(l *results.Ledger) error {
	events, err := l.EventsAfter(r.event)
	if err != nil {
		return err
	}
	r.loaded = nil
	r.beat = len(events) > 0 && !slices.ContainsFunc(events, func(e results.Event) bool { return !study.OfWorkers(e) })
	for _, e := range events {
		was := r.study.Loaded()
		if err := r.study.Add(e); err != nil {
			return err
		}
		if now := r.study.Loaded(); now != was && r.looked { // what is there at first is all unread
			r.loaded = append(r.loaded, now)
		}
		if _, worded := study.Say(e); worded {
			r.study.Events = append(r.study.Events, e)
		}
	}
	if n := len(events); n > 0 {
		r.event = events[n-1].Number
	}
	r.study.Events = slices.Clone(r.study.Events[max(0, len(r.study.Events)-kept):])
	return nil
}

// trials reads those that are new and those that may have changed: a failed one
// may be tried again.
func (r *reading) trials(l *results.Ledger) error {
	var open []int
	for _, t := range r.study.Trials {
		if t.State == results.Running || t.State == results.Failed {
			open = append(open, t.Number)
		}
	}
	trials, err := l.TrialsAfter(len(r.study.Trials)-1, open...)
	if err != nil {
		return err
	}
	for _, t := range trials {
		switch n := len(r.study.Trials); {
		case t.Number == n:
			r.study.Trials = append(r.study.Trials, Trial{Trial: t})
		case t.Number > n:
			return fmt.Errorf("trial %d is missing", n)
		default:
			if was := r.study.Trials[t.Number]; t.State == results.Failed && was.State == t.State && was.Attempt == t.Attempt {
				continue
			}
			r.study.Trials[t.Number].Trial = t
		}
		if t.State != results.Cached {
			r.byKey[t.Key] = t.Number
			r.unread = append(r.unread, t.Number)
		}
	}
	return nil
}

// grown finds the trials whose outcomes grow without a change of the trial: those
// that run, and on selection and test the one that the server has, or had since
// the last look.
func (r *reading) grown(l *results.Ledger) error {
	before := r.live
	r.live, r.study.Present = nil, nil
	for i := range r.study.Trials {
		if r.study.Trials[i].State == results.Running {
			r.live = append(r.live, i)
		}
	}
	if at := r.study.At(); at == study.SelectionPhase || at == study.TestPhase {
		if number, known := r.byKey[r.study.Loaded()]; known {
			r.live = append(r.live, number)
		}
	}
	if len(r.live) > 0 && r.study.Running {
		r.study.Present = &r.study.Trials[r.live[len(r.live)-1]]
	}
	again := slices.Concat(before, r.live)
	for _, key := range r.loaded {
		if number, known := r.byKey[key]; known {
			again = append(again, number)
		}
	}
	slices.Sort(again)
	again = slices.Compact(again)
	r.unread = slices.DeleteFunc(r.unread, func(n int) bool { return slices.Contains(again, n) })
	return r.sum(l, again)
}

func (r *reading) winner(l *results.Ledger) error {
	w, has, err := l.Winner()
	if r.study.Winner = nil; has {
		r.study.Winner = &w
	}
	if err != nil {
		return err
	}
	r.study.Size, err = l.Size()
	return err
}

// backlog reads the means of trials until the time is up, and reports whether it
// read any.
func (r *reading) backlog(ctx context.Context, l *results.Ledger, limit time.Duration) (bool, error) {
	if len(r.unread) == 0 {
		return false, nil
	}
	if latest := r.unread[max(0, len(r.unread)-foremost):]; !r.ahead {
		r.ahead = true
		if err := r.sum(l, latest); err != nil {
			return true, err
		}
		r.unread = r.unread[:len(r.unread)-len(latest)]
	}
	end := time.Now().Add(limit)
	for from := time.Now(); len(r.unread) > 0 && ctx.Err() == nil && from.Before(end); {
		n := min(r.chunk, len(r.unread))
		if err := r.sum(l, r.unread[:n]); err != nil {
			return true, err
		}
		r.unread = r.unread[n:]
		now := time.Now()
		if now.Sub(from) < bite {
			r.chunk = min(2*r.chunk, 1024)
		} else {
			r.chunk = max(r.chunk/2, 1)
		}
		from = now
	}
	return true, r.rank(l)
}

// sum reads what the outcomes of trials come to.
func (r *reading) sum(l *results.Ledger, numbers []int) error {
	if len(numbers) == 0 {
		return nil
	}
	means, err := l.CategoryMeans(numbers...)
	if err != nil {
		return err
	}
	byTrial := map[int][]results.CategoryMean{}
	for _, m := range means {
		byTrial[m.Trial] = append(byTrial[m.Trial], m)
	}
	for _, number := range numbers {
		r.study.Trials[number].take(byTrial[number], r.weights)
	}
	return nil
}

// take sets what a trial's outcomes come to.
func (t *Trial) take(means []results.CategoryMean, weights map[string]float64) {
	t.Splits, t.Search = map[string]results.Counts{}, nil
	search := eval.Summary{Categories: map[string]eval.Category{}}
	for _, m := range means {
		t.Splits[m.Split] = plus(t.Splits[m.Split], m.Counts)
		if m.Split == results.Search {
			search.Categories[m.Category] = eval.Category{Mean: m.Mean, Counts: eval.Counts(m.Counts)}
		}
	}
	if t.State == results.Complete {
		if mean, err := search.Aggregate(weights); err == nil {
			t.Search = &mean
		}
	}
}

func plus(a, b results.Counts) results.Counts {
	return results.Counts{
		N: a.N + b.N, Failed: a.Failed + b.Failed, Timeout: a.Timeout + b.Timeout, Missing: a.Missing + b.Missing,
		Truncated: a.Truncated + b.Truncated,
	}
}

// rank adds up the trials and finds the best.
func (r *reading) rank(l *results.Ledger) error {
	s := &r.study
	s.Unread, s.Answered, s.Lost, s.Cost = len(r.unread), 0, results.Counts{}, s.Tally.Cost
	var best, single *Trial
	for i := range s.Trials {
		t := &s.Trials[i]
		s.Cost.Add(results.Seconds{Merge: t.Merge, Swap: t.Swap, FirstToken: t.First, Eval: t.Eval})
		for split, counts := range t.Splits {
			s.Lost = plus(s.Lost, counts)
			s.Items[split] = max(s.Items[split], t.total(split))
		}
		if t.Search == nil || t.Strategy == "base" {
			continue
		}
		best = better(best, t)
		if t.Strategy == "single" {
			single = better(single, t)
		}
	}
	s.Answered = s.Lost.N
	return r.look(l, best, single)
}

// better is the trial with the higher score, the first of equals.
func better(a, b *Trial) *Trial {
	if a == nil || cmp.Compare(*b.Search, *a.Search) > 0 {
		return b
	}
	return a
}

// look reads the whole search scores of the best, where these are others than
// before.
func (r *reading) look(l *results.Ledger, best, single *Trial) (err error) {
	for _, x := range []struct {
		is *Trial
		to **Best
	}{{best, &r.study.Best}, {single, &r.study.Single}} {
		if x.is == nil || *x.to != nil && (*x.to).Number == x.is.Number {
			continue
		}
		score, err := study.ScoreOf(l, x.is.Number, results.Search, r.weights)
		if err != nil {
			return err
		}
		*x.to = &Best{Trial: *x.is, Score: score}
	}
	return nil
}
