package fleet

import (
	"net"
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
