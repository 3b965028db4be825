package ollama

import (
	"net/http"
	"testing"
	"time"

	"soup/eval"
	"soup/eval/server/servertest"
)

// spoilable is the fake as a server elsewhere, to which candidates are uploaded,
// for servertest to spoil.
func spoilable(t *testing.T) servertest.Fake {
	alone(t)
	return servertest.Fake{
		New: func(t *testing.T, url string) eval.Server {
			s, err := New(Options{URL: url, Pause: time.Millisecond, Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Well: func(t *testing.T) http.Handler { return newFake(t) },
		A:    eval.Model{Path: converted(t, "finetune/arith")},
		B:    eval.Model{Path: converted(t, "finetune/order")},
		Question: eval.Question{
			Request: user("odd A big B star"), Labels: []string{"A", "B"},
		},
	}
}

func TestHostile(t *testing.T) { servertest.Hostile(t, spoilable(t)) }
