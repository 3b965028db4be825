package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"soup/internal/usage"
)

// Listen says where the embedded server is reached, and by whom.
type Listen struct {
	Address string   // host:port; "" opens no port
	Token   string   // that workers need
	Keys    []string // public nkeys of workers that need none
	Cert    string   // file of the certificate; "" is no TLS
	Key     string   // file of its key
}

// mostPayload is the largest message that the embedded server takes: the answers
// to all items of a candidate are one.
const mostPayload = 64 << 20

// startup is how long the embedded server may take to read its files.
const startup = 30 * time.Second

// broker is the embedded server.
type broker struct {
	*server.Server
	own nats.Option // lets this process in
}

// startBroker runs a server in this process that keeps its files in dir. What it
// has to say about who was not let in goes to warn.
func startBroker(dir string, l Listen, warn func(string)) (*broker, error) {
	o := &server.Options{
		ServerName: "soup", JetStream: true, StoreDir: dir, SyncAlways: true, MaxPayload: mostPayload, NoSigs: true,
		DontListen: l.Address == "", AuthTimeout: 10, MaxPending: 4 * mostPayload,
	}
	if l.Address != "" {
		if err := l.apply(o); err != nil {
			return nil, err
		}
	}
	own, err := l.admit(o)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	log := &refusals{warn: warn}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if !s.ReadyForConnections(startup) {
		s.Shutdown()
		return nil, fmt.Errorf("queue: not ready within %s%s", startup, log.reason())
	}
	return &broker{s, own}, nil
}

// admit lets in those with the token, those with one of the keys, and this process.
func (l Listen) admit(o *server.Options) (own nats.Option, err error) {
	o.Authorization = l.Token
	if len(l.Keys) == 0 {
		return nats.Token(l.Token), nil
	}
	public, own, err := ownKey()
	for _, key := range append([]string{public}, l.Keys...) {
		o.Nkeys = append(o.Nkeys, &server.NkeyUser{Nkey: key})
	}
	return own, err
}

// apply reads address and certificate.
func (l Listen) apply(o *server.Options) error {
	host, port, err := net.SplitHostPort(l.Address)
	if err == nil {
		o.Host = host
		o.Port, err = strconv.Atoi(port)
	}
	if err != nil {
		return usage.Errorf("--listen %s: not HOST:PORT", l.Address)
	}
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	if (l.Cert == "") != (l.Key == "") {
		return usage.Errorf("--tls-cert and --tls-key go together")
	}
	if l.Cert != "" {
		pair, err := tls.LoadX509KeyPair(l.Cert, l.Key)
		if err != nil {
			return usage.Errorf("--tls-cert: %v", err)
		}
		o.TLS, o.TLSTimeout = true, 10
		o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	if l.Token == "" && len(l.Keys) == 0 && !loopback(host) {
		return &usage.Error{
			Message: "--listen " + l.Address + ": other machines can reach this address, and no token guards it",
			Advice:  "put a token into SOUP_TOKEN or a file named by --token-file, such as that of: openssl rand -hex 16; or name who may join with --nkeys",
		}
	}
	return probePort(l.Address)
}

// probePort says in one line what the server would end the process for.
func probePort(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	return listener.Close()
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// end closes the embedded server; what is stored stays.
func (b *broker) end() {
	b.Shutdown()
	b.WaitForShutdown()
}

// refusals is the server's log: of all that it says, who was turned away matters.
type refusals struct {
	warn  func(string)
	fatal error
}

func (r *refusals) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if strings.Contains(strings.ToLower(text), "authentication") || strings.Contains(text, "TLS handshake") {
		r.warn("a worker was turned away: " + text)
	}
}

func (r *refusals) reason() string {
	if r.fatal == nil {
		return ""
	}
	return ": " + r.fatal.Error()
}

func (r *refusals) Errorf(format string, args ...any) { r.line(format, args...) }
func (r *refusals) Warnf(format string, args ...any)  { r.line(format, args...) }
func (r *refusals) Fatalf(format string, args ...any) { r.fatal = fmt.Errorf(format, args...) }
func (r *refusals) Noticef(string, ...any)            {}
func (r *refusals) Debugf(string, ...any)             {}
func (r *refusals) Tracef(string, ...any)             {}

// Remote says how an existing server is reached: that of a coordinator, or a cluster.
type Remote struct {
	URL   string        // nats://host:port or tls://host:port
	Token string        // that it wants; "" sends none
	Creds string        // file with a user's JWT and nkey; "" sends none
	Key   string        // file with the seed of an nkey; "" sends none
	Wait  time.Duration // for a study to be there, when joining
	CA    string        // file of the authority that signed its certificate; "" is the system's
}

// connect dials, once: what is wrong is said at once. Later the connection is
// made again for ever.
func (r Remote) connect(ctx context.Context, name string) (*nats.Conn, error) {
	o := []nats.Option{nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond), nats.Timeout(10 * time.Second)}
	if r.Token != "" {
		o = append(o, nats.Token(r.Token))
	}
	if r.Creds != "" {
		o = append(o, nats.UserCredentials(r.Creds))
	}
	if r.Key != "" {
		key, err := nats.NkeyOptionFromSeed(r.Key)
		if err != nil {
			return nil, usage.Errorf("--nkey-file: %s: %v", r.Key, err)
		}
		o = append(o, key)
	}
	if r.CA != "" {
		o = append(o, nats.RootCAs(r.CA))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	nc, err := nats.Connect(r.URL, o...)
	if err == nil {
		return nc, nil
	}
	if errors.Is(err, nats.ErrAuthorization) || strings.Contains(strings.ToLower(err.Error()), "authorization") {
		return nil, r.notLetIn()
	}
	if untrusted := new(tls.CertificateVerificationError); errors.As(err, &untrusted) {
		return nil, &usage.Error{Message: r.URL + ": its certificate is not trusted here: " + untrusted.Err.Error(), Advice: "name the authority that signed it, or the certificate itself, with --tls-ca"}
	}
	if errors.Is(err, nats.ErrNoServers) || errors.As(err, new(*net.OpError)) {
		return nil, fmt.Errorf("%s: %w: %w", r.URL, errAbsent, err)
	}
	return nil, fmt.Errorf("%s: %w", r.URL, err)
}

func (r Remote) notLetIn() error {
	e := &usage.Error{Message: r.URL + ": not let in: the token is missing or wrong", Advice: "put the coordinator's token into SOUP_TOKEN or a file named by --token-file"}
	if r.Key == "" {
		return e
	}
	public, _, err := MakeKey(r.Key)
	if err != nil {
		return err
	}
	e.Message, e.Advice = r.URL+": not let in: it does not know the key "+public, "add the key to the coordinator's --nkeys file; it is read when soup run begins"
	return e
}

// folder of the queue's files in that of a study.
const folder = "queue"

// storeDir makes it, for this user only: answers are in it.
func storeDir(dir string) (string, error) {
	path := filepath.Join(dir, folder)
	return path, os.MkdirAll(path, 0o700)
}
