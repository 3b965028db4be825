package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"

	"soup/internal/follow"
	"soup/results"
)

const (
	// poll is the time between two looks at the ledger. Viewers see nothing sooner.
	poll = time.Second
	// connections are open at a time; the next ones wait.
	connections = 1024
	// headerBytes is the most that a request's header may have; net/http adds 4 KB.
	headerBytes = 8 << 10
	// requestTime is how long a whole request may take to come.
	requestTime = 10 * time.Second
	// farewell is how long viewers may take to receive the last message.
	farewell = time.Second
)

// Options say which study to show, and where.
type Options struct {
	Dir     string // the study's folder
	Wait    bool   // there need not be a study in it yet
	Listen  string // HOST:PORT or http://HOST:PORT; default DefaultAddress
	Token   string // see ReadToken; where it is empty one is made for viewers from elsewhere
	Version string // of soup

	beat, poll, read time.Duration // tests do not wait as long
}

// Site is a page that listens.
type Site struct {
	o         Options
	listener  net.Listener
	host      string
	gate      gate
	hosts     hosts
	hub       *hub
	seats     chan struct{}
	ended     chan struct{} // closed when the site ends
	beat      time.Duration
	poll      time.Duration
	read      time.Duration
	follower  *follow.Follower
	registry  *prometheus.Registry
	gauges    *gauges
	templates *template.Template
	title     atomic.Value // of the page, a string
	rendered  time.Time
	report    reporter
	finished  atomic.Pointer[results.Report] // nil while there is none
}

// Open listens and opens the study. The address is taken before any work is done.
func Open(ctx context.Context, o Options) (*Site, error) {
	if o.Listen == "" {
		o.Listen = DefaultAddress
	}
	host, port, err := parseAddress(o.Listen)
	if err != nil {
		return nil, err
	}
	follower, err := follow.Open(o.Dir, o.Wait)
	if err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, errors.Join(listening(o.Listen, err), follower.Close())
	}
	if o.Token == "" && !isLoopback(l) {
		o.Token = newToken()
	}
	s := &Site{
		o: o, listener: l, host: host, hosts: newHosts(host), hub: newHub(),
		seats: make(chan struct{}, viewers), ended: make(chan struct{}), follower: follower,
		beat: cmp.Or(o.beat, heartbeat), poll: cmp.Or(o.poll, poll), read: cmp.Or(o.read, requestTime),
	}
	s.gate = newGate(o.Token, s.port())
	s.gauges = newGauges(func() int { return len(s.seats) })
	s.registry = prometheus.NewRegistry()
	s.templates, err = templates()
	if err = errors.Join(err, s.registry.Register(s.gauges)); err == nil {
		err = s.look(ctx)
	}
	return s, err
}

// listening says why an address cannot be had.
func listening(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return &unavailable{fmt.Errorf("--listen %s: the port is taken", address)}
	}
	var at *net.OpError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("--listen %s: %w", address, err)
}

type unavailable struct{ error }

// Hint returns the remedy.
func (unavailable) Hint() string { return "choose another port; --listen :0 takes one that is free" }

func (s *Site) port() string { return strconv.Itoa(s.listener.Addr().(*net.TCPAddr).Port) }

// Link is what to open in a browser, with the token where one is needed.
func (s *Site) Link() string {
	host := s.host
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = outward()
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, s.port()), Path: "/"}
	if s.gate.token != "" {
		u.RawQuery = url.Values{"token": {s.gate.token}}.Encode()
	}
	return u.String()
}

// outward is an address of this machine that others may reach, as far as its
// own interfaces tell.
func outward() string {
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}

// Serve serves until ctx ends, which is no error. Viewers are sent what the study
// has come to before it returns.
func (s *Site) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: s.read, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: headerBytes,
		ErrorLog: log.New(io.Discard, "", 0), // what strangers send is no news of a study
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(netutil.LimitListener(s.listener, connections)) }()
	err := s.watch(ctx, served)
	close(s.ended)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if server.Shutdown(end) != nil {
		_ = server.Close() // what a viewer does not take in time is lost on it
	}
	return errors.Join(err, s.follower.Close())
}

// watch looks at the study until ctx or the server ends.
func (s *Site) watch(ctx context.Context, served <-chan error) error {
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	for {
		select {
		case err := <-served:
			return fmt.Errorf("--listen %s: %w", s.o.Listen, err)
		case <-ctx.Done():
			s.report.stop()
			return s.look(context.WithoutCancel(ctx)) // the last word
		case <-tick.C:
			if err := s.look(ctx); err != nil {
				return err
			}
		}
	}
}

// look polls the study and renders what it has become. What keeps it from being
// read is shown, not fatal: a disk may come back.
func (s *Site) look(ctx context.Context) error {
	changed, trouble := s.follower.Poll(ctx)
	study := s.follower.Study()
	report, news := s.report.of(ctx, s.o.Dir, study)
	older := study.Running && len(study.Workers) > 0 && time.Since(s.rendered) > aging
	if !changed && !news && !older && trouble == nil && !s.gauges.ill() && s.hub.started() {
		return nil
	}
	s.rendered = time.Now()
	s.gauges.set(study, trouble)
	s.finished.Store(report.report())
	s.title.Store(study.Name)
	parts, rows, err := s.render(view{Study: study, Dir: s.o.Dir, Trouble: trouble, Report: report, now: s.rendered})
	if err != nil {
		return err
	}
	s.hub.publish(parts, rows)
	return nil
}
