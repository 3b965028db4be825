package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// errTooLong says that a reply is longer than Options.MaxReply.
var errTooLong = errors.New("the reply is too long")

// transport goes straight to the server: proxies of the environment are for
// the world outside.
func transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     30 * time.Second,
	}
}

// oneHost lets requests to one host through, and only so much of the replies.
type oneHost struct {
	base  *url.URL
	key   string
	limit int64
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *oneHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != t.base.Host || r.URL.Scheme != t.base.Scheme {
		return nil, fmt.Errorf("a request to %s, which is not the server at %s", r.URL.Host, t.base.Host)
	}
	if t.key != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+t.key)
	}
	reply, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	reply.Body = &limited{body: reply.Body, left: t.limit}
	return reply, nil
}

// limited is a body that fails where it is longer than it may be.
type limited struct {
	body io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.body.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

func (l *limited) Close() error { return l.body.Close() }
