package results

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Every row is there, once, in the documented order and with every digit.
func TestWriteJSONLines(t *testing.T) {
	l, _ := everyState(t, nil)
	must(t, l.Event("note", "so"))
	must(t, l.SetWinner(Winner{Trial: 0, Path: "winner", SHA256: "aa", Reason: json.RawMessage(`"why"`)}))
	var text bytes.Buffer
	must(t, l.WriteJSONLines(t.Context(), &text))
	var kinds []string
	counts := map[string]int{}
	for line := range strings.Lines(text.String()) {
		var x map[string]any
		must(t, json.Unmarshal([]byte(line), &x))
		kind := x["type"].(string)
		if counts[kind]++; counts[kind] == 1 {
			kinds = append(kinds, kind)
		}
	}
	if got, want := strings.Join(kinds, " "), "study parent item trial outcome event winner"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
	// Outcomes: 3 and 3 of the complete trials, 1 of the pruned, 2 of the running one, and 1 on test.
	for kind, want := range map[string]int{"study": 1, "parent": 2, "item": 4, "trial": 6, "outcome": 10, "event": 2, "winner": 1} {
		if counts[kind] != want {
			t.Errorf("%d lines of %s, want %d", counts[kind], kind, want)
		}
	}
	for _, want := range []string{
		`"seed":"18446744073709551615"`, `"settings":{"items":"sha256:aa","store":"bfloat16"}`, `"weights":[[0.1,0.9]],"groups":null,"state":"cached","of":0`,
		`{"type":"outcome","trial":0,"item":"y","state":"timeout","score":null,"soft":null,`, `"kind":"note","detail":"so"`, `{"type":"item","item":"t","category":"a","cluster":"","split":"test"}`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %s in\n%s", want, &text)
		}
	}
	if strings.Contains(text.String(), "ckpt/") {
		t.Error("it says where things lie")
	}
}

// Labels stand with their outcome; ledgers that have none, also of old formats, say
// null.
func TestWriteJSONLinesHasLabels(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir)
	must(t, err)
	must(t, l.Begin(someStudy()))
	completed(t, l, 0)
	must(t, l.Record(0, Test, []Outcome{
		{Item: "p", Category: "c", State: OK, Labels: &LabelScores{LogProbs: []float64{-0.5, -1.25}, Right: 1}}, {Item: "q", Category: "c", State: OK},
	}))
	labels := func(l *Ledger, item string) string {
		var text bytes.Buffer
		must(t, l.WriteJSONLines(t.Context(), &text))
		_, line, _ := strings.Cut(text.String(), `{"type":"outcome","trial":0,"item":"`+item+`"`)
		_, labels, _ := strings.Cut(strings.SplitN(line, "\n", 2)[0], `,"labels":`)
		return labels
	}
	if got := labels(l, "p") + labels(l, "q"); got != `[-0.5,-1.25],"right":1}null,"right":null}` {
		t.Error(got)
	}
	must(t, l.Close())
	downgrade(t, dir)
	old, err := OpenReadOnly(dir)
	must(t, err)
	if got := labels(old, "p"); got != `null,"right":null}` {
		t.Error(got)
	}
	must(t, old.Close())
}

func TestWriteJSONLinesStops(t *testing.T) {
	l, _ := everyState(t, nil)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := l.WriteJSONLines(stopped, io.Discard); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	broken := errors.New("no room")
	if err := l.WriteJSONLines(t.Context(), failing{broken}); !errors.Is(err, broken) {
		t.Error(err)
	}
	must(t, l.Event("after", nil)) // the ledger is free again
	if err := open(t, t.TempDir()).WriteJSONLines(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "no study") {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Memory does not grow with the ledger: 16 MB of answers are written with less
// than a quarter of that.
func TestWriteJSONLinesIsBounded(t *testing.T) {
	l := begun(t)
	const trials, items, long = 8, 1000, 2000
	answer := strings.Repeat("a", long)
	batch := make([]Outcome, items)
	for i := range batch {
		batch[i] = Outcome{Item: strconv.Itoa(i), Category: "c", State: OK, Answer: answer}
	}
	for n := range trials {
		must(t, l.Start(candidate(n)))
		must(t, l.Record(n, Search, batch))
	}
	peak := peakWriter{}
	must(t, l.WriteJSONLines(t.Context(), &peak))
	if peak.bytes < trials*items*long {
		t.Fatalf("%d bytes were written", peak.bytes)
	}
	if most := 4 << 20; peak.heap > uint64(most) {
		t.Errorf("the heap grew by %d MB", peak.heap>>20)
	}
}

// peakWriter looks at the heap every MB.
type peakWriter struct {
	bytes, seen int
	start, heap uint64
}

func (p *peakWriter) Write(b []byte) (int, error) {
	if p.bytes += len(b); p.bytes-p.seen > 1<<20 || p.start == 0 {
		p.seen = p.bytes
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if p.start == 0 {
			p.start = m.HeapAlloc
		}
		p.heap = max(p.heap, m.HeapAlloc-min(p.start, m.HeapAlloc))
	}
	return len(b), nil
}
