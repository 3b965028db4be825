package wire

import (
	"context"
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

// errIdle says that a reply stopped coming.
var errIdle = errors.New("the reply stopped coming")

// transport goes straight to the server: proxies of the environment are for
// the world outside. Replies are taken as they are: one that a compressed byte
// makes a thousand of cannot come.
func transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     30 * time.Second,
		DisableCompression:  true,

		MaxResponseHeaderBytes: 64 << 10,
	}
}

// oneHost lets requests to one host through, and only so much of the replies.
type oneHost struct {
	base  *url.URL
	key   string
	limit int64
	idle  time.Duration
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *oneHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != t.base.Host || r.URL.Scheme != t.base.Scheme {
		return nil, fmt.Errorf("a request to %s, which is not the server at %s", r.URL.Host, t.base.Host)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	r = r.Clone(ctx)
	if t.key != "" {
		r.Header.Set("Authorization", "Bearer "+t.key)
	}
	reply, err := t.next.RoundTrip(r)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	reply.Body = &limited{
		body: reply.Body, left: t.limit, idle: t.idle, ctx: ctx, cancel: cancel,
		timer: time.AfterFunc(t.idle, func() { cancel(errIdle) }),
	}
	return reply, nil
}

// limited is a body that fails where it is longer than it may be, or stops
// coming.
type limited struct {
	body   io.ReadCloser
	left   int64
	idle   time.Duration
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.body.Read(p)
	l.timer.Reset(l.idle)
	l.left -= int64(n)
	switch {
	case l.left < 0:
		return 0, errTooLong
	case err != nil && errors.Is(context.Cause(l.ctx), errIdle):
		return n, fmt.Errorf("%w for %s", errIdle, l.idle)
	}
	return n, err
}

func (l *limited) Close() error {
	l.timer.Stop()
	l.cancel(nil)
	return l.body.Close()
}
