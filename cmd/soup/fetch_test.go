package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// freeport NAME sets a variable to a port that nobody listens on.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], port)
}

// fetch [-CODE] URL FILE waits until a server is there and writes its answer, whose
// status must be CODE (default 200), into a file. It follows no redirection.
func fetch(ts *testscript.TestScript, _ bool, args []string) {
	want := http.StatusOK
	if code, given := strings.CutPrefix(args[0], "-"); given {
		n, err := strconv.Atoi(code)
		ts.Check(err)
		want, args = n, args[1:]
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for range 1000 {
		answer, err := client.Get(args[0])
		if err != nil { // not there yet
			time.Sleep(20 * time.Millisecond)
			continue
		}
		text, err := io.ReadAll(answer.Body)
		ts.Check(err)
		ts.Check(answer.Body.Close())
		if answer.StatusCode != want {
			ts.Fatalf("%s: %s, want %d\n%s", args[0], answer.Status, want, text)
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
		return
	}
	ts.Fatalf("%s: nobody answers", args[0])
}
