package results

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A study that belongs to somebody else: no shared-memory file can be made.
func TestReadOnlyDirectory(t *testing.T) {
	dir := t.TempDir()
	create(t, dir)
	must(t, os.Chmod(dir, 0o555))
	defer os.Chmod(dir, 0o755) //nolint:errcheck // only lets the test clean up
	asNobody(t, func() {
		r, err := OpenReadOnly(dir)
		must(t, err)
		defer checkAndClose(t, r)
		if s, _, err := r.Study(); err != nil || s.Name != "night-1" {
			t.Errorf("study %q, error %v", s.Name, err)
		}
	})
}

func TestOpenNoPermission(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o555))
	defer os.Chmod(dir, 0o755) //nolint:errcheck // only lets the test clean up
	asNobody(t, func() {
		if _, err := Open(dir); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), dir) {
			t.Errorf("Open: %v", err)
		}
	})
}

// asNobody runs f with the file permissions of an ordinary user, for directory
// modes do not bind root.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		runtime.LockOSThread() // fsuid is the thread's
		defer runtime.UnlockOSThread()
		for dir := t.TempDir(); dir != filepath.Dir(dir) && dir != os.TempDir(); dir = filepath.Dir(dir) {
			must(t, os.Chmod(dir, 0o755))
		}
		_ = unix.Setfsuid(65534)
		defer func() { _ = unix.Setfsuid(0) }()
	}
	f()
}
