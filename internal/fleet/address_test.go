package fleet

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestSplitListen(t *testing.T) {
	for values, want := range map[string]string{
		"":                            " | ",
		":8080":                       ":8080 | ",
		":4222":                       " | 0.0.0.0:4222",
		"127.0.0.1:4222 :80":          ":80 | 127.0.0.1:4222",
		"nats://[::1]:99 http://x:80": "http://x:80 | [::1]:99",
		"http://x:4222":               "http://x:4222 | ", // the page refuses that port
		"nats://x":                    "not nats://HOST:PORT",
		":1 :2":                       "one address for the live page",
		":4222 nats://:1":             "one address for the live page",
	} {
		page, workers, err := SplitListen(strings.Fields(values))
		got := page + " | " + workers
		if err != nil {
			got = fmt.Sprint(err)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", values, got, want)
		}
	}
}

func TestReachable(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{
		"nats://0.0.0.0:4222":   "nats://" + name + ":4222",
		"tls://[::]:4222":       "tls://" + name + ":4222",
		"nats://127.0.0.1:4222": "nats://127.0.0.1:4222",
		"nats://head:4222":      "nats://head:4222",
	} {
		if got := reachable(given); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}
