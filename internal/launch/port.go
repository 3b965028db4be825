package launch

import (
	"context"
	"net"
	"strconv"
)

const loopback = "127.0.0.1"

// freePort returns a port of 127.0.0.1 that nobody listens on. Somebody may
// before the server does; start tries again then.
func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp4", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return "", err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return strconv.Itoa(port), l.Close()
}

func isFree(ctx context.Context, port string) bool {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp4", net.JoinHostPort(loopback, port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
