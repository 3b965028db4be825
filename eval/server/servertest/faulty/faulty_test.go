package faulty

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const body = `{"text":"sixteen hundred and sixty-three"}`

// behind starts a server behind a proxy.
func behind(t *testing.T, r Rates, seed uint64) (*Proxy, *atomic.Int64) {
	t.Helper()
	var heard atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard.Add(1)
		said, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, body+string(said)+r.URL.RawQuery)
	}))
	t.Cleanup(server.Close)
	p, err := New(server.URL, r, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, &heard
}

// ask returns the reply to the n-th question.
func ask(t *testing.T, p *Proxy, n int) (string, error) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	reply, err := client.Post(fmt.Sprintf("%s/x?n=%d", p.URL, n), "application/json", strings.NewReader("q")) //nolint:noctx // of a test
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusAccepted {
		t.Errorf("status %d", reply.StatusCode)
	}
	text, err := io.ReadAll(reply.Body)
	return string(text), err
}

func TestFaults(t *testing.T) {
	const n = 40
	for _, test := range []struct {
		name  string
		rates Rates
		fits  func(want, got string, err error) bool
		heard func(int) bool
	}{
		{None, Rates{}, func(want, got string, err error) bool { return err == nil && got == want }, func(k int) bool { return k == n }},
		{Drop, Rates{Drop: 1}, func(_, _ string, err error) bool { return err != nil }, func(k int) bool { return k > 0 && k < n }},
		{Delay, Rates{Delay: 1, Longest: 10 * time.Millisecond}, func(want, got string, err error) bool { return err == nil && got == want }, func(k int) bool { return k == n }},
		{Truncate, Rates{Truncate: 1}, func(want, got string, err error) bool {
			return len(got) < len(want) && strings.HasPrefix(want, got) && (err == nil || errors.Is(err, io.ErrUnexpectedEOF))
		}, func(k int) bool { return k == n }},
		{Double, Rates{Double: 1}, func(want, got string, err error) bool { return err == nil && got == want+want }, func(k int) bool { return k > n && k < 2*n }},
		{Corrupt, Rates{Corrupt: 1}, func(want, got string, err error) bool {
			return err == nil && len(got) == len(want) && different(want, got) <= 4
		}, func(k int) bool { return k == n }},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, heard := behind(t, test.rates, 7)
			changed := 0
			for i := range n {
				want := fmt.Sprintf("%sqn=%d", body, i)
				got, err := ask(t, p, i)
				if !test.fits(want, got, err) {
					t.Errorf("%q became %q, %v", want, got, err)
				}
				changed += different(want, got)
			}
			if !test.heard(int(heard.Load())) || p.Counts()[test.name] != n {
				t.Errorf("the server heard %d of %d; %v", heard.Load(), n, p.Counts())
			}
			if test.name == Corrupt && changed < n {
				t.Errorf("%d bytes changed in %d replies", changed, n)
			}
		})
	}
}

func different(a, b string) int {
	n := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// The same questions meet the same faults in another order, and others when
// they are asked again or with another seed.
func TestSeed(t *testing.T) {
	run := func(seed uint64, from, to, step int) map[int]string {
		p, _ := behind(t, All(0.15), seed)
		said := map[int]string{}
		for i := from; i != to; i += step {
			text, err := ask(t, p, i)
			again, err2 := ask(t, p, i)
			said[i] = fmt.Sprint(text, err != nil, again, err2 != nil)
		}
		return said
	}
	up, down, other := run(1, 0, 60, 1), run(1, 59, -1, -1), run(2, 0, 60, 1)
	differ := 0
	for i := range 60 {
		if up[i] != down[i] {
			t.Errorf("question %d: %q, then %q", i, up[i], down[i])
		}
		if up[i] != other[i] {
			differ++
		}
	}
	if differ < 10 {
		t.Errorf("with another seed %d of 60 differ", differ)
	}
}

func TestRates(t *testing.T) {
	p, _ := behind(t, Rates{Drop: 0.05, Truncate: 0.05, Double: 0.05, Corrupt: 0.05}, 3)
	const n = 600
	for i := range n {
		_, _ = ask(t, p, i)
	}
	for fault, k := range p.Counts() {
		if fault != None && (k < n/50 || k > n/8) {
			t.Errorf("%s: %d of %d, want about 1 in 20", fault, k, n)
		}
	}
	if len(p.Counts()) != 5 {
		t.Errorf("%v", p.Counts())
	}
}

func TestNewRefuses(t *testing.T) {
	for _, target := range []string{"", ":", "nothing"} {
		if _, err := New(target, Rates{}, 1); err == nil {
			t.Errorf("%q is no error", target)
		}
	}
}
