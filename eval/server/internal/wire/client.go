package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"soup/eval"
)

// Options say which server a Client talks to, and how patiently.
type Options struct {
	URL      string        // "http://127.0.0.1:8080", with a path in front of all others or without
	Key      string        // sent as bearer token; "" sends none
	Timeout  time.Duration // of one attempt; default 10 minutes, at most half of what is left to the context
	Idle     time.Duration // without a byte in the middle of a reply; default 2 minutes
	Attempts int           // how often a request is made that may be made again; default 6
	Pause    time.Duration // before the second attempt, doubled from one to the next up to 5 s; default 100 ms
	MaxReply int64         // bytes of one reply; default 16 MiB
	Trip     int           // attempts in a row that nothing answers until requests fail untried; default 10
}

const (
	defaultTimeout  = 10 * time.Minute
	defaultIdle     = 2 * time.Minute
	defaultAttempts = 6
	defaultPause    = 100 * time.Millisecond
	longestPause    = 5 * time.Second
	defaultMaxReply = 16 << 20
	longestText     = 4 << 20 // bytes of a string in a reply: a prompt of a million tokens, echoed
)

// Client makes requests to one server. It is safe for concurrent use.
type Client struct {
	name    string // of the kind of server, for errors
	base    *url.URL
	options Options
	http    *http.Client
	own     *http.Transport
	breaker breaker
}

// New returns a Client; nothing is sent yet. Name is the kind of server, for
// errors. A URL that is none is an error.
func New(name string, o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("url %q is not like http://127.0.0.1:8080", o.URL)
	}
	o = o.withDefaults()
	c := &Client{name: name, base: base, options: o, own: transport(), breaker: breaker{trip: o.Trip}}
	c.http = &http.Client{
		Transport:     &oneHost{base: base, key: o.Key, limit: o.MaxReply, idle: o.Idle, next: c.own},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// withDefaults fills in what is not said.
func (o Options) withDefaults() Options {
	o.Timeout = either(o.Timeout, defaultTimeout)
	o.Idle = either(o.Idle, defaultIdle)
	o.Attempts = either(o.Attempts, defaultAttempts)
	o.Pause = either(o.Pause, defaultPause)
	o.MaxReply = either(o.MaxReply, defaultMaxReply)
	o.Trip = either(o.Trip, defaultTrip)
	return o
}

func either[T int | int64 | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// URL is the server's address as it was given.
func (c *Client) URL() string { return c.options.URL }

// HTTP is for client libraries: it reaches the one host only, limits replies
// and sends the key, but does not retry.
func (c *Client) HTTP() *http.Client { return c.http }

// Close ends connections that are open and not in use. The Client can still be
// used.
func (c *Client) Close() { c.own.CloseIdleConnections() }

// Get asks for a JSON value and decodes it into out; nil passes it over.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.Retry(ctx, func(ctx context.Context) error { return c.Once(ctx, http.MethodGet, path, nil, out) })
}

// Post sends in as JSON and decodes the reply into out; nil passes it over. It
// may be sent more than once.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	return c.Retry(ctx, func(ctx context.Context) error { return c.Once(ctx, http.MethodPost, path, in, out) })
}

// Once makes one attempt, for what must not be done twice. What out points to is
// set as a whole, and only if the reply is a good one.
func (c *Client) Once(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base.String(), "/")+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	reply, err := c.http.Do(request)
	if err != nil {
		return c.Explain(ctx, err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return c.Explain(ctx, err)
	}
	if reply.StatusCode/100 != 2 {
		return c.refusal(reply, text)
	}
	if out == nil {
		return nil
	}
	return c.decode(text, out)
}

// decode wants one JSON value and nothing behind it: more is a reply that came
// twice or was cut and joined. Nothing of a damaged reply may stay in out, where
// the next attempt would find it.
func (c *Client) decode(text []byte, out any) error {
	if !utf8.Valid(text) {
		return c.notOurs("it is not UTF-8 text", text)
	}
	if n := longestString(text); n > longestText {
		return c.notOurs(fmt.Sprintf("a text of %d bytes", n), text)
	}
	target := reflect.ValueOf(out)
	fresh := reflect.New(target.Type().Elem())
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(fresh.Interface()); err != nil {
		return c.notOurs(err.Error(), text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c.notOurs("more than one JSON value", text)
	}
	target.Elem().Set(fresh.Elem())
	return nil
}

// longestString is the size of the longest string literal of a JSON text.
func longestString(text []byte) int {
	longest, start := 0, -1
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && start >= 0:
			i++
		case text[i] == '"' && start < 0:
			start = i + 1
		case text[i] == '"':
			longest, start = max(longest, i-start), -1
		}
	}
	return longest
}

// notOurs is the error of a reply that is not what the interface says.
func (c *Client) notOurs(why string, text []byte) error {
	return fmt.Errorf("%s at %s: %w: %s in %s", c.name, c.base, eval.ErrReply, why, excerpt(text))
}

// excerpt is the beginning of a reply, in one line.
func excerpt(text []byte) string {
	const most = 80
	line := strings.Join(strings.Fields(strings.ToValidUTF8(string(text[:min(len(text), 4*most)]), "?")), " ")
	if len(line) > most {
		return fmt.Sprintf("%q...", line[:most])
	}
	return fmt.Sprintf("%q", line)
}
