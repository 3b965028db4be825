package serve

import (
	"errors"
	"fmt"
	"os/exec"

	"soup/eval"
)

// ended marks the error of a process that was killed before it answered as that of
// a server that cannot be reached: it says nothing about the model.
func ended(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 && !errors.Is(err, eval.ErrUnreachable) {
		return fmt.Errorf("%w: %w", eval.ErrUnreachable, err)
	}
	return err
}
