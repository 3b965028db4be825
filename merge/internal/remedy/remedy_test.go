package remedy

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func TestErrorf(t *testing.T) {
	err := Errorf("do this", "%s: %w", "file", fs.ErrInvalid)
	if err.Error() != "file: invalid argument" || hint(err) != "do this" || !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%v, %q", err, hint(err))
	}
	if err := Errorf("", "plain"); hint(err) != "" || err.Error() != "plain" {
		t.Errorf("%v, %q", err, hint(err))
	}
}

func TestOpening(t *testing.T) {
	for cause, says := range map[error]string{
		fs.ErrNotExist: "no such file", fs.ErrPermission: "no permission", syscall.EMFILE: "more files",
	} {
		err := Opening("x", &os.PathError{Op: "open", Path: "x", Err: cause})
		if !strings.HasPrefix(err.Error(), "x: ") || !strings.Contains(err.Error(), says) || hint(err) == "" {
			t.Errorf("%v: %v, %q", cause, err, hint(err))
		}
	}
	if err := Opening("x", fs.ErrInvalid); err != fs.ErrInvalid { //nolint:errorlint // that very error is expected
		t.Errorf("another error became %v", err)
	}
}
