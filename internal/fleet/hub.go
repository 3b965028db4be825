package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options say how a coordinator opens its queue.
type Options struct {
	ID     string // of the study in the queue: letters, digits and hyphens; the same each time it goes on
	Card   Card
	Dir    string  // the study's folder, where an embedded server keeps its files
	Listen Listen  // of the embedded server
	Remote *Remote // nil: the embedded server
	// Admit judges a worker: first without an answer, then with that to the probe
	// which it was given.
	Admit func(worker string, answer json.RawMessage) Verdict
	// Files are those of a set that workers may copy; nil: none.
	Files func(set string) (Files, error)
	Warn  func(string)

	AckWait time.Duration // after which a task is given to another worker if nothing is heard of the one that has it; default 60 s
}

const (
	defaultAckWait = 60 * time.Second
	presenceTTL    = 30 * time.Second
	resultsFor     = 7 * 24 * time.Hour
)

// Hub is the coordinator's end of the queue. It is safe for concurrent use.
type Hub struct {
	names
	o      Options
	broker *broker // nil with a Remote
	nc     *nats.Conn
	js     jetstream.JetStream
	tasks  jetstream.Stream
	result jetstream.Stream
	seen   jetstream.KeyValue
	end    func()

	mu      sync.Mutex
	queued  map[string]bool        // tasks that were in the queue when it was opened
	stored  map[string]bool        // results likewise
	waiting map[string]chan Result // by task
}

// Open opens the queue. Tasks and results that an earlier coordinator of the study
// left there are kept.
func Open(ctx context.Context, o Options) (*Hub, error) {
	o.Card.Protocol = Protocol
	o.AckWait = cmp.Or(o.AckWait, defaultAckWait)
	h := &Hub{names: names{o.ID, o.Card.Fingerprint}, o: o, waiting: map[string]chan Result{}, end: func() {}}
	for _, step := range []func(context.Context) error{h.connect, h.openStreams, h.openResults, h.announce} {
		if err := step(ctx); err != nil {
			h.Close()
			return nil, fmt.Errorf("queue: %w", err)
		}
	}
	return h, nil
}

func (h *Hub) connect(ctx context.Context) (err error) {
	if h.o.Remote != nil {
		h.nc, err = h.o.Remote.connect(ctx, "soup coordinator")
	} else {
		var dir string
		if dir, err = storeDir(h.o.Dir); err != nil {
			return err
		}
		if h.broker, err = startBroker(dir, h.o.Listen, h.o.Warn); err != nil {
			return err
		}
		h.nc, err = nats.Connect("", nats.InProcessServer(h.broker), nats.Name("soup coordinator"), h.broker.own, nats.MaxReconnects(-1))
	}
	if err != nil {
		return err
	}
	h.js, err = jetstream.New(h.nc)
	return err
}

func (h *Hub) openStreams(ctx context.Context) (err error) {
	replicas := 1
	if h.tasks, err = h.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: h.names.tasks(), Subjects: []string{h.subject("task.>")}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: replicas,
	}); err != nil {
		return err
	}
	// One consumer a fingerprint: a worker with other files cannot be given the task.
	if _, err = h.tasks.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: h.fingerprint, FilterSubject: h.taskPrefix() + ">", AckPolicy: jetstream.AckExplicitPolicy, AckWait: h.o.AckWait, MaxAckPending: 1000,
	}); err != nil {
		return err
	}
	if h.result, err = h.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: h.names.results(), Subjects: []string{h.resultPrefix() + ">"}, Storage: jetstream.FileStorage, MaxAge: resultsFor, MaxMsgsPerSubject: 1,
		Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgs: -1, Replicas: replicas,
	}); err != nil {
		return err
	}
	h.seen, err = h.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: h.workers(), TTL: presenceTTL, Storage: jetstream.MemoryStorage})
	return err
}

// openResults finds out what is there, and has later results delivered.
func (h *Hub) openResults(ctx context.Context) error {
	var err error
	if h.queued, _, err = present(ctx, h.tasks, h.taskPrefix()); err != nil {
		return err
	}
	var last uint64
	if h.stored, last, err = present(ctx, h.result, h.resultPrefix()); err != nil {
		return err
	}
	later, err := h.result.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: last + 1})
	if err != nil {
		return err
	}
	consuming, err := later.Consume(h.receive)
	if err != nil {
		return err
	}
	h.end = consuming.Stop
	return nil
}

