package web

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
)

// part is a piece of the page: HTML that replaces the content of the element
// with its name as id.
type part struct {
	name, html string
	since      uint64 // number of the change that made it so
}

// hub holds the page as it is now. Viewers ask for what has changed since they
// last asked, so one that is slow costs nobody anything: it just misses what was
// there in between.
type hub struct {
	mu      sync.Mutex
	epoch   string // of this hub: a viewer of another is given everything
	number  uint64 // of the last change
	parts   []part
	rows    []part // of the table of trials, newest first
	changed chan struct{}

	memo struct { // the last answer: viewers mostly ask the same
		from, to uint64
		message  []byte
	}
}

func newHub() *hub { return &hub{epoch: rand.Text()[:8], changed: make(chan struct{})} }

// started reports whether anything was published.
func (h *hub) started() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.number > 0
}

// publish puts parts in place of what they were; those that are as they were are
// no change. All parts and rows are given each time.
func (h *hub) publish(parts, rows []part) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := h.number + 1
	parts, some := renew(h.parts, parts, next)
	rows, more := renew(h.rows, rows, next)
	h.parts, h.rows = parts, rows
	if some || more {
		h.number = next
		close(h.changed)
		h.changed = make(chan struct{})
	}
}

// renew numbers the parts that differ from what they were.
func renew(was, is []part, number uint64) (marked []part, changed bool) {
	before := map[string]part{}
	for _, p := range was {
		before[p.name] = p
	}
	marked = make([]part, len(is))
	for i, p := range is {
		old, known := before[p.name]
		p.since = old.since
		if !known || old.html != p.html {
			p.since, changed = number, true
		}
		marked[i] = p
	}
	return marked, changed
}

// message is what a viewer is sent.
type message struct {
	Parts map[string]string `json:"parts"`
	Rows  []row             `json:"rows"` // oldest first: each is put on top, unless it is there
}

type row struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// since returns what has changed since the change of a number, as JSON, nil if
// nothing has; the number of the last change; and what is closed by the next.
func (h *hub) since(number uint64) (text []byte, last uint64, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number == h.number {
		return nil, h.number, h.changed
	}
	if h.memo.message == nil || h.memo.from != number || h.memo.to != h.number {
		h.memo.from, h.memo.to, h.memo.message = number, h.number, h.encode(number)
	}
	return h.memo.message, h.number, h.changed
}

func (h *hub) encode(number uint64) []byte {
	m := message{Parts: map[string]string{}, Rows: []row{}}
	for _, p := range h.parts {
		if p.since > number {
			m.Parts[p.name] = p.html
		}
	}
	for i := len(h.rows) - 1; i >= 0; i-- {
		if p := h.rows[i]; p.since > number {
			m.Rows = append(m.Rows, row{p.name, p.html})
		}
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	_ = e.Encode(m) // texts always encode
	return bytes.TrimSpace(text.Bytes())
}

// page is what a new viewer gets: all parts, with the identity of what they are.
func (h *hub) page() (parts, rows []part, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.parts, h.rows, h.id(h.number)
}

// id is an event's id: what a viewer that comes back says it has seen.
func (h *hub) id(number uint64) string { return h.epoch + "-" + strconv.FormatUint(number, 10) }

// seen is the number in an id, 0 if it is not of this hub.
func (h *hub) seen(id string) uint64 {
	epoch, text, _ := strings.Cut(id, "-")
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil || epoch != h.epoch {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return min(number, h.number)
}
