package fleet

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"soup/internal/usage"
)

// ReadKeys returns the public nkeys in a file: one a line, which may go on after a
// space; lines that begin with # are for people.
func ReadKeys(path string) (keys []string, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, usage.Errorf("--nkeys: %v", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
		case !nkeys.IsValidPublicUserKey(words[0]):
			return nil, &usage.Error{Message: fmt.Sprintf("--nkeys: %s:%d: not the public nkey of a user", path, n), Advice: "such as soup worker --nkey-file prints; it begins with U"}
		default:
			keys = append(keys, words[0])
		}
	}
	if len(keys) == 0 {
		err = usage.Errorf("--nkeys: %s: no key in it", path)
	}
	return keys, err
}

// MakeKey writes the seed of a new nkey, for this user only, unless the file is there.
// It returns the public key, and whether it is new.
func MakeKey(path string) (public string, made bool, err error) {
	seed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		made = true
		seed, err = newSeed()
	}
	if err != nil {
		return "", false, usage.Errorf("--nkey-file: %v", err)
	}
	pair, err := nkeys.ParseDecoratedUserNKey(seed)
	if err == nil {
		public, err = pair.PublicKey()
	}
	if err != nil {
		return "", false, usage.Errorf("--nkey-file: %s: not the seed of a user's nkey", path)
	}
	if made {
		err = renameio.WriteFile(path, append(seed, '\n'), 0o600, renameio.IgnoreUmask())
	}
	return public, made, err
}

func newSeed() ([]byte, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	return pair.Seed()
}

// ownKey is a key that lives as long as this process: its public part, and how a
// connection shows it.
func ownKey() (public string, show nats.Option, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return "", nil, err
	}
	public, err = pair.PublicKey()
	return public, nats.Nkey(public, pair.Sign), err
}