// present are the ids that a stream has messages of.
func present(ctx context.Context, s jetstream.Stream, prefix string) (map[string]bool, uint64, error) {
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(prefix+">"))
	if err != nil {
		return nil, 0, err
	}
	ids := map[string]bool{}
	for subject := range info.State.Subjects {
		ids[strings.TrimPrefix(subject, prefix)] = true
	}
	return ids, info.State.LastSeq, nil
}

// announce lists the study and lets workers ask to be admitted.
func (h *Hub) announce(ctx context.Context) error {
	store, err := h.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: h.cards()})
	if err != nil {
		return err
	}
	if _, err := h.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: h.pieces(), TTL: piecesFor}); err != nil {
		return err
	}
	card, err := encode("", h.o.Card)
	if err != nil {
		return err
	}
	if _, err := store.PutBytes(ctx, cardName(card), card.Data); err != nil {
		return err
	}
	if _, err := h.nc.Subscribe(h.subject("admit"), h.admit); err != nil {
		return err
	}
	if _, err := h.nc.Subscribe(h.subject("copy"), h.offer); err != nil {
		return err
	}
	if _, err := h.nc.Subscribe(h.subject("refused"), func(m *nats.Msg) { h.o.Warn(string(m.Data)) }); err != nil {
		return err
	}
	list, err := h.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: studies})
	if err != nil {
		return err
	}
	entry, err := json.Marshal(listing{h.o.Card.Study, Protocol, h.fingerprint})
	if err != nil {
		return err
	}
	_, err = list.Put(ctx, h.id, entry)
	return err
}

// cardName tells whether the card is packed.
func cardName(m *nats.Msg) string {
	if m.Header.Get("Content-Encoding") != "" {
		return "card.gz"
	}
	return "card"
}

// admit answers a worker that wants tasks.
func (h *Hub) admit(m *nats.Msg) {
	var a application
	verdict := Verdict{}
	switch err := decode(m.Header, m.Data, &a); {
	case err != nil:
		verdict.Refused = "not understood: " + err.Error()
	case a.Protocol != Protocol:
		verdict.Refused = fmt.Sprintf("protocol version %d, the coordinator has %d", a.Protocol, Protocol)
	case a.Fingerprint != h.fingerprint:
		verdict.Refused = "its parents, items or server are not those of the study"
	default:
		verdict = h.o.Admit(a.Worker, a.Answer)
	}
	if verdict.Refused != "" {
		h.o.Warn("worker " + a.Worker + " was turned away: " + verdict.Refused)
	}
	if answer, err := encode(m.Reply, verdict); err == nil {
		_ = m.RespondMsg(answer) // one that does not get it asks again
	}
}

// receive takes in a result.
func (h *Hub) receive(m jetstream.Msg) {
	var r Result
	if err := decode(m.Headers(), m.Data(), &r); err != nil {
		h.o.Warn("a result that cannot be read: " + err.Error())
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if waiting, ok := h.waiting[r.Task]; ok {
		delete(h.waiting, r.Task)
		waiting <- r
		return
	}
	h.stored[r.Task] = true // of a coordinator before this one
}

// Do has a task done and returns its result.
func (h *Hub) Do(ctx context.Context, t Task) (Result, error) {
	answer, err := h.Put(ctx, t)
	if err != nil {
		return Result{}, err
	}
	select {
	case r := <-answer:
		return r, nil
	case <-ctx.Done():
		h.forget(t.ID)
		return Result{}, ctx.Err()
	}
}

// Put has a task done and returns where its result will come, once. One that an
// earlier coordinator put is not put again, and one that was answered is not done
// again.
func (h *Hub) Put(ctx context.Context, t Task) (<-chan Result, error) {
	answer, stored, queued := h.expect(t.ID)
	var err error
	switch {
	case stored:
		var r Result
		if r, err = h.fetch(ctx, t.ID); err == nil {
			answer <- r
		}
	case !queued:
		err = h.put(ctx, t)
	}
	if err != nil {
		h.forget(t.ID)
		return nil, err
	}
	return answer, nil
}

// expect registers for a result, unless it is there.
func (h *Hub) expect(id string) (answer chan Result, stored, queued bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	answer = make(chan Result, 1)
	if stored = h.stored[id]; !stored {
		h.waiting[id] = answer
	}
	return answer, stored, h.queued[id]
}

func (h *Hub) forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, id)
}

