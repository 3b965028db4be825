package web

import (
	"net"
	"net/netip"
	"os"
	"strings"

	"soup/internal/usage"
)

// DefaultAddress is where soup watch serves unless told otherwise.
const DefaultAddress = "127.0.0.1:8080"

// workerPort is kept for workers that join a run: NATS' own port.
const workerPort = "4222"

// parseAddress reads HOST:PORT, also with http:// before it. Without a host it is
// that of this machine only: who wants to be seen from elsewhere says so.
func parseAddress(value string) (host, port string, err error) {
	address := value
	if scheme, rest, found := strings.Cut(value, "://"); found {
		switch strings.ToLower(scheme) {
		case "http":
			address = strings.TrimSuffix(rest, "/")
		case "https":
			return "", "", &usage.Error{Message: "--listen " + value + ": soup speaks http only", Advice: "put a proxy that speaks https before it"}
		default:
			return "", "", &usage.Error{Message: "--listen " + value + ": cannot listen for " + scheme, Advice: "give HOST:PORT or http://HOST:PORT; workers join soup run, at nats://HOST:PORT"}
		}
	}
	host, port, err = net.SplitHostPort(address)
	if err != nil || strings.ContainsAny(address, "/?#@") || port == "" {
		return "", "", &usage.Error{Message: "--listen " + value + ": not HOST:PORT", Advice: "such as --listen " + DefaultAddress}
	}
	if port == workerPort {
		return "", "", &usage.Error{Message: "--listen " + value + ": port " + workerPort + " is kept for workers", Advice: "choose another port"}
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return host, port, nil
}

// isLoopback says whether only this machine reaches a listener.
func isLoopback(l net.Listener) bool {
	at, ok := l.Addr().(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

// hosts are the names under which a browser may ask for the page. A web page of
// somebody else that points a name of its own at this machine (DNS rebinding)
// asks under that name. An address cannot be pointed elsewhere.
type hosts map[string]bool

func newHosts(listen string) hosts {
	h := hosts{"localhost": true, strings.ToLower(listen): true}
	if name, err := os.Hostname(); err == nil {
		h[strings.ToLower(name)] = true
	}
	return h
}

// allows judges the Host of a request, with a port or without. The port may be
// another than ours: that of a tunnel.
func (h hosts) allows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return h[host] || strings.HasSuffix(host, ".localhost")
}
