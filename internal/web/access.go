package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"soup/internal/usage"
)

// TokenVariable is the environment variable that may hold the token.
const TokenVariable = "SOUP_TOKEN"

// shortest is the least length of a token that somebody chose.
const shortest = 16

// ReadToken returns the token of a file, or else of the environment variable;
// empty if there is neither. It does not come from the command line, which every
// user of the machine can read.
func ReadToken(file string) (string, error) {
	token, from := os.Getenv(TokenVariable), TokenVariable
	if file != "" {
		raw, err := readSmall(file)
		if err != nil {
			return "", &usage.Error{Message: fmt.Sprintf("--token-file: %v", err)}
		}
		token, from = strings.TrimSpace(string(raw)), "--token-file "+file
		if token == "" {
			return "", usage.Errorf("%s: no token in it", from)
		}
	}
	if token == "" {
		return "", nil
	}
	if len(token) < shortest || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &usage.Error{
			Message: fmt.Sprintf("%s: a token has at least %d letters, digits or signs of ASCII and no spaces", from, shortest),
			Advice:  "such as that of: openssl rand -hex 16",
		}
	}
	return token, nil
}

// readSmall reads a file that has no reason to be large.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, 4097))
	if err == nil && len(raw) > 4096 {
		err = errors.New(path + ": too long for a token")
	}
	return raw, err
}

// gate lets in who knows the token. Its zero value lets everybody in.
type gate struct {
	token  string
	cookie string // name: browsers do not keep cookies of two ports apart
}

func newGate(token, port string) gate { return gate{token, "soup-" + port} }

// ticket is what the cookie holds in place of the token.
func (g gate) ticket() string {
	sum := sha256.Sum256([]byte("soup cookie " + g.token))
	return hex.EncodeToString(sum[:])
}

// equal compares in a time that depends on neither text.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (g gate) admits(r *http.Request) bool {
	if g.token == "" {
		return true
	}
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") && equal(token, g.token) {
		return true
	}
	c, err := r.Cookie(g.cookie)
	return err == nil && equal(c.Value, g.ticket())
}

// login answers the link with the token: the browser keeps a cookie, and the
// token leaves the address bar.
func (g gate) login(w http.ResponseWriter, r *http.Request) bool {
	given := r.URL.Query().Get("token")
	if g.token == "" || given == "" || !equal(given, g.token) {
		return false
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.ticket(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Location", "/")
	w.WriteHeader(http.StatusSeeOther)
	return true
}

// newToken is a token of 128 random bits or more.
func newToken() string { return rand.Text() }
