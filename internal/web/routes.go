package web

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"soup/results"
)

//go:embed assets
var embedded embed.FS

// asset is a file of the page.
func asset(name string) []byte {
	text, _ := fs.ReadFile(embedded, "assets/"+name) // embedded: TestAssets
	return text
}

// policy lets a browser load the page's own files and nothing else: no inline
// script or style, no other host, no frame around it, no form.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP answers requests. Paths are compared, never resolved: none of them
// reaches a file.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	guard(w.Header())
	switch {
	case !s.hosts.allows(r.Host):
		http.Error(w, "this page is not served under that name", http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this page can only be read", http.StatusMethodNotAllowed)
	case r.URL.Path == "/healthz":
		s.health(w)
	case s.gate.login(w, r):
	case !s.gate.admits(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="soup"`)
		http.Error(w, "open the link that soup printed: it has the token", http.StatusUnauthorized)
	default:
		s.route(w, r)
	}
}

func guard(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

func (s *Site) route(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/":
		s.page(w, r)
	case "/events":
		s.stream(w, r)
	case "/style.css":
		reply(w, "text/css; charset=utf-8", asset("style.css"))
	case "/script.js":
		reply(w, "text/javascript; charset=utf-8", asset("script.js"))
	case "/icon.svg":
		reply(w, "image/svg+xml", asset("icon.svg"))
	case "/metrics":
		promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}).ServeHTTP(w, r)
	case "/api/report.json":
		s.reportJSON(w)
	default:
		http.Error(w, "no such page", http.StatusNotFound)
	}
}

// reply sends what is complete. net/http leaves the body out where only the head
// was asked for.
func reply(w http.ResponseWriter, kind string, text []byte) {
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(text) // a viewer that is gone needs no answer
}

func (s *Site) page(w http.ResponseWriter, _ *http.Request) {
	var text bytes.Buffer
	if err := s.renderPage(&text); err != nil {
		http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
		return
	}
	reply(w, "text/html; charset=utf-8", text.Bytes())
}

// health says whether the study can be read; it needs no token and tells nothing
// else.
func (s *Site) health(w http.ResponseWriter) {
	if s.gauges.ill() {
		http.Error(w, "the study cannot be read", http.StatusServiceUnavailable)
		return
	}
	reply(w, "text/plain; charset=utf-8", []byte("ok\n"))
}

// reportJSON sends the report of a finished study as soup report --json prints it,
// which is at hand; that of one
// that runs would have to be made.
func (s *Site) reportJSON(w http.ResponseWriter) {
	report := s.finished.Load()
	if report == nil {
		w.Header().Set("Retry-After", "60")
		http.Error(w, fmt.Sprintf("not finished; soup report %s --json makes a report at any time", s.o.Dir), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = results.WriteJSON(w, *report) // a viewer that is gone needs no answer
}
