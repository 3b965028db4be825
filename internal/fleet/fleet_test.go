package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// warnings collects what is said to people.
type warnings struct {
	mu   sync.Mutex
	list []string
}

func (w *warnings) add(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, s)
}

func (w *warnings) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.list, "\n")
}

const secret = "0123456789abcdef"

// openHub opens a queue that lets every worker in.
func openHub(t *testing.T, dir string, change func(*Options)) (*Hub, *warnings) {
	t.Helper()
	said := &warnings{}
	o := Options{
		ID: "night-1", Card: Card{Study: "night", Fingerprint: "f00d", Body: json.RawMessage(`{"a":1}`)}, Dir: dir,
		Listen: Listen{Address: "127.0.0.1:0", Token: secret}, AckWait: 300 * time.Millisecond, Warn: said.add,
		Admit: func(string, json.RawMessage) Verdict { return Verdict{Admitted: true} },
	}
	if change != nil {
		change(&o)
	}
	h, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h, said
}

func join(t *testing.T, h *Hub, name string) *Link {
	t.Helper()
	l, err := Join(t.Context(), Remote{URL: h.Address(), Token: secret}, "", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// double is a handler that answers numbers.
func double(_ context.Context, t Task, beat func(int)) (json.RawMessage, error) {
	beat(1)
	var n int
	if err := json.Unmarshal(t.Payload, &n); err != nil {
		return nil, err
	}
	return json.Marshal(2 * n)
}

// work serves in the background; stop ends the worker and returns why it ended.
func work(t *testing.T, l *Link, o ServeOptions, h Handler) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	o.AckWait, o.Warn = 300*time.Millisecond, func(s string) { t.Log(s) }
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx, o, h) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	return stop
}

func number(i int) Task {
	return Task{ID: fmt.Sprint("t", i), Payload: json.RawMessage(fmt.Sprint(i))}
}

// doAll has n tasks done and returns who did each.
func doAll(t *testing.T, h *Hub, n int) []Result {
	t.Helper()
	list := make([]Result, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			r, err := h.Do(t.Context(), number(i))
			if err != nil {
				t.Error(err)
			}
			list[i] = r
		})
	}
	all.Wait()
	return list
}

func TestTasksAreDone(t *testing.T) {
	h, _ := openHub(t, t.TempDir(), nil)
	for _, name := range []string{"a", "b", "c"} {
		work(t, join(t, h, name), ServeOptions{}, double)
	}
	for i, r := range doAll(t, h, 40) {
		if string(r.Payload) != fmt.Sprint(2*i) || r.Failed != "" || r.Worker == "" {
			t.Errorf("task %d: %+v", i, r)
		}
	}
}

func TestNoPort(t *testing.T) {
	h, _ := openHub(t, t.TempDir(), func(o *Options) { o.Listen = Listen{} })
	if h.Address() != "" || h.broker.Addr() != nil {
		t.Errorf("listens on %q, %v", h.Address(), h.broker.Addr())
	}
	work(t, h.Local("here"), ServeOptions{Trusted: true}, double)
	if r := doAll(t, h, 1)[0]; string(r.Payload) != "0" {
		t.Errorf("got %+v", r)
	}
}

