package usage

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestOf(t *testing.T) {
	wrong := fmt.Errorf("study.yaml: %w", &fs.PathError{Op: "open", Path: "x", Err: errors.New("gone")})
	var mistake *Error
	if err := Of[*fs.PathError](wrong); !errors.As(err, &mistake) || mistake.Message != wrong.Error() {
		t.Errorf("%#v", err)
	}
	other := errors.New("other")
	if err := Of[*fs.PathError](other); !errors.Is(err, other) || errors.As(err, &mistake) {
		t.Errorf("another error became %#v", err)
	}
	if err := Of[*fs.PathError](nil); err != nil {
		t.Errorf("no error became %#v", err)
	}
}
