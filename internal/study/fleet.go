package study

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"soup/eval"
	"soup/internal/fleet"
	"soup/results"
)

// Fleet says how a study has candidates scored by other processes too, which
// [Work] joins.
type Fleet struct {
	Listen fleet.Listen  // where workers come to
	Remote *fleet.Remote // an existing queue in place of that

	wait  time.Duration // AckWait, shorter in tests
	parts int           // of each finalist's items in tests; 0: as suits
}

// mostLanes bounds how many candidates wait or are scored at once.
const mostLanes = 2000

// crew is the fleet of a running study.
type crew struct {
	*session
	hub     *fleet.Hub
	roster  *roster
	probes  map[string]results.Trial // that workers were given
	parts   map[string]int           // of each finalist's items, by split
	always  int                      // so many, in tests
	serving sync.Mutex               // held by who uses this process's server
	workers atomic.Int32
	end     context.CancelFunc
	ended   sync.WaitGroup          // of what it does beside the study
	broken  context.CancelCauseFunc // ends the study
}

// openFleet opens the queue and puts this process's own server to work on it. The
// context that it returns ends with the study, or when its server cannot go on.
func (s *session) openFleet(ctx context.Context, f Fleet) (context.Context, error) {
	card, err := s.card()
	if err != nil {
		return ctx, err
	}
	id, err := s.queueID()
	if err != nil {
		return ctx, err
	}
	c := &crew{session: s, roster: newRoster(s.ledger), probes: map[string]results.Trial{}, parts: map[string]int{}, always: f.parts}
	c.hub, err = fleet.Open(ctx, fleet.Options{
		ID: id, Card: card, Dir: s.dir, Listen: f.Listen, Remote: f.Remote, Admit: c.admit, Warn: s.warn, AckWait: f.wait, Files: s.pantry.offer(s.config),
	})
	if err != nil {
		return ctx, err
	}
	s.fleet = c
	fmt.Fprintf(s.info, "soup: workers join with: soup worker --join %s PARENTS...\n", c.hub.Address())
	ctx, c.broken = context.WithCancelCause(ctx)
	inner, cancel := context.WithCancel(ctx)
	c.end = cancel
	c.ended.Go(func() { c.count(inner) })
	c.ended.Go(func() { c.work(inner, f.wait) })
	return ctx, nil
}

// queueID names the study in the queue, the same each time it goes on.
func (s *session) queueID() (string, error) {
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return "", err
	}
	host, err := os.Hostname()
	sum := sha256.Sum256([]byte(host + ":" + dir))
	return hex.EncodeToString(sum[:6]), err
}

// closeFleet ends it. Workers are sent home where the study has ended, and wait for
// it to go on where not.
func (s *session) closeFleet(finished bool) {
	c := s.fleet
	if c == nil {
		return
	}
	s.fleet = nil
	c.end()
	c.ended.Wait()
	if finished {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.hub.Finish(ctx); err != nil {
			s.warn("queue: " + err.Error())
		}
	}
	c.hub.Close()
	c.broken(nil)
}

// work is the worker in this process. What it scores goes straight into the ledger,
// batch by batch.
func (c *crew) work(ctx context.Context, wait time.Duration) {
	host, _ := os.Hostname()
	o := fleet.ServeOptions{Host: host, GPU: gpus(ctx), Server: c.identity, Trusted: true, AckWait: wait, Warn: c.warn, Lost: 1 << 62}
	err := c.hub.Local(localWorker).Serve(ctx, o, c.answer)
	if ctx.Err() == nil && err != nil {
		c.broken(err)
	}
}

// localWorker is the name of the coordinator's own worker.
const localWorker = "coordinator"

func (c *crew) answer(ctx context.Context, t fleet.Task, beat func(int)) (json.RawMessage, error) {
	a, err := readAssignment(t)
	if err != nil {
		return nil, err
	}
	known, err := c.ledger.Trial(a.Trial)
	if err == nil && (known.Key != a.Key || a.Split == results.Search && known.State != results.Running) {
		err = errors.New("no longer wanted") // of a session before this one
	}
	if err != nil {
		return nil, fleet.Final{Err: err}
	}
	if !c.serving.TryLock() { // the winner is delivered: the task is one that nobody waits for
		return nil, fleet.Back{Err: errors.New("this server is at the winner")}
	}
	defer c.serving.Unlock()
	c.beat = beat
	took, err := c.perform(ctx, a, a.Trial)
	if err != nil {
		return nil, c.blame(ctx, err)
	}
	return json.Marshal(answers{Merge: took.merge, Swap: took.swap, Eval: took.eval, First: took.first})
}

