//go:build chaos

package study

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// cable is how one worker of the chaos reaches the coordinator.
type cable struct {
	at   string         // the coordinator's address, as the worker sees it
	exec []string       // what its command line begins with
	cut  func(cut bool) // nothing passes while it is cut; connections stay
}

// cables lays one for each of n workers, to a coordinator on a port of this machine.
func cables(t *testing.T, n int, port string) (list []cable) {
	t.Helper()
	lay := proxied
	if os.Getenv(chaosNamespaces) != "" {
		lay = namespaced
	}
	for i := range n {
		list = append(list, lay(t, i, port))
	}
	return list
}

// proxied is a cable that works everywhere: a proxy that stops passing on.
func proxied(t *testing.T, _ int, port string) cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	w := &wire{}
	w.mended.L = &w.mu
	go w.serve(l, "127.0.0.1:"+port)
	return cable{at: l.Addr().String(), cut: w.set}
}

// wire passes bytes on. While it is cut they wait, as where packets are lost and sent
// again.
type wire struct {
	mu     sync.Mutex
	mended sync.Cond
	cut    bool
}

func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	w.mended.Broadcast()
}

func (w *wire) await() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.cut {
		w.mended.Wait()
	}
}

func (w *wire) serve(l net.Listener, to string) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close()
			w.await()
			far, err := net.Dial("tcp", to)
			if err != nil { // the coordinator is away
				return
			}
			defer far.Close()
			go func() {
				defer near.Close()
				defer far.Close()
				w.pass(far, near)
			}()
			w.pass(near, far)
		}()
	}
}

func (w *wire) pass(to io.Writer, from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		w.await()
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// namespaced is a network namespace of its own, with a pair of virtual interfaces: cut
// is the link down. It wants root and ip of iproute2.
func namespaced(t *testing.T, i int, port string) cable {
	t.Helper()
	name, link := fmt.Sprint("soup-chaos-", i), fmt.Sprint("soup", i)
	here, there := fmt.Sprintf("10.231.%d.1", i), fmt.Sprintf("10.231.%d.2", i)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	for _, line := range []string{
		"netns add " + name,
		"link add " + link + " type veth peer name eth0 netns " + name,
		"addr add " + here + "/30 dev " + link,
		"link set " + link + " up",
		"-n " + name + " addr add " + there + "/30 dev eth0",
		"-n " + name + " link set eth0 up",
		"-n " + name + " link set lo up",
	} {
		if said, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, said)
		}
	}
	return cable{at: here + ":" + port, exec: []string{"ip", "netns", "exec", name}, cut: func(cut bool) {
		state := map[bool]string{true: "down", false: "up"}[cut]
		if said, err := exec.Command("ip", "link", "set", link, state).CombinedOutput(); err != nil {
			t.Errorf("%s %s: %v: %s", link, state, err, said)
		}
	}}
}
