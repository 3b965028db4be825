package web

import (
	"fmt"
	"net/http"
	"time"
)

const (
	viewers   = 256              // streams at a time
	heartbeat = 15 * time.Second // between two signs of life
	patience  = 10 * time.Second // that a viewer may take to receive a message
	pause     = 2 * time.Second  // before a browser that lost us tries again
)

// stream sends a viewer what changes, until it leaves or the site ends. A viewer
// that says what it has seen, after a break too, is sent only what is newer.
func (s *Site) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case s.seats <- struct{}{}:
		defer func() { <-s.seats }()
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, fmt.Sprintf("more than %d viewers", viewers), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	to := &sender{w: w, control: http.NewResponseController(w)}
	to.err = to.control.SetReadDeadline(time.Time{}) // that of the request would end the stream
	to.send("retry: %d\n\n", pause.Milliseconds())
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("since")
	}
	s.follow(r, to, s.hub.seen(id))
}

func (s *Site) follow(r *http.Request, to *sender, seen uint64) {
	beat := time.NewTicker(s.beat)
	defer beat.Stop()
	for to.err == nil {
		message, last, changed := s.hub.since(seen)
		if message != nil {
			to.send("id: %s\ndata: %s\n\n", s.hub.id(last), message)
			seen = last
			continue // to see whether the site has ended
		}
		select {
		case <-changed:
		case <-beat.C:
			to.send(": still here\n\n")
		case <-r.Context().Done():
			return
		case <-s.ended:
			if message, last, _ := s.hub.since(seen); message != nil {
				to.send("id: %s\ndata: %s\n\n", s.hub.id(last), message)
			}
			to.send("event: end\ndata: {}\n\n")
			return
		}
	}
}

// sender writes events; after an error it does nothing.
type sender struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func (s *sender) send(format string, args ...any) {
	if s.err == nil {
		s.err = s.control.SetWriteDeadline(time.Now().Add(patience))
	}
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, args...)
	}
	if s.err == nil {
		s.err = s.control.Flush()
	}
}
