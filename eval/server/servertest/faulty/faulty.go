// Package faulty is a bad connection to a server: a proxy that drops, delays,
// cuts off, doubles and corrupts replies at given rates, for tests of what
// stands behind it.
//
// Start with New.
//
// # What corruption is here
//
// Each corrupted reply has one to four of its bytes changed, at places drawn
// from the whole body, each to any other byte: braces, keys, digits and letters
// alike. TCP's checksum and TLS let almost none of this through; the proxy
// stands for broken middle boxes. A client sees broken JSON and UTF-8, wrong
// types, missing keys, impossible numbers, and texts that are not those of
// their tokens. It cannot see a changed digit of a log-probability, or a letter
// that changed in both places: only another reply tells. See docs/servers.md.
package faulty

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Rates are shares of requests, from 0 to 1, that meet each fault; one fault at
// most happens to a request.
type Rates struct {
	Drop     float64 // the connection ends: half of them before the server hears of the request, half after
	Delay    float64 // the reply comes up to Longest later
	Truncate float64 // the reply ends early: half of them against Content-Length, half with a Content-Length to match
	Double   float64 // the reply comes twice: half of them because the request reached the server twice, and both replies come
	Corrupt  float64 // bytes of the reply are changed

	Longest time.Duration // default 200 ms
}

// All is every fault at one rate.
func All(rate float64) Rates { return Rates{rate, rate, rate, rate, rate, 0} }

// The faults, in the order of Rates.
const (
	None     = "none"
	Drop     = "drop"
	Delay    = "delay"
	Truncate = "truncate"
	Double   = "double"
	Corrupt  = "corrupt"
)

// Proxy is a connection to one server. Faults depend on the seed, the request,
// and how often it was made before: not on the order in which requests arrive.
type Proxy struct {
	URL string

	target *url.URL
	rates  Rates
	seed   uint64
	server *httptest.Server
	client *http.Client

	mu    sync.Mutex
	times map[[32]byte]uint64
	count map[string]int
}

// New starts a proxy to the server at target. Close ends it.
func New(target string, rates Rates, seed uint64) (*Proxy, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("faulty: %q is no URL of a server", target)
	}
	if rates.Longest <= 0 {
		rates.Longest = 200 * time.Millisecond
	}
	p := &Proxy{
		target: u, rates: rates, seed: seed, times: map[[32]byte]uint64{}, count: map[string]int{},
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	p.server = httptest.NewServer(p)
	p.URL = p.server.URL
	return p, nil
}

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	p.server.CloseClientConnections()
	p.server.Close()
	p.client.CloseIdleConnections()
}

// Counts says how many requests met which fault.
func (p *Proxy) Counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]int, len(p.count))
	for k, n := range p.count {
		out[k] = n
	}
	return out
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	fault, random := p.draw(r, body)
	half := random.IntN(2) == 0
	if fault == Drop && half {
		panic(http.ErrAbortHandler)
	}
	reply, err := p.forward(r, body)
	if err != nil || fault == Drop {
		panic(http.ErrAbortHandler)
	}
	switch fault {
	case Delay:
		select {
		case <-time.After(time.Duration(random.Int64N(int64(p.rates.Longest)))):
		case <-r.Context().Done():
			return
		}
	case Double:
		second := reply
		if half {
			if second, err = p.forward(r, body); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		reply.text = append(bytes.Clone(reply.text), second.text...)
	case Corrupt:
		reply.text = corrupted(reply.text, random)
	}
	send(w, reply, fault == Truncate, half, random)
}

// draw decides what happens to a request.
func (p *Proxy) draw(r *http.Request, body []byte) (string, *rand.Rand) {
	h := sha256.New()
	_ = binary.Write(h, binary.LittleEndian, p.seed) // a hash takes everything
	fmt.Fprintf(h, "%s %s\n", r.Method, r.URL.RequestURI())
	h.Write(body)
	key := [32]byte(h.Sum(nil))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.times[key]++
	random := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:])+p.times[key]))
	fault, x := None, random.Float64()
	for _, f := range []struct {
		name string
		rate float64
	}{{Drop, p.rates.Drop}, {Delay, p.rates.Delay}, {Truncate, p.rates.Truncate}, {Double, p.rates.Double}, {Corrupt, p.rates.Corrupt}} {
		if x < f.rate {
			fault = f.name
			break
		}
		x -= f.rate
	}
	p.count[fault]++
	return fault, random
}

// reply is what the server said.
type reply struct {
	code   int
	header http.Header
	text   []byte
}

// forward makes the request of the server.
func (p *Proxy) forward(r *http.Request, body []byte) (reply, error) {
	to := *r.URL
	to.Scheme, to.Host = p.target.Scheme, p.target.Host
	request, err := http.NewRequestWithContext(r.Context(), r.Method, to.String(), bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header = r.Header.Clone()
	got, err := p.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return reply{got.StatusCode, got.Header, text}, err
}

// corrupted changes one to four bytes, each to another one.
func corrupted(text []byte, random *rand.Rand) []byte {
	out := bytes.Clone(text)
	if len(out) == 0 {
		return out
	}
	for range 1 + random.IntN(4) {
		out[random.IntN(len(out))] ^= byte(1 + random.IntN(255))
	}
	return out
}

// send writes the reply, or its beginning.
func send(w http.ResponseWriter, r reply, cut, honest bool, random *rand.Rand) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	text := r.text
	whole := len(text)
	if cut && whole > 0 {
		text = text[:random.IntN(whole)]
	}
	if cut && !honest {
		w.Header().Set("Content-Length", strconv.Itoa(whole))
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	}
	w.WriteHeader(r.code)
	_, _ = w.Write(text) // the client may have gone
	if cut && !honest {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