// blame says whose fault an error is: the candidate's, everywhere; the server's,
// for good; or it is not known, and somebody else tries.
func (s *session) blame(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil, errors.Is(err, errFatal):
		return err
	case errors.Is(err, eval.ErrNotNumbers), errors.As(err, new(fleet.Final)):
		return fleet.Final{Err: err}
	case s.answers(ctx, s.parents()[0]):
		return fleet.Back{Err: err}
	}
	return err
}

// lanes is two for every worker.
func (c *crew) lanes() int { return min(mostLanes, 2*max(1, int(c.workers.Load()))) }

// delegate has an assignment done by whoever is free, and records the outcomes.
func (c *crew) delegate(ctx context.Context, a assignment, r *race) (spent, error) {
	recorded, err := c.outcomes(a.Trial, a.Split)
	if err != nil {
		return spent{}, fatal(err)
	}
	if len(c.course(a, r).next(recorded)) == 0 {
		return spent{}, nil
	}
	t, err := a.task()
	if err != nil {
		return spent{}, fatal(err)
	}
	result, err := c.hub.Do(ctx, t)
	if err != nil {
		return spent{}, fatal(err)
	}
	if result.Failed != "" {
		return spent{}, fmt.Errorf("worker %s: %s", result.Worker, result.Failed)
	}
	var given answers
	if err := json.Unmarshal(result.Payload, &given); err != nil {
		return spent{}, fatal(fmt.Errorf("worker %s: task %s: %w", result.Worker, t.ID, err))
	}
	took := spent{given.Merge, given.Swap, given.Eval, given.First}
	return took, c.record(ctx, a, result.Worker, given, r)
}

func (c *crew) course(a assignment, r *race) course {
	a.Race = nil // r is the same, and of this process
	s, err := c.courseOf(a)
	if err != nil || r == nil {
		return s
	}
	return r.course(s.items)
}

// record writes what a worker answered. The coordinator's own did so itself.
func (c *crew) record(ctx context.Context, a assignment, worker string, given answers, r *race) error {
	if worker != localWorker {
		for item, n := range given.Tokens {
			if err := c.noteTokens(counted{Trial: a.Trial, Item: item, Tokens: n}); err != nil {
				return err
			}
		}
		if err := c.ledger.Record(a.Trial, a.Split, given.Outcomes); err != nil {
			return fatal(err)
		}
		if a.Split != results.Search {
			if err := c.ledger.Event(secondsEvent, seconds{given.Merge, given.Swap, given.Eval, given.First}); err != nil {
				return fatal(err)
			}
		}
		if err := c.keepScores(ctx); err != nil {
			return err
		}
	}
	if err := c.ledger.Event(workerEvent, scoredBy{a.Trial, a.Split, worker}); err != nil {
		return fatal(err)
	}
	recorded, err := c.outcomes(a.Trial, a.Split)
	if err != nil {
		return fatal(err)
	}
	if left := c.course(a, r).next(recorded); len(left) > 0 {
		return fmt.Errorf("worker %s: %d items were not answered, the first %q", worker, len(left), left[0].ID)
	}
	return nil
}

// workerEvent says who scored what.
const workerEvent = "worker"

type scoredBy struct {
	Trial  int    `json:"trial"`
	Split  string `json:"split"`
	Worker string `json:"worker"`
}

// probeItems are asked of a new worker; so many of 100 may be scored otherwise than
// here: answers of other processors differ in a few items.
const (
	probeItems = 100
	tolerated  = 5
)

// admit judges a worker by a candidate whose outcomes the ledger has: the best one
// when it was asked, which may be another when it answers.
func (c *crew) admit(worker string, answer json.RawMessage) fleet.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	trial, asked := c.probes[worker]
	if answer == nil || !asked { // by a coordinator before this one
		trial, asked = c.incumbent()
		if !asked {
			return fleet.Verdict{} // later
		}
		c.probes[worker], answer = trial, nil
	}
	probe, known, err := c.probe(trial)
	if err != nil {
		return fleet.Verdict{Refused: err.Error()}
	}
	t, err := probe.task()
	if err != nil {
		return fleet.Verdict{Refused: err.Error()}
	}
	if answer == nil {
		return fleet.Verdict{Probe: &t}
	}
	delete(c.probes, worker)
	return c.judge(worker, known, answer)
}

