package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Handler does a task. It calls beat whenever it got on, with how many items were
// answered since it last did: a worker of which nothing is heard for a while loses
// the task. An error that is a [Final] is the task's own fault; after any other the
// task goes to another worker, and unless it is a [Back] this one ends.
type Handler func(ctx context.Context, t Task, beat func(items int)) (json.RawMessage, error)

// Final is an error that every worker would meet with a task.
type Final struct{ Err error }

func (f Final) Error() string { return f.Err.Error() }
func (f Final) Unwrap() error { return f.Err }

// Back is an error that gives the task back: another worker may do better, and this
// one goes on with others.
type Back struct{ Err error }

func (b Back) Error() string { return b.Err.Error() }
func (b Back) Unwrap() error { return b.Err }

// ErrEnded says that the study has ended.
var ErrEnded = errors.New("the study has ended")

// ServeOptions say how a worker works.
type ServeOptions struct {
	Host, GPU, Server string // for people

	Trusted    bool          // takes tasks without a probe: the coordinator's own
	AckWait    time.Duration // the coordinator's; default 60 s
	Patience   time.Duration // without progress, after which a task is given up; default 15 min
	Deliveries int           // of one task, after which it has failed; default 5
	Lost       time.Duration // without the coordinator, after which the worker ends; default 10 min
	Warn       func(string)
}

const (
	defaultPatience   = 15 * time.Minute
	defaultDeliveries = 5
	defaultLost       = 10 * time.Minute
	presenceEvery     = 5 * time.Second
)

// What may be better soon is tried again after a while that doubles.
const (
	shortestWait = 50 * time.Millisecond
	longestWait  = 2 * time.Second
)

// errStuck says that a task did not get on.
var errStuck = errors.New("no progress")

// worker is a link at work.
type worker struct {
	*Link
	o       ServeOptions
	handler Handler
	seen    jetstream.KeyValue
	mu      sync.Mutex
	about   Presence
	working time.Duration // time with tasks, for the rate
	since   time.Time     // of the present task

	life      context.Context // of the worker
	published chan struct{}   // closed when the last result is stored
}

// Serve does tasks, one at a time, until ctx ends: then the task at hand goes back
// into the queue at once and ctx.Err() is returned. The end of the study is
// ErrEnded. Any other error says why this worker cannot go on.
func (l *Link) Serve(ctx context.Context, o ServeOptions, handler Handler) error {
	o.AckWait, o.Patience = cmp.Or(o.AckWait, defaultAckWait), cmp.Or(o.Patience, defaultPatience)
	o.Deliveries, o.Lost = cmp.Or(o.Deliveries, defaultDeliveries), cmp.Or(o.Lost, defaultLost)
	w := &worker{Link: l, o: o, handler: handler, about: Presence{Worker: l.name, Host: o.Host, GPU: o.GPU, Server: o.Server}}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.life, w.published = ctx, make(chan struct{})
	close(w.published)
	if err := w.watch(ctx, cancel); err != nil {
		return err
	}
	err := w.serve(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	cancel(nil)
	<-w.published
	w.leave()
	return err
}

// watch says every few seconds that the worker is there, and ends it when the study
// has ended or has been away for too long.
func (w *worker) watch(ctx context.Context, cancel context.CancelCauseFunc) (err error) {
	for end := time.Now().Add(w.o.Lost); ; { // the network may be cut already
		if w.seen, err = w.js.KeyValue(ctx, w.workers()); err == nil {
			break
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("queue: %w", err)
		}
		_ = pause(ctx, shortestWait)
	}
	go func() {
		select {
		case <-w.over:
			cancel(ErrEnded)
		case <-ctx.Done():
		}
	}()
	go func() {
		heard := time.Now()
		for ctx.Err() == nil {
			within, stop := context.WithTimeout(ctx, presenceEvery)
			err := w.show(within)
			stop()
			switch {
			case err == nil:
				heard = time.Now()
			case time.Since(heard) > w.o.Lost:
				cancel(fmt.Errorf("the coordinator cannot be reached for %s", w.o.Lost))
			}
			_ = pause(ctx, presenceEvery)
		}
	}()
	return nil
}

func (w *worker) show(ctx context.Context) error {
	w.mu.Lock()
	p := w.about
	took := w.working
	if !w.since.IsZero() {
		took += time.Since(w.since)
	}
	w.mu.Unlock()
	if took > 0 {
		p.PerSecond = float64(p.Items) / took.Seconds()
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = w.seen.Put(ctx, w.name, raw)
	return err
}

func (w *worker) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	_ = w.seen.Delete(ctx, w.name) // or it is forgotten after a while
}

func (w *worker) state(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.about.State != s && !w.since.IsZero() {
		w.working += time.Since(w.since)
		w.since = time.Time{}
	}
	w.about.State = s
	if s != waiting && s != probing {
		w.since = time.Now()
	}
}

const (
	waiting = "waiting"
	probing = "probing"
)

func (w *worker) serve(ctx context.Context) error {
	if !w.o.Trusted {
		w.state(probing)
		if err := w.apply(ctx); err != nil {
			return err
		}
	}
	w.state(waiting)
	for wait := shortestWait; ; wait = min(2*wait, longestWait) {
		consumer, err := w.js.Consumer(ctx, w.names.tasks(), w.fingerprint)
		if err == nil {
			err = w.pull(ctx, consumer)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, new(stopped)):
			return err
		case err != nil: // the server is away
			_ = pause(ctx, wait)
		}
	}
}

