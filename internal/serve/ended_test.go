package serve

import (
	"errors"
	"fmt"
	"os/exec"
	"testing"

	"soup/eval"
)

func TestEnded(t *testing.T) {
	for script, want := range map[string]bool{"kill -9 $$": true, "exit 3": false} {
		err := ended(fmt.Errorf("x: %w", exec.CommandContext(t.Context(), "sh", "-c", script).Run()))
		if errors.Is(err, eval.ErrUnreachable) != want {
			t.Errorf("%s: %v", script, err)
		}
	}
	if ended(nil) != nil {
		t.Error("no error is one")
	}
}