// judge compares a worker's answer to its probe with what is known.
func (c *crew) judge(worker string, known []eval.Outcome, answer json.RawMessage) fleet.Verdict {
	var a answers
	if err := json.Unmarshal(answer, &a); err != nil {
		return fleet.Verdict{Refused: "its answer to the probe cannot be read: " + err.Error()}
	}
	differ := disagreement(known, a.Outcomes)
	if err := c.ledger.Event(probeEvent, probed{worker, differ, len(known)}); err != nil {
		return fleet.Verdict{Refused: err.Error()}
	}
	if allowed := max(1, tolerated*len(known)/100); differ > allowed {
		why := fmt.Sprintf("it scores %d of %d known items otherwise (%d are tolerated): other weights, or another server", differ, len(known), allowed)
		c.roster.quarantine(worker, why, time.Now())
		return fleet.Verdict{Refused: "quarantined: " + why}
	}
	fmt.Fprintf(c.info, "soup: worker %s has joined; %d of %d known items scored otherwise\n", worker, differ, len(known))
	return fleet.Verdict{Admitted: true}
}

// probeEvent says how well a new worker agreed.
const probeEvent = "probe"

type probed struct {
	Worker string `json:"worker"`
	Differ int    `json:"differ"`
	Of     int    `json:"of"`
}

// incumbent is the complete trial with the highest search score, the first of equals.
func (c *crew) incumbent() (best results.Trial, found bool) {
	for _, t := range c.trials {
		score, known := c.scores[t.Number]
		if t.State == results.Complete && known && (!found || score > c.scores[best.Number]) {
			best, found = t, true
		}
	}
	return best, found
}

// probe is a complete trial on the first items of the search, and what came of it.
func (c *crew) probe(t results.Trial) (assignment, []eval.Outcome, error) {
	outcomes, err := c.outcomes(t.Number, results.Search)
	if err != nil {
		return assignment{}, nil, err
	}
	a := newAssignment(-1, results.Search, candidate{t.Strategy, t.Label, t.Weights, t.Key}, nil)
	a.To = min(probeItems, len(outcomes), len(c.set.Search))
	of := map[string]eval.Outcome{}
	for _, o := range outcomes {
		of[o.ID] = o
	}
	var known []eval.Outcome
	for _, it := range c.set.Search[:a.To] {
		known = append(known, of[it.ID])
	}
	return a, known, nil
}

// disagreement counts items that are scored otherwise.
func disagreement(known []eval.Outcome, given []results.Outcome) (differ int) {
	scores := map[string]results.Outcome{}
	for _, o := range given {
		scores[o.Item] = o
	}
	for _, k := range known {
		if g, ok := scores[k.ID]; !ok || g.Scored() != k.Scored() || g.Scored() && abs(g.Score-k.Score) > 1e-6 {
			differ++
		}
	}
	return differ
}

func abs(x float64) float64 { return max(x, -x) }

// card is what workers are told of the study.
func (s *session) card() (fleet.Card, error) {
	settings, err := s.settings()
	if err != nil {
		return fleet.Card{}, err
	}
	about := studyCard{
		Text: s.config.Text, Names: s.pantry.names, Hashes: s.pantry.hashes, Base: s.pantry.baseID, Items: s.set, Settings: settings,
	}
	body, err := json.Marshal(about)
	return fleet.Card{Study: s.config.Study, Fingerprint: about.fingerprint(), Body: body}, err
}

// studyCard is the body of a study's card.
type studyCard struct {
	Text     string            `json:"text"` // of the study file; workers do not use its paths
	Names    []string          `json:"names"`
	Hashes   []string          `json:"hashes"`
	Base     string            `json:"base"` // content hash; "" for none
	Items    eval.Set          `json:"items"`
	Settings []results.Setting `json:"settings"`
}

// fingerprint is a hash of all that outcomes depend on.
func (c studyCard) fingerprint() string {
	h := sha256.New()
	fmt.Fprintf(h, "protocol %d\n%q\n%q\n", fleet.Protocol, c.Hashes, c.Base)
	for _, s := range c.Settings {
		fmt.Fprintf(h, "%q %q\n", s.Name, s.Value)
	}
	return hex.EncodeToString(h.Sum(nil))[:24]
}

// differs names the first setting that is another here; "" for none.
func (c studyCard) differs(here []results.Setting) string {
	mine := map[string]string{}
	for _, s := range here {
		mine[s.Name] = s.Value
	}
	for _, s := range c.Settings {
		if mine[s.Name] != s.Value {
			return fmt.Sprintf("%s: %s at the coordinator, %s here", s.Name, s.Value, cmp.Or(mine[s.Name], "none"))
		}
	}
	return ""
}