// stopped is why a worker cannot go on.
type stopped struct{ error }

func (s stopped) Unwrap() error { return s.error }

// pull takes tasks, one at a time: what is fetched ahead would wait here while
// others are idle.
func (w *worker) pull(ctx context.Context, consumer jetstream.Consumer) error {
	for ctx.Err() == nil {
		m, err := next(ctx, consumer)
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		if err := w.take(ctx, m); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// next waits a while for a task.
func next(ctx context.Context, consumer jetstream.Consumer) (jetstream.Msg, error) {
	within, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	m, err := consumer.Next(jetstream.FetchContext(within))
	switch {
	case err == nil:
		return m, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, nats.ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, jetstream.ErrNoMessages):
		return nil, nil
	}
	return nil, err
}

// take does a task and publishes what came of it. The result is stored before the
// task leaves the queue.
func (w *worker) take(ctx context.Context, m jetstream.Msg) error {
	var t Task
	if err := decode(m.Headers(), m.Data(), &t); err != nil {
		w.o.Warn("a task that cannot be read: " + err.Error())
		return m.Term()
	}
	about, err := m.Metadata()
	if err != nil {
		return err
	}
	w.state("task " + t.ID)
	defer w.state(waiting)
	if about.NumDelivered > 1 && w.isDone(ctx, t.ID) {
		return m.Ack()
	}
	if int(about.NumDelivered) > w.o.Deliveries {
		return w.publish(ctx, m, Result{Task: t.ID, Worker: w.name, Failed: fmt.Sprintf("given to %d workers, none of which finished it", w.o.Deliveries)})
	}
	payload, err := w.attend(ctx, t, func() { _ = m.InProgress() })
	var final Final
	switch {
	case ctx.Err() != nil:
		_ = m.Nak() // another worker takes it at once
		_ = w.nc.FlushTimeout(500 * time.Millisecond)
		return ctx.Err()
	case errors.Is(err, errStuck):
		return stopped{fmt.Errorf("task %s: %w", t.ID, err)}
	case errors.As(err, &final):
		return w.publish(ctx, m, Result{Task: t.ID, Worker: w.name, Failed: final.Error()})
	case err != nil:
		_ = m.NakWithDelay(w.o.AckWait / 10) // somebody else shall have it
		_ = w.nc.FlushTimeout(500 * time.Millisecond)
		if errors.As(err, new(Back)) {
			w.o.Warn("task " + t.ID + " is given back: " + err.Error())
			return nil
		}
		return stopped{fmt.Errorf("task %s: %w", t.ID, err)}
	}
	w.mu.Lock()
	w.about.Candidates++
	w.mu.Unlock()
	return w.publish(ctx, m, Result{Task: t.ID, Worker: w.name, Payload: payload})
}

// isDone says whether a task that comes again has a result: its acknowledgement was
// lost, perhaps this worker's own.
func (w *worker) isDone(ctx context.Context, task string) bool {
	select {
	case <-w.published:
	case <-ctx.Done():
		return false
	}
	results, err := w.js.Stream(ctx, w.names.results())
	if err != nil {
		return false
	}
	_, err = results.GetLastMsgForSubject(ctx, w.result(task))
	return err == nil
}

func (w *worker) publish(ctx context.Context, m jetstream.Msg, r Result) error {
	out, err := encode(w.result(r.Task), r)
	if err != nil {
		return err
	}
	if most := w.nc.MaxPayload(); int64(len(out.Data)) > most {
		r.Payload, r.Failed = nil, fmt.Sprintf("its result has %d bytes, the server takes %d (max_payload)", len(out.Data), most)
		if out, err = encode(w.result(r.Task), r); err != nil {
			return err
		}
	}
	select { // the one before
	case <-w.published:
	case <-ctx.Done():
		return ctx.Err()
	}
	w.published = make(chan struct{})
	go w.deliver(ctx, m, out, r.Task, w.published)
	return nil
}

// deliver stores a result, and only then takes its task out of the queue, while
// the worker is at the next one. Where the acknowledgement is lost, the task comes
// again and its first result stands.
func (w *worker) deliver(ctx context.Context, m jetstream.Msg, out *nats.Msg, task string, done chan struct{}) {
	defer close(done)
	stop := w.hold(ctx, m)
	defer stop()
	// One that is told to end may still hand over what it has.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(w.life, func() { time.AfterFunc(handover, cancel) })()
	if err := persist(ctx, w.js, out, "result-"+task); err == nil {
		_ = m.Ack()
	}
}

// handover is how long a worker that ends tries to deliver its last result.
const handover = 500 * time.Millisecond

// hold keeps a task while its result is on its way.
func (w *worker) hold(ctx context.Context, m jetstream.Msg) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for pause(ctx, w.o.AckWait/3) == nil {
			_ = m.InProgress()
		}
	}()
	return cancel
}