func (h *Hub) fetch(ctx context.Context, id string) (r Result, err error) {
	m, err := h.result.GetLastMsgForSubject(ctx, h.names.result(id))
	if err != nil {
		return r, fmt.Errorf("queue: result of task %s: %w", id, err)
	}
	return r, decode(m.Header, m.Data, &r)
}

func (h *Hub) put(ctx context.Context, t Task) error {
	m, err := encode(h.task(t.ID), t)
	if err != nil {
		return err
	}
	if most := h.nc.MaxPayload(); int64(len(m.Data)) > most {
		return fmt.Errorf("queue: task %s has %d bytes, the server takes %d (max_payload)", t.ID, len(m.Data), most)
	}
	return persist(ctx, h.js, m, t.ID)
}

// persist publishes until the server has stored the message, also across its
// restarts. A result that is there already counts as stored.
func persist(ctx context.Context, js jetstream.JetStream, m *nats.Msg, id string) error {
	for wait := shortestWait; ; wait = min(2*wait, longestWait) {
		within, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, err := js.PublishMsg(within, m, jetstream.WithMsgID(id))
		cancel()
		var api *jetstream.APIError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &api) && api.ErrorCode == storeFailed && strings.Contains(api.Description, oneEach):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &api) && api.Code == 400, errors.Is(err, nats.ErrMaxPayload):
			return fmt.Errorf("queue: task %s: %w", id, err)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// What the server says where a stream that holds one message a subject has it: its
// code for a store that failed (JSStreamStoreFailedF), and why.
const (
	storeFailed jetstream.ErrorCode = 10077
	oneEach                         = "maximum messages per subject"
)

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Workers are those that were heard of lately, by name.
func (h *Hub) Workers(ctx context.Context) ([]Presence, error) {
	keys, err := h.seen.ListKeys(ctx)
	if err != nil {
		return nil, err
	}
	var list []Presence
	for key := range keys.Keys() {
		entry, err := h.seen.Get(ctx, key)
		if err != nil { // gone meanwhile
			continue
		}
		var p Presence
		if json.Unmarshal(entry.Value(), &p) == nil {
			p.Seen = entry.Created()
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Presence) int { return cmp.Compare(a.Worker, b.Worker) })
	return list, nil
}

// Address is where workers join; "" if no port is open.
func (h *Hub) Address() string {
	switch {
	case h.o.Remote != nil:
		return h.o.Remote.URL
	case h.o.Listen.Address == "":
		return ""
	}
	return reachable(h.broker.ClientURL())
}

// Finish tells the workers that there is nothing more to do, and removes the study
// from the queue.
func (h *Hub) Finish(ctx context.Context) error {
	list, err := h.js.KeyValue(ctx, studies)
	if err == nil {
		err = list.Purge(ctx, h.id)
	}
	_ = h.nc.Publish(h.subject("end"), nil)
	_ = h.nc.FlushTimeout(time.Second)
	h.farewell(ctx)
	h.end() // or it looks for its stream again, for a second
	for _, name := range []string{h.names.tasks(), h.names.results()} {
		err = errors.Join(err, h.js.DeleteStream(ctx, name))
	}
	return errors.Join(err, h.js.DeleteKeyValue(ctx, h.workers()), h.js.DeleteObjectStore(ctx, h.cards()), h.js.DeleteObjectStore(ctx, h.pieces()))
}

// farewell waits a moment for the workers to go: they must hear the end before the
// server does.
func (h *Hub) farewell(ctx context.Context) {
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		if list, err := h.Workers(ctx); err != nil || len(list) == 0 || pause(ctx, 20*time.Millisecond) != nil {
			return
		}
	}
}

// Close ends the coordinator's part; tasks and results stay in the queue.
func (h *Hub) Close() {
	h.end()
	if h.nc != nil {
		h.nc.Close()
	}
	if h.broker != nil {
		h.broker.end()
	}
}
