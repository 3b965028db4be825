package openai

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"soup/eval"
	"soup/eval/server/servertest"
)

// spoilable is a fake for servertest to spoil; its swap always gets through.
func spoilable(t *testing.T, text, chat string) servertest.Fake {
	var fakes sync.Map // by the name of the test that it was made for
	return servertest.Fake{
		New: func(t *testing.T, url string) eval.Server {
			f, _ := fakes.Load(t.Name())
			swap := func(_ context.Context, path string) error {
				f := f.(*fake)
				f.mu.Lock()
				defer f.mu.Unlock()
				f.weights = filepath.Base(path)
				return nil
			}
			s, err := New(Options{URL: url, Swap: swap, Pause: time.Millisecond, Wait: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Well: func(t *testing.T) http.Handler {
			f := &fake{t: t, text: text, chat: chat, most: 20, show: 3, weights: "none"} // servertest makes each token 10 MB long
			fakes.Store(t.Name(), f)
			return f
		},
		A: model(t, "a"), B: model(t, "b"),
		Question: eval.Question{Request: user("1+1"), Labels: strings.Split("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "")},
		Asks:     func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/completions") },
	}
}

func TestHostile(t *testing.T) { servertest.Hostile(t, spoilable(t, "legacy", "content")) }

func TestStale(t *testing.T) {
	for _, c := range [][2]string{{"legacy", "content"}, {"missing", "content"}, {"none", "none"}} {
		t.Run(c[0]+" "+c[1], func(t *testing.T) { servertest.Stale(t, spoilable(t, c[0], c[1])) })
	}
}

// Scores do not depend on a connection that loses and changes replies.
func TestBadConnection(t *testing.T) {
	var items []eval.Item
	for i := range 120 {
		it := eval.Item{ID: fmt.Sprint("item-", i), Category: "c", Prompt: fmt.Sprint(i, "+1"), Answer: "B", Metric: "exact"}
		if i%3 == 0 {
			it.Metric, it.Labels = "letter", strings.Split("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "")
		}
		items = append(items, it)
	}
	f := spoilable(t, "legacy", "content")
	servertest.BadConnection(t, f, items)
}