// attend runs the handler, and calls keep again and again for as long as it gets on.
func (w *worker) attend(ctx context.Context, t Task, keep func()) (json.RawMessage, error) {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	beats := make(chan int, 1)
	type answer struct {
		payload json.RawMessage
		err     error
	}
	done := make(chan answer, 1)
	go func() {
		payload, err := w.handler(within, t, func(items int) { w.beat(beats, items) })
		done <- answer{payload, err}
	}()
	stuck := time.NewTimer(w.o.Patience)
	held := time.NewTicker(w.o.AckWait / 3)
	defer stuck.Stop()
	defer held.Stop()
	for {
		select {
		case a := <-done:
			return a.payload, a.err
		case <-beats:
			stuck.Reset(w.o.Patience)
		case <-held.C:
			keep()
		case <-stuck.C:
			return nil, fmt.Errorf("%w for %s", errStuck, w.o.Patience)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (w *worker) beat(beats chan int, items int) {
	w.mu.Lock()
	w.about.Items += items
	w.mu.Unlock()
	select {
	case beats <- items:
	default:
	}
}

// apply asks to be admitted, until the coordinator has made up its mind.
func (w *worker) apply(ctx context.Context) error {
	a := application{Worker: w.name, Protocol: Protocol, Fingerprint: w.fingerprint}
	for wait := shortestWait; ; wait = min(2*wait, longestWait) {
		v, err := w.ask(ctx, a)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil || v == Verdict{}:
			_ = pause(ctx, wait)
		case v.Admitted:
			return nil
		case v.Refused != "":
			return stopped{errors.New("turned away by the coordinator: " + v.Refused)}
		default:
			if a.Answer, err = w.attend(ctx, *v.Probe, func() {}); err != nil {
				return stopped{fmt.Errorf("probe: %w", err)}
			}
		}
	}
}

func (w *worker) ask(ctx context.Context, a application) (v Verdict, err error) {
	m, err := encode(w.subject("admit"), a)
	if err != nil {
		return v, err
	}
	within, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	answer, err := w.nc.RequestMsgWithContext(within, m)
	if err != nil {
		return v, err
	}
	return v, decode(answer.Header, answer.Data, &v)
}
