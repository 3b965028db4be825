package progress

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// buffer is a bytes.Buffer for two goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func play(r Reporter) {
	r.Phase("search", 0)
	r.Expect(5)
	r.Skip()
	r.Candidate(0, "single", "arith")
	r.Items(450, 900)
	r.Items(900, 900)
	r.Best(68.6, "arith")
	r.Done()
	r.Candidate(1, "uniform", "uniform")
	r.Items(300, 900)
}

func TestLine(t *testing.T) {
	r := &lines{}
	r.begin()
	play(r)
	r.now = func() time.Time { return r.start.Add(2 * time.Second) }
	want := "search: 2 of 5 candidates, 600 items/s, best 68.60 (arith), about 6s left"
	if got := r.line(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What earlier sessions measured counts until a candidate of this one is done, and
// in this phase only.
func TestKnownBefore(t *testing.T) {
	r := &lines{}
	r.begin()
	r.Phase("search", 4)
	r.Each(30 * time.Second)
	if got := r.left(); got != 2*time.Minute {
		t.Errorf("%v left before any is done", got)
	}
	r.Done()
	r.now = func() time.Time { return r.start.Add(2 * time.Second) }
	if got := r.left(); got != 6*time.Second {
		t.Errorf("%v left after one of 2 s", got)
	}
	r.Phase("selection", 4)
	if got := r.left(); got != 0 {
		t.Errorf("%v left in another phase", got)
	}
}

func TestLinesWithoutTerminal(t *testing.T) {
	var out buffer
	r := newLines(&out, time.Millisecond)
	play(r)
	deadline := time.Now().Add(5 * time.Second)
	for !strings.Contains(out.String(), "2 of 5 candidates") && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	r.Close()
	r.Close()
	if !strings.Contains(out.String(), "soup: search: 2 of 5 candidates") {
		t.Errorf("printed %q", out.String())
	}
}

func TestNewIsQuietOrPrintsLines(t *testing.T) {
	var out buffer
	quiet := New(&out, true)
	play(quiet)
	quiet.Close()
	if out.String() != "" {
		t.Errorf("quiet printed %q", out.String())
	}
	plain := New(&out, false)
	if _, ok := plain.(*lines); !ok {
		t.Errorf("a buffer is no terminal, got %T", plain)
	}
	plain.Close()
}

func TestBars(t *testing.T) {
	var out buffer
	b := newBars(&out)
	play(b)
	if got := b.present(); got != "300 of 900 items  uniform" {
		t.Errorf("present: %q", got)
	}
	b.Close()
	b.Close()
}
