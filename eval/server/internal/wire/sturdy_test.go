package wire

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"soup/eval"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// listen gives every connection to serve; how many they were is counted.
func listen(t *testing.T, serve func(net.Conn)) (url string, connections *atomic.Int64) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int64)
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			wait.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				serve(c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wait.Wait() })
	return "http://" + l.Addr().String(), connections
}

// says answers each connection with a text, after it has read something.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, text)
	}
}

func client(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	c, err := New("test server", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// A dead server is asked by one request at a time once ten have failed, and by
// all again as soon as that one is answered.
func TestBreaker(t *testing.T) {
	var well atomic.Bool
	url, connections := listen(t, func(c net.Conn) {
		if well.Load() {
			says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")(c)
		}
	})
	c := client(t, Options{URL: url, Attempts: 1})
	for range defaultTrip {
		if err := c.Get(t.Context(), "/", nil); !errors.Is(err, eval.ErrUnreachable) || strings.Contains(err.Error(), "not tried") {
			t.Fatal(err)
		}
	}
	before := connections.Load()
	start := time.Now()
	var wait sync.WaitGroup
	var untried atomic.Int64
	for range 200 {
		wait.Go(func() {
			err := c.Get(t.Context(), "/", nil)
			if !errors.Is(err, eval.ErrUnreachable) || strings.Contains(err.Error(), "\n") {
				t.Error(err)
			}
			if strings.Contains(err.Error(), "nothing has answered") {
				untried.Add(1)
			}
		})
	}
	wait.Wait()
	if made := connections.Load() - before; made == 0 || made > 20 || untried.Load() < 150 || time.Since(start) > 10*time.Second {
		t.Errorf("%d requests of 200 were made, %d were not, in %s", made, untried.Load(), time.Since(start))
	}
	well.Store(true)
	for deadline := time.Now().Add(10 * time.Second); c.Get(t.Context(), "/", nil) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("never tried again")
		}
	}
	for range 50 {
		wait.Go(func() {
			if err := c.Get(t.Context(), "/", nil); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

// A server that says no is not a dead one, nor is a caller that gives up.
func TestBreakerCountsOnlySilence(t *testing.T) {
	c := asked(t, Options{Attempts: 1, Trip: 2}, func(_ int, w http.ResponseWriter, _ *http.Request) { write(w, 500, "no") })
	for range 5 {
		if err := c.Get(t.Context(), "/", nil); !errors.Is(err, eval.ErrServer) {
			t.Error(err)
		}
	}
	url, connections := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	c = client(t, Options{URL: url, Attempts: 1, Trip: 2})
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := c.Get(ctx, "/", nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, eval.ErrUnreachable) {
			t.Error(err)
		}
	}
	if connections.Load() != 5 {
		t.Errorf("%d requests of 5 were made", connections.Load())
	}
}

func TestRetryAfter(t *testing.T) {
	var first, second time.Time
	c := asked(t, Options{}, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			first = time.Now()
			w.Header().Set("Retry-After", "1")
			write(w, 429, `{"error":"busy"}`)
			return
		}
		second = time.Now()
		write(w, 200, `{}`)
	})
	if err := c.Get(t.Context(), "/", nil); err != nil || second.Sub(first) < time.Second {
		t.Errorf("%v, asked again after %s", err, second.Sub(first))
	}
	for header, want := range map[string][2]time.Duration{
		"": {0, 0}, "7": {7 * time.Second, 7 * time.Second}, "-3": {0, 0}, "soon": {0, 0}, "99999999999999999999": {0, 0},
		"999999999": {1 << 20 * time.Second, 1 << 20 * time.Second},
		time.Now().Add(time.Hour).UTC().Format(http.TimeFormat): {59 * time.Minute, time.Hour},
	} {
		if got := retryAfter(header); got < want[0] || got > want[1] {
			t.Errorf("%q: %s", header, got)
		}
	}
	// A pause that is longer than what is left is not waited for.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c = asked(t, Options{}, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		write(w, 503, `{"error":"later"}`)
	})
	start := time.Now()
	if err := c.Get(ctx, "/", nil); !errors.Is(err, eval.ErrServer) || time.Since(start) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

