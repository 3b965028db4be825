package wire

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"soup/eval"
)

// asked makes a client of a server that answers the n-th request, from 1, so.
func asked(t *testing.T, o Options, answer func(n int, w http.ResponseWriter, r *http.Request)) *Client {
	t.Helper()
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		answer(n, w, r)
	}))
	t.Cleanup(server.Close)
	o.URL = server.URL
	return client(t, o)
}

func write(w http.ResponseWriter, code int, text string) {
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}

func TestRetry(t *testing.T) {
	c := asked(t, Options{}, func(n int, w http.ResponseWriter, _ *http.Request) {
		switch n {
		case 1:
			write(w, 503, `{"error":"busy"}`)
		case 2:
			panic(http.ErrAbortHandler) // the connection ends
		case 3:
			write(w, 200, `{"a":1}{"a":1}`)
		case 4:
			write(w, 200, `{"a":"\u00`)
		default:
			write(w, 200, `{"a":1}`)
		}
	})
	var out struct{ A int }
	if err := c.Get(t.Context(), "/x", &out); err != nil || out.A != 1 {
		t.Errorf("%v %v", out, err)
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		code   int
		text   string
		is     error
		says   string
		always bool // one attempt tells it
	}{
		{"wrong request", 400, `{"error":{"message":"no such model"}}`, nil, "no such model", true},
		{"out of memory", 500, `{"error":"cudaMalloc failed: out of memory"}`, eval.ErrOutOfMemory, "cudaMalloc", true},
		{"server's own", 500, `oops`, eval.ErrServer, "oops", false},
		{"web page", 200, "<html>\n<body>hello", eval.ErrReply, "<html> <body>hello", false},
		{"wrong type", 200, `{"a":"one"}`, eval.ErrReply, "string", false},
		{"not text", 200, "{\"b\":\"\xff\"}", eval.ErrReply, "UTF-8", false},
		{"too long", 200, `{"b":"` + strings.Repeat("x", 2000) + `"}`, eval.ErrReply, "1000 bytes", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			attempts := 0
			c := asked(t, Options{Attempts: 2, MaxReply: 1000}, func(n int, w http.ResponseWriter, _ *http.Request) {
				attempts = n
				write(w, test.code, test.text)
			})
			var out struct{ A int }
			err := c.Post(t.Context(), "/x", map[string]int{"q": 1}, &out)
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v", err)
			}
			if want := map[bool]int{true: 1, false: 2}[test.always]; attempts != want {
				t.Errorf("%d attempts, want %d", attempts, want)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	c, err := New("test server", Options{URL: "http://127.0.0.1:1", Attempts: 2, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), "/x", nil); !errors.Is(err, eval.ErrUnreachable) {
		t.Errorf("error %v", err)
	}
}

func TestOtherHostsAreNotContacted(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("another host was contacted")
	}))
	defer elsewhere.Close()
	c := asked(t, Options{}, func(_ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	if err := c.Get(t.Context(), "/x", nil); err == nil {
		t.Error("a redirect is no error")
	}
	if reply, err := c.HTTP().Get(elsewhere.URL); err == nil { //nolint:noctx // it is refused before anything is sent
		reply.Body.Close()
		t.Error("another host is no error")
	}
}

func TestTimeoutIsTriedAgain(t *testing.T) {
	c := asked(t, Options{Timeout: 50 * time.Millisecond}, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			<-r.Context().Done()
			return
		}
		write(w, 200, `{}`)
	})
	if err := c.Get(t.Context(), "/x", nil); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, url := range []string{"", "localhost:8080", "ftp://x", "http://", ":"} {
		if _, err := New("test server", Options{URL: url}); err == nil {
			t.Errorf("%q is no error", url)
		}
	}
}
