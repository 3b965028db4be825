package llamaserver

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"soup/eval"
	"soup/eval/server/servertest"
)

// spoilable is the fake in router mode, for servertest to spoil.
func spoilable(t *testing.T) servertest.Fake {
	root := t.TempDir()
	folder := func(t *testing.T) string {
		models := filepath.Join(root, strings.NewReplacer("/", "_").Replace(t.Name()))
		if err := os.MkdirAll(models, 0o755); err != nil {
			t.Fatal(err)
		}
		return models
	}
	return servertest.Fake{
		New: func(t *testing.T, url string) eval.Server {
			s, err := New(Options{URL: url, Models: folder(t), Pause: time.Millisecond, LoadTimeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Well: func(t *testing.T) http.Handler {
			return &fake{t: t, status: unloaded, router: true, models: folder(t), shows: 3} // servertest makes each of them 10 MB long
		},
		A: weightsFile(t, "one"),
		B: weightsFile(t, "two"),
		Question: eval.Question{
			Request: user("1+1"), Labels: []string{"A", "B"}, Reference: "2", Continuations: []string{"ab", "ac"},
		},
		Asks: func(r *http.Request) bool { return r.URL.Path == "/completion" },
	}
}

func TestHostile(t *testing.T) { servertest.Hostile(t, spoilable(t)) }

func TestStale(t *testing.T) { servertest.Stale(t, spoilable(t)) }

// Scores do not depend on a connection that loses and changes replies.
func TestBadConnection(t *testing.T) {
	f := spoilable(t)
	var items []eval.Item
	for i := range 120 {
		it := eval.Item{ID: fmt.Sprint("item-", i), Category: "c", Prompt: fmt.Sprint(i, "+1"), Answer: "B", Metric: "exact"}
		if i%3 == 0 {
			it.Metric, it.Labels = "letter", []string{"A", "B", "C"}
		}
		items = append(items, it)
	}
	servertest.BadConnection(t, f, items)
}
