package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"soup/internal/usage"
)

// certificate writes one of its own authority, and its key, for this machine.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "soup"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// What workers and coordinator say goes through TLS, and a worker that does not trust
// the certificate does not join.
func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	h, said := openHub(t, t.TempDir(), func(o *Options) { o.Listen.Cert, o.Listen.Key = cert, key })
	if !strings.HasPrefix(h.Address(), "tls://") {
		t.Errorf("workers join at %s", h.Address())
	}
	l, err := Join(t.Context(), Remote{URL: h.Address(), Token: secret, CA: cert}, "", "w")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	work(t, l, ServeOptions{}, double)
	if r := doAll(t, h, 1)[0]; r.Worker != "w" || string(r.Payload) != "0" || !l.nc.TLSRequired() {
		t.Errorf("got %+v", r)
	}
	other, _ := certificate(t)
	for what, r := range map[string]Remote{
		"the system's authorities": {URL: h.Address(), Token: secret},
		"another authority":        {URL: h.Address(), Token: secret, CA: other},
	} {
		_, err := Join(t.Context(), r, "", "w")
		if err == nil || !strings.Contains(err.Error(), "its certificate is not trusted here: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	until(t, func() bool { return strings.Contains(said.all(), "a worker was turned away: ") })
	if _, err := Join(t.Context(), Remote{URL: h.Address(), CA: cert}, "", "w"); err == nil || !strings.Contains(err.Error(), "not let in") {
		t.Errorf("without a token: %v", err)
	}
}

// A key that is on the list lets a worker in where a token would; so does the token.
func TestKeys(t *testing.T) {
	dir := t.TempDir()
	seed, list := filepath.Join(dir, "seed"), filepath.Join(dir, "workers")
	public, made, err := MakeKey(seed)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	if again, made, err := MakeKey(seed); again != public || made || err != nil {
		t.Errorf("the second time %s, %v, %v", again, made, err)
	}
	if info, err := os.Stat(seed); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(list, []byte("# night shift\n\n"+public+" box 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := ReadKeys(list)
	if err != nil {
		t.Fatal(err)
	}
	h, said := openHub(t, t.TempDir(), func(o *Options) { o.Listen.Keys = keys })
	for name, r := range map[string]Remote{"key": {Key: seed}, "token": {Token: secret}} {
		r.URL = h.Address()
		l, err := Join(t.Context(), r, "", name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		l.Close()
	}
	stranger := filepath.Join(dir, "stranger")
	unknown, _, err := MakeKey(stranger)
	if err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string]Remote{
		"it does not know the key " + unknown: {URL: h.Address(), Key: stranger},
		"the token is missing or wrong":       {URL: h.Address()},
	} {
		if _, err := Join(t.Context(), r, "", "w"); err == nil || !strings.Contains(err.Error(), "not let in: "+what) {
			t.Errorf("%v, want %s", err, what)
		}
	}
	until(t, func() bool { return strings.Contains(said.all(), unknown) })
}

func TestKeysRefused(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("\nSUANONSENSE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("# nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{bad: "bad:2: not the public nkey of a user", empty: "no key in it", filepath.Join(dir, "none"): "--nkeys: open"} {
		if _, err := ReadKeys(path); err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, new(*usage.Error)) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, _, err := MakeKey(bad); err == nil || !strings.Contains(err.Error(), "not the seed of a user's nkey") {
		t.Errorf("a bad seed: %v", err)
	}
	if _, err := Join(t.Context(), Remote{URL: "nats://127.0.0.1:1", Key: bad}, "", "w"); err == nil || !strings.Contains(err.Error(), "--nkey-file: ") {
		t.Errorf("joining with it: %v", err)
	}
}

// A NATS server that somebody else runs, with the limits it has by default, is a queue
// too.
func TestForeignServer(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), Authorization: secret, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	remote := Remote{URL: s.ClientURL(), Token: secret}
	h, _ := openHub(t, t.TempDir(), func(o *Options) { o.Remote = &remote })
	l, err := Join(t.Context(), remote, "", "w")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	work(t, l, ServeOptions{}, double)
	if r := doAll(t, h, 5)[4]; r.Worker != "w" || string(r.Payload) != "8" {
		t.Errorf("got %+v", r)
	}
	if err := h.Finish(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), Options{ID: "x", Dir: t.TempDir(), Remote: &Remote{URL: s.ClientURL()}}); err == nil || !strings.Contains(err.Error(), "not let in") {
		t.Errorf("without a token: %v", err)
	}
}