// A worker that dies with a task, without a word: after AckWait another one has it.
func TestDeadWorker(t *testing.T) {
	h, _ := openHub(t, t.TempDir(), nil)
	dead, taken := join(t, h, "dead"), make(chan struct{})
	work(t, dead, ServeOptions{}, func(ctx context.Context, _ Task, _ func(int)) (json.RawMessage, error) {
		dead.nc.Close()
		close(taken)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	result := make(chan Result, 1)
	go func() {
		r, err := h.Do(context.Background(), number(4))
		if err != nil {
			t.Error(err)
		}
		result <- r
	}()
	<-taken
	work(t, join(t, h, "heir"), ServeOptions{}, double)
	if r := <-result; r.Worker != "heir" || string(r.Payload) != "8" {
		t.Errorf("got %+v", r)
	}
}

// A worker that is told to end hands its task over at once.
func TestDrain(t *testing.T) {
	h, _ := openHub(t, t.TempDir(), nil)
	taken := make(chan struct{})
	stop := work(t, join(t, h, "leaving"), ServeOptions{}, func(ctx context.Context, _ Task, _ func(int)) (json.RawMessage, error) {
		close(taken)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	result := make(chan Result, 1)
	go func() {
		r, err := h.Do(context.Background(), number(4))
		if err != nil {
			t.Error(err)
		}
		result <- r
	}()
	<-taken
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	work(t, join(t, h, "heir"), ServeOptions{}, double)
	if r := <-result; r.Worker != "heir" {
		t.Errorf("got %+v", r)
	}
}

// One that is stuck gives the task up and ends; while it gets on it keeps it for
// longer than AckWait.
func TestStuck(t *testing.T) {
	h, _ := openHub(t, t.TempDir(), nil)
	stop := work(t, join(t, h, "stuck"), ServeOptions{Patience: 50 * time.Millisecond}, func(ctx context.Context, _ Task, _ func(int)) (json.RawMessage, error) {
		<-ctx.Done()
		time.Sleep(time.Millisecond)
		return nil, ctx.Err()
	})
	calls := atomic.Int32{}
	slow := func(ctx context.Context, task Task, beat func(int)) (json.RawMessage, error) {
		calls.Add(1)
		for range 10 {
			beat(1)
			time.Sleep(60 * time.Millisecond)
		}
		return double(ctx, task, beat)
	}
	result := make(chan Result, 1)
	go func() {
		r, _ := h.Do(context.Background(), number(4))
		result <- r
	}()
	until(t, func() bool {
		info, err := h.tasks.Info(t.Context())
		return err == nil && info.State.Msgs == 1
	})
	time.Sleep(200 * time.Millisecond) // the stuck one has it by now; if not, the test is only easier
	work(t, join(t, h, "slow"), ServeOptions{}, slow)
	if r := <-result; r.Worker != "slow" || calls.Load() != 1 {
		t.Errorf("got %+v after %d calls", r, calls.Load())
	}
	if err := stop(); !errors.Is(err, errStuck) && !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// One that is stuck in its probe ends too.
func TestStuckProbe(t *testing.T) {
	h, _ := openHub(t, t.TempDir(), func(o *Options) {
		o.Admit = func(string, json.RawMessage) Verdict {
			probe := number(1)
			return Verdict{Probe: &probe}
		}
	})
	err := join(t, h, "stuck").Serve(t.Context(), ServeOptions{Patience: 20 * time.Millisecond}, func(ctx context.Context, _ Task, _ func(int)) (json.RawMessage, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if !errors.Is(err, errStuck) {
		t.Errorf("ended with %v", err)
	}
}

// A task that nobody survives has failed after a few workers; one that is broken
// has failed at once.
func TestPoison(t *testing.T) {
	h, _ := openHub(t, t.TempDir(), nil)
	poison := func(ctx context.Context, task Task, beat func(int)) (json.RawMessage, error) {
		switch task.ID {
		case "t1":
			return nil, errors.New("out of luck")
		case "t2":
			return nil, Final{errors.New("not numbers")}
		}
		return double(ctx, task, beat)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var workers sync.WaitGroup
	link := join(t, h, "again")
	workers.Go(func() { // as one that is started again by systemd or Slurm
		for ctx.Err() == nil {
			_ = link.Serve(ctx, ServeOptions{AckWait: 300 * time.Millisecond, Deliveries: 2}, poison)
		}
	})
	list := doAll(t, h, 4)
	cancel()
	workers.Wait()
	if !strings.Contains(list[1].Failed, "given to 2 workers") || list[2].Failed != "not numbers" {
		t.Errorf("got %+v", list)
	}
	if string(list[0].Payload) != "0" || string(list[3].Payload) != "6" {
		t.Errorf("the others: %+v", list)
	}
}

// The coordinator goes and comes back with the same address and folder: what was
// answered is not done again, what waits is done, and nothing is put twice.
func TestCoordinatorComesBack(t *testing.T) {
	dir := t.TempDir()
	h, _ := openHub(t, dir, nil)
	address := strings.TrimPrefix(h.Address(), "nats://")
	calls, gate := atomic.Int32{}, make(chan struct{})
	link := join(t, h, "w")
	work(t, link, ServeOptions{}, func(ctx context.Context, task Task, beat func(int)) (json.RawMessage, error) {
		calls.Add(1)
		if task.ID == "t1" {
			<-gate
		}
		return double(ctx, task, beat)
	})
	doAll(t, h, 1)
	cut, cancel := context.WithCancel(t.Context())
	both := make(chan error, 2)
	for i := 1; i <= 2; i++ { // the first is being done, the second waits
		go func() {
			_, err := h.Do(cut, number(i))
			both <- err
		}()
		until(t, func() bool {
			info, err := h.tasks.Info(t.Context())
			return err == nil && info.State.Msgs == uint64(i) && calls.Load() == 2
		})
	}
	cancel()
	for range 2 {
		if err := <-both; !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled task ends with %v", err)
		}
	}
	h.Close()
	close(gate)
	back, _ := openHub(t, dir, func(o *Options) { o.Listen.Address = address })
	for i, r := range doAll(t, back, 3) {
		if string(r.Payload) != fmt.Sprint(2*i) {
			t.Errorf("task %d: %+v", i, r)
		}
	}
	if n := calls.Load(); n != 3 {
		t.Errorf("%d tasks were done, want 3", n)
	}
}

func TestAdmission(t *testing.T) {
	asked := atomic.Int32{}
	h, said := openHub(t, t.TempDir(), func(o *Options) {
		o.Admit = func(worker string, answer json.RawMessage) Verdict {
			switch {
			case asked.Add(1) == 1:
				return Verdict{} // not yet
			case answer == nil:
				probe := number(21)
				return Verdict{Probe: &probe}
			case string(answer) != "42":
				return Verdict{Refused: "answers otherwise"}
			}
			return Verdict{Admitted: true}
		}
	})
	work(t, join(t, h, "honest"), ServeOptions{}, double)
	if r := doAll(t, h, 1)[0]; r.Worker != "honest" {
		t.Errorf("got %+v", r)
	}
	err := join(t, h, "liar").Serve(t.Context(), ServeOptions{}, func(context.Context, Task, func(int)) (json.RawMessage, error) {
		return json.RawMessage("41"), nil
	})
	if err == nil || !strings.Contains(err.Error(), "turned away by the coordinator: answers otherwise") {
		t.Errorf("the liar ended with %v", err)
	}
	if !strings.Contains(said.all(), "worker liar was turned away: answers otherwise") {
		t.Errorf("said %q", said.all())
	}
}

func TestWhoCannotJoin(t *testing.T) {
	h, said := openHub(t, t.TempDir(), nil)
	if _, err := Join(t.Context(), Remote{URL: h.Address()}, "", "stranger"); err == nil || !strings.Contains(err.Error(), "the token is missing or wrong") {
		t.Errorf("without a token: %v", err)
	}
	until(t, func() bool { return strings.Contains(said.all(), "a worker was turned away: ") })
	if _, err := Join(t.Context(), Remote{URL: h.Address(), Token: secret}, "day", "lost"); err == nil || !strings.Contains(err.Error(), `match "day"`) {
		t.Errorf("another study: %v", err)
	}
	if _, err := Join(t.Context(), Remote{URL: "nats://127.0.0.1:1", Wait: 20 * time.Millisecond}, "", "lost"); err == nil || !strings.Contains(err.Error(), "nats://127.0.0.1:1: no study waits for workers there: ") {
		t.Errorf("nobody there: %v", err)
	}
	list, err := h.js.KeyValue(t.Context(), studies)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list.Put(t.Context(), "night-1", []byte(`{"name":"night","protocol":99}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := Join(t.Context(), Remote{URL: h.Address(), Token: secret}, "", "old"); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("protocol version 99, this soup has %d", Protocol)) {
		t.Errorf("another version: %v", err)
	}
	until(t, func() bool { return strings.Contains(said.all(), "worker old does not join: ") })
}

// until waits for what must come.
func until(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come")
		}
	}
}

func TestListening(t *testing.T) {
	for address, want := range map[string]string{
		"0.0.0.0:0": "other machines can reach this address, and no token guards it",
		":0":        "other machines can reach this address",
		"nonsense":  "not HOST:PORT",
	} {
		_, err := Open(t.Context(), Options{ID: "x", Dir: t.TempDir(), Listen: Listen{Address: address}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := Open(t.Context(), Options{ID: "x", Dir: t.TempDir(), Listen: Listen{Address: "127.0.0.1:0", Cert: "x"}}); err == nil || !strings.Contains(err.Error(), "go together") {
		t.Errorf("certificate without a key: %v", err)
	}
}

func TestPresenceAndEnd(t *testing.T) {
	h, _ := openHub(t, t.TempDir(), nil)
	link, ended := join(t, h, "w"), make(chan error, 1)
	go func() {
		ended <- link.Serve(context.Background(), ServeOptions{Host: "box", Server: "embedded", Warn: func(string) {}}, double)
	}()
	until(t, func() bool {
		list, err := h.Workers(t.Context())
		return err == nil && len(list) == 1 && list[0].Host == "box" && !list[0].Seen.IsZero()
	})
	if err := h.Finish(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrEnded) {
		t.Errorf("ended with %v", err)
	}
	if _, err := Join(t.Context(), Remote{URL: h.Address(), Token: secret}, "", "late"); err == nil || !strings.Contains(err.Error(), "no study waits for workers there") {
		t.Errorf("after the end: %v", err)
	}
}