// An attempt leaves room for another within the caller's deadline.
func TestDeadlineHasRoom(t *testing.T) {
	c := asked(t, Options{}, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			<-r.Context().Done()
			return
		}
		write(w, 200, `{}`)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := c.Get(ctx, "/", nil); err != nil {
		t.Error(err)
	}
}

// A reply that stops coming is given up long before the attempt's time is over.
func TestIdle(t *testing.T) {
	url, _ := listen(t, func(c net.Conn) {
		says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":")(c)
		_, _ = io.Copy(io.Discard, c)
	})
	c := client(t, Options{URL: url, Attempts: 2, Idle: 50 * time.Millisecond})
	if err := c.Get(t.Context(), "/", nil); !errors.Is(err, eval.ErrUnreachable) || !strings.Contains(err.Error(), "stopped coming for 50ms") {
		t.Error(err)
	}
}

// A byte now and then is no way to hold a request for ever.
func TestTrickle(t *testing.T) {
	url, _ := listen(t, func(c net.Conn) {
		says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")(c)
		for {
			if _, err := io.WriteString(c, "1\r\n \r\n"); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	c := client(t, Options{URL: url, Attempts: 2, Timeout: 100 * time.Millisecond, Idle: time.Minute})
	var out struct{}
	if err := c.Get(t.Context(), "/", &out); !errors.Is(err, eval.ErrUnreachable) || !strings.Contains(err.Error(), "no reply within 100ms") {
		t.Error(err)
	}
}

func TestOldAndOdd(t *testing.T) {
	var bomb strings.Builder
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 8<<20))
	_ = z.Close()
	for _, test := range []struct {
		name, text string
		is         error // nil for an answer
	}{
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n{\"a\":1}", nil},
		{"HTTP/1.0 cut off", "HTTP/1.0 200 OK\r\n\r\n{\"a\":", eval.ErrReply},
		{"shorter than it says", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"a\":1}", eval.ErrUnreachable},
		{"longer than it says", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a\":1}", eval.ErrReply},
		{"compressed, which nobody asked for", "HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb.String(), eval.ErrReply},
		{"headers without end", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Header: "+strings.Repeat("x", 1000)+"\r\n", 200) + "\r\n{\"a\":1}", eval.ErrUnreachable},
		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", eval.ErrUnreachable},
		{"deep", "HTTP/1.0 200 OK\r\n\r\n" + strings.Repeat("[", 100000), eval.ErrReply},
		{"long text", "HTTP/1.0 200 OK\r\n\r\n{\"b\":\"" + strings.Repeat("x", longestText+1) + "\"}", eval.ErrReply},
		{"number too large", "HTTP/1.0 200 OK\r\n\r\n{\"a\":1e999}", eval.ErrReply},
		{"NaN", "HTTP/1.0 200 OK\r\n\r\n{\"a\":NaN}", eval.ErrReply},
		{"nothing", "HTTP/1.0 200 OK\r\n\r\n", eval.ErrReply},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, _ := listen(t, says(test.text))
			c := client(t, Options{URL: url, Attempts: 2})
			var out struct{ A float64 }
			err := c.Get(t.Context(), "/", &out)
			switch {
			case test.is == nil && (err != nil || out.A != 1):
				t.Errorf("%v, error %v", out, err)
			case test.is != nil && (!errors.Is(err, test.is) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 500):
				t.Errorf("error %v, want %v", err, test.is)
			}
		})
	}
}

// Nothing of a damaged reply is left in what the next one is decoded into.
func TestDamagedReplyLeavesNothing(t *testing.T) {
	c := asked(t, Options{}, func(n int, w http.ResponseWriter, _ *http.Request) {
		write(w, 200, map[bool]string{true: `{"a":1,"b":"x"`, false: `{"b":"y"}`}[n == 1])
	})
	var out struct {
		A int
		B string
	}
	if err := c.Get(t.Context(), "/", &out); err != nil || out.A != 0 || out.B != "y" {
		t.Errorf("%+v, %v", out, err)
	}
}
