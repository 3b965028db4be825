package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"soup/internal/usage"
)

// Link is a worker's end of the queue.
type Link struct {
	names
	Card Card
	name string
	nc   *nats.Conn
	js   jetstream.JetStream
	over chan struct{} // closed when the study has ended; nil in the coordinator's process
}

// Join reads the card of a study; "" for the only one there is. What is wrong with
// it is said to the coordinator as well.
func Join(ctx context.Context, r Remote, study, worker string) (*Link, error) {
	for end := time.Now().Add(r.Wait); ; {
		l, err := joinOnce(ctx, r, study, worker)
		if err == nil || !errors.Is(err, errAbsent) || time.Now().After(end) {
			return l, err
		}
		if err := pause(ctx, min(200*time.Millisecond, r.Wait/10)); err != nil {
			return nil, err
		}
	}
}

// errAbsent says that nobody is at an address yet.
var errAbsent = errors.New("no study waits for workers there")

func joinOnce(ctx context.Context, r Remote, study, worker string) (*Link, error) {
	nc, err := r.connect(ctx, "soup worker "+worker)
	if err != nil {
		return nil, err
	}
	l := &Link{name: worker, nc: nc}
	err = l.open(ctx, r, study)
	if err == nil {
		return l, nil
	}
	l.Close()
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil { // it does not answer
		err = fmt.Errorf("%s: %w: %w", r.URL, errAbsent, err)
	}
	return nil, err
}

// Local is the link of a worker in the coordinator's own process.
func (h *Hub) Local(worker string) *Link {
	return &Link{names: h.names, Card: h.o.Card, name: worker, nc: h.nc, js: h.js}
}

func (l *Link) open(ctx context.Context, r Remote, study string) (err error) {
	if l.js, err = jetstream.New(l.nc); err != nil {
		return err
	}
	list, err := l.js.KeyValue(ctx, studies)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return noStudy(r.URL)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.URL, err)
	}
	entry, err := chosen(ctx, list, r.URL, study)
	if err != nil {
		return err
	}
	l.names = names{entry.id, entry.Fingerprint}
	if err := l.watchEnd(ctx, list, r.URL); err != nil {
		return err
	}
	if entry.Protocol != Protocol {
		err := fmt.Errorf("%s: study %s speaks protocol version %d, this soup has %d: use the same version of soup on both", r.URL, entry.Name, entry.Protocol, Protocol)
		l.Refuse(err)
		return err
	}
	return l.readCard(ctx)
}

// watchEnd hears the end of the study from now on, also while the worker prepares
// itself.
func (l *Link) watchEnd(ctx context.Context, list jetstream.KeyValue, url string) error {
	l.over = make(chan struct{})
	end := sync.OnceFunc(func() { close(l.over) })
	_, err := l.nc.Subscribe(l.subject("end"), func(*nats.Msg) { end() })
	if err == nil {
		err = l.nc.FlushTimeout(10 * time.Second)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if _, err := list.Get(ctx, l.id); errors.Is(err, jetstream.ErrKeyNotFound) {
		return noStudy(url)
	} else if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}

func noStudy(url string) error {
	return fmt.Errorf("%s: %w", url, errAbsent)
}

type named struct {
	listing
	id string
}

// chosen is the study of a name, or the only one.
func chosen(ctx context.Context, list jetstream.KeyValue, url, study string) (named, error) {
	keys, err := list.ListKeys(ctx)
	if err != nil {
		return named{}, err
	}
	var found []named
	var have []string
	for id := range keys.Keys() {
		entry, err := list.Get(ctx, id)
		if err != nil { // gone meanwhile
			continue
		}
		n := named{id: id}
		if err := json.Unmarshal(entry.Value(), &n.listing); err != nil {
			return n, fmt.Errorf("%s: study %s: %w", url, id, err)
		}
		have = append(have, n.Name)
		if study == "" || study == n.Name {
			found = append(found, n)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(have) == 0:
		return named{}, noStudy(url)
	}
	return named{}, &usage.Error{Message: fmt.Sprintf("%s: %d of its studies match %q", url, len(found), study), Advice: "name one with --study: " + strings.Join(have, ", ")}
}

func (l *Link) readCard(ctx context.Context) error {
	store, err := l.js.ObjectStore(ctx, l.cards())
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	header := nats.Header{}
	raw, err := store.GetBytes(ctx, "card")
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		header.Set("Content-Encoding", "gzip")
		raw, err = store.GetBytes(ctx, "card.gz")
	}
	if err == nil {
		err = decode(header, raw, &l.Card)
	}
	if err != nil {
		return fmt.Errorf("queue: what the study is: %w", err)
	}
	return nil
}

// Refuse tells the coordinator why this worker cannot help.
func (l *Link) Refuse(why error) {
	_ = l.nc.Publish(l.subject("refused"), []byte("worker "+l.name+" does not join: "+why.Error()))
	_ = l.nc.FlushTimeout(5 * time.Second)
}

// Close ends the connection.
func (l *Link) Close() { l.nc.Close() }
