package web

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"soup/results"
)

// raw sends bytes as they are and returns the status and the answer's text.
func (s served) raw(t *testing.T, request string) (int, string) {
	t.Helper()
	c, err := net.Dial("tcp", s.listener.Addr().String())
	must(t, err)
	defer c.Close()
	_, err = c.Write([]byte(request)) // a server that refuses may not read all of it
	if err != nil {
		t.Log(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text := make([]byte, 4096)
	n, _ := answer.Body.Read(text)
	return answer.StatusCode, string(text[:n])
}

func TestHostileRequestsGetNothing(t *testing.T) {
	w := begun(t, "secret name")
	must(t, os.WriteFile(filepath.Join(w.Dir(), "private"), []byte("private text"), 0o600))
	s := serve(t, Options{Dir: w.Dir()})
	for _, c := range []struct {
		request string
		want    int
	}{
		{"GET /../private HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"GET /%2e%2e/private HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"GET /..%2fprivate HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"GET //private HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"GET /private HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"GET /study.db HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"GET /assets/page.html HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"GET /style.css/../page.html HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"GET http://elsewhere.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421},
		{"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
		{"GET / HTTP/1.1\r\nHost: localhost.evil.example:8080\r\n\r\n", 421},
		{"GET / HTTP/1.1\r\n\r\n", 400},
		{"GET / HTTP/1.0\r\n\r\n", 421},
		{"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nhack", 405},
		{"DELETE /study.db HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
		{"PUT /private HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405},
		{"OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
		{"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
		{"CONNECT elsewhere.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 421},
		{"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", 431},
		{"GET /" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431},
		{"not http\r\n\r\n", 400},
	} {
		status, text := s.raw(t, c.request)
		if status != c.want || strings.Contains(text, "secret name") || strings.Contains(text, "private text") {
			t.Errorf("%.60q: %d %q, want %d", c.request, status, text, c.want)
		}
	}
	if answer, text := s.get(t, "/"); answer.StatusCode != http.StatusOK || !strings.Contains(text, "secret name") {
		t.Errorf("and the page itself: %s", answer.Status)
	}
}

// What people may write into a study shows as text and cannot run.
func TestTextOfAStudyIsNotMarkup(t *testing.T) {
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	w := begun(t, evil)
	w.phase("search", 3)
	w.fail(0, evil, evil)
	must(t, w.Event("warning", evil))
	c := candidate(1, evil)
	c.Label = evil
	must(t, w.Start(c))
	s := serve(t, Options{Dir: w.Dir()})
	_, text := s.get(t, "/")
	m, _ := s.watch(t, "").next()
	for _, html := range append([]string{text, m.Rows[0].HTML, m.Rows[1].HTML}, values(m.Parts)...) {
		if strings.Contains(html, "<script>") || strings.Contains(html, "<img") || strings.Contains(html, `"">`) {
			t.Errorf("markup came through:\n%s", html)
		}
	}
	if !strings.Contains(text, "&lt;script&gt;alert(1)") {
		t.Error("the text itself does not show")
	}
}

func values(m map[string]string) (list []string) {
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

// The policy forbids inline scripts and styles and other hosts, so the page must
// do without.
func TestPageKeepsToItsPolicy(t *testing.T) {
	w := begun(t, "night")
	w.complete(0, "single", .5)
	w.complete(1, "random", .75)
	s := serve(t, Options{Dir: w.Dir()})
	answer, text := s.get(t, "/")
	h := answer.Header
	if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; ") || strings.Contains(h.Get("Content-Security-Policy"), "unsafe") ||
		h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
	for _, forbidden := range []string{`\sstyle=`, `\son\w+=`, `<style`, `<script>`, `(src|href)="(https?:)?//`, `javascript:`} {
		if found := regexp.MustCompile(forbidden).FindString(text); found != "" {
			t.Errorf("the page has %s", found)
		}
	}
	for _, path := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		if answer, text := s.get(t, path[1]); answer.StatusCode != http.StatusOK || len(text) == 0 {
			t.Errorf("%s: %s", path[1], answer.Status)
		}
	}
}

const token = "0123456789abcdef"

func TestTokenOpensThePage(t *testing.T) {
	w := begun(t, "secret name")
	s := serve(t, Options{Dir: w.Dir(), Token: token})
	bearer := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	with := func(c *http.Cookie) func(*http.Request) { return func(r *http.Request) { r.AddCookie(c) } }
	for _, path := range []string{"/", "/events", "/metrics", "/style.css", "/api/report.json", "/nothing", "/?token=", "/?token=" + token[1:], "/?token=" + token + "0"} {
		if answer, text := s.get(t, path); answer.StatusCode != http.StatusUnauthorized || strings.Contains(text, "secret name") {
			t.Errorf("%s without token: %s", path, answer.Status)
		}
	}
	for _, wrong := range []string{"Bearer", "Bearer ", "Bearer x", "Basic " + token, token, "Bearer x" + token} {
		if answer, _ := s.get(t, "/metrics", bearer(wrong)); answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q: %s", wrong, answer.Status)
		}
	}
	if answer, text := s.get(t, "/metrics", bearer("Bearer "+token)); answer.StatusCode != http.StatusOK || !strings.Contains(text, "soup_study_info") {
		t.Errorf("with the token: %s", answer.Status)
	}
	if answer, text := s.get(t, "/healthz"); answer.StatusCode != http.StatusOK || text != "ok\n" {
		t.Errorf("health: %s %q", answer.Status, text)
	}
	answer, _ := s.get(t, strings.TrimPrefix(s.Link(), s.url("")))
	cookies := answer.Cookies()
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/" || len(cookies) != 1 {
		t.Fatalf("link: %s, %v", answer.Status, answer.Header)
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || strings.Contains(c.Value, token) || !strings.HasSuffix(c.Name, s.port()) {
		t.Errorf("cookie %v", c)
	}
	if answer, text := s.get(t, "/", with(c)); answer.StatusCode != http.StatusOK || !strings.Contains(text, "secret name") {
		t.Errorf("with the cookie: %s", answer.Status)
	}
	c.Value = token
	if answer, _ := s.get(t, "/", with(c)); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("with a made-up cookie: %s", answer.Status)
	}
}

// From elsewhere nobody looks without a token, given or made.
func TestAddressForOthersNeedsAToken(t *testing.T) {
	w := begun(t, "night")
	s := serve(t, Options{Dir: w.Dir(), Listen: "0.0.0.0:0"})
	if len(s.gate.token) < shortest || !strings.Contains(s.Link(), "?token="+s.gate.token) || strings.Contains(s.Link(), "0.0.0.0") {
		t.Errorf("link %s", s.Link())
	}
	if answer, _ := s.get(t, "/"); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("without token: %s", answer.Status)
	}
	if local := serve(t, Options{Dir: w.Dir()}); local.gate.token != "" || strings.Contains(local.Link(), "token") {
		t.Errorf("link on this machine %s", local.Link())
	}
}

func TestReadToken(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "token")
		must(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	t.Setenv(TokenVariable, "")
	if got, err := ReadToken(""); got != "" || err != nil {
		t.Errorf("none: %q, %v", got, err)
	}
	if got, err := ReadToken(file(token + "\n")); got != token || err != nil {
		t.Errorf("of a file: %q, %v", got, err)
	}
	t.Setenv(TokenVariable, "from-the-environment")
	if got, err := ReadToken(""); got != "from-the-environment" || err != nil {
		t.Errorf("of the environment: %q, %v", got, err)
	}
	for want, name := range map[string]string{
		"no such file":     filepath.Join(t.TempDir(), "none"),
		"no token in it":   file("\n"),
		"at least 16":      file("short"),
		"too long":         file(strings.Repeat("x", 5000)),
		"and no spaces":    file("0123456789 abcdefgh"),
		"letters, digits ": file("0123456789äöüßéàèùâê"),
	} {
		if _, err := ReadToken(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	t.Setenv(TokenVariable, "short")
	if _, err := ReadToken(""); err == nil || !strings.Contains(err.Error(), TokenVariable) {
		t.Errorf("short: %v", err)
	}
}

func TestHosts(t *testing.T) {
	h := newHosts("Box.lan")
	for host, want := range map[string]bool{
		"localhost": true, "localhost:8080": true, "LOCALHOST": true, "127.0.0.1:1": true, "[::1]:8080": true, "[::1]": true, "::1": true, "192.168.1.4": true,
		"box.lan:80": true, "box.lan.": true, "soup.localhost": true, "": false, "evil.example": false, "127.0.0.1.evil.example": false, "localhost.example": false,
		"notlocalhost": false, "1.2.3": false, ":80": false,
	} {
		if got := h.allows(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for value, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1 8080", ":0": "127.0.0.1 0", "0.0.0.0:80": "0.0.0.0 80", "[::1]:8080": "::1 8080", "http://box:80/": "box 80", "HTTP://:1": "127.0.0.1 1",
		"nats://0.0.0.0:4222": "workers join soup run", "https://x:1": "proxy that speaks https", ":4222": "choose another port",
		"8080": "such as", "localhost": "such as", "http://x:1/path": "such as", "x:": "such as", "": "such as", "a@b:1": "such as",
	} {
		host, port, err := parseAddress(value)
		got := host + " " + port
		if err != nil {
			got = err.(interface{ Hint() string }).Hint()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestPortIsTaken(t *testing.T) {
	w := begun(t, "night")
	first := serve(t, Options{Dir: w.Dir()})
	_, err := Open(t.Context(), Options{Dir: w.Dir(), Listen: "127.0.0.1:" + first.port()})
	if want := fmt.Sprintf("--listen 127.0.0.1:%s: the port is taken", first.port()); err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	if _, err := Open(t.Context(), Options{Dir: w.Dir(), Listen: "192.0.2.1:0"}); err == nil || !strings.HasPrefix(err.Error(), "--listen 192.0.2.1:0: ") {
		t.Errorf("an address of somebody else: %v", err)
	}
	if _, err := Open(t.Context(), Options{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "no study in ") {
		t.Errorf("no study: %v", err)
	}
}

// Watching changes nothing in a study's folder.
func TestWatchingWritesNothing(t *testing.T) {
	dir := t.TempDir()
	l, err := results.Open(dir)
	must(t, err)
	must(t, l.Begin(results.Study{Name: "night"}, []results.Parent{{Name: "x", Hash: "1"}}))
	must(t, l.Close())
	read := func() string {
		text, err := os.ReadFile(filepath.Join(dir, results.File))
		must(t, err)
		return string(text)
	}
	before := read()
	s := serve(t, Options{Dir: dir})
	for _, path := range []string{"/", "/metrics", "/api/report.json", "/healthz", "/" + rand.Text()} {
		s.get(t, path)
	}
	must(t, s.end())
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if read() != before || !slices.Equal(names, []string{"lock", results.File}) {
		t.Errorf("the ledger is the same: %t; files %v", read() == before, names)
	}
}
