package torchfile

import (
	"errors"
	"os"
)

// limitedBy is what holds a child's memory: itself, and the kernel.
var limitedBy = []string{"watch", "kernel"}

// poor says what a limited process can do that it should not.
func poor() error {
	if f, err := os.Open("/etc/passwd"); err == nil {
		return errors.Join(errors.New("opened a file"), f.Close())
	}
	if err := os.WriteFile("written", []byte("x"), 0o600); err == nil {
		return errors.New("wrote a file")
	}
	return nil
}
