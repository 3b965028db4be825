package fleet

import (
	"net"
	"net/url"
	"os"
	"strings"

	"soup/internal/usage"
)

// Port is where workers join unless told otherwise: that of NATS.
const Port = "4222"

// SplitListen divides the values of --listen into where the live page is served and
// where workers join: nats://HOST:PORT or any address with port 4222. Each may be
// given once; "" is not given. Workers join at every address of this machine where
// no host is named, for that is what they are asked for.
func SplitListen(values []string) (page, workers string, err error) {
	for _, v := range values {
		address, queue := strings.CutPrefix(v, "nats://")
		_, port, err := net.SplitHostPort(address)
		at := &page
		if queue || err == nil && port == Port && !strings.Contains(address, "://") {
			if err != nil {
				return "", "", &usage.Error{Message: "--listen " + v + ": not nats://HOST:PORT", Advice: "such as --listen :" + Port}
			}
			at = &workers
			if strings.HasPrefix(address, ":") {
				address = "0.0.0.0" + address
			}
		}
		if *at != "" {
			return "", "", usage.Errorf("--listen %s: one address for the live page and one for workers, no more", v)
		}
		*at = address
	}
	return page, workers, nil
}

// reachable is the URL of a server as other machines find it: by this one's name where
// it listens at all addresses.
func reachable(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	ip := net.ParseIP(u.Hostname())
	name, err := os.Hostname()
	if err != nil || ip == nil || !ip.IsUnspecified() {
		return server
	}
	u.Host = net.JoinHostPort(name, u.Port())
	return u.String()
}
